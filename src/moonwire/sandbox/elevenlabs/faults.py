"""What can go wrong at the ElevenLabs stand-in, switched at run time in-process or over HTTP."""

from __future__ import annotations

import msgspec


class ElevenLabsFaults(msgspec.Struct, forbid_unknown_fields=True):
    """All switches; the defaults are a healthy service."""

    refuse_status: int | None = None
    """Answer new connections with this HTTP status."""
    refuse_times: int | None = None
    """Stop refusing after so many times."""
    close_at_once: str | None = None
    """Accept, then close with 1008 and this reason, as the service does for a wrong key."""
    error: str | None = None
    """Answer the next text with this error message instead of audio."""
    drop_after_chunks: int | None = None
    """Cut TCP without a close frame after so many chunks of a connection; 0 cuts when text arrives."""
    drop_times: int | None = None
    """Stop cutting after so many times."""
    stall: bool = False
    """Stay open, send nothing."""
    no_final: bool = False
    """Never say isFinal."""
    no_alignment: bool = False
    """Audio without alignment."""
    snake_case: bool = False
    """`context_id`, `is_final` and `charsStartTimesMs` instead of the documented names."""
    unknown_types: bool = False
    """Send an unknown message before every one."""
    malformed: bool = False
    """Send text that is no JSON object before every message."""
