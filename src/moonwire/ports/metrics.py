"""What the engine tells the process's metrics: once per call, reply or failure, never per frame or token."""

from __future__ import annotations

from typing import Literal, Protocol

Stage = Literal["end_of_turn", "transcript", "llm_first_content", "tts_first_audio", "reply", "hook", "barge_in"]
"""Where a turn's time goes; `reply` is final transcript to first agent audio."""


class CallMetrics(Protocol):
    """Counts calls and times stages."""

    def call_started(self, transport: str) -> None:
        """Count a call that was offered."""
        ...

    def call_ended(self, transport: str, reason: str, duration_s: float) -> None:
        """Count the end of a call; `reason` is one of the stable words of LegEnd or a call error."""
        ...

    def stage_took(self, stage: Stage, seconds: float) -> None:
        """Time one stage of one turn."""
        ...

    def vendor_failed(self, vendor: str, code: str) -> None:
        """Count a vendor's failure by the code of its error class."""
        ...

    def frames_dropped(self, where: Literal["inbound", "outbound", "stt"], frames: int) -> None:
        """Count 20 ms frames that were lost inside the server."""
        ...
