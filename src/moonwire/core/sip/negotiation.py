"""Offer and answer: one G.711 stream with telephone-event, everything else refused in the answer or with 488.

The codec is the offer's first among ours; telephone-event keeps the number it was offered with; other media get
port 0; a stream whose keys we cannot serve (RTP/SAVP) is no stream of ours.

Source: RFC 3264 sections 5, 6 and 8.
"""

from __future__ import annotations

from dataclasses import dataclass

from moonwire.core.sip.sdp import Direction, MediaDescription, SessionDescription, parse_sdp
from moonwire.errors import RemoteProtocolError

CODECS: dict[int, str] = {0: "pcmu", 8: "pcma"}
OUR_EVENT_TYPE = 101
PTIME_MS = 20
_PLAIN_RTP = ("RTP/AVP", "RTP/AVPF")
_MIRRORED: dict[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """Where we take media, and the identity of our descriptions."""

    address: str
    port: int
    session_id: int
    version: int = 1


@dataclass(frozen=True, slots=True)
class MediaPath:
    """Where media goes, as agreed."""

    address: str
    port: int
    payload_type: int
    """0 PCMU or 8 PCMA."""
    event_type: int | None
    send: bool
    receive: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """Our answer to an offer."""

    path: MediaPath
    offer: SessionDescription
    taken: int
    """Which of the offered sections is answered with a port."""
    direction: Direction

    def text(self, local: LocalMedia) -> str:
        """Write the answer for our address and port."""
        sections = [
            _audio(local.port, media.protocol, (self.path.payload_type,), self.path.event_type, self.direction)
            if number == self.taken
            else f"m={media.kind} 0 {media.protocol} {' '.join(media.formats)}\r\n"
            for number, media in enumerate(self.offer.media)
        ]
        return _describe(local, self.offer.timing, sections)


def answer_offer(body: bytes) -> Answer:
    """Decide on an offer.

    Raises:
        RemoteProtocolError: malformed (400), or nothing in it that we can serve (488).
    """
    offer = parse_sdp(body)
    taken, path, direction = _choose(offer)
    return Answer(path, offer, taken, direction)


def write_offer(local: LocalMedia, current: MediaPath | None = None) -> str:
    """Write our own offer: PCMU, PCMA and telephone-event, in a running call the codec in use first."""
    codecs = tuple(CODECS)
    event_type: int | None = OUR_EVENT_TYPE
    if current is not None:
        codecs = (current.payload_type, *(number for number in CODECS if number != current.payload_type))
        event_type = current.event_type
    audio = _audio(local.port, "RTP/AVP", codecs, event_type, "sendrecv")
    return _describe(local, "0 0", [audio])


def read_answer(body: bytes) -> MediaPath:
    """Take the answer to our offer.

    Raises:
        RemoteProtocolError: malformed (400), or our stream was refused (488).
    """
    return _choose(parse_sdp(body))[1]


def _choose(offer: SessionDescription) -> tuple[int, MediaPath, Direction]:
    reason = "no audio stream"
    for index, media in enumerate(offer.media):
        if media.kind != "audio" or media.port == 0:
            continue
        if media.protocol.upper() not in _PLAIN_RTP:
            reason = "no plain RTP"
        elif media.address is None:
            reason = "no usable media address"
        elif (payload_type := _codec(media)) is None:
            reason = "no common codec"
        else:
            # c=0.0.0.0 is the hold of RFC 2543: the peer takes nothing (RFC 3264 section 8.4).
            wanted = media.direction if media.address not in ("0.0.0.0", "::") else _deafened(media.direction)
            ours = _MIRRORED[wanted]
            path = MediaPath(
                address=media.address,
                port=media.port,
                payload_type=payload_type,
                event_type=_event_type(media),
                send=ours in ("sendrecv", "sendonly"),
                receive=ours in ("sendrecv", "recvonly"),
            )
            return index, path, ours
    raise RemoteProtocolError(reason, status=488)


def _deafened(direction: Direction) -> Direction:
    return "sendonly" if direction in ("sendrecv", "sendonly") else "inactive"


def _codec(media: MediaDescription) -> int | None:
    for payload_type in media.payload_types:
        name = CODECS.get(payload_type)
        declared = media.rtpmaps.get(payload_type)
        if name and (declared is None or (declared.encoding == name and declared.rate_hz == 8000)):
            return payload_type
    return None


def _event_type(media: MediaDescription) -> int | None:
    for payload_type in media.payload_types:
        declared = media.rtpmaps.get(payload_type)
        if declared and declared.encoding == "telephone-event" and declared.rate_hz == 8000:
            return payload_type
    return None


def _audio(port: int, protocol: str, codecs: tuple[int, ...], event_type: int | None, direction: Direction) -> str:
    formats = [*codecs, *([] if event_type is None else [event_type])]
    lines = [f"m=audio {port} {protocol} {' '.join(str(number) for number in formats)}"]
    lines += [f"a=rtpmap:{number} {CODECS[number].upper()}/8000" for number in codecs]
    if event_type is not None:
        lines += [f"a=rtpmap:{event_type} telephone-event/8000", f"a=fmtp:{event_type} 0-15"]
    lines += [f"a=ptime:{PTIME_MS}", f"a={direction}"]
    return "".join(f"{line}\r\n" for line in lines)


def _describe(local: LocalMedia, timing: str, sections: list[str]) -> str:
    family = "IP6" if ":" in local.address else "IP4"
    return (
        "v=0\r\n"
        f"o=moonwire {local.session_id} {local.version} IN {family} {local.address}\r\n"
        "s=-\r\n"
        f"c=IN {family} {local.address}\r\n"
        f"t={timing}\r\n"
    ) + "".join(sections)
