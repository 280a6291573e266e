"""Names what can go wrong at the simulated Flux; each switch can be set before or during a connection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FluxFaults:
    """The switches; the default is a healthy vendor."""

    refuse_status: int | None = None
    """Answer the upgrade with this HTTP status."""
    refuse_times: int | None = None
    """How many upgrades to refuse; None: all."""
    hang_handshake: bool = False
    """Accept TCP, never answer the upgrade."""
    no_connected: bool = False
    """Upgrade, but never say Connected."""
    close_after_s: float | None = None
    """Close each connection this long after its start."""
    close_code: int = 1011
    close_reason: str = "Internal server error"
    drop_after_s: float | None = None
    """Cut TCP without a close frame this long after the start."""
    stall: bool = False
    """Stay open, take everything, send nothing more."""
    quiet_when_idle: bool = False
    """Send no Update while no turn is open."""
    duplicate: bool = False
    """Send every message twice."""
    unknown_types: bool = False
    """Send a message of an unknown type before every message."""
    extra_fields: bool = False
    """Put undocumented members into every message."""
    old_spellings: bool = False
    """`error_code` and `error` instead of `code` and `description`."""
    speaks: str | None = None
    """Language that the multilingual model detects; no fault."""
    refuse_configure: bool = False
    """Answer Configure with ConfigureFailure."""
