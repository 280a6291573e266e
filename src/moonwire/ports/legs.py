"""What a call and a transport say to each other about signalling: one leg is one SIP dialog or media socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from moonwire.ports.media import AudioSink, AudioSource, MediaLeg


@dataclass(frozen=True, slots=True)
class LegInfo:
    """Who calls whom, from where; strings are as received."""

    call_id: str
    """SIP Call-ID, or the media stream's id."""
    direction: Literal["inbound", "outbound"]
    from_: str
    """Calling number or user part, with a leading plus when it came with one."""
    to: str
    """Called number or user part, likewise."""
    transport: Literal["sip", "twilio", "browser"]
    source_address: str
    source_port: int
    protocol: Literal["udp", "tcp", "tls", "ws", "wss"]
    carrier: str | None = None
    """Name of the carrier that was admitted."""
    caller_name: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """All SIP headers of the INVITE (or the custom parameters of a media stream), last value wins."""
    request: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The `sip` member of session:new (jambonz contract 3.2); empty for media sockets."""


@dataclass(frozen=True, slots=True)
class LegEnd:
    """Why a leg is over."""

    by: Literal["caller", "moonwire"]
    reason: str
    """A stable word: `bye`, `cancel`, `closed`, `no-media`, `no-ack`, `session-expired`, `hangup`, `rejected` ..."""
    sip_status: int = 200


class LegListener(AudioSink, Protocol):
    """The call's side of a leg."""

    def on_ended(self, end: LegEnd) -> None:
        """Hear, exactly once, that the leg is over; no audio follows."""
        ...


class CallLeg(MediaLeg, Protocol):
    """One leg: signalling and audio."""

    @property
    def info(self) -> LegInfo:
        """Who calls whom."""
        ...

    def attach(self, sink: LegListener, source: AudioSource) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Connect the leg to a call."""
        ...

    async def ring(self) -> None:
        """Send 180 (no effect on media sockets)."""
        ...

    async def answer(self) -> None:
        """Send 200; audio flows from now on. No effect when already answered.

        Raises:
            CallError: the caller has gone in the meantime.
        """
        ...

    async def reject(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        """Refuse an unanswered call with a SIP status and reason phrase (a media socket is closed)."""
        ...

    async def hang_up(self, headers: Mapping[str, str] | None = None) -> None:
        """End an answered call; returns when BYE is sent (bounded), not when it is answered."""
        ...

    def send_digits(self, digits: str, duration_ms: int) -> None:
        """Send DTMF towards the caller, where the transport can."""
        ...


@runtime_checkable
class ReferringLeg(Protocol):
    """A leg whose other side can be asked to call somebody else; media sockets cannot."""

    async def refer(
        self, target: str, headers: Mapping[str, str] | None = None, on_news: Callable[[int], None] | None = None
    ) -> int:
        """Send REFER to the URI `target`; return the final SIP status of the call that the other side then made.

        Args:
            target: SIP URI.
            headers: go into the REFER.
            on_news: hears each status of that call.

        Raises:
            CallRefusedError: the other side does not do that.
            CallError: the call is not up.
        """
        ...


@runtime_checkable
class EarlyMediaLeg(Protocol):
    """An inbound leg whose caller can hear something before the answer."""

    def begin_early_media(self) -> None:
        """Send 183 and let audio flow; no effect once answered."""
        ...


@dataclass(frozen=True, slots=True)
class CallOrder:
    """A call that we make."""

    uri: str
    """Whom to call, `sip:user@host`; also the request URI unless `request_uri` is another one."""
    from_user: str
    from_host: str | None = None
    """Host of the From address, our own when None."""
    from_name: str = ""
    """Display name."""
    request_uri: str | None = None
    proxy: str | None = None
    """SIP URI of the next hop."""
    called: str = ""
    """What applications see as the called party; the URI's user part when empty."""
    carrier: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    auth: tuple[str, str] | None = field(default=None, repr=False)
    timeout_s: float = 60.0
    guarded: bool = False
    """A user chose where it goes: private addresses are refused, except those that the operator permits."""


@dataclass(frozen=True, slots=True)
class CallProgress:
    """What the called side says before it answers."""

    status: int
    phrase: str
    early_media: bool
    """Audio comes already."""


class DialledLeg(CallLeg, Protocol):
    """A leg that we called, from the moment the call is under way."""

    async def taken(self) -> None:
        """Wait for the answer; cancelling gives up the call.

        Raises:
            CallRefusedError: refused, busy, given up, or not answered in time (487, reason `no-answer`).
        """
        ...


class CallPlacer(Protocol):
    """Makes outbound calls."""

    async def invite(self, order: CallOrder, on_progress: Callable[[CallProgress], None]) -> DialledLeg:
        """Begin a call; nobody is attached to the leg yet.

        Raises:
            CallRefusedError: the host is unknown, unreachable, or private (reason `private-address`).
            RemoteProtocolError: the URI cannot be called.
        """
        ...

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
        """Call somebody whom the operator chose and wait for the answer; cancelling gives up the call.

        Raises:
            CallRefusedError: refused, busy, unreachable, or not answered in time.
            RemoteProtocolError: the URI cannot be called.
        """
        ...


class CallAcceptor(Protocol):
    """Takes new inbound legs; the engine's front door."""

    def offer(self, leg: CallLeg) -> None:
        """Take a new leg, not yet ringing; never blocks, never raises."""
        ...


class CallerGate(Protocol):
    """Decides who may call; answers from a cache, never from a database."""

    def carrier_for_address(self, address: str) -> str | None:
        """Return the name of the active carrier whose inbound networks hold this IP address, else None."""
        ...

    def carrier_for_token(self, token: str) -> str | None:
        """Return the name of the active carrier that owns this media-socket token, else None."""
        ...

    def twilio_auth_tokens(self) -> Mapping[str, str]:
        """Return carrier name -> Twilio auth token of active carriers of type `twilio` (for X-Twilio-Signature)."""
        ...
