"""The four transaction machines of SIP: what is sent again, when one gives up, what is absorbed.

Pure: time is an argument, `deadline` says when `on_timer` wants to be called, bytes returned are to be sent.

A server transaction of an INVITE lives on after a 2xx (RFC 6026): it repeats the 2xx until the ACK (RFC 3261
section 13.3.1.4, on every transport) and replays it to a repeated INVITE. A client transaction of an INVITE stays to
hand every repeated 2xx up, because each wants its ACK.

Source: RFC 3261 section 17; RFC 6026 section 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from sipmessage import Via

from moonwire.core.sip.grammar import parameter, parse_cseq, parse_via
from moonwire.core.sip.message import Request, Response, cseq_number, tag_of, top_via

TransactionKey = tuple[str, ...]
_COOKIE = "z9hG4bK"


@dataclass(frozen=True, slots=True)
class Timing:
    """RFC 3261's base timers in seconds, and the smallest session interval; tests shorten them."""

    t1_s: float = 0.5
    t2_s: float = 4.0
    t4_s: float = 5.0
    min_se_s: int = 90
    """RFC 4028 section 5: nobody may ask for more often."""
    farewell_s: float = 1.0
    """How long a stopping endpoint waits for the answers to its BYEs."""

    @property
    def timeout_s(self) -> float:
        """Timers B, F, H, J, L and M."""
        return 64 * self.t1_s


DEFAULT_TIMING = Timing()


class Verdict(Enum):
    """How a transaction is over."""

    DONE = auto()
    NO_ACK = auto()
    """A 2xx to an INVITE was repeated in vain."""
    TIMED_OUT = auto()


class ServerState(Enum):
    """States of a server transaction."""

    PROCEEDING = auto()
    COMPLETED = auto()
    """Final response sent; for an INVITE a non-2xx that waits for its ACK."""
    ACCEPTED = auto()
    """2xx to an INVITE sent, waiting for the ACK."""
    CONFIRMED = auto()
    """ACK seen; repeated requests are still absorbed."""
    TERMINATED = auto()


class ServerTransaction:
    """One request received, and the responses to it."""

    def __init__(self, *, invite: bool, reliable: bool, timing: Timing) -> None:
        self._invite = invite
        self._reliable = reliable
        self._timing = timing
        self._last: bytes | None = None
        self._repeat_at: float | None = None
        self._repeat_s = timing.t1_s
        self._end_at: float | None = None
        self.state = ServerState.PROCEEDING

    @property
    def deadline(self) -> float | None:
        """When on_timer is due next."""
        times = [at for at in (self._repeat_at, self._end_at) if at is not None]
        return min(times) if times else None

    def respond(self, data: bytes, status: int, now: float) -> bool:
        """Take a response to send; False when a final one was sent before and this one must not go out."""
        if self.state is not ServerState.PROCEEDING:
            return False
        self._last = data
        if status < 200:
            return True
        accepted = self._invite and status < 300
        self.state = ServerState.ACCEPTED if accepted else ServerState.COMPLETED
        self._end_at = now + self._timing.timeout_s
        if accepted or (self._invite and not self._reliable):
            self._repeat_at = now + self._repeat_s
        if not self._invite and self._reliable:
            self._end_at = now  # timer J is zero
        return True

    def on_repeated_request(self) -> bytes | None:
        """Return what answers a retransmission of the request."""
        return self._last

    def on_ack(self, now: float) -> None:
        """Take the ACK: to a non-2xx (same transaction) or to the 2xx (found through the dialog)."""
        if self.state is ServerState.COMPLETED and self._invite:
            self._last = None
            self._end_at = now + (0 if self._reliable else self._timing.t4_s)
        elif self.state is not ServerState.ACCEPTED:
            return
        self.state = ServerState.CONFIRMED
        self._repeat_at = None

    def on_timer(self, now: float) -> bytes | Verdict | None:
        """Do what is due: bytes to repeat, or the end."""
        if self._end_at is not None and now >= self._end_at:
            unacked = self.state is ServerState.ACCEPTED
            self.state = ServerState.TERMINATED
            self._repeat_at = self._end_at = None
            return Verdict.NO_ACK if unacked else Verdict.DONE
        if self._repeat_at is not None and now >= self._repeat_at:
            self._repeat_s = min(2 * self._repeat_s, self._timing.t2_s)
            self._repeat_at = now + self._repeat_s
            return self._last
        return None


class ClientState(Enum):
    """States of a client transaction."""

    CALLING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


class Reception(Enum):
    """What a response means to the layers around the transaction."""

    DELIVER = auto()
    """New to the user agent (a repeated 2xx to an INVITE is: it wants another ACK)."""
    REPEAT_ACK = auto()
    """A repeated non-2xx: send the same ACK again."""
    IGNORE = auto()


class ClientTransaction:
    """One request sent, and the responses to it."""

    def __init__(self, data: bytes, *, invite: bool, reliable: bool, timing: Timing, now: float) -> None:
        self._data = data
        self._invite = invite
        self._reliable = reliable
        self._timing = timing
        self._repeat_s = timing.t1_s
        self._repeat_at: float | None = None if reliable else now + timing.t1_s
        self._end_at: float | None = now + timing.timeout_s
        self.state = ClientState.CALLING

    @property
    def deadline(self) -> float | None:
        """When on_timer is due next."""
        times = [at for at in (self._repeat_at, self._end_at) if at is not None]
        return min(times) if times else None

    def on_response(self, status: int, now: float) -> Reception:
        """Take a response's status."""
        match self.state:
            case ClientState.CALLING | ClientState.PROCEEDING:
                return self._first_phase(status, now)
            case ClientState.ACCEPTED:
                return Reception.DELIVER if 200 <= status < 300 else Reception.IGNORE
            case ClientState.COMPLETED:
                return Reception.REPEAT_ACK if self._invite and status >= 300 else Reception.IGNORE
            case ClientState.TERMINATED:
                return Reception.IGNORE

    def on_cancelled(self, now: float) -> None:
        """Bound the wait for the final response after a CANCEL (RFC 3261 section 9.1)."""
        if self.state in (ClientState.CALLING, ClientState.PROCEEDING):
            self._end_at = now + self._timing.timeout_s

    def _first_phase(self, status: int, now: float) -> Reception:
        if status < 200:
            self.state = ClientState.PROCEEDING
            if self._invite:
                self._repeat_at = self._end_at = None
            elif self._repeat_at is not None:
                self._repeat_s = self._timing.t2_s
                self._repeat_at = now + self._repeat_s
            return Reception.DELIVER
        self._repeat_at = None
        if self._invite and status < 300:
            self.state = ClientState.ACCEPTED
            self._end_at = now + self._timing.timeout_s
        else:
            self.state = ClientState.COMPLETED
            linger_s = self._timing.timeout_s if self._invite else self._timing.t4_s
            self._end_at = now + (0 if self._reliable else linger_s)
        return Reception.DELIVER

    def on_timer(self, now: float) -> bytes | Verdict | None:
        """Do what is due: the request again, or the end."""
        if self._end_at is not None and now >= self._end_at:
            waiting = self.state in (ClientState.CALLING, ClientState.PROCEEDING)
            self.state = ClientState.TERMINATED
            self._repeat_at = self._end_at = None
            return Verdict.TIMED_OUT if waiting else Verdict.DONE
        if self._repeat_at is not None and now >= self._repeat_at:
            self._repeat_s *= 2
            if not self._invite:
                self._repeat_s = min(self._repeat_s, self._timing.t2_s)
            self._repeat_at = now + self._repeat_s
            return self._data
        return None


def server_key(request: Request, method: str | None = None) -> TransactionKey:
    """Return the key under which a request meets its transaction; an ACK meets its INVITE's.

    Args:
        request: as received.
        method: look for the transaction of this method instead (CANCEL looks for INVITE).

    Raises:
        RemoteProtocolError: the top Via or CSeq is malformed.

    Source: RFC 3261 section 17.2.3, the old rules of RFC 2543 included.
    """
    via = parse_via(top_via(request.headers))
    method = method or request.method
    if method == "ACK":
        method = "INVITE"
    branch = parameter(via.parameters, "branch") or ""
    if branch.startswith(_COOKIE) and len(branch) > len(_COOKIE):
        return (branch, via.host.lower(), str(via.port or 5060), method)
    return (
        "rfc2543",
        request.headers["Call-ID"],
        tag_of(request.headers["From"]),
        str(cseq_number(request.headers)),
        _without_stamp(via),
        method,
    )


def _without_stamp(via: Via) -> str:
    return f"{via.transport} {via.host}:{via.port or 5060} {parameter(via.parameters, 'branch')}"


def client_key(response: Response) -> TransactionKey:
    """Return the key of the request that a response answers: branch and CSeq method.

    Raises:
        RemoteProtocolError: the top Via or CSeq is malformed.
    """
    branch = parameter(parse_via(top_via(response.headers)).parameters, "branch") or ""
    return (branch, parse_cseq(response.headers["CSeq"]).method)
