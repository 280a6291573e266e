"""What can go wrong at the Cartesia stand-in, switched at run time in-process or over HTTP."""

from __future__ import annotations

import msgspec


class ErrorEvent(msgspec.Struct, forbid_unknown_fields=True):
    """An error that the next generation answers with instead of audio."""

    status: int = 500
    error_code: str | None = None
    title: str = "Internal error"
    message: str = "something failed"
    with_context_id: bool = True


class CartesiaFaults(msgspec.Struct, forbid_unknown_fields=True):
    """All switches; the defaults are a healthy service."""

    refuse_status: int | None = None
    """Answer new connections with this HTTP status."""
    refuse_times: int | None = None
    """Stop refusing after so many times."""
    redirect_to: str | None = None
    """Answer new connections with 307 to this address."""
    hang_handshake: bool = False
    """Accept TCP and never answer the upgrade."""
    close_after_s: float | None = None
    """Close a connection this long after its start."""
    close_code: int = 1011
    close_reason: str = "internal error"
    drop_tcp_after_chunks: int | None = None
    """Cut TCP without a close frame after so many chunks of a connection; 0 cuts when text arrives."""
    drop_times: int | None = None
    """Stop cutting after so many times."""
    stall: bool = False
    """Stay open, send nothing."""
    stall_after_chunks: int | None = None
    """Stop sending after so many chunks of a connection."""
    errors: list[ErrorEvent] = []
    """Used up one per generation."""
    unknown_types: bool = False
    """Send messages of types that no documentation names."""
    extra_fields: bool = False
    """Add members that no documentation names, some of odd types."""
    malformed: bool = False
    """Send broken JSON and JSON that is no object between the chunks."""
    odd_splits: bool = False
    """Cut the audio at odd places."""
    no_timestamps: bool = False
    no_flush_done: bool = False
    no_done: bool = False
