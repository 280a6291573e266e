"""Places calls: INVITE with digest, ringing and early media, ACK, CANCEL, and what forked or late answers need.

Source: RFC 3261 sections 8.1, 9.1, 13.2 and 22.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence

import structlog
from sipmessage import URI

from moonwire.core.sip.dialog import Dialog
from moonwire.core.sip.digest import answer_challenge, read_challenge
from moonwire.core.sip.grammar import bracketed, ip_literal, parse_uri
from moonwire.core.sip.message import Request, Response, add_headers, clean_text, sdp_body, tag_of
from moonwire.core.sip.screening import ALLOW, SUPPORTED
from moonwire.core.sip.session_timer import agreed_timer
from moonwire.errors import CallError, CallRefusedError, RemoteProtocolError
from moonwire.ports.legs import CallOrder, CallProgress, LegEnd, LegInfo
from moonwire.transports.rtp.session import RtpEngine
from moonwire.transports.sip.exchanges import ClientExchange
from moonwire.transports.sip.flows import Address, Flow
from moonwire.transports.sip.leg import SipLeg
from moonwire.transports.sip.media import CallMedia
from moonwire.transports.sip.referral import Referral, refer
from moonwire.transports.sip.session import CallSession
from moonwire.transports.sip.stack import SipStack, Target, new_token, read_target

log = structlog.get_logger()

_RESOLVE_S = 5.0
_MAX_CHALLENGES = 2


Permitted = Callable[[str, Sequence[str]], Sequence[str]]
"""Given a host and its addresses, returns those that a user may call."""


class OutboundCall:
    """The calling side of one INVITE (and of its repetitions with credentials)."""

    def __init__(
        self,
        stack: SipStack,
        order: CallOrder,
        flow: Flow,
        media: CallMedia,
        on_progress: Callable[[CallProgress], None],
    ) -> None:
        self.call_id = f"{new_token()}@{stack.advertised_address(flow.remote[0])}"
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the call is answered; a CallRefusedError when it is not."""
        self._stack = stack
        self._order = order
        self._flow = flow
        self._media = media
        self._on_progress = on_progress
        self._uri = order.request_uri or order.uri
        self._from = f"{_from_address(order, stack.advertised_address(flow.remote[0]))};tag={new_token()}"
        self._cseq = 0
        self._challenges = 0
        self._exchange: ClientExchange | None = None
        self._provisional = False
        self._cancelled = False
        self._session: CallSession | None = None
        self._report: Callable[[LegEnd], None] | None = None

    # -- CallControl

    def report_to(self, report: Callable[[LegEnd], None]) -> None:
        """Say who hears of the end."""
        self._report = report

    def ring(self) -> None:
        """Nothing: the other side rings."""

    def begin_early_media(self) -> None:
        """Nothing: that is for the other side to do."""

    def answer(self) -> None:
        """Nothing: the other side answers."""

    def reject(self, status: int, reason: str, headers: Mapping[str, str] | None) -> None:
        """End the call; an outbound one cannot be refused."""
        self.hang_up(headers)

    def hang_up(self, headers: Mapping[str, str] | None) -> None:
        """End the call: BYE, or CANCEL before the answer."""
        if self._session is not None:
            self._session.bye(LegEnd("moonwire", "hangup"), headers)
        else:
            self.cancel()

    def refer(self, target: str, headers: Mapping[str, str]) -> Referral:
        """Ask the called side to call somebody else.

        Raises:
            CallError: not answered, or over.
        """
        if self._session is None:
            raise CallError("the call is not answered", reason="not-answered")
        return refer(self._session, target, headers)

    # -- the INVITE

    def invite(self, credentials: tuple[str, str] | None = None) -> None:
        """Send the INVITE, on a repetition with its Authorization header (name, value)."""
        self._cseq += 1
        offer = self._media.offer()
        request = Request("INVITE", self._uri, body=offer.data)
        add_headers(request, self._order.headers)
        for name, value in (
            ("Max-Forwards", "70"),
            ("From", self._from),
            ("To", f"<{self._order.uri}>"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self._cseq} INVITE"),
            ("Contact", self._stack.contact(self._flow)),
            ("Allow", ALLOW),
            ("Supported", SUPPORTED),
            ("Content-Type", offer.media_type),
        ):
            request.headers.set(name, value)
        if credentials is not None:
            request.headers.set(*credentials)
        self._provisional = False
        self._exchange = self._stack.send(
            request, self._flow, on_response=self._on_response, on_timeout=self._on_timeout
        )

    def cancel(self) -> None:
        """Give up before the answer: CANCEL now, or as soon as the other side has said anything."""
        if self._cancelled or self._session is not None:
            return
        self._cancelled = True
        if self._provisional:
            self._send_cancel()
        self._fail(487, "Request Terminated", reason="cancel")

    def _send_cancel(self) -> None:
        if self._exchange is not None:
            self._exchange.cancel()

    def _on_timeout(self) -> None:
        self._fail(408, "Request Timeout", reason="no-answer")

    def _fail(self, status: int, phrase: str, *, reason: str = "rejected") -> None:
        self._media.close()
        if not self.answered.done():
            self.answered.set_exception(CallRefusedError(status, phrase, reason=reason))

    def _on_response(self, response: Response) -> None:
        if response.status < 200:
            self._on_provisional(response)
        elif response.status < 300:
            self._on_accepted(response)
        elif response.status in (401, 407) and not self._cancelled and self._challenges < _MAX_CHALLENGES:
            self._on_challenge(response)
        else:
            self._fail(response.status, response.phrase)

    def _on_provisional(self, response: Response) -> None:
        first, self._provisional = not self._provisional, True
        if self._cancelled:
            if first:
                self._send_cancel()
            return
        if response.status == 100:
            return
        if response.body:
            self._take_answer(response)
        self._on_progress(CallProgress(response.status, response.phrase, bool(response.body)))

    def _on_accepted(self, response: Response) -> None:
        if self._exchange is None:
            return
        if self._session is not None and self._session.dialog.remote_tag == tag_of(response.headers["To"]):
            self._session.acknowledge(response)  # our ACK was lost
            return
        try:
            dialog = Dialog.of_response(self._exchange.request, response)
        except RemoteProtocolError:
            self._fail(502, "Malformed Answer", reason="bad-answer")
            return
        if self._session is not None or self._cancelled:
            self._decline_extra(dialog, response)
            return
        session = CallSession(self._stack, dialog, self._flow, self._media, self._ended)
        self._session = session
        session.establish(response, agreed_timer(response.headers))
        session.acknowledge(response)
        if not self._take_answer(response):
            session.bye(LegEnd("moonwire", "no-common-codec", 488))
            self._fail(488, "Not Acceptable Here", reason="no-common-codec")
            return
        if not self.answered.done():
            self.answered.set_result(None)

    def _decline_extra(self, dialog: Dialog, response: Response) -> None:
        """Acknowledge and end what we do not want: another fork's answer, or one that crossed our CANCEL."""
        flow = self._stack.flow_for(dialog.next_hop(), self._flow, symmetric=False)
        self._stack.send_ack(dialog.request("ACK", cseq=self._cseq), flow)
        self._stack.send(dialog.request("BYE"), flow)
        log.info("sip answer declined", call_id=self.call_id, status=response.status)

    def _take_answer(self, response: Response) -> bool:
        try:
            self._media.accept(sdp_body(response))
        except RemoteProtocolError:
            # A 200 without a description stands by the answer that came with 183 (RFC 3261 section 13.2.1).
            return not response.body and self._media.agreed
        self._media.start()
        return True

    def _on_challenge(self, response: Response) -> None:
        self._challenges += 1
        names = (
            ("WWW-Authenticate", "Authorization")
            if response.status == 401
            else (
                "Proxy-Authenticate",
                "Proxy-Authorization",
            )
        )
        for value in response.headers.getlist(names[0]):
            try:
                challenge = read_challenge(value)
            except RemoteProtocolError:
                continue
            if self._order.auth is None or (self._challenges > 1 and not challenge.stale):
                break
            user, password = self._order.auth
            credentials = answer_challenge(
                challenge, method="INVITE", uri=self._uri, user=user, password=password, cnonce=new_token()
            )
            self.invite((names[1], credentials))
            return
        self._fail(response.status, response.phrase)

    def _ended(self, end: LegEnd) -> None:
        if self._report is not None and self.answered.done() and not self.answered.cancelled():
            self._report(end)


class DialledSipLeg(SipLeg):
    """A SIP leg that we called (ports.legs.DialledLeg)."""

    def __init__(self, info: LegInfo, call: OutboundCall, media: CallMedia, limit_s: float) -> None:
        super().__init__(info, call, media)
        self._call = call
        self._limit_s = limit_s

    async def taken(self) -> None:
        """Wait for the answer; cancelling gives up the call.

        Raises:
            CallRefusedError: refused, given up, or not answered in time.
        """
        call = self._call
        try:
            async with asyncio.timeout(self._limit_s):
                await asyncio.shield(call.answered)
        except TimeoutError:
            call.hang_up(None)  # BYE when the answer came in this very moment
            raise CallRefusedError(487, "Request Terminated", reason="no-answer") from None
        except asyncio.CancelledError:
            call.hang_up(None)
            raise
        finally:
            if call.answered.done() and not call.answered.cancelled():
                call.answered.exception()  # seen: a cancelled caller does not read it


class Dialer:
    """Places calls from one endpoint."""

    def __init__(self, stack: SipStack, rtp: RtpEngine) -> None:
        self.permitted: Permitted = lambda host, addresses: addresses
        """Which addresses guarded calls may go to."""
        self._stack = stack
        self._rtp = rtp

    async def invite(self, order: CallOrder, on_progress: Callable[[CallProgress], None]) -> DialledSipLeg:
        """Begin a call.

        Raises:
            CallRefusedError: the host is unknown, unreachable, or private.
            RemoteProtocolError: the URI cannot be called.
        """
        read_target(order.uri)
        flow = await self._flow_towards(read_target(order.proxy or order.request_uri or order.uri), order.guarded)
        session = self._rtp.open(local_address=self._stack.host)
        media = CallMedia(session, self._stack.advertised_address(flow.remote[0]))
        call = OutboundCall(self._stack, order, flow, media, on_progress)
        leg = DialledSipLeg(self._describe(order, call, flow), call, media, order.timeout_s)
        call.invite()
        return leg

    async def _flow_towards(self, target: Target, guarded: bool) -> Flow:
        address = await self._resolve(target, guarded)
        if target.protocol == "tcp":
            try:
                return await self._stack.open_tcp(address)
            except (OSError, TimeoutError) as error:
                raise CallRefusedError(503, f"cannot connect: {error}", reason="unreachable") from None
        return self._stack.flow_to(address, "udp")

    async def _resolve(self, target: Target, guarded: bool) -> Address:
        found = [target.host] if ip_literal(target.host) is not None else await self._look_up(target)
        permitted = self.permitted(target.host, found) if guarded else found
        if not permitted:
            raise CallRefusedError(403, "private address", reason="private-address")
        return (permitted[0], target.port)

    async def _look_up(self, target: Target) -> list[str]:
        family = socket.AF_INET6 if ":" in self._stack.host else socket.AF_INET
        try:
            async with asyncio.timeout(_RESOLVE_S):
                found = await asyncio.get_running_loop().getaddrinfo(
                    target.host, target.port, family=family, type=socket.SOCK_DGRAM
                )
        except (OSError, TimeoutError, UnicodeError):
            raise CallRefusedError(503, f"unknown host {target.host}", reason="unreachable") from None
        return [str(entry[4][0]) for entry in found]

    def _describe(self, order: CallOrder, call: OutboundCall, flow: Flow) -> LegInfo:
        address, port = flow.remote
        return LegInfo(
            call_id=call.call_id,
            direction="outbound",
            from_=order.from_user,
            to=order.called or parse_uri(order.uri).user or "",
            transport="sip",
            source_address=address,
            source_port=port,
            protocol=flow.protocol,
            carrier=order.carrier,
            headers=dict(order.headers),
        )


def _from_address(order: CallOrder, own_host: str) -> str:
    name = clean_text(order.from_name).replace("\\", "").replace('"', "").strip()
    uri = URI(scheme="sip", host=order.from_host or bracketed(own_host), user=clean_text(order.from_user) or None)
    return f'"{name}" <{uri}>' if name else f"<{uri}>"
