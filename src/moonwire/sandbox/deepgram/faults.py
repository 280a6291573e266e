"""Names what can go wrong at the simulated vendor; each switch can be set before or during a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FinalizeAnswer = Literal["normal", "empty", "missing", "delayed"]


@dataclass(frozen=True, slots=True)
class Faults:
    """The switches; the default is a healthy vendor."""

    refuse_status: int | None = None
    """Answer the upgrade with this HTTP status."""
    refuse_times: int | None = None
    """How many upgrades to refuse; None: all."""
    hang_handshake: bool = False
    """Accept TCP, never answer the upgrade."""
    close_after_s: float | None = None
    """Close each connection this long after its start."""
    close_code: int = 1011
    close_reason: str = "Internal server error"
    drop_after_s: float | None = None
    """Cut TCP without a close frame this long after the start."""
    stall: bool = False
    """Stay open, take everything, send nothing."""
    duplicate: bool = False
    """Send every message twice."""
    unknown_types: bool = False
    """Send a message of an unknown type before every message."""
    extra_fields: bool = False
    """Put undocumented members into every message."""
    finalize: FinalizeAnswer = "normal"
    """`empty`: the words come in an ordinary final piece, then an empty one from Finalize. `missing`: no answer."""
    finalize_delay_s: float = 0.3
    """Wait of the `delayed` answer."""
    speaks: str = "en"
    """Language that is detected with `language=multi`; no fault."""
    realtime_cap: bool = False
    """Work off audio at most at 1.25 times real time."""
