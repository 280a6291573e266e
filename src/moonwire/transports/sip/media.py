"""One call's media as its signalling sees it: our descriptions, what was agreed, and the RTP session behind it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

from moonwire.core.sip.negotiation import LocalMedia, MediaPath, answer_offer, read_answer, write_offer
from moonwire.ports.media import AudioSink, AudioSource
from moonwire.transports.rtp.session import RtpRemote, RtpSession
from moonwire.transports.sip.exchanges import Body

SDP = "application/sdp"


class CallMedia:
    """Offers, answers and the audio path of one call."""

    def __init__(self, rtp: RtpSession, address: str) -> None:
        self.rtp = rtp
        self._local = LocalMedia(address, rtp.local_port, secrets.randbits(31))
        self._path: MediaPath | None = None
        self._described = ""
        self._sink: AudioSink | None = None

    def attach(self, sink: AudioSink, source: AudioSource) -> None:
        """Connect the audio path to a call."""
        self._sink = sink
        self.rtp.attach(sink, source)

    def answer(self, offer: bytes) -> Body:
        """Decide on an offer and write the answer; media moves with the next start.

        Raises:
            RemoteProtocolError: malformed (400) or not acceptable (488); nothing has changed then.
        """
        answer = answer_offer(offer)
        self._path = answer.path
        return self._describe(answer.text)

    def offer(self) -> Body:
        """Write our own offer, in a running call of what is in use."""
        path = self._path
        return self._describe(lambda local: write_offer(local, path))

    def accept(self, answer: bytes) -> None:
        """Take the answer to our offer; media moves with the next start.

        Raises:
            RemoteProtocolError: malformed (400) or our stream was refused (488).
        """
        self._path = read_answer(answer)

    @property
    def agreed(self) -> bool:
        """Whether offer and answer have met."""
        return self._path is not None

    def start(self) -> None:
        """Let media flow as agreed; no effect before an agreement."""
        if self._path is None:
            return
        self.rtp.start(
            RtpRemote(
                address=self._path.address,
                port=self._path.port,
                payload_type=self._path.payload_type,
                dtmf_payload_type=self._path.event_type,
                send=self._path.send,
                receive=self._path.receive,
            )
        )

    def digit(self, digit: str, duration_ms: int) -> None:
        """Pass on a digit that came by signalling."""
        if self._sink is not None:
            self._sink.on_digit(digit, duration_ms)

    def close(self) -> None:
        """Stop media and give the port back."""
        self._sink = None
        self.rtp.on_silent = None
        self.rtp.close()

    def _describe(self, write: Callable[[LocalMedia], str]) -> Body:
        # RFC 3264 section 8: the version goes up when the description differs from the last one sent.
        text = write(self._local)
        if self._described and text != self._described:
            self._local = replace(self._local, version=self._local.version + 1)
            text = write(self._local)
        self._described = text
        return Body(SDP, text.encode())
