"""Speaks jambonz's application protocol over a WebSocket: envelopes, acknowledgements, commands, reconnects.

Acknowledged messages are asked one at a time: @jambonz/sdk remembers only the latest message id. An acknowledgement
that nobody waits for is normal and dropped, except where an SDK means something by it (see `_unexpected_ack`).
Source: @jambonz/sdk 0.10.1, jambonz-python-sdk 0.4.0, jambonz feature-server 0.9.8, read 2026-11-22.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

import msgspec
import structlog

from moonwire.apps.complaints import Complaints
from moonwire.apps.connection import Connection, Ending
from moonwire.apps.inbox import Answer, Inbox
from moonwire.apps.surroundings import Surroundings
from moonwire.apps.webhook import loggable
from moonwire.apps.wire_json import snake_keys
from moonwire.errors import HookError, SpecError
from moonwire.ports.directory import ApplicationRecord
from moonwire.spec.commands import (
    CallStatusCommand,
    Command,
    DtmfCommand,
    MuteCommand,
    OtherLegCommand,
    RedirectCommand,
    ToolOutput,
    WhisperCommand,
    parse_command,
)
from moonwire.spec.hooks import Hook
from moonwire.spec.payloads import application_error
from moonwire.spec.verbs import Verb

_log = structlog.get_logger()

Told = Literal["call:status", "verb:status", "jambonz:error", "verb:hook"]
Opening = Literal["session:new", "session:redirect"]


class SocketApplication:
    """One call's session with an application over WebSocket."""

    def __init__(
        self,
        surroundings: Surroundings,
        application: ApplicationRecord,
        call_sid: str,
        hook: Hook,
        on_command: Callable[[Command], None],
        on_gone: Callable[[bool], None],
    ) -> None:
        self._timings = surroundings.timings
        self._agent_messages = application.agent_messages
        self._call_sid = call_sid
        self._url = hook.url
        self._on_gone = on_gone
        self._inbox = Inbox(on_command)
        self._connection = Connection(surroundings, hook, self)
        self._complaints = Complaints(
            surroundings, application.account_sid, call_sid, lambda data: self.tell("jambonz:error", data)
        )
        self._opening: tuple[Opening, Mapping[str, Any]] = ("session:new", {})
        self._first_verbs: Answer | None = None
        """Resolved by the first acknowledgement; None before `begin`."""
        self._session_ids: deque[str] = deque(maxlen=8)
        """Message ids that opened a session; the newest is the one whose ack is awaited."""
        self._event_ids: deque[str] = deque(maxlen=64)
        """Events sent as verb:hook, which nobody waits for."""
        self._ack_timer: asyncio.TimerHandle | None = None
        self._pending: dict[str, Answer] = {}
        self._tools: dict[str, Answer] = {}
        self._asking = asyncio.Lock()
        self._python_sdk = False
        self._connected = False
        self._established = False
        self._over = False
        self._closed_by_us = False

    @property
    def open(self) -> bool:
        """Whether the application may still say something."""
        return not self._over and not self._closed_by_us

    def connect(self) -> None:
        """Connect, unless that is under way; before `begin` only statuses go out."""
        self._connection.start()

    async def begin(self, kind: Opening, data: Mapping[str, Any]) -> tuple[Verb, ...]:
        """Connect, open the session and return the first verbs.

        Raises:
            HookError: unreachable, closed, or no acknowledgement in time.
            SpecError: the verbs cannot be used; the application has been told.
        """
        self._opening = (kind, data)
        self._first_verbs = asyncio.get_running_loop().create_future()
        if self._connected:
            self._open_session()
        else:
            self._connection.start()
        with self._inbox.taking(self._first_verbs):
            return self._complaints.verbs(await self._first_verbs)

    async def ask(
        self, kind: Literal["verb:hook", "dial:confirm", "session:redirect"], hook: Hook, data: Mapping[str, Any]
    ) -> tuple[Verb, ...] | None:
        """Send a message that wants an acknowledgement; returns its verbs, or None for no answer.

        Raises:
            HookError: the application is gone.
            SpecError: the verbs cannot be used; the application has been told.
        """
        async with self._asking:
            self._check_open(hook)
            message_id = self._post(kind, data, hook)
            answer = self._pending[message_id] = asyncio.get_running_loop().create_future()
            try:
                with self._inbox.taking(answer):
                    async with asyncio.timeout(self._timings.ack_s):
                        return self._complaints.verbs(await answer)
            except TimeoutError:
                _log.debug("hook not acknowledged", hook=loggable(hook.url), message_type=kind)
                return None
            finally:
                self._pending.pop(message_id, None)

    async def call_tool(self, hook: Hook, call: Mapping[str, Any]) -> Any:
        """Send a tool call and return its output.

        Raises:
            HookError: no output in time, or the application is gone.
        """
        self._check_open(hook)
        identifier = str(call["tool_call_id"])
        output = self._tools[identifier] = asyncio.get_running_loop().create_future()
        self._agent_message("agent:tool-call", hook, call)
        try:
            async with asyncio.timeout(self._timings.tool_s):
                return await output
        except TimeoutError as error:
            raise HookError("application did not answer the tool call in time", url=hook.url) from error
        finally:
            self._tools.pop(identifier, None)

    def agent_event(self, hook: Hook, event: Mapping[str, Any]) -> None:
        """Send a conversation event."""
        self._agent_message("agent:event", hook, event)

    def tell(self, kind: Told, data: Mapping[str, Any], hook: Hook | None = None) -> None:
        """Send a message that is never acknowledged, or whose acknowledgement does not matter (verb:hook)."""
        message_id = self._post(kind, data, Hook("/error") if kind == "jambonz:error" else hook)
        if kind == "verb:hook":
            self._event_ids.append(message_id)

    async def close(self, *, failed: bool) -> None:
        """End the session: 1000, or 1001 when the first application failed."""
        self._closed_by_us = True
        self._stop_timer()
        only_statuses = self._first_verbs is None  # of a call of ours that was never answered
        await self._connection.close(1001 if failed else 1000, self._timings.close_s, deliver=only_statuses)

    # what the connection tells

    def on_open(self, python_sdk: bool) -> None:
        """Open the session, or open it again with the same data."""
        self._python_sdk = python_sdk
        self._connected = True
        if self._first_verbs is None:
            self._connection.release(acknowledged=False)
        else:
            self._open_session()

    def _open_session(self) -> None:
        kind, data = self._opening
        message_id = _new_id()
        again = bool(self._session_ids)
        self._connection.send_first(
            _envelope(self._call_sid, "session:reconnect" if again else kind, message_id, data, None)
        )
        if not again:  # only a reconnect has to be acknowledged before anything else may be sent
            self._connection.release(acknowledged=False)
        self._session_ids.append(message_id)
        self._stop_timer()
        self._ack_timer = asyncio.get_running_loop().call_later(self._timings.first_ack_s, self._not_acknowledged)

    def on_text(self, text: str) -> None:
        """Take one message from the application; nothing it can hold ends the call."""
        try:
            message: object = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            self._complaints.invalid_message(f"not JSON: {error}", text)
            return
        members = cast("dict[str, Any]", message) if isinstance(message, dict) else {}
        match members.get("type"), members.get("msgid"), members.get("command"):
            case "ack", str() as message_id, _:
                self._on_ack(message_id, members.get("data"))
            case "ack", _, _:
                self._complaints.invalid_message("an ack must have a msgid", text)
            case ("command", _, str()) | ("agent:update", _, _):
                self._on_command(members)
            case "command", _, _:
                self._complaints.invalid_message("a command must have a name", text)
            case _:
                self._complaints.invalid_message("type must be ack or command", text)

    def on_lost(self) -> None:
        """Fail what waits for the dropped socket."""
        _log.info("application connection lost", url=loggable(self._url))
        self._connected = False
        self._stop_timer()
        self._resolve_pending()

    def on_over(self, ending: Ending, error: HookError | None) -> None:
        """End the session: answers will not come."""
        self._over = True
        self._connected = False
        self._stop_timer()
        self._resolve_pending()
        gone = error or HookError("application closed the session", url=self._url)
        for output in self._tools.values():
            if not output.done():
                output.set_exception(gone)
        if not self._closed_by_us:
            if ending == "hostile":
                self._complaints.hostile()
            elif ending == "lost":
                self._complaints.lost(f"{gone} ({loggable(self._url)})")
        if not self._established:
            if self._first_verbs is not None and not self._first_verbs.done():
                self._first_verbs.set_exception(gone)
        elif not self._closed_by_us:
            # a hostile application is cut off, but the call goes on with the verbs it has
            self._on_gone(ending in ("finished", "hostile"))

    # what the application says

    def _on_ack(self, message_id: str, data: object) -> None:
        if self._ack_timer is not None and message_id == self._session_ids[-1]:
            self._stop_timer()
            self._connection.release(acknowledged=True)
            if not self._established and self._first_verbs is not None:
                self._established = True
                self._inbox.resolve(self._first_verbs, data)
            # the verbs of a reconnect's ack are the first ones again; the call goes on with what it runs
        elif (answer := self._pending.pop(message_id, None)) is not None:
            self._inbox.resolve(answer, data)
        else:
            self._unexpected_ack(message_id, data)

    def _unexpected_ack(self, message_id: str, data: object) -> None:
        """Take an ack that nobody waits for.

        The Python SDK's `send()` always acks the session's first message, and its `reply()` the latest event; with
        verbs inside, both mean: run these now. Everything else is a second or late ack.
        """
        if not data or (message_id not in self._session_ids and message_id not in self._event_ids):
            _log.debug("ack not expected", call_sid=self._call_sid)
            return
        try:
            self._inbox.deliver(RedirectCommand(verbs=self._complaints.verbs(data)))
        except SpecError:
            return  # the application has been told

    def _on_command(self, message: dict[str, Any]) -> None:
        other_leg = message.get("callSid")
        try:
            command, warnings = parse_command(message)
        except SpecError as error:
            self._complaints.report(error)
            return
        self._complaints.warn(warnings)
        if other_leg is not None and other_leg != self._call_sid:
            self._on_other_leg(str(other_leg), command)
            return
        match command:
            case ToolOutput(tool_call_id=identifier, result=result):
                self._on_tool_output(identifier, result)
            case RedirectCommand() if isinstance(message.get("msgid"), str):
                self._on_queued_reply(message["msgid"], message.get("data"), command)
            case _:
                self._inbox.deliver(command)

    def _on_other_leg(self, call_sid: str, command: Command) -> None:
        if isinstance(command, MuteCommand | DtmfCommand | CallStatusCommand | WhisperCommand):
            self._inbox.deliver(OtherLegCommand(call_sid, command))
        else:
            self.tell("jambonz:error", application_error("command for an unknown call leg", details=call_sid[:80]))

    def _on_tool_output(self, identifier: str, result: object) -> None:
        output = self._tools.get(identifier)
        if output is None or output.done():
            _log.debug("tool output not expected", call_sid=self._call_sid)
        else:
            output.set_result(result)

    def _on_queued_reply(self, message_id: str, data: object, command: RedirectCommand) -> None:
        """Take `reply({execImmediate: false})`: a redirect that answers a hook; its verbs go to the end."""
        if not self._established and self._session_ids and message_id == self._session_ids[-1]:
            self._on_ack(message_id, data)
            return
        self._inbox.deliver(command)
        answer = self._pending.pop(message_id, None)
        if answer is not None:
            self._inbox.resolve(answer, None)

    def _not_acknowledged(self) -> None:
        self._ack_timer = None
        self._connection.drop(HookError("application did not acknowledge the session in time", url=self._url))

    def _resolve_pending(self) -> None:
        for answer in self._pending.values():
            self._inbox.resolve(answer, None)
        self._pending.clear()

    # what we say

    def _agent_message(
        self, kind: Literal["agent:event", "agent:tool-call"], hook: Hook, data: Mapping[str, Any]
    ) -> None:
        style = self._agent_messages
        if style == "hook" or (style == "auto" and self._python_sdk):
            self._event_ids.append(self._post("verb:hook", data, hook))
        else:
            self._post(kind, data, hook)

    def _post(self, kind: str, data: Mapping[str, Any], hook: Hook | None) -> str:
        message_id = _new_id()
        if self.open:
            self._connection.send(_envelope(self._call_sid, kind, message_id, data, hook))
        return message_id

    def _check_open(self, hook: Hook) -> None:
        if not self.open:
            raise HookError("application is gone", url=hook.url)

    def _stop_timer(self) -> None:
        if self._ack_timer is not None:
            self._ack_timer.cancel()
            self._ack_timer = None


def _new_id() -> str:
    return secrets.token_urlsafe(9)


def _envelope(call_sid: str, kind: str, message_id: str, data: Mapping[str, Any], hook: Hook | None) -> str:
    message: dict[str, Any] = {"type": kind, "msgid": message_id, "call_sid": call_sid}
    if hook is not None:
        message["hook"] = hook.url
    message["data"] = snake_keys(data)
    return msgspec.json.encode(message).decode()
