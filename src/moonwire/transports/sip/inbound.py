"""One inbound call before and at its answer: ringing, answering, refusing, CANCEL."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from moonwire.core.sip.dialog import Dialog
from moonwire.core.sip.message import tag_of
from moonwire.core.sip.session_timer import SessionTimer
from moonwire.errors import CallError
from moonwire.ports.legs import LegEnd
from moonwire.transports.sip.exchanges import Body, ServerExchange
from moonwire.transports.sip.media import CallMedia
from moonwire.transports.sip.referral import Referral, refer
from moonwire.transports.sip.session import CallSession
from moonwire.transports.sip.stack import SipStack


class InboundCall:
    """The called side of one INVITE."""

    def __init__(
        self,
        stack: SipStack,
        exchange: ServerExchange,
        dialog: Dialog,
        media: CallMedia,
        *,
        answer: Body | None,
        timer: SessionTimer | None,
        symmetric: bool,
    ) -> None:
        self._exchange = exchange
        self._media = media
        self._answer = answer
        self._timer = timer
        self._tag = tag_of(dialog.local)
        self._report: Callable[[LegEnd], None] | None = None
        self._session = CallSession(stack, dialog, exchange.arrival, media, self._ended, symmetric=symmetric)
        exchange.on_cancel = lambda: self._session.finish(LegEnd("caller", "cancel", 487))

    def report_to(self, report: Callable[[LegEnd], None]) -> None:
        """Say who hears of the end; at once when the call is over already."""
        self._report = report
        if self._session.ended is not None:
            report(self._session.ended)

    def ring(self) -> None:
        """Send 180."""
        if self._exchange.open and self._session.ended is None:
            headers = {"Contact": self._session.headers_of_2xx(None)["Contact"]}
            self._exchange.respond(180, to_tag=self._tag, headers=headers)

    def begin_early_media(self) -> None:
        """Send 183 with our description and let media flow before the answer; no effect after a late offer."""
        if not self._exchange.open or self._session.ended is not None or self._answer is None:
            return
        headers = {"Contact": self._session.headers_of_2xx(None)["Contact"]}
        self._exchange.respond(183, to_tag=self._tag, headers=headers, body=self._answer)
        self._media.start()

    def answer(self) -> None:
        """Send 200 and let media flow (after a late offer: with the ACK).

        Raises:
            CallError: the call is over.
        """
        if self._session.ended is not None:
            raise CallError("the call is over", reason=self._session.ended.reason)
        if not self._exchange.open:
            return
        late = self._answer is None
        body = self._answer or self._media.offer()
        headers = self._session.headers_of_2xx(self._timer)
        # The ACK may be here before respond returns to the loop's next turn: expect it first.
        self._session.expect_ack(self._exchange, wants_answer=late)
        self._exchange.respond(200, to_tag=self._tag, headers=headers, body=body)
        self._session.establish(self._exchange.request, self._timer)
        if not late:
            self._media.start()

    def reject(self, status: int, reason: str, headers: Mapping[str, str] | None) -> None:
        """Refuse; no effect once answered or over."""
        if not self._exchange.open:
            return
        status = status if 300 <= status <= 699 else 480
        self._exchange.respond_with(status, reason, to_tag=self._tag, extra=headers)
        self._session.finish(LegEnd("moonwire", "rejected", status))

    def hang_up(self, headers: Mapping[str, str] | None) -> None:
        """End the call: BYE, or 480 while it is unanswered."""
        if self._exchange.open:
            self.reject(480, "", headers)
        else:
            self._session.bye(LegEnd("moonwire", "hangup"), headers)

    def refer(self, target: str, headers: Mapping[str, str]) -> Referral:
        """Ask the caller to call somebody else.

        Raises:
            CallError: the call is not up.
        """
        return refer(self._session, target, headers)

    def _ended(self, end: LegEnd) -> None:
        if self._exchange.open:
            self._exchange.respond(end.sip_status if end.sip_status >= 300 else 487, to_tag=self._tag)
        if self._report is not None:
            self._report(end)
