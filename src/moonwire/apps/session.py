"""Decides over which transport each message of a call goes: the application's socket, a webhook, or nowhere.

A call begins on one transport (`call_hook`, or `app_json`); a hook with an absolute address leaves it for one message,
a redirect to an absolute address leaves it for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin, urlsplit

import structlog

from moonwire.apps.complaints import Complaints
from moonwire.apps.surroundings import Surroundings, refuse_private
from moonwire.apps.webhook import Answer, Notifications, Webhooks, loggable
from moonwire.apps.websocket import Opening, SocketApplication
from moonwire.errors import HookError, SpecError
from moonwire.ports.applications import ApplicationListener, HookKind
from moonwire.ports.directory import ApplicationRecord
from moonwire.spec.commands import Command
from moonwire.spec.hooks import Hook
from moonwire.spec.verbs import Verb

_log = structlog.get_logger()


class RoutedSession:
    """One call's conversation with its application; implements ports.applications.ApplicationSession."""

    def __init__(
        self, surroundings: Surroundings, application: ApplicationRecord, call_sid: str, listener: ApplicationListener
    ) -> None:
        self._surroundings = surroundings
        self._application = application
        self._call_sid = call_sid
        self._listener = listener
        self._webhooks = Webhooks(surroundings, application, call_sid)
        self._notifications = Notifications(self._webhooks)
        self._complaints = Complaints(surroundings, application.account_sid, call_sid, self.error)
        self._socket: SocketApplication | None = None
        """The socket that is the session's application at present, if it is one."""
        self._base: Hook | None = None
        """The absolute HTTP hook that relative hooks continue, if the application is one of webhooks."""
        self._begun = False
        self._rang = False
        """The application hears of a call that we make, before the session begins."""

    @property
    def keeps_call_up(self) -> bool:
        """Whether the call waits for commands when the verbs have run out."""
        return self._socket is not None and self._socket.open

    async def begin(self, session_new: Mapping[str, Any]) -> Sequence[Verb]:
        """Open the session at the application's call_hook, or run its app_json.

        Raises:
            HookError, SpecError: as the port says; an inbound call needs at least one verb.
        """
        self._begun = True
        verbs = await self._first_verbs(session_new)
        if not verbs and session_new.get("direction") == "inbound":
            error = SpecError("no application provided: the first answer holds no verb")
            self._complaints.report(error)
            raise error
        return verbs

    async def call_hook(
        self, hook: Hook, payload: Mapping[str, Any], *, kind: HookKind = "verb:hook"
    ) -> Sequence[Verb] | None:
        """Send a verb's hook and return the verbs that replace the stack, or None."""
        try:
            if hook.is_websocket:
                verbs = await self._move_to_socket(hook, "session:new", payload)
            elif self._socket is not None and hook.is_relative:
                verbs = await self._socket.ask(kind, hook, payload)
            else:
                verbs = self._verbs(await self._webhooks.request(self._resolved(hook), payload))
        except (HookError, SpecError) as error:
            # alerts are raised where the failure was seen; the call carries on with the verbs it has
            _log.info("hook failed", reason=str(error), call_sid=self._call_sid)
            return None
        return verbs or None

    async def redirect(self, hook: Hook, payload: Mapping[str, Any]) -> Sequence[Verb]:
        """Continue at another hook; an absolute one becomes the session's application.

        Raises:
            HookError, SpecError: the former application stays the session's.
        """
        if hook.is_websocket:
            return await self._move_to_socket(hook, "session:redirect", payload)
        if self._socket is not None and hook.is_relative:
            verbs = await self._socket.ask("session:redirect", hook, payload)
            if verbs is None:
                raise HookError("application did not answer the redirect in time", url=hook.url)
            return verbs
        target = self._resolved(hook)
        verbs = self._verbs(await self._webhooks.request(target, payload))
        if not hook.is_relative:
            await self._leave_socket()
            self._base = target
        return verbs

    async def call_tool(self, hook: Hook, call: Mapping[str, Any]) -> Any:
        """Run one tool and return its result as the model shall see it.

        Raises:
            HookError: no result.
        """
        if self._socket is not None and hook.is_relative:
            return await self._socket.call_tool(hook, call)
        limit_s = self._surroundings.timings.tool_s
        return (await self._webhooks.request(self._resolved(hook), call, limit_s=limit_s)).value

    def agent_event(self, hook: Hook, event: Mapping[str, Any]) -> None:
        """Send a conversation event; a webhook gets it without the base payload."""
        if self._socket is not None and hook.is_relative:
            self._socket.agent_event(hook, event)
        else:
            self._notify(hook, event)

    def notify(self, hook: Hook, payload: Mapping[str, Any]) -> None:
        """Send a hook whose answer does not matter."""
        if self._socket is not None and hook.is_relative:
            self._socket.tell("verb:hook", payload, hook)
        else:
            self._notify(hook, payload)

    def call_status(self, payload: Mapping[str, Any]) -> None:
        """Send a call:status on the socket, or to the application's call_status_hook; of a call of ours to both."""
        if not self._begun and payload.get("call_status") == "trying":
            self._begin_ringing()
        if self._socket is not None:
            self._socket.tell("call:status", payload)
        hook = self._application.call_status_hook
        if hook is not None and (self._socket is None or (self._rang and hook.scheme in ("http", "https"))):
            self._notify(hook, payload)

    def verb_status(self, payload: Mapping[str, Any]) -> None:
        """Send a verb:status on the socket."""
        if self._socket is not None:
            self._socket.tell("verb:status", payload)

    def error(self, payload: Mapping[str, Any]) -> None:
        """Send a jambonz:error on the socket."""
        if self._socket is not None:
            self._socket.tell("jambonz:error", payload)

    async def close(self, *, failed: bool = False) -> None:
        """End the session; what is queued goes out first, within bounds."""
        if self._socket is not None:
            await self._socket.close(failed=failed)
        await self._notifications.close(self._surroundings.timings.webhook_s)

    async def _first_verbs(self, session_new: Mapping[str, Any]) -> Sequence[Verb]:
        hook = self._application.call_hook
        if self._application.app_json is not None:
            self._base = hook if hook is not None and hook.scheme in ("http", "https") else None
            return self._complaints.verbs([dict(element) for element in self._application.app_json])
        if hook is None:
            raise self._misconfigured("the application has no call_hook")
        if hook.is_websocket:
            if self._socket is None or not self._socket.open:
                self._socket = self._new_socket(hook)
            return await self._socket.begin("session:new", session_new)
        self._base = hook if hook.scheme in ("http", "https") else None
        if self._base is None:
            raise self._misconfigured("the application's call_hook is no http or ws URL", hook.url)
        body = {name: value for name, value in session_new.items() if name != "sip" or hook.method != "GET"}
        answer = await self._webhooks.request(hook, body)
        if not isinstance(answer.value, list | dict):
            error = SpecError("malformed jambonz payload: must be array")
            self._complaints.report(error)
            raise error
        return self._verbs(answer)

    def _begin_ringing(self) -> None:
        """Connect to an application that listens on a socket before its session begins, as jambonz does."""
        self._rang = True
        hook = self._application.call_hook
        if self._application.app_json is None and hook is not None and hook.is_websocket:
            self._socket = self._new_socket(hook)
            self._socket.connect()

    def _misconfigured(self, reason: str, url: str = "") -> HookError:
        sid = self._application.account_sid
        remedy = f"give the application '{self._application.name}' a call_hook or app_json"
        self._surroundings.alert(sid, self._call_sid, "webhook-failure", reason, remedy)
        return HookError(reason, url=url)

    def _verbs(self, answer: Answer) -> tuple[Verb, ...]:
        return self._complaints.verbs(answer.value) if answer.is_json else ()

    async def _move_to_socket(self, hook: Hook, kind: Opening, payload: Mapping[str, Any]) -> Sequence[Verb]:
        self._check_host(hook)
        socket = self._new_socket(hook)
        try:
            verbs = await socket.begin(kind, payload)
        except BaseException:
            await socket.close(failed=True)
            raise
        await self._leave_socket()
        self._socket = socket
        return verbs

    async def _leave_socket(self) -> None:
        former, self._socket = self._socket, None
        if former is not None:
            await former.close(failed=False)

    def _new_socket(self, hook: Hook) -> SocketApplication:
        def on_command(command: Command) -> None:
            self._listener.on_command(command)

        def on_gone(normal: bool) -> None:
            if self._socket is socket:
                self._listener.on_application_closed(normal)

        socket = SocketApplication(self._surroundings, self._application, self._call_sid, hook, on_command, on_gone)
        return socket

    def _resolved(self, hook: Hook) -> Hook:
        """Return a hook with its absolute HTTP address; a relative one inherits its base's credentials.

        Raises:
            HookError: there is nothing a relative hook could continue, or the host is not permitted.
        """
        if not hook.is_relative:
            if hook.scheme not in ("http", "https"):
                raise HookError("a hook for one message must be an http address", url=hook.url)
            self._check_host(hook)
            return hook
        if self._base is None:
            raise HookError("a relative hook needs an application that listens", url=hook.url)
        address = urljoin(self._base.url, hook.url)
        if hook.username or hook.password:
            return replace(hook, url=address)
        return replace(hook, url=address, username=self._base.username, password=self._base.password)

    def _check_host(self, hook: Hook) -> None:
        """Refuse hosts that an application may not name; those of its own configured hooks are always fine.

        Raises:
            HookError: the host is not permitted; the alert is raised.
        """
        application = self._application
        own = {urlsplit(known.url).netloc for known in (application.call_hook, application.call_status_hook) if known}
        if urlsplit(hook.url).netloc in own:
            return
        try:
            refuse_private(self._surroundings, hook.url)
        except HookError as error:
            self._surroundings.alert(
                application.account_sid,
                self._call_sid,
                "webhook-failure",
                f"{error} ({loggable(hook.url)})",
                "add the host to MOONWIRE_PRIVATE_HOSTS if the application may use it",
            )
            raise

    def _notify(self, hook: Hook, payload: Mapping[str, Any]) -> None:
        try:
            self._notifications.post(self._resolved(hook), payload)
        except HookError as error:
            _log.info("notification not sent", reason=str(error), call_sid=self._call_sid)
