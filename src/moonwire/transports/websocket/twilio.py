"""Decides who may open a Twilio media stream at `/media/twilio`, and offers admitted streams as calls.

A stream is admitted by its source address, by a valid X-Twilio-Signature, or by a carrier's token. Twilio drops the
query string of a stream's URL, so number and token may come in the custom parameters of the `start` message instead:
then the decision waits for that message, for a few seconds and for few streams at a time.

Source: Twilio, "Media Streams" and "Webhooks security" (read 2026-11-22).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping

import structlog

from moonwire.ports.clock import Clock
from moonwire.ports.legs import CallAcceptor, CallerGate, LegEnd, LegInfo
from moonwire.transports.pacing import Pacer
from moonwire.transports.websocket.frames import CloseCode
from moonwire.transports.websocket.server import MediaSocket, SocketListener
from moonwire.transports.websocket.twilio_leg import TwilioLeg
from moonwire.transports.websocket.twilio_messages import (
    MessageError,
    StreamStart,
    StreamWriter,
    parse_message,
)
from moonwire.transports.websocket.upgrade import UpgradeRequest

TWILIO_PATH = "/media/twilio"
START_WAIT_S = 5.0
MAX_UNDECIDED = 64
_MAX_BAD_MESSAGES = 50
_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip")

_END_OF_CLOSE: Mapping[int, LegEnd] = {
    1000: LegEnd("caller", "closed"),
    1001: LegEnd("moonwire", "shutdown", 503),
}

_log = structlog.get_logger()


def twilio_signature(auth_token: str, url: str) -> str:
    """Return the X-Twilio-Signature of a request without form fields."""
    digest = hmac.new(auth_token.encode(), url.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


class TwilioDoor:
    """The media door of Twilio streams; give it to `websocket_protocol` under TWILIO_PATH."""

    def __init__(self, *, gate: CallerGate, acceptor: CallAcceptor, pacer: Pacer, clock: Clock) -> None:
        self.pacer = pacer
        self.clock = clock
        self._gate = gate
        self._acceptor = acceptor
        self._undecided = 0

    def admit(self, request: UpgradeRequest) -> Callable[[MediaSocket], SocketListener] | None:
        """Return what opens the stream; None when the request is refused already."""
        carrier = self._carrier_of(request)
        if carrier is None and (request.query.get("token") or self._undecided >= MAX_UNDECIDED):
            return None
        return lambda socket: TwilioStream(self, request, carrier, socket)

    def _carrier_of(self, request: UpgradeRequest) -> str | None:
        # Behind a proxy the source address is the proxy's and proves nothing.
        if not any(name in request.headers for name in _PROXY_HEADERS):
            carrier = self._gate.carrier_for_address(request.source_address)
            if carrier is not None:
                return carrier
        return self._carrier_of_signature(request) or self.carrier_of_token(request.query.get("token", ""))

    def _carrier_of_signature(self, request: UpgradeRequest) -> str | None:
        signature = request.headers.get("x-twilio-signature", "").encode()
        if not signature:
            return None
        rest = f"{request.headers.get('host', '')}{request.target}"
        for carrier, auth_token in self._gate.twilio_auth_tokens().items():
            for scheme in ("wss", "https", "ws", "http"):
                expected = twilio_signature(auth_token, f"{scheme}://{rest}").encode()
                if hmac.compare_digest(expected, signature):
                    return carrier
        return None

    def carrier_of_token(self, token: str) -> str | None:
        """Return the carrier that owns a token, None for none."""
        return self._gate.carrier_for_token(token) if token else None

    def count_undecided(self, change: int) -> None:
        """Note that a stream waits for its `start` without being admitted, or no longer does."""
        self._undecided += change

    def offer(self, leg: TwilioLeg) -> None:
        """Hand an admitted stream to the engine."""
        self._acceptor.offer(leg)


class TwilioStream:
    """One media socket, from its opening to its end."""

    def __init__(self, door: TwilioDoor, request: UpgradeRequest, carrier: str | None, socket: MediaSocket) -> None:
        self._door = door
        self._request = request
        self._carrier = carrier
        self._socket = socket
        self._leg: TwilioLeg | None = None
        self._bad_messages = 0
        self._undecided = carrier is None
        if self._undecided:
            door.count_undecided(1)
        self._start_timer = asyncio.get_running_loop().call_later(START_WAIT_S, self._refuse)

    def on_text(self, payload: bytes) -> None:
        """Take one message of the stream."""
        try:
            message = parse_message(payload)
        except MessageError:
            self._count_bad()
            return
        if isinstance(message, StreamStart):
            self._take_start(message)
        elif self._leg is not None:
            self._leg.take(message)

    def on_binary(self, payload: bytes) -> None:
        """Ignore it, within limits: this framing has no binary messages."""
        self._count_bad()

    def on_closed(self, code: CloseCode) -> None:
        """Hear that the socket is gone: the caller hung up, broke the protocol, or the server stops."""
        self._settle()
        if self._leg is not None:
            self._leg.finish(_END_OF_CLOSE.get(code, LegEnd("caller", "protocol-error", 400)))

    def _count_bad(self) -> None:
        self._bad_messages += 1
        if self._bad_messages > _MAX_BAD_MESSAGES:
            self._socket.close(1008, "too many messages that are no JSON")

    def _settle(self) -> None:
        self._start_timer.cancel()
        if self._undecided:
            self._undecided = False
            self._door.count_undecided(-1)

    def _refuse(self) -> None:
        self._settle()
        _log.warning("media stream refused", source_address=self._request.source_address)
        self._socket.close(1008, "refused")

    def _take_start(self, start: StreamStart) -> None:
        if self._leg is not None:
            return
        carrier = self._carrier or self._door.carrier_of_token(start.parameters.get("token", ""))
        if carrier is None:
            self._refuse()
            return
        if start.encoding and "mulaw" not in start.encoding:
            self._settle()
            self._socket.close(1003, f"cannot serve {start.encoding}, only audio/x-mulaw")
            return
        self._settle()
        info = self._info_of(start, carrier)
        self._leg = TwilioLeg(info, self._socket, StreamWriter(start.stream_sid), self._door.pacer, self._door.clock)
        self._door.offer(self._leg)

    def _info_of(self, start: StreamStart, carrier: str) -> LegInfo:
        request, parameters = self._request, start.parameters

        def given(name: str) -> str:
            # A plus in a query string means a space; a number has none.
            value = request.query.get(name) or parameters.get(name, "")
            return f"+{value.strip()}" if value.startswith(" ") else value.strip()

        return LegInfo(
            call_id=start.call_sid or start.stream_sid,
            direction="inbound",
            from_=given("from"),
            to=given("number"),
            transport="twilio",
            source_address=request.source_address,
            source_port=request.source_port,
            protocol="wss" if request.secure else "ws",
            carrier=carrier,
            caller_name="",
            headers={name: value for name, value in parameters.items() if name != "token"},
        )
