"""Counts what passes into the calls' event logs: the log is the one record, metrics are read off it.

Costs one comparison per line; only the few lines per turn and per call that are counted do more.
"""

from __future__ import annotations

from typing import Any

from moonwire.observe.metrics import Metrics
from moonwire.ports.event_log import CallEventLog, EventLogs


class MeteredEventLogs:
    """Port EventLogs around another one."""

    def __init__(self, logs: EventLogs, metrics: Metrics) -> None:
        self._logs = logs
        self._metrics = metrics

    def open(self, call_sid: str) -> CallEventLog:
        """Open the log of a new call."""
        return MeteredCallEventLog(self._logs.open(call_sid), self._metrics)

    def read(self, call_sid: str) -> list[dict[str, Any]]:
        """Return a call's lines; errors as ports.event_log."""
        return self._logs.read(call_sid)


class MeteredCallEventLog:
    """Port CallEventLog around another one."""

    def __init__(self, log: CallEventLog, metrics: Metrics) -> None:
        self._log = log
        self._metrics = metrics
        self._transport = "unknown"

    def write(self, kind: str, at_s: float, **fields: Any) -> None:
        """Write and count one line."""
        self._log.write(kind, at_s, **fields)
        match kind:
            case "turn.event" | "turn.command":
                return
            case "turn":
                self._count_turn(fields)
            case "call" if fields.get("name") == "offered":
                self._transport = str(fields.get("transport"))
            case "call" if fields.get("name") == "ended":
                self._metrics.call_ended(self._transport, str(fields.get("reason")), max(0.0, at_s))
            case "llm" if fields.get("name") == "answered":
                self._count_tokens(fields.get("usage"))
            case "error":
                self._metrics.call_troubled(str(fields.get("verb")), str(fields.get("code")))
            case _:
                return

    def close(self) -> None:
        """Flush and close."""
        self._log.close()

    def _count_tokens(self, usage: dict[str, int] | None) -> None:
        for kind, count in (usage or {}).items():
            if kind != "reasoning":  # among the output
                self._metrics.tokens_counted(kind, count)

    def _count_turn(self, fields: dict[str, Any]) -> None:
        self._metrics.turn_ended(interrupted=bool(fields.get("interrupted")))
        if engine := fields.get("turn_detection"):
            self._metrics.turn_ended_by(str(engine))
        latency: dict[str, Any] = fields.get("latency") or {}
        for name, value in latency.items():
            if name.endswith("_ms") and isinstance(value, int | float):
                self._metrics.stage_took(name.removesuffix("_ms"), value / 1000)
