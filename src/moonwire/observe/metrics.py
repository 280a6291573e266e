"""The process's Prometheus metrics: what is counted, with which names and labels.

Labels hold only small fixed sets (transport, reason, stage, verb, code): no call, account or number.

Source: prometheus.io/docs/practices/naming, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_STAGE_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_ANSWER_S = (0.025, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.11, 0.12, 0.13, 0.14, 0.15)
_LAG_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
_CALL_S = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600)


class Metrics:
    """One process's metrics."""

    def __init__(self) -> None:
        own = self.registry = CollectorRegistry()
        Gauge("moonwire_info", "Version that runs.", ["version"], registry=own).labels(version("moonwire")).set(1)
        self._calls = Counter("moonwire_calls", "Calls that ended, by reason.", ["transport", "reason"], registry=own)
        self._duration = Histogram("moonwire_call_duration_seconds", "Length of calls.", buckets=_CALL_S, registry=own)
        self._turns = Counter("moonwire_turns", "Turns that ended.", ["interrupted"], registry=own)
        self._ends = Counter("moonwire_turn_ends", "Who ended the callers' turns.", ["engine"], registry=own)
        self._answers = Histogram(
            "moonwire_turn_answer_seconds",
            "Wall time of the acoustic turn model's answers.",
            buckets=_ANSWER_S,
            registry=own,
        )
        self._stages = Histogram(
            "moonwire_stage_seconds", "Time by stage of a turn.", ["stage"], buckets=_STAGE_S, registry=own
        )
        self._trouble = Counter("moonwire_call_errors", "Failures inside calls.", ["verb", "code"], registry=own)
        self._tokens = Counter(
            "moonwire_llm_tokens", "Tokens that language models have counted.", ["kind"], registry=own
        )
        self._lag = Histogram("moonwire_loop_lag_seconds", "Lateness of the event loop.", buckets=_LAG_S, registry=own)

    def call_ended(self, transport: str, reason: str, duration_s: float) -> None:
        """Count the end of a call; `reason` is a stable word, the duration counts from the answer."""
        self._calls.labels(transport, reason).inc()
        self._duration.observe(duration_s)

    def turn_ended(self, *, interrupted: bool) -> None:
        """Count a turn of the agent."""
        self._turns.labels("yes" if interrupted else "no").inc()

    def turn_ended_by(self, engine: str) -> None:
        """Count the end of a caller's turn: stt, krisp, smart-turn, silence."""
        self._ends.labels(engine).inc()

    def turn_answered(self, seconds: float) -> None:
        """Time one answer of the acoustic turn model, waiting included; late ones are not among them."""
        self._answers.observe(seconds)

    def stage_took(self, stage: str, seconds: float) -> None:
        """Time one stage of one turn: stt, eot (end of turn), llm, tts, tool, response (all of it)."""
        self._stages.labels(stage).observe(seconds)

    def call_troubled(self, verb: str, code: str) -> None:
        """Count a failure inside a call by the code of its error class."""
        self._trouble.labels(verb, code).inc()

    def tokens_counted(self, kind: str, count: int) -> None:
        """Add tokens of one answer: input (uncached), output, cache_read, cache_write."""
        self._tokens.labels(kind).inc(count)

    def loop_lagged(self, seconds: float) -> None:
        """Take one measurement of observe/loop_lag.py."""
        self._lag.observe(seconds)

    def watch(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Publish a number that is read when somebody asks (calls that are up, a detector's tick in seconds)."""
        Gauge(f"moonwire_{name.removeprefix('moonwire_')}", description, registry=self.registry).set_function(read)

    def exposition(self) -> tuple[bytes, str]:
        """Return all metrics in Prometheus' text format, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
