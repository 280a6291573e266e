"""Tells an application, the operator and the log what is wrong with what the application sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import structlog

from moonwire.apps.surroundings import Surroundings
from moonwire.errors import SpecError
from moonwire.ports.directory import AlertType
from moonwire.spec.payloads import application_error
from moonwire.spec.verbs import Verb, parse_verbs

_log = structlog.get_logger()

_MOST_ECHOED = 500


def _elements(data: object) -> object:
    if not data:
        return []
    return [cast("object", data)] if isinstance(data, dict) else data


class Complaints:
    """One session's complaints; `tell` sends a jambonz:error, or does nothing where there is no socket."""

    def __init__(
        self, surroundings: Surroundings, account_sid: str, call_sid: str, tell: Callable[[Mapping[str, Any]], None]
    ) -> None:
        self._surroundings = surroundings
        self._account_sid = account_sid
        self._call_sid = call_sid
        self._tell = tell

    def verbs(self, data: object) -> tuple[Verb, ...]:
        """Read the verbs of an answer; nothing counts as no verbs, a single verb as an array of one.

        Raises:
            SpecError: they cannot be used; reported.
        """
        try:
            parsed = parse_verbs(_elements(data))
        except SpecError as error:
            self.report(error)
            raise
        self.warn(parsed.warnings)
        return parsed.verbs

    def warn(self, warnings: Sequence[str]) -> None:
        """Name the members that were wrong and left out."""
        for warning in warnings:
            _log.info("verb member ignored", reason=warning, call_sid=self._call_sid)
            self._tell(application_error(f"ignored: {warning}", details=warning.partition(": ")[0]))

    def report(self, error: SpecError) -> None:
        """Report a rejected payload."""
        self._tell(application_error(str(error), details=error.path or None))
        self._alert(
            "payload-error",
            f"the application sent an unusable payload: {error}",
            "compare the application's verbs with the jambonz schema at the named place",
        )

    def invalid_message(self, details: str, text: str) -> None:
        """Report a message that is none."""
        self._tell(application_error("InvalidMessage", details=details, content=text[:_MOST_ECHOED]))
        self._alert(
            "payload-error",
            f"the application sent an invalid message: {details}",
            "messages are JSON text with a type of ack or command",
        )

    def lost(self, reason: str) -> None:
        """Report an application that cannot be reached any more."""
        self._alert(
            "webhook-connection-failure",
            reason,
            "check that the application runs at this address and speaks the jambonz WebSocket protocol",
        )

    def hostile(self) -> None:
        """Report an application that was cut off."""
        self._alert("payload-error", "the application sent a binary frame and was cut off", "send JSON text only")

    def _alert(self, alert_type: AlertType, message: str, remedy: str) -> None:
        self._surroundings.alert(self._account_sid, self._call_sid, alert_type, message, remedy)
