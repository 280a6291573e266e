"""Runs the transaction machines: finds the one a message belongs to, keeps its timer, sends what it says.

A repeated request is answered here with the last response and goes no further; so does the ACK of a refused INVITE.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from moonwire.core.sip.grammar import parameter, parse_via, valid_port
from moonwire.core.sip.message import (
    Request,
    Response,
    add_headers,
    cseq_number,
    encode,
    make_response,
    stamp_via,
    tag_of,
    top_via,
)
from moonwire.core.sip.transactions import (
    ClientState,
    ClientTransaction,
    Reception,
    ServerState,
    ServerTransaction,
    Timing,
    TransactionKey,
    Verdict,
    client_key,
    server_key,
)
from moonwire.ports.clock import Clock
from moonwire.transports.sip.alarm import Alarm
from moonwire.transports.sip.flows import Flow
from moonwire.transports.sip.udp import UdpFlow

MAX_TRANSACTIONS = 20_000
DEFAULT_PORT = 5060

OnResponse = Callable[[Response], None]


@dataclass(frozen=True, slots=True)
class Body:
    """A message body and its media type."""

    media_type: str
    data: bytes


class ServerExchange:
    """One received request and our responses to it."""

    def __init__(
        self, table: ExchangeTable, request: Request, arrival: Flow, way_back: Flow, key: TransactionKey, *, kept: bool
    ) -> None:
        self.request = request
        self.arrival = arrival
        """The way to where the request came from."""
        self._way_back = way_back
        self.on_ended: Callable[[Verdict], None] | None = None
        """Told once how the transaction ended; NO_ACK matters to who answered an INVITE."""
        self.on_cancel: Callable[[], None] | None = None
        """Told when a CANCEL came while this INVITE was unanswered."""
        self._table = table
        self._key = key
        self._kept = kept
        invite = request.method == "INVITE"
        self._transaction = ServerTransaction(invite=invite, reliable=arrival.protocol != "udp", timing=table.timing)
        self._alarm = Alarm(table.clock, self._due)

    @property
    def open(self) -> bool:
        """Whether no final response has been sent."""
        return self._transaction.state is ServerState.PROCEEDING

    @property
    def unacknowledged(self) -> bool:
        """Whether a 2xx to an INVITE still waits for its ACK."""
        return self._transaction.state is ServerState.ACCEPTED

    @property
    def cseq(self) -> int:
        """The request's sequence number."""
        return cseq_number(self.request.headers)

    def respond(
        self,
        status: int,
        phrase: str | None = None,
        *,
        to_tag: str = "",
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> None:
        """Send a response; after a final one nothing more goes out."""
        response = make_response(self.request, status, phrase, to_tag=to_tag or self._table.tag_for(self._key))
        for name, value in (headers or {}).items():
            response.headers.set(name, value)
        if body is not None:
            response.headers.set("Content-Type", body.media_type)
            response = Response(response.status, response.phrase, response.headers, body.data)
        data = encode(response)
        if self._transaction.respond(data, status, self._table.clock.monotonic_s()):
            self._way_back.send(data)
            # Without a transaction nothing is repeated: the sender's own repetition brings the same response.
            self._alarm.set_at(self._transaction.deadline if self._kept else None)

    def respond_with(self, status: int, phrase: str, *, to_tag: str, extra: Mapping[str, str] | None) -> None:
        """Refuse with an application's own headers, cleaned."""
        clean = Response(status, phrase)
        add_headers(clean, extra)
        names: list[str] = clean.headers.keys()
        self.respond(status, phrase, to_tag=to_tag, headers={name: clean.headers[name] for name in names})

    def repeat(self) -> None:
        """Answer a retransmission."""
        data = self._transaction.on_repeated_request()
        if data is not None:
            self._way_back.send(data)

    def acknowledge(self) -> None:
        """Take the ACK."""
        self._transaction.on_ack(self._table.clock.monotonic_s())
        self._table.note_progress()
        self._alarm.set_at(self._transaction.deadline)

    def drop(self) -> None:
        """Stop without another word."""
        self._alarm.cancel()

    def _due(self) -> None:
        outcome = self._transaction.on_timer(self._table.clock.monotonic_s())
        if isinstance(outcome, Verdict):
            self._table.forget_server(self._key)
            if self.on_ended is not None:
                self.on_ended(outcome)
            return
        if outcome is not None:
            self._way_back.send(outcome)
        self._alarm.set_at(self._transaction.deadline)


class ClientExchange:
    """One request of ours and the responses to it."""

    def __init__(
        self,
        table: ExchangeTable,
        request: Request,
        flow: Flow,
        key: TransactionKey,
        *,
        on_response: OnResponse | None,
        on_timeout: Callable[[], None] | None,
    ) -> None:
        self.request = request
        self.flow = flow
        self._table = table
        self._key = key
        self._on_response = on_response
        self._on_timeout = on_timeout
        self._ack: bytes | None = None
        data = encode(request)
        self._transaction = ClientTransaction(
            data,
            invite=request.method == "INVITE",
            reliable=flow.protocol != "udp",
            timing=table.timing,
            now=table.clock.monotonic_s(),
        )
        self._alarm = Alarm(table.clock, self._due)
        self._alarm.set_at(self._transaction.deadline)
        flow.send(data)

    def receive(self, response: Response) -> None:
        """Take a response of the network."""
        reception = self._transaction.on_response(response.status, self._table.clock.monotonic_s())
        self._alarm.set_at(self._transaction.deadline)
        if reception is Reception.REPEAT_ACK and self._ack is not None:
            self.flow.send(self._ack)
        if reception is not Reception.DELIVER:
            return
        if self.request.method == "INVITE" and response.status >= 300:
            self._ack = encode(self._refusal_ack(response))
            self.flow.send(self._ack)
        if self._on_response is not None:
            self._on_response(response)

    @property
    def waiting(self) -> bool:
        """Whether no final response has come."""
        return self._transaction.state in (ClientState.CALLING, ClientState.PROCEEDING)

    def cancel(self) -> None:
        """Send the CANCEL of this INVITE: same Via, same number (RFC 3261 section 9.1)."""
        self._transaction.on_cancelled(self._table.clock.monotonic_s())
        self._alarm.set_at(self._transaction.deadline)
        self._table.send(self._sibling("CANCEL", self.request.headers["To"]), self.flow)

    def drop(self) -> None:
        """Stop without another word."""
        self._alarm.cancel()

    def _refusal_ack(self, response: Response) -> Request:
        return self._sibling("ACK", response.headers["To"])

    def _sibling(self, method: str, to: str) -> Request:
        request = Request(method, self.request.uri)
        request.headers.set("Via", top_via(self.request.headers))
        if routes := self.request.headers.getlist("Route"):
            request.headers.setlist("Route", list(routes))
        request.headers.set("Max-Forwards", "70")
        request.headers.set("From", self.request.headers["From"])
        request.headers.set("To", to)
        request.headers.set("Call-ID", self.request.headers["Call-ID"])
        request.headers.set("CSeq", f"{cseq_number(self.request.headers)} {method}")
        return request

    def _due(self) -> None:
        outcome = self._transaction.on_timer(self._table.clock.monotonic_s())
        if isinstance(outcome, Verdict):
            self._table.forget_client(self._key)
            if outcome is Verdict.TIMED_OUT and self._on_timeout is not None:
                self._on_timeout()
            return
        if outcome is not None:
            self.flow.send(outcome)
        self._alarm.set_at(self._transaction.deadline)


class ExchangeTable:
    """All transactions of the endpoint."""

    def __init__(self, clock: Clock, timing: Timing) -> None:
        self.clock = clock
        self.timing = timing
        self.dropped = 0
        """Requests dropped: no way back, or too many transactions."""
        self._secret = secrets.token_bytes(16)
        self._progress: asyncio.Future[None] | None = None
        self._server: dict[TransactionKey, ServerExchange] = {}
        self._invites: dict[tuple[str, str, str], ServerExchange] = {}
        self._client: dict[TransactionKey, ClientExchange] = {}

    def __len__(self) -> int:
        return len(self._server) + len(self._client)

    def tag_for(self, key: TransactionKey) -> str:
        """Return the To tag of a response outside a dialog: the same for every repetition of a request."""
        return hashlib.blake2s("\0".join(key).encode("utf-8", "replace"), key=self._secret, digest_size=8).hexdigest()

    def receive(self, request: Request, flow: Flow, *, keep: bool) -> ServerExchange | None:
        """Take a request (not the ACK of a 2xx); None when it was absorbed or cannot be answered.

        Args:
            request: as received.
            flow: where it came from.
            keep: hold a transaction for it; strangers are answered without (RFC 3261 section 8.2.7), so that they
                can neither fill our memory nor make us repeat responses towards a forged address.

        Raises:
            RemoteProtocolError: its Via or CSeq is malformed, nobody can be answered.
        """
        key = server_key(request)
        known = self._server.get(key)
        if known is not None:
            known.repeat()
            return None
        back = self._way_back(request, flow)
        if back is None or len(self._server) >= MAX_TRANSACTIONS:
            self.dropped += 1
            return None
        stamp_via(request, *flow.remote)
        exchange = ServerExchange(self, request, flow, back, key, kept=keep)
        if not keep:
            return exchange
        self._server[key] = exchange
        if request.method == "INVITE":
            self._invites.setdefault(_merge_key(request), exchange)
        return exchange

    def acknowledges_refusal(self, ack: Request) -> bool:
        """Take an ACK that belongs to a refused INVITE; False when it is the ACK of a 2xx.

        Raises:
            RemoteProtocolError: its Via or CSeq is malformed.
        """
        known = self._server.get(server_key(ack))
        if known is None or known.unacknowledged or known.open:
            return False
        known.acknowledge()
        return True

    def invite_of(self, cancel: Request) -> ServerExchange | None:
        """Return the INVITE a CANCEL means."""
        return self._server.get(server_key(cancel, "INVITE"))

    def merged(self, exchange: ServerExchange) -> bool:
        """Tell whether this INVITE came before on another way and is not settled (RFC 3261 section 8.2.2.2)."""
        first = self._invites.get(_merge_key(exchange.request))
        return first is not None and first is not exchange and (first.open or first.unacknowledged)

    def send(
        self,
        request: Request,
        flow: Flow,
        *,
        on_response: OnResponse | None = None,
        on_timeout: Callable[[], None] | None = None,
    ) -> ClientExchange:
        """Send a request whose top Via is set."""
        via = parse_via(top_via(request.headers))
        key = (parameter(via.parameters, "branch") or "", request.method)
        exchange = ClientExchange(self, request, flow, key, on_response=on_response, on_timeout=on_timeout)
        self._client[key] = exchange
        return exchange

    def receive_response(self, response: Response) -> None:
        """Give a response to its request; others are dropped.

        Raises:
            RemoteProtocolError: its Via or CSeq is malformed.
        """
        known = self._client.get(client_key(response))
        if known is not None:
            known.receive(response)
            self.note_progress()

    async def settled(self) -> None:
        """Wait until no request of ours wants a response and no 2xx of ours wants its ACK."""
        while self._busy():
            self._progress = asyncio.get_running_loop().create_future()
            await self._progress

    def note_progress(self) -> None:
        """Let `settled` look again."""
        if self._progress is not None and not self._progress.done():
            self._progress.set_result(None)

    def _busy(self) -> bool:
        return any(exchange.waiting for exchange in self._client.values()) or any(
            exchange.unacknowledged for exchange in self._server.values()
        )

    def forget_server(self, key: TransactionKey) -> None:
        """Drop an ended transaction."""
        exchange = self._server.pop(key, None)
        if exchange is not None and exchange.request.method == "INVITE":
            merge_key = _merge_key(exchange.request)
            if self._invites.get(merge_key) is exchange:
                del self._invites[merge_key]

    def forget_client(self, key: TransactionKey) -> None:
        """Drop an ended transaction."""
        self._client.pop(key, None)
        self.note_progress()

    def close(self) -> None:
        """Stop all timers."""
        for exchange in [*self._server.values(), *self._client.values()]:
            exchange.drop()
        self._server.clear()
        self._invites.clear()
        self._client.clear()

    def _way_back(self, request: Request, flow: Flow) -> Flow | None:
        """Where responses go: the source address, and the source port when rport asks for it.

        Source: RFC 3261 section 18.2.2; RFC 3581 section 4.
        """
        if not isinstance(flow, UdpFlow):
            return flow
        via = parse_via(top_via(request.headers))
        if parameter(via.parameters, "rport") is not None:
            return flow
        port = DEFAULT_PORT if via.port is None else via.port
        return flow.to_port(port) if valid_port(port) else None


def _merge_key(request: Request) -> tuple[str, str, str]:
    cseq = re.sub(r"\s+", " ", request.headers["CSeq"])
    return (request.headers["Call-ID"], tag_of(request.headers["From"]), cseq)
