"""Measures one turn: differences of the times at which its events happened; needs no clock of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from moonwire.call.hearing import Hearing
from moonwire.call.reply import Reply
from moonwire.ports.llm import TokenUsage
from moonwire.spec.payloads import TurnReport, UsageReport


def _ms(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else max(0.0, (end - start) * 1000)


def usage_report(usage: TokenUsage | None) -> UsageReport | None:
    """Return tokens as applications and operators see them; None when no model has counted any."""
    if usage is None or not usage.total:
        return None
    return UsageReport(usage.input, usage.output, usage.cache_read, usage.cache_write, usage.total)


@dataclass(slots=True)
class TurnMeter:
    """The caller's side of the current turn; the reply brings its own times."""

    transcript: str = ""
    speech_ended_at: float | None = None
    final_at: float | None = None
    committed_at: float | None = None
    confidence: float | None = None
    engine: str = "silence"
    """Who ended the caller's turn."""
    preflight: Literal["hit", "miss", "pending"] | None = None
    """What became of the turn's early replies; None when there was none."""
    preflight_tokens: int | None = None

    def released(self, tokens: int) -> None:
        """Note an early reply that was right; without a token yet it is pending."""
        self.preflight = "hit" if tokens else "pending"
        self.preflight_tokens = tokens or None

    def commit(self, text: str, hearing: Hearing, now: float) -> None:
        """Note the end of the caller's turn; merged turns keep both texts."""
        self.transcript = f"{self.transcript} {text}".strip()
        self.speech_ended_at = hearing.speech_ended_at
        self.final_at = hearing.final_at
        self.confidence = hearing.confidence
        self.committed_at = now
        self.engine = hearing.ended_by or "silence"

    def clear(self) -> None:
        """Begin a new turn."""
        self.transcript = ""
        self.speech_ended_at = self.final_at = self.committed_at = self.confidence = None
        self.preflight = self.preflight_tokens = None

    def report(self, reply: Reply, heard: str, *, interrupted: bool) -> TurnReport:
        """Return the finished turn as applications see it."""
        response_ms = _ms(self.speech_ended_at or self.final_at, reply.playback_at)
        return TurnReport(
            transcript=self.transcript,
            response=heard,
            interrupted=interrupted,
            transcriber_ms=_ms(self.speech_ended_at, self.final_at),
            turn_detection_ms=_ms(self.final_at, self.committed_at),
            model_ms=None if self.preflight == "hit" else _ms(reply.started_at, reply.first_token_at),
            voice_ms=_ms(reply.first_text_at, reply.first_audio_at),
            tool_ms=reply.tool_s * 1000 if reply.tools else None,
            confidence=self.confidence,
            tool_calls=tuple(reply.tools),
            usage=usage_report(reply.usage),
            model=reply.model or None,
            turn_detection=self.engine if self.transcript else None,
            preflight=self.preflight,
            preflight_tokens=self.preflight_tokens,
            extra=_extra(reply, response_ms),
        )


def _extra(reply: Reply, response_ms: float | None) -> dict[str, Any]:
    """Return what helps to find the turn again: our own measure, and the vendor's name for the request."""
    extra: dict[str, Any] = {} if response_ms is None else {"response_ms": round(response_ms)}
    if reply.end is not None and reply.end.request_id:
        extra["vendor_metadata"] = {"request_id": reply.end.request_id}
    return extra
