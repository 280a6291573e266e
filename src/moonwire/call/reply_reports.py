"""Tells everybody how an agent's replies go: application, operator, event log, and the turn machine about failures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from moonwire.call.context import Call
from moonwire.call.reply import Reply
from moonwire.core.turns.events import AgentFailed, ReplyFailed, TurnEvent
from moonwire.errors import CredentialError, ModelUnavailableError, MoonwireError, QuotaError, VendorError
from moonwire.ports.directory import AlertType
from moonwire.ports.llm import ModelSwitched, RequestChanged
from moonwire.spec import payloads
from moonwire.spec.verbs import Agent

log = structlog.get_logger()

NOT_WORTH_RETRYING = (CredentialError, QuotaError, ModelUnavailableError)
"""After these the next reply would fail in the same way: the agent ends instead of apologising turn after turn."""


class ReplyReports:
    """Implements call.reply.ReplyObserver."""

    def __init__(self, call: Call, verb: Agent, emit: Callable[[TurnEvent], None]) -> None:
        self.last_error: MoonwireError | None = None
        self._call = call
        self._verb = verb
        self._emit = emit
        self._changes: set[RequestChanged] = set()
        self._switches: set[ModelSwitched] = set()

    @property
    def is_fatal(self) -> bool:
        """Whether the latest failure would come again."""
        return isinstance(self.last_error, NOT_WORTH_RETRYING)

    def send(self, event: Mapping[str, Any]) -> None:
        """Send a conversation event to the application."""
        self._call.note("hook", name=event["type"])
        if self._verb.event_hook is not None:
            self._call.session.agent_event(self._verb.event_hook, event)

    def note_failure(self, error: MoonwireError, alert: AlertType) -> None:
        """Report a failure that the machine knows of already, or is told of elsewhere."""
        self.last_error = error
        self._call.report(error, verb="agent", verb_id=self._verb.id, alert=alert)

    def on_reply_text(self, reply: Reply, text: str) -> None:
        """Tell the application what the model said."""
        del reply
        self.send(payloads.llm_response(text))

    def on_reply_switched(self, reply: Reply, switched: ModelSwitched) -> None:
        """Make another model than the one asked for visible, once per call."""
        del reply
        if switched in self._switches:
            return
        self._switches.add(switched)
        call = self._call
        fields = {
            "requested": switched.requested,
            "used": switched.used,
            "reason": switched.reason,
            "why": switched.says,
        }
        log.warning("model switched", call_sid=call.sid, **fields)
        call.note("llm", name="model_switched", **fields)
        retired = switched.reason == "retired"
        why = switched.says or f"{switched.requested}: {switched.reason}"
        text = f"{why}; the call goes on with {switched.used}"
        remedy = switched.remedy or "See why under LLM Services."
        call.alert("model-retired" if retired else "llm-failure", text, remedy)

    def on_request_changed(self, reply: Reply, changed: RequestChanged) -> None:
        """Note what the vendor refused; once per call, for what was learned holds."""
        del reply
        if changed in self._changes:
            return
        self._changes.add(changed)
        self._call.note("llm", name="request_changed", change=changed.change, refusal=changed.refusal)

    def on_reply_cut(self, reply: Reply, error: VendorError) -> None:
        """Report an answer that the vendor cut short after some of it was spoken."""
        self.note_failure(error, alert_type(reply))

    def on_reply_failed(self, reply: Reply, error: MoonwireError) -> None:
        """Report the failure; the machine decides what the caller hears. An early reply fails unheard."""
        at = self._call.timeline.now()
        if not reply.released.is_set():
            self._call.note("llm", name="early_reply_failed", code=error.code)
            self._emit(ReplyFailed(at, reply.number, error.code))
            return
        self.note_failure(error, alert_type(reply))
        if isinstance(error, NOT_WORTH_RETRYING):
            self._emit(AgentFailed(at, error.code))
        else:
            self._emit(ReplyFailed(at, reply.number, error.code))


def alert_type(reply: Reply) -> AlertType:
    """Choose the alert by whom the reply was waiting for."""
    return "tts-failure" if reply.waits_for == "tts" else "llm-failure"
