"""How a Test's stages are told: to REST and the portal as JSON, to the command line as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from moonwire.errors import VendorError

StageName = Literal["input", "reach", "key", "model", "talk", "tools"]
StageStatus = Literal["ok", "warning", "failed", "skipped"]
Outcome = Literal["ok", "ok_with_warnings", "failed", "not_tested"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of the test."""

    name: StageName
    status: StageStatus
    code: str = ""
    """A stable word for programs; empty when all is well."""
    message: str = ""
    hint: str = ""
    duration_ms: int | None = None
    vendor_type: str = ""
    vendor_text: str = ""
    request_id: str | None = None
    """The vendor's, for its support."""
    suggested: Mapping[str, str] = field(default_factory=dict[str, str])
    """Members of the form that would probably help."""

    def shown(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "name": self.name,
            "status": self.status,
            "duration_ms": self.duration_ms,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "vendor_type": self.vendor_type,
            "vendor_text": self.vendor_text,
            "request_id": self.request_id,
            "suggested": dict(self.suggested) or None,
        }


def ok(name: StageName, message: str = "", code: str = "") -> Stage:
    """Return a stage that passed."""
    return Stage(name, "ok", code, message)


def warned(name: StageName, code: str, message: str, hint: str) -> Stage:
    """Return a stage after which calls work, but not as they should."""
    return Stage(name, "warning", code, message, hint)


def failed(name: StageName, code: str, message: str, hint: str) -> Stage:
    """Return a stage without which no call works."""
    return Stage(name, "failed", code, message, hint)


def skipped(name: StageName, message: str) -> Stage:
    """Return a stage that was not tried."""
    return Stage(name, "skipped", message=message)


def stage_of(name: StageName, error: VendorError) -> Stage:
    """Return the failed stage of an error; its texts hold no key."""
    message = error.said.says or str(error).removeprefix(f"{error.vendor}: ")
    return Stage(
        name,
        "failed",
        error.said.cause or error.code,
        f"{_sentence(message.rstrip('.'))}.",
        error.remedy,
        vendor_type=error.said.type,
        vendor_text=error.said.text,
        request_id=error.request_id,
    )


def _sentence(text: str) -> str:
    """Begin with a capital, unless the first word is an id."""
    return f"{text[:1].upper()}{text[1:]}" if text.partition(" ")[0].isalpha() else text


@dataclass(frozen=True, slots=True)
class Trial:
    """How a test went."""

    stages: Sequence[Stage]
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """`base_url`, `connect_ms`, `time_to_first_token_ms`, `model`, `models`, `check_other_region`, `region_check`."""
    why_not: str = ""

    @classmethod
    def not_tested(cls, reason: str) -> Trial:
        """Return the result of a test that could not begin."""
        return cls((), why_not=reason)

    @property
    def outcome(self) -> Outcome:
        """Everything in one word."""
        if not self.stages:
            return "not_tested"
        if any(stage.status == "failed" for stage in self.stages):
            return "failed"
        return "ok_with_warnings" if any(stage.status == "warning" for stage in self.stages) else "ok"

    @property
    def is_ok(self) -> bool:
        """Whether an agent will be able to talk."""
        return self.outcome in {"ok", "ok_with_warnings"}

    @property
    def reason(self) -> str:
        """Why it failed, with what to do; empty when it did not."""
        broken = next((stage for stage in self.stages if stage.status == "failed"), None)
        return self.why_not if broken is None else f"{broken.message} {broken.hint}".strip()

    @property
    def report(self) -> dict[str, Any]:
        """Return it JSON-ready, without jambonz's `status` and `reason`."""
        times = {"connect_ms": None, "time_to_first_token_ms": None}
        stages = [stage.shown() for stage in self.stages]
        return {"outcome": self.outcome, "stages": stages, **times, "models": [], **self.extra}
