"""Runs one call's recognition over as many Deepgram connections as it takes: survives drops and stalls.

What a call can rely on, in seconds, whatever the vendor does:

    refused (bad key, no credit, bad parameter)   on_stt_failed at once
    unreachable, 429, 5xx, dropped                retried with jittered backoff, on_stt_failed after 3.5 at most
    three connections that die within 5 s each    on_stt_failed with the third
    speech, then 1.0 of quiet, without a message  Finalize, to see whether somebody is there
    no message after speech and Finalize          a new connection after 1.5 (with replay), on_stt_failed 1.5 later,
                                                  or 2.0 later when there is no new connection either
    4.0 of loud audio without any message         a new connection, with replay
    Finalize without a final piece                after 0.8 the interim words count as settled
    words that stay unsettled and unchanged       after 2.0 Finalize, as above

"Speech" is 0.3 s of loud audio, a short "yes", once the vendor has shown that it reports onsets or answers Finalize:
asking in vain costs one message. Until then it is a second, because some endpoints that speak this protocol keep quiet
about sounds without words.

What words mean is decided in utterance.py, what a refusal means in refusal.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from moonwire.core.audio.frames import FRAME_S, SILENCE_FRAME
from moonwire.errors import VendorError
from moonwire.ports.stt import SttListener
from moonwire.vendors.audio_memory import AudioMemory, is_loud
from moonwire.vendors.deepgram_link import DeepgramLink, OpenSocket
from moonwire.vendors.deepgram_socket import DeepgramSocket
from moonwire.vendors.stt.deepgram.manifest import VENDOR
from moonwire.vendors.stt.deepgram.messages import (
    CLOSE_STREAM,
    FINALIZE,
    KEEP_ALIVE,
    ErrorMessage,
    Results,
    SpeechStarted,
    UtteranceEnd,
    parse,
)
from moonwire.vendors.stt.deepgram.utterance import EndOfTurn, Fact, Final, Interim, UtteranceAssembler

_log = structlog.get_logger()

_SPEECH_FRAMES = int(0.3 / FRAME_S)
_SHY_SPEECH_FRAMES = int(1.0 / FRAME_S)
_LONG_SPEECH_FRAMES = int(4.0 / FRAME_S)
_SHY_FACTOR = 2


@dataclass(frozen=True, slots=True)
class Times:
    """The stream's limits in seconds; the module's first lines say what they mean together."""

    connect_s: float = 3.0
    """DNS, TCP, TLS and upgrade of one try."""
    outage_s: float = 3.5
    """From a loss, or from `open`, to a new connection."""
    quick_s: float = 5.0
    """A connection that lives shorter failed."""
    backoff_s: float = 0.1
    """First wait between two tries, doubled each time, with jitter."""
    backoff_max_s: float = 1.0
    watch_s: float = 0.25
    """Between two looks at the clock for everything below but Finalize."""
    keep_alive_s: float = 4.0
    finalize_s: float = 0.8
    unsettled_s: float = 2.0
    quiet_s: float = 1.0
    stalled_s: float = 1.5
    close_s: float = 0.7

    @property
    def after_stall_s(self) -> float:
        """From a stall, which has used up part of the caller's patience, to a new connection."""
        return self.outage_s - self.stalled_s


DEFAULT_TIMES = Times()


class DeepgramStream:
    """One call's recognition (ports/stt.py, SttStream; deepgram_link.py, LinkUser)."""

    def __init__(
        self,
        open_socket: OpenSocket,
        assembler: UtteranceAssembler,
        listener: SttListener,
        times: Times = DEFAULT_TIMES,
    ) -> None:
        self._times = times
        self._assembler = assembler
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._memory = AudioMemory()
        self._base_s = 0.0
        self._loud_frames = 0
        self._shy_factor = _SHY_FACTOR
        self._language: str | None = None
        self._asked_at_s: float | None = None
        self._final_at_s = 0.0
        self._watched_s = 0.0
        self._watched_loud_frames = 0
        self._loud_at_s = 0.0
        self._idle_ticks = 0
        self._finalize_timer: asyncio.TimerHandle | None = None
        self._watch_timer = self._loop.call_later(self._times.watch_s, self._watch)
        self._link = DeepgramLink(VENDOR, "Deepgram", open_socket, self, times)

    def send_audio(self, frame: bytes) -> None:
        """Take 20 ms of mu-law; never blocks. While reconnecting the last 3 s are kept."""
        self._memory.add(frame)
        if is_loud(frame):
            self._loud_frames += 1
        if self._link.socket is not None:
            self._link.socket.send_audio(frame)

    def finalize(self) -> None:
        """Ask for the pending words now; the utterance is closed by the answer, or after 0.8 s without one."""
        if self._link.over:
            return
        self._assembler.finalize_requested(self._memory.end_s)
        if self._asked_at_s is None:
            self._asked_at_s = self._loop.time()
        if self._link.socket is not None:
            self._link.socket.send_text(FINALIZE)
        self._cancel_finalize_timer()
        self._finalize_timer = self._loop.call_later(self._times.finalize_s, self._finalize_unanswered)

    async def close(self) -> None:
        """End the recognition within about a second; the listener hears nothing more."""
        self._stop_clocks()
        await self._link.close(CLOSE_STREAM)

    def adopt(self, socket: DeepgramSocket) -> None:
        """Let a new connection hear what no earlier one has settled, then the live audio."""
        settled_s = self._assembler.settled_s
        self._base_s, chunks = self._memory.since(self._final_at_s if settled_s is None else settled_s)
        self._assembler.connection_opened(self._base_s)
        for chunk in chunks:
            socket.send_audio(chunk)
        if self._asked_at_s is None:
            self._loud_frames = 0
        else:
            socket.send_text(FINALIZE)
            self._asked_at_s = self._loop.time()
            self._loud_frames = min(self._loud_frames, self._speech_frames)
        self._idle_ticks = 0
        self._link.request_id = None

    def lost(self, *, stalled: bool) -> bool:
        """Hear that the connection is gone; one that was asked and stayed silent did not answer."""
        return stalled and self._asked_at_s is not None

    def failed(self, error: VendorError) -> None:
        """Pass on that the recogniser is lost for good."""
        self._stop_clocks()
        self._listener.on_stt_failed(error)

    def receive(self, text: str) -> None:
        """Take a message."""
        self._loud_frames = 0
        self._asked_at_s = None
        if self._link.over:
            return
        match parse(text):
            case Results() as results:
                if self._link.request_id is None and results.metadata is not None:
                    self._link.request_id = results.metadata.request_id
                if results.from_finalize:
                    self._shy_factor = 1
                if results.language and results.language != self._language:
                    self._language = results.language
                    self._listener.on_stt_language(results.language)
                self._tell(self._assembler.results(results, self._loop.time()))
            case UtteranceEnd() as utterance_end:
                self._tell(self._assembler.utterance_end(utterance_end, self._loop.time()))
            case SpeechStarted():
                self._shy_factor = 1
                self._listener.on_stt_speech_started()
            case ErrorMessage() as problem:
                _log.warning("stt vendor complains", vendor=VENDOR, variant=problem.variant, code=problem.code)
            case _:
                pass
        if not self._assembler.awaits_finalize:
            self._cancel_finalize_timer()

    def _tell(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            match fact:
                case Interim(text):
                    self._listener.on_stt_interim(text)
                case Final(text, confidence):
                    self._final_at_s = self._memory.end_s
                    self._listener.on_stt_final(text, confidence)
                case EndOfTurn():
                    self._listener.on_stt_end_of_turn()

    def _watch(self) -> None:
        """Four times a second: keep an idle connection open, notice words that stay unsettled and a silent vendor."""
        self._watch_timer = self._loop.call_later(self._times.watch_s, self._watch)
        now_s = self._loop.time()
        pending_since_s = self._assembler.pending_since_s()
        if (
            pending_since_s is not None
            and not self._assembler.awaits_finalize
            and now_s - pending_since_s > self._times.unsettled_s
        ):
            self.finalize()
        if self._link.socket is None:
            return
        self._keep_alive(self._link.socket)
        if self._stalled(now_s):
            self._link.give_up_connection()

    def _stalled(self, now_s: float) -> bool:
        """Tell whether the caller has spoken and the vendor has said nothing at all; asks it when in doubt."""
        if self._loud_frames != self._watched_loud_frames:
            self._watched_loud_frames = self._loud_frames
            self._loud_at_s = now_s
        if self._loud_frames >= _LONG_SPEECH_FRAMES * self._shy_factor:
            return True
        if self._loud_frames < self._speech_frames:
            return False
        if self._asked_at_s is None and now_s - self._loud_at_s > self._times.quiet_s:
            self.finalize()
        return self._asked_at_s is not None and now_s - self._asked_at_s > self._times.stalled_s

    @property
    def _speech_frames(self) -> int:
        return _SPEECH_FRAMES if self._shy_factor == 1 else _SHY_SPEECH_FRAMES

    def _keep_alive(self, socket: DeepgramSocket) -> None:
        """Send KeepAlive after 4 s without audio; it does not count before the first audio, so send that first."""
        if self._memory.end_s != self._watched_s:
            self._watched_s = self._memory.end_s
            self._idle_ticks = 0
            return
        self._idle_ticks += 1
        if self._idle_ticks * self._times.watch_s < self._times.keep_alive_s:
            return
        self._idle_ticks = 0
        if self._memory.end_s == self._base_s:
            socket.send_audio(SILENCE_FRAME)
            self._base_s -= FRAME_S
            self._assembler.connection_opened(self._base_s)
        socket.send_text(KEEP_ALIVE)

    def _finalize_unanswered(self) -> None:
        self._tell(self._assembler.give_up_waiting(self._loop.time()))

    def _cancel_finalize_timer(self) -> None:
        if self._finalize_timer is not None:
            self._finalize_timer.cancel()
            self._finalize_timer = None

    def _stop_clocks(self) -> None:
        self._watch_timer.cancel()
        self._cancel_finalize_timer()
