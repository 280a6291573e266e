"""The SIP endpoint: UDP and TCP on one port, every message isolated from every other.

It parses, absorbs what transactions absorb, and hands the rest to the intake (requests) or the waiting transaction
(responses). Nothing a peer sends may raise past `_on_message`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping

import structlog

from moonwire.core.sip.grammar import ip_literal
from moonwire.core.sip.message import Request, parse_message
from moonwire.core.sip.transactions import DEFAULT_TIMING, Timing
from moonwire.errors import ConfigError, RemoteProtocolError
from moonwire.ports.clock import Clock
from moonwire.ports.legs import (
    CallAcceptor,
    CallerGate,
    CallLeg,
    CallOrder,
    CallProgress,
    DialledLeg,
    LegListener,
)
from moonwire.ports.media import AudioSource
from moonwire.transports.rtp.session import RtpEngine
from moonwire.transports.sip.exchanges import ServerExchange
from moonwire.transports.sip.flows import Flow
from moonwire.transports.sip.intake import Intake
from moonwire.transports.sip.outbound import Dialer, Permitted
from moonwire.transports.sip.stack import SipStack

log = structlog.get_logger()

_EPHEMERAL_TRIES = 20


class SipEndpoint:
    """Takes and makes SIP calls.

    Args:
        gate: decides who may call.
        acceptor: takes inbound calls.
        rtp: opens the media of each call.
        host: IP address to bind; also where media is taken.
        port: UDP and TCP port, 0 for any free one.
        public_ip: what peers outside this machine are told instead of our own address.
        clock: time.
        timing: the protocol's timers; tests shorten them.
    """

    def __init__(
        self,
        *,
        gate: CallerGate,
        acceptor: CallAcceptor,
        rtp: RtpEngine,
        host: str,
        port: int,
        public_ip: str | None,
        clock: Clock,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        self._port = port
        self._stack = SipStack(host=host, public_ip=public_ip, clock=clock, timing=timing, on_message=self._on_message)
        self._intake = Intake(self._stack, gate=gate, acceptor=acceptor, rtp=rtp)
        self._dialer = Dialer(self._stack, rtp)
        self.rejected = 0
        """Messages that could not even be answered."""
        self.failed = 0
        """Messages that met a bug of ours; each is logged with its traceback."""

    @property
    def local_port(self) -> int:
        """The bound port."""
        return self._stack.local_port

    @property
    def calls(self) -> int:
        """Calls that are up or ringing."""
        return sum(not owner.over for owner in self._stack.dialogs.values())

    @property
    def transactions(self) -> int:
        """Transactions kept, those that only absorb repetitions included."""
        return len(self._stack.exchanges)

    @property
    def connections(self) -> int:
        """TCP connections that are up."""
        return self._stack.connections

    async def start(self) -> None:
        """Bind both sockets.

        Raises:
            ConfigError: the address or port cannot be bound.
        """
        await self._resolve_host()
        for attempt in range(_EPHEMERAL_TRIES):
            try:
                await self._stack.open(self._port)
                break
            except OSError as error:
                # A free UDP port may be taken on TCP; another one is tried when any will do.
                if self._port or attempt == _EPHEMERAL_TRIES - 1:
                    raise ConfigError(
                        f"cannot listen for SIP on {self._stack.host}:{self._port}: {error.strerror or error}; "
                        "choose another MOONWIRE_SIP_HOST or MOONWIRE_SIP_PORT"
                    ) from None
        log.info("sip endpoint started", host=self._stack.host, port=self.local_port)

    async def _resolve_host(self) -> None:
        if ip_literal(self._stack.host) is not None:
            return
        try:
            found = await asyncio.get_running_loop().getaddrinfo(self._stack.host, None, type=socket.SOCK_DGRAM)
        except OSError:
            raise ConfigError(f"MOONWIRE_SIP_HOST: {self._stack.host} is no address of this machine") from None
        # `localhost` may be both families; telephones are on IPv4 more often.
        found.sort(key=lambda entry: entry[0] != socket.AF_INET)
        self._stack.host = str(found[0][4][0])

    def guard_calls(self, permitted: Permitted) -> None:
        """Say which addresses calls may go to that users ask for (ports.legs.CallOrder.guarded); all until then."""
        self._dialer.permitted = permitted

    def drain(self) -> None:
        """Take no new calls; those that are up go on."""
        self._intake.draining = True

    async def stop(self) -> None:
        """End all calls and close."""
        self.drain()
        for owner in list(self._stack.dialogs.values()):
            owner.shut_down()
        # The answers to our BYEs get a moment; a peer that is gone does not hold us up.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._stack.timing.farewell_s):
                await self._stack.exchanges.settled()
        await self._stack.close()

    async def invite(self, order: CallOrder, on_progress: Callable[[CallProgress], None]) -> DialledLeg:
        """Begin a call; nobody is attached to the leg yet.

        Raises:
            CallRefusedError: the host is unknown, unreachable, or private.
            RemoteProtocolError: the URI cannot be called.
        """
        return await self._dialer.invite(order, on_progress)

    async def place(
        self,
        uri: str,
        *,
        from_user: str,
        listener: LegListener,
        source: AudioSource,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout_s: float = 60.0,
        on_ringing: Callable[[int], None] | None = None,
    ) -> CallLeg:
        """Call somebody and wait for the answer.

        Raises:
            CallRefusedError: refused, or not answered in time; it carries the SIP status.
            RemoteProtocolError: the URI cannot be called.
        """

        def progress(said: CallProgress) -> None:
            if on_ringing is not None:
                on_ringing(said.status)

        order = CallOrder(uri.strip(), from_user, headers=headers or {}, auth=auth, timeout_s=timeout_s)
        leg = await self._dialer.invite(order, progress)
        leg.attach(listener, source)
        await leg.taken()
        return leg

    def _on_message(self, data: bytes, flow: Flow) -> None:
        if not data.strip(b"\r\n\0 "):
            return  # a keep-alive
        exchange: ServerExchange | None = None
        try:
            message = parse_message(data)
            if not isinstance(message, Request):
                self._stack.exchanges.receive_response(message)
            elif message.method == "ACK":
                if not self._stack.exchanges.acknowledges_refusal(message):
                    self._intake.receive_ack(message)
            else:
                keep = self._intake.knows(message, flow)
                exchange = self._stack.exchanges.receive(message, flow, keep=keep)
                if exchange is not None:
                    self._intake.receive(exchange)
        except RemoteProtocolError:
            self.rejected += 1
        except Exception:  # the last line of defence: one peer's message must not stop the others
            self.failed += 1
            log.exception("sip message failed", peer=flow.remote[0])
            if exchange is not None:
                exchange.respond(500)
