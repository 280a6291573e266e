"""Asks the other side of a call to call somebody else: REFER, and the NOTIFYs that say how that goes.

Source: RFC 3515.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from moonwire.core.sip.dialog import Dialog
from moonwire.core.sip.message import Response
from moonwire.core.sip.referral import read_news
from moonwire.errors import CallError, CallRefusedError
from moonwire.ports.legs import LegEnd
from moonwire.transports.sip.exchanges import ServerExchange
from moonwire.transports.sip.refresh import DialogSender


class ReferredDialog(DialogSender, Protocol):
    """One call's dialog."""

    established: bool
    ended: LegEnd | None
    referral: Referral | None
    dialog: Dialog


def refer(call: ReferredDialog, target: str, headers: Mapping[str, str]) -> Referral:
    """Ask the other side of a call to call somebody else.

    Raises:
        CallError: the call is not up.
    """
    if call.ended is not None or not call.established:
        raise CallError("the call is not up", reason="not-up")
    call.referral = Referral(call)
    call.referral.send(target, call.dialog.local.partition(";tag=")[0], headers)
    return call.referral


class Referral:
    """One REFER inside a dialog; `outcome` is the final status of the call that it asked for."""

    def __init__(self, sender: DialogSender) -> None:
        self.outcome: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.on_news: Callable[[int], None] | None = None
        """Hears each status of that call."""
        self._sender = sender

    def send(self, target: str, referred_by: str, headers: Mapping[str, str]) -> None:
        """Send the REFER."""
        own = {"Refer-To": f"<{target}>", "Referred-By": referred_by, **headers}
        self._sender.send(
            "REFER",
            headers=own,
            body=None,
            on_response=self._on_response,
            on_timeout=lambda: self._refused(408, "Request Timeout"),
        )

    def notified(self, exchange: ServerExchange) -> bool:
        """Take a NOTIFY; False when it is not about a referral."""
        news = read_news(exchange.request)
        if news is None:
            return False
        exchange.respond(200)
        if self.on_news is not None and news.status:
            self.on_news(news.status)
        if news.outcome is not None and not self.outcome.done():
            self.outcome.set_result(news.outcome)
        return True

    def call_ended(self) -> None:
        """The dialog is over: whoever accepted the REFER has taken the call with it."""
        if not self.outcome.done():
            self.outcome.set_result(200)

    def _on_response(self, response: Response) -> None:
        if response.status >= 300:
            self._refused(response.status, response.phrase)

    def _refused(self, status: int, phrase: str) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(CallRefusedError(status, phrase, reason="refer-refused"))
            self.outcome.exception()  # seen, also when nobody waits any more
