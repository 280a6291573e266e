"""Carries one call's audio over RTP: a socket per call, read and written in the call's own 20 ms tick.

Nothing happens between ticks: the kernel keeps what arrives, the tick drains it into the jitter buffer, hands one
frame to the call and sends one frame. That costs no event-loop wake-up per packet. While the call has nothing to say,
silence frames keep NAT bindings and recorders alive. RTCP is not spoken; what arrives of it is ignored.

Source: RFC 3550, RFC 3551 (PCMU, PCMA), RFC 4733 (digits), RFC 4961 (symmetric RTP).
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

import structlog

from moonwire.core.audio.frames import FRAME_BYTES, FRAME_S, SILENCE_FRAME
from moonwire.core.audio.g711 import ALAW_TO_ULAW, ULAW_TO_ALAW
from moonwire.core.rtp.conceal import Concealer
from moonwire.core.rtp.dtmf import DtmfReceiver, DtmfSender
from moonwire.core.rtp.jitter import JitterBuffer
from moonwire.core.rtp.latch import Address, SourceLatch
from moonwire.core.rtp.packet import COMFORT_NOISE, PCMA, PCMU, RtpPacket, build_datagram, parse_packet
from moonwire.ports.clock import Clock
from moonwire.ports.media import AudioSink, AudioSource
from moonwire.transports.pacing import Pacer, Ticket
from moonwire.transports.rtp.ports import PortPool

_MAX_DATAGRAM = 2048
_MAX_DRAINED = 512
"""Datagrams read in one tick; a flood beyond that waits in the kernel and is dropped there."""
_MARKER = 0x80

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RtpRemote:
    """What the peer's SDP says."""

    address: str
    port: int
    payload_type: int
    """0 (PCMU) or 8 (PCMA), what we send; both are understood."""
    dtmf_payload_type: int | None
    send: bool
    """The peer wants to hear us."""
    receive: bool
    """The peer talks to us."""


def _is_sendable(address: str, port: int) -> bool:
    """Say whether packets can go there; a host name could block the loop in a look-up, so it cannot."""
    try:
        return not ip_address(address).is_unspecified and 0 < port < 65536
    except ValueError:
        return False


class RtpEngine:
    """The process's RTP: port range and pacing."""

    def __init__(
        self, *, pacer: Pacer, port_min: int, port_max: int, clock: Clock, silence_limit_s: float = 30.0
    ) -> None:
        self._pacer = pacer
        self._ports = PortPool(port_min=port_min, port_max=port_max, clock=clock)
        self._silence_limit_s = silence_limit_s

    def open(self, *, local_address: str) -> RtpSession:
        """Bind an even port for a call; nothing is sent before `start`.

        Raises:
            CallError: no port is left (reason `no-ports`).
        """
        endpoint, port = self._ports.bind(local_address)
        return RtpSession(endpoint, port, self._pacer, self._ports.release, self._silence_limit_s)


class RtpSession:
    """One call's RTP."""

    def __init__(
        self,
        endpoint: socket.socket,
        port: int,
        pacer: Pacer,
        release: Callable[[int], None],
        silence_limit_s: float,
    ) -> None:
        self.local_port = port
        self.on_silent: Callable[[], None] | None = None
        """Called once when nothing came for the silence limit although the peer should talk, or the media failed."""
        self._socket = endpoint
        self._pacer = pacer
        self._release = release
        self._silence_limit_ticks = round(silence_limit_s / FRAME_S)
        self._ticket: Ticket | None = None
        self._closed = False
        self._sink: AudioSink | None = None
        self._source: AudioSource | None = None
        self._remote: RtpRemote | None = None
        # incoming
        self._latch = SourceLatch()
        self._jitter = JitterBuffer()
        self._concealer = Concealer()
        self._digits_in = DtmfReceiver()
        self._silent_ticks = 0
        # outgoing
        self._target: Address | None = None
        self._digits_out = DtmfSender()
        self._talking = False
        self._ssrc = random.getrandbits(32)
        self._sequence = random.getrandbits(15)
        self._timestamp = random.getrandbits(31)

    def start(self, remote: RtpRemote) -> None:
        """Let media flow to and from this peer; may be called again with new values (hold, new address)."""
        if self._closed:
            return
        if self._ticket is None:
            self._discard_waiting()
            self._ticket = self._pacer.add(self._tick, self._fail)
        self._remote = remote
        self._silent_ticks = 0
        self._latch.announce((remote.address, remote.port))
        self._aim()

    def attach(self, sink: AudioSink, source: AudioSource) -> None:
        """Connect to a call; replaces an earlier connection."""
        self._sink = sink
        self._source = source
        self._talking = False

    def wake(self) -> None:
        """Nothing to do: the source is asked in every tick."""

    def unheard_frames(self) -> int:
        """Return 0: frames leave in real time."""
        return 0

    def clear(self) -> int:
        """Return 0: frames leave in real time, there is nothing to drop."""
        return 0

    def send_digits(self, digits: str, duration_ms: int) -> None:
        """Send digits as telephone events; no effect when the peer did not offer them."""
        if self._remote is not None and self._remote.dtmf_payload_type is not None:
            self._digits_out.send(digits, duration_ms)

    def close(self) -> None:
        """Stop and give the port back; may be repeated."""
        if self._closed:
            return
        self._closed = True
        if self._ticket is not None:
            self._ticket.cancel()
        self._socket.close()
        self._release(self.local_port)
        self._sink = None
        self._source = None
        self.on_silent = None

    def _fail(self, error: Exception) -> None:
        _log.error("rtp session failed", local_port=self.local_port, exc_info=error)
        self._report_silence()

    def _report_silence(self) -> None:
        if self.on_silent is not None:
            self.on_silent()

    def _aim(self) -> None:
        remote = self._remote
        target = self._latch.source
        if target is None and remote is not None and _is_sendable(remote.address, remote.port):
            target = (remote.address, remote.port)
        self._target = target

    def _tick(self) -> None:
        remote = self._remote
        if remote is None:
            return
        self._drain(remote)
        self._hand_over(remote)
        if not self._closed:
            self._send(remote)

    def _discard_waiting(self) -> None:
        try:
            for _ in range(_MAX_DRAINED):
                self._socket.recvfrom(_MAX_DATAGRAM)
        except OSError:
            return

    def _drain(self, remote: RtpRemote) -> None:
        self._silent_ticks += 1
        self._latch.on_tick()
        receive = self._socket.recvfrom
        for _ in range(_MAX_DRAINED):
            try:
                datagram, address = receive(_MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:  # an ICMP message about an earlier packet of ours
                continue
            packet = parse_packet(datagram)
            if packet is not None:
                self._take(packet, address if len(address) == 2 else address[:2], remote)

    def _take(self, packet: RtpPacket, address: Address, remote: RtpRemote) -> None:
        kind = packet.payload_type
        is_digit = kind == remote.dtmf_payload_type
        if kind not in (PCMU, PCMA, COMFORT_NOISE) and not is_digit:
            return
        known = self._latch.source
        if not self._latch.admit(address, packet.ssrc, packet.sequence):
            return
        if known is not self._latch.source:
            self._aim()
        self._silent_ticks = 0
        if is_digit:
            for press in self._digits_in.push(packet.timestamp, packet.ssrc, packet.payload):
                if self._sink is not None:
                    self._sink.on_digit(press.digit, press.duration_ms)
        elif remote.receive and kind != COMFORT_NOISE:
            payload = packet.payload if kind == PCMU else packet.payload.translate(ALAW_TO_ULAW)
            self._jitter.push(packet.timestamp, packet.ssrc, payload)

    def _hand_over(self, remote: RtpRemote) -> None:
        if self._digits_in.pending:
            press = self._digits_in.on_tick()
            if press is not None and self._sink is not None:
                self._sink.on_digit(press.digit, press.duration_ms)
        frame = self._jitter.pop()
        if frame is None:
            frame = self._concealer.conceal()
        else:
            self._concealer.heard(frame)
        if self._sink is not None:
            self._sink.on_frame(frame)
        if self._jitter.surplus() and (extra := self._jitter.pop()) is not None and self._sink is not None:
            self._concealer.heard(extra)
            self._sink.on_frame(extra)
        if remote.receive and self._silent_ticks == self._silence_limit_ticks:
            self._report_silence()

    def _send(self, remote: RtpRemote) -> None:
        timestamp = self._timestamp
        self._timestamp = (timestamp + FRAME_BYTES) & 0xFFFFFFFF
        if self._digits_out.busy:
            self._send_event(timestamp, remote)
            return
        was_talking = self._talking
        frame = self._source.next_frame() if self._source is not None else None
        self._talking = frame is not None
        if frame is None and was_talking and self._source is not None:
            self._source.on_played_out()
            if self._closed:
                return
        kind = remote.payload_type
        if self._talking and not was_talking:
            kind |= _MARKER
        payload = SILENCE_FRAME if frame is None else frame
        if remote.payload_type == PCMA:
            payload = payload.translate(ULAW_TO_ALAW)
        self._transmit(kind, timestamp, payload)

    def _send_event(self, timestamp: int, remote: RtpRemote) -> None:
        event = self._digits_out.next_packet(timestamp)
        if event is None or remote.dtmf_payload_type is None:
            payload = SILENCE_FRAME if remote.payload_type == PCMU else SILENCE_FRAME.translate(ULAW_TO_ALAW)
            self._transmit(remote.payload_type, timestamp, payload)
        else:
            kind = remote.dtmf_payload_type | (_MARKER if event.marker else 0)
            self._transmit(kind, event.timestamp, event.payload)

    def _transmit(self, type_octet: int, timestamp: int, payload: bytes) -> None:
        remote = self._remote
        if self._target is None or remote is None or not remote.send:
            return
        datagram = build_datagram(type_octet, self._sequence, timestamp, self._ssrc, payload)
        self._sequence = (self._sequence + 1) & 0xFFFF
        try:
            self._socket.sendto(datagram, self._target)
        except OSError:  # full buffer or no route: this frame is lost, the next may not be
            return
