"""What a scripted call showed: turns with their delays, the agent's speech, problems; JSON-ready."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class CallerTurn:
    """One thing the caller did; times in seconds of media time since the answer."""

    kind: str
    """`say` | `audio` | `digits` | `interrupt`"""
    text: str
    started_s: float
    ended_s: float = 0.0
    """End of the caller's last sound."""
    response_delay_s: float | None = None
    """From there to the agent's next sound; None when none came, or when the agent was already speaking."""
    barge_in_stop_s: float | None = None
    """From the caller's first sound to the agent's last one, when the caller spoke over the agent."""


@dataclass(slots=True)
class CallerReport:
    """A whole call."""

    duration_s: float = 0.0
    ended_by: str = ""
    end_reason: str = ""
    completed: bool = False
    """Every step of the script was done."""
    turns: list[CallerTurn] = field(default_factory=list[CallerTurn])
    agent_speech: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    digits: str = ""
    """Received from the agent."""
    problems: list[str] = field(default_factory=list[str])
    recording: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the call went as scripted."""
        return self.completed and not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain values; times to the millisecond."""
        plain: dict[str, Any] = _rounded(asdict(self))
        return {"ok": self.ok, **plain}


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, 3)
        case dict():
            return {key: _rounded(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case list() | tuple():
            return [_rounded(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value
