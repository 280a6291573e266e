"""Decides what becomes of each new request: who may call, what is refused and how, which dialog it belongs to."""

from __future__ import annotations

import structlog

from moonwire.core.sip.dialog import Dialog
from moonwire.core.sip.grammar import bracketed, ip_literal, parse_via
from moonwire.core.sip.message import Request, sdp_body, tag_of, top_via
from moonwire.core.sip.screening import ALLOW, SUPPORTED, Refusal, screen
from moonwire.core.sip.session_timer import IntervalTooSmallError, accept_timer
from moonwire.errors import CallError, RemoteProtocolError
from moonwire.ports.legs import CallAcceptor, CallerGate
from moonwire.transports.rtp.session import RtpEngine
from moonwire.transports.sip.exchanges import Body, ServerExchange
from moonwire.transports.sip.flows import Flow
from moonwire.transports.sip.inbound import InboundCall
from moonwire.transports.sip.invitation import describe_invite
from moonwire.transports.sip.leg import SipLeg
from moonwire.transports.sip.media import SDP, CallMedia
from moonwire.transports.sip.stack import DialogOwner, SipStack, new_token

log = structlog.get_logger()

_REFUSALS_LOG_EVERY_S = 10.0
_RETRY_AFTER_S = 5


class Intake:
    """The endpoint's user agent server."""

    def __init__(self, stack: SipStack, *, gate: CallerGate, acceptor: CallAcceptor, rtp: RtpEngine) -> None:
        self.draining = False
        """No new calls: INVITE and OPTIONS get 503."""
        self._stack = stack
        self._gate = gate
        self._acceptor = acceptor
        self._rtp = rtp
        self._refused = 0
        self._refusals_logged_at = float("-inf")

    def knows(self, request: Request, flow: Flow) -> bool:
        """Tell whether a request comes from a carrier or belongs to a dialog; others get no transaction."""
        return self._gate.carrier_for_address(flow.remote[0]) is not None or self._owner(request) is not None

    def receive(self, exchange: ServerExchange) -> None:
        """Take a request that is new (no retransmission, no ACK)."""
        request = exchange.request
        opens_call = request.method == "INVITE" and not tag_of(request.headers["To"])
        carrier = self._gate.carrier_for_address(exchange.arrival.remote[0]) if opens_call else None
        if opens_call and carrier is None:
            self._count_refusal(exchange.arrival.remote[0])
            exchange.respond(403)
            return
        refusal = screen(request)
        if refusal is not None:
            exchange.respond(refusal.status, refusal.phrase, headers=refusal.headers)
        elif request.method == "CANCEL":
            self._cancel(exchange)
        elif tag_of(request.headers["To"]):
            self._inside_dialog(exchange)
        elif carrier is not None:
            self._invite(exchange, carrier)
        else:
            self._outside_dialog(exchange)

    def receive_ack(self, ack: Request) -> None:
        """Take the ACK of a 2xx."""
        owner = self._owner(ack)
        if owner is not None:
            owner.receive_ack(ack)

    def _owner(self, request: Request) -> DialogOwner | None:
        headers = request.headers
        owner = self._stack.dialogs.get((headers["Call-ID"], tag_of(headers["To"])))
        if owner is None or owner.remote_tag != tag_of(headers["From"]):
            return None
        return owner

    def _inside_dialog(self, exchange: ServerExchange) -> None:
        owner = self._owner(exchange.request)
        if owner is not None:
            owner.receive(exchange)
        elif exchange.request.method == "OPTIONS":
            self._outside_dialog(exchange)
        else:
            exchange.respond(481)

    def _cancel(self, exchange: ServerExchange) -> None:
        invite = self._stack.exchanges.invite_of(exchange.request)
        if invite is None:
            exchange.respond(481)
            return
        exchange.respond(200)
        if invite.open and invite.on_cancel is not None:
            invite.on_cancel()

    def _outside_dialog(self, exchange: ServerExchange) -> None:
        match exchange.request.method:
            case "OPTIONS":
                status = 503 if self.draining else 200
                headers = {"Allow": ALLOW, "Accept": SDP, "Supported": SUPPORTED}
                exchange.respond(status, headers=_later() if self.draining else headers)
            case "NOTIFY":
                exchange.respond(489)
            case "REFER":
                exchange.respond(405, headers={"Allow": ALLOW})
            case _:
                exchange.respond(481)

    def _invite(self, exchange: ServerExchange, carrier: str) -> None:
        if self.draining:
            exchange.respond(503, headers=_later())
            return
        if self._stack.exchanges.merged(exchange):
            exchange.respond(482)
            return
        exchange.respond(100)
        refusal = self._open_call(exchange, carrier)
        if refusal is not None:
            exchange.respond(refusal.status, refusal.phrase or None, headers=refusal.headers)

    def _open_call(self, exchange: ServerExchange, carrier: str) -> Refusal | None:
        request = exchange.request
        try:
            timer = accept_timer(request.headers, min_se_s=self._stack.timing.min_se_s)
            dialog = Dialog.of_received_invite(request, new_token(), default_target=_source_uri(exchange))
            offer = _offer(request)
            info = describe_invite(exchange, carrier)
            media = self._open_media(exchange)
        except IntervalTooSmallError as error:
            return Refusal(error.status, "", {"Min-SE": str(self._stack.timing.min_se_s)})
        except RemoteProtocolError as error:
            return _refusal(error)
        except CallError as error:
            log.warning("sip call refused", cause=error.reason, carrier=carrier)
            return Refusal(503, "", _later())
        answer: Body | None = None
        if offer is not None:
            try:
                answer = media.answer(offer)
            except RemoteProtocolError as error:
                media.close()
                return _refusal(error)
        call = InboundCall(
            self._stack, exchange, dialog, media, answer=answer, timer=timer, symmetric=_behind_nat(exchange)
        )
        self._acceptor.offer(SipLeg(info, call, media))
        return None

    def _open_media(self, exchange: ServerExchange) -> CallMedia:
        session = self._rtp.open(local_address=self._stack.host)
        return CallMedia(session, self._stack.advertised_address(exchange.arrival.remote[0]))

    def _count_refusal(self, address: str) -> None:
        self._refused += 1
        now = self._stack.clock.monotonic_s()
        if now - self._refusals_logged_at >= _REFUSALS_LOG_EVERY_S:
            log.warning(
                "sip callers refused",
                remedy="add the address to a carrier's inbound networks if it should be able to call",
                last_address=address,
                count=self._refused,
            )
            self._refused = 0
            self._refusals_logged_at = now


def _offer(request: Request) -> bytes | None:
    return sdp_body(request) if request.body else None


def _refusal(error: RemoteProtocolError) -> Refusal:
    match error.status:
        case 415:
            return Refusal(415, "", {"Accept": SDP})
        case 488:
            return Refusal(488, "", {"Warning": f'304 moonwire "{error}"'})
        case _:
            return Refusal(400, "Bad Request")


def _behind_nat(exchange: ServerExchange) -> bool:
    """Tell whether the caller does not know its own address: it differs from where the packets come from."""
    sent_by = ip_literal(parse_via(top_via(exchange.request.headers)).host)
    return sent_by is not None and sent_by != exchange.arrival.remote[0]


def _source_uri(exchange: ServerExchange) -> str:
    address, port = exchange.arrival.remote
    return f"sip:{bracketed(address)}:{port};transport={exchange.arrival.protocol}"


def _later() -> dict[str, str]:
    return {"Retry-After": str(_RETRY_AFTER_S)}
