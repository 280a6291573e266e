"""What a call and the customer's application say to each other, whatever the transport (WebSocket, webhook, app_json).

Payloads are JSON-ready dicts with the names of the wire (jambonz contract sections 1-4); apps/ adds envelopes,
acknowledgements, signatures and retries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from moonwire.ports.directory import ApplicationRecord
from moonwire.spec.commands import Command
from moonwire.spec.hooks import Hook
from moonwire.spec.verbs import Verb

HookKind = Literal["verb:hook", "dial:confirm"]


class ApplicationListener(Protocol):
    """The call's side of an application session."""

    def on_command(self, command: Command) -> None:
        """Take a command that arrived without being asked for, already validated."""
        ...

    def on_application_closed(self, normal: bool) -> None:
        """Hear, once, that the application is gone for good: it closed with 1000, or reconnecting failed."""
        ...


class ApplicationSession(Protocol):
    """One call's conversation with its application."""

    @property
    def keeps_call_up(self) -> bool:
        """Whether the call stays up and waits for commands when the verbs have run out (WebSocket)."""
        ...

    async def begin(self, session_new: Mapping[str, Any]) -> Sequence[Verb]:
        """Connect, send `session:new` (or the initial webhook, or nothing for app_json) and return the first verbs.

        Raises:
            HookError: unreachable, refused, or no answer in time.
            SpecError: the answer is no usable verb array.
        """
        ...

    async def call_hook(
        self, hook: Hook, payload: Mapping[str, Any], *, kind: HookKind = "verb:hook"
    ) -> Sequence[Verb] | None:
        """Send a verb's actionHook and wait for the answer; one at a time per session.

        Returns:
            New verbs that replace the stack, or None when there are none, no answer came, or it was unusable
            (the application has been told and the alert raised).
        """
        ...

    async def redirect(self, hook: Hook, payload: Mapping[str, Any]) -> Sequence[Verb]:
        """Continue at another hook (redirect verb, `call_hook` command); a new transport becomes the session's.

        Raises:
            HookError, SpecError: as begin.
        """
        ...

    async def call_tool(self, hook: Hook, call: Mapping[str, Any]) -> Any:
        """Run one tool: `{tool_call_id, name, arguments}`; returns the result as the model shall see it.

        Raises:
            HookError: the webhook failed, or the session ended.
        """
        ...

    def agent_event(self, hook: Hook, event: Mapping[str, Any]) -> None:
        """Send a conversation event; never waits."""
        ...

    def notify(self, hook: Hook, payload: Mapping[str, Any]) -> None:
        """Send a hook whose answer does not matter; never waits."""
        ...

    def call_status(self, payload: Mapping[str, Any]) -> None:
        """Send a call:status (or the call_status_hook); never waits."""
        ...

    def verb_status(self, payload: Mapping[str, Any]) -> None:
        """Send a verb:status; only WebSocket applications hear it."""
        ...

    def error(self, payload: Mapping[str, Any]) -> None:
        """Send a jambonz:error `{msg, details?, verb?, id?}`; only WebSocket applications hear it."""
        ...

    async def close(self, *, failed: bool = False) -> None:
        """End the session (1000, or 1001 when the first application failed); queued messages go out first, bounded."""
        ...


class ApplicationConnector(Protocol):
    """Opens application sessions."""

    def open(self, application: ApplicationRecord, call_sid: str, listener: ApplicationListener) -> ApplicationSession:
        """Prepare a session; nothing is sent before `begin`."""
        ...
