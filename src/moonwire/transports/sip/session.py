"""One call inside its dialog, whoever began it: re-INVITE, UPDATE, INFO, BYE, session timer, the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from moonwire.core.sip.dialog import Dialog
from moonwire.core.sip.digits import read_info_digit
from moonwire.core.sip.message import Request, Response, add_headers, content_type, cseq_number, option_tags, sdp_body
from moonwire.core.sip.screening import ALLOW, SUPPORTED
from moonwire.core.sip.session_timer import IntervalTooSmallError, SessionTimer, accept_timer
from moonwire.core.sip.transactions import Verdict
from moonwire.errors import RemoteProtocolError
from moonwire.ports.legs import LegEnd
from moonwire.transports.sip.exchanges import Body, OnResponse, ServerExchange
from moonwire.transports.sip.flows import Flow
from moonwire.transports.sip.media import SDP, CallMedia
from moonwire.transports.sip.referral import Referral
from moonwire.transports.sip.refresh import SessionRefresh
from moonwire.transports.sip.stack import SipStack

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Unacknowledged:
    exchange: ServerExchange
    wants_answer: bool
    """Our 200 held an offer; the answer comes in the ACK."""


class CallSession:
    """One dialog's life; `on_end` hears exactly once that the call is over."""

    def __init__(
        self,
        stack: SipStack,
        dialog: Dialog,
        flow: Flow,
        media: CallMedia,
        on_end: Callable[[LegEnd], None],
        *,
        symmetric: bool = False,
    ) -> None:
        self.dialog = dialog
        self.established = False
        self.ended: LegEnd | None = None
        self.referral: Referral | None = None
        """What we asked the other side to do; the newest hears NOTIFYs."""
        self._stack = stack
        self._flow = flow
        self._symmetric = symmetric
        self._media = media
        self._on_end = on_end
        self._unacknowledged: dict[int, _Unacknowledged] = {}
        self._waiting_bye: Mapping[str, str] | None = None
        self._refresh = SessionRefresh(
            clock=stack.clock, sender=self, media=media, on_expired=lambda: self._give_up("session-expired")
        )
        media.rtp.on_silent = self._silent
        stack.dialogs[dialog.key] = self

    # -- what the two kinds of calls use

    def establish(self, peer: Request | Response, timer: SessionTimer | None) -> None:
        """Begin the confirmed call.

        Args:
            peer: the INVITE received, or the 2xx to ours.
            timer: the agreed session timer.
        """
        self.established = True
        self._refresh.peer_updates = "update" in option_tags(peer.headers, "Allow")
        self._refresh.begin(timer)

    def expect_ack(self, exchange: ServerExchange, *, wants_answer: bool) -> None:
        """Wait for the ACK of a 2xx just sent."""
        number = exchange.cseq
        self._unacknowledged[number] = _Unacknowledged(exchange, wants_answer)
        exchange.on_ended = lambda verdict: self._never_acknowledged(number, verdict)

    def bye(self, end: LegEnd, headers: Mapping[str, str] | None = None) -> None:
        """End the call with BYE; when our 2xx is still without ACK the BYE waits for it (RFC 3261 section 15)."""
        if self.ended is not None:
            return
        if self._unacknowledged:
            self._waiting_bye = dict(headers or {})
        else:
            self._send_bye(headers)
        self.finish(end, keep_dialog=True)

    def finish(self, end: LegEnd, *, keep_dialog: bool = False) -> None:
        """End the call without another message."""
        if self.ended is not None:
            return
        self.ended = end
        if self.referral is not None:
            self.referral.call_ended()
        self._refresh.stop()
        self._media.close()
        if not keep_dialog:
            self._forget()
            for waiting in self._unacknowledged.values():
                waiting.exchange.acknowledge()  # a peer that is gone wants no more copies of our 200
            self._unacknowledged.clear()
        self._on_end(end)

    def headers_of_2xx(self, timer: SessionTimer | None) -> dict[str, str]:
        """Return what every 2xx of ours that makes or changes a session carries."""
        headers = {"Contact": self._stack.contact(self._flow), "Allow": ALLOW, "Supported": SUPPORTED}
        if timer is not None:
            headers["Session-Expires"] = timer.header
            if timer.refresher == "uac":
                headers["Require"] = SUPPORTED
        return headers

    # -- DialogOwner

    @property
    def over(self) -> bool:
        """Whether the call has ended; its dialog stays until our BYE is answered."""
        return self.ended is not None

    @property
    def remote_tag(self) -> str:
        """The peer's tag."""
        return self.dialog.remote_tag

    def receive(self, exchange: ServerExchange) -> None:
        """Take a request inside the dialog."""
        request = exchange.request
        if self.ended is not None:
            exchange.respond(200 if request.method == "BYE" else 481)  # a BYE that crossed ours is no mistake
            return
        if not self.dialog.accepts_cseq(exchange.cseq):
            exchange.respond(500, "CSeq Out Of Order")
            return
        match request.method:
            case "BYE":
                exchange.respond(200)
                self.finish(LegEnd("caller", "bye", 200 if self.established else 487))
            case "INVITE" | "UPDATE":
                self._renegotiate(exchange)
            case "INFO":
                self._info(exchange)
            case "REFER":
                exchange.respond(603)
            case "NOTIFY" if self.referral is not None and self.referral.notified(exchange):
                pass
            case _:
                exchange.respond(200, headers={"Allow": ALLOW, "Accept": SDP, "Supported": SUPPORTED})

    def receive_ack(self, ack: Request) -> None:
        """Take the ACK of a 2xx of ours."""
        waiting = self._unacknowledged.pop(cseq_number(ack.headers), None)
        if waiting is None:
            return
        waiting.exchange.acknowledge()
        if self.ended is not None:
            self._send_waiting_bye()
        elif waiting.wants_answer:
            try:
                self._media.accept(sdp_body(ack))
            except RemoteProtocolError:
                self.bye(LegEnd("moonwire", "no-common-codec", 488))
                return
            self._media.start()

    def shut_down(self) -> None:
        """End the call because the endpoint stops."""
        if self.established:
            self.bye(LegEnd("moonwire", "shutdown"))
        else:
            self.finish(LegEnd("moonwire", "shutdown", 503))

    # -- DialogSender

    def send(
        self,
        method: str,
        *,
        headers: dict[str, str],
        body: Body | None,
        on_response: OnResponse,
        on_timeout: Callable[[], None],
    ) -> None:
        """Send a request inside the dialog."""
        request = self.dialog.request(method)
        if body is not None:
            request.headers.set("Content-Type", body.media_type)
            request = Request(method, request.uri, request.headers, body.data)
        request.headers.set("Contact", self._stack.contact(self._flow))
        for name, value in headers.items():
            request.headers.set(name, value)
        self._stack.send(request, self._way(), on_response=on_response, on_timeout=on_timeout)

    def acknowledge(self, response: Response) -> None:
        """Send the ACK of a 2xx to our INVITE."""
        self.dialog.refresh_target(response.headers)
        ack = self.dialog.request("ACK", cseq=cseq_number(response.headers))
        self._stack.send_ack(ack, self._way())

    # -- inside

    def _way(self) -> Flow:
        return self._stack.flow_for(self.dialog.next_hop(), self._flow, symmetric=self._symmetric)

    def _renegotiate(self, exchange: ServerExchange) -> None:
        request = exchange.request
        invite = request.method == "INVITE"
        if not self.established and (invite or request.body):
            exchange.respond(500, headers={"Retry-After": "1"})
            return
        if self._refresh.inviting or any(waiting.wants_answer for waiting in self._unacknowledged.values()):
            exchange.respond(491)
            return
        try:
            timer = accept_timer(request.headers, min_se_s=self._stack.timing.min_se_s)
            answer = self._answer(request)
        except IntervalTooSmallError as error:
            exchange.respond(error.status, headers={"Min-SE": str(self._stack.timing.min_se_s)})
            return
        except RemoteProtocolError as error:
            exchange.respond(error.status, headers={"Accept": SDP} if error.status == 415 else None)
            return
        self.dialog.refresh_target(request.headers)
        body = self._media.offer() if invite and answer is None else answer
        exchange.respond(200, headers=self.headers_of_2xx(timer), body=body)
        if invite:
            self.expect_ack(exchange, wants_answer=answer is None)
        if answer is not None:
            self._media.start()
        if self.established:
            self._refresh.begin(timer)

    def _answer(self, request: Request) -> Body | None:
        if not request.body:
            return None
        return self._media.answer(sdp_body(request))

    def _info(self, exchange: ServerExchange) -> None:
        media_type = content_type(exchange.request)
        if media_type in ("application/dtmf-relay", "application/dtmf"):
            exchange.respond(200)
            press = read_info_digit(media_type, exchange.request.body)
            if press is not None:
                self._media.digit(*press)
        elif media_type:
            exchange.respond(415, headers={"Accept": "application/dtmf-relay, application/dtmf"})
        else:
            exchange.respond(200)

    def _never_acknowledged(self, number: int, verdict: Verdict) -> None:
        if self._unacknowledged.pop(number, None) is None or verdict is not Verdict.NO_ACK:
            return
        if self.ended is not None:
            self._send_waiting_bye()
        else:
            self._give_up("no-ack")

    def _silent(self) -> None:
        if self.established:  # before the answer a peer may listen without sending anything
            self._give_up("no-media")

    def _give_up(self, reason: str) -> None:
        log.info("sip call ended", reason=reason, call_id=self.dialog.call_id)
        self._unacknowledged.clear()
        self.bye(LegEnd("moonwire", reason))

    def _send_waiting_bye(self) -> None:
        if self._waiting_bye is not None and not self._unacknowledged:
            headers, self._waiting_bye = self._waiting_bye, None
            self._send_bye(headers)

    def _send_bye(self, headers: Mapping[str, str] | None) -> None:
        request = self.dialog.request("BYE")
        add_headers(request, headers)
        self._stack.send(request, self._way(), on_response=self._on_bye_response, on_timeout=self._forget)

    def _on_bye_response(self, response: Response) -> None:
        if response.status >= 200:
            self._forget()

    def _forget(self) -> None:
        self._stack.dialogs.pop(self.dialog.key, None)
