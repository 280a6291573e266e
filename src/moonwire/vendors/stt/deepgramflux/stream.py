"""Runs one call's recognition over as many Flux connections as it takes: survives drops, stalls and missing audio.

What a call can rely on, in seconds, whatever the vendor does:

    refused (bad key, no credit, bad parameter)   on_stt_failed at once
    unreachable, 429, 5xx, no Connected           retried with jittered backoff, on_stt_failed after 3.5 at most
    three connections that die within 5 s each    on_stt_failed with the third
    open turn, no audio from the caller for 0.5   silence is sent: the vendor's timers run on audio only
    open turn, no message in 3.0 of audio         its words count as settled, a new connection
    no turn, no message in 10.0 of audio          a new connection, where the vendor reports idle audio at all
    4.0 of loud audio without any message         a new connection
    two stalled connections in a row              on_stt_failed
    finalize without an answer                    after 0.8 the words so far count as settled

What messages mean is decided in turns.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from moonwire.core.audio.frames import FRAME_BYTES, FRAME_S, SAMPLE_RATE_HZ, SILENCE_FRAME
from moonwire.errors import VendorError, VendorTimeoutError, VendorUnavailableError
from moonwire.ports.stt import SttListener
from moonwire.vendors.audio_memory import AudioMemory, is_loud
from moonwire.vendors.deepgram_link import DeepgramLink, OpenSocket
from moonwire.vendors.deepgram_socket import DeepgramSocket
from moonwire.vendors.stt.deepgramflux.manifest import VENDOR
from moonwire.vendors.stt.deepgramflux.messages import (
    CLOSE_STREAM,
    FORCE_END,
    ConfigureFailure,
    ConfigureSuccess,
    Connected,
    Failed,
    TurnInfo,
    Warned,
    language_hints,
    parse,
)
from moonwire.vendors.stt.deepgramflux.query import language_codes
from moonwire.vendors.stt.deepgramflux.turns import (
    EarlyEnd,
    EndOfTurn,
    Fact,
    Final,
    FluxTurns,
    Interim,
    Language,
    Resumed,
    SpeechStarted,
)

_log = structlog.get_logger()

_CHUNK_BYTES = 2 * FRAME_BYTES
"""40 ms: half the messages of single frames, and at most 20 ms later."""
_LEAD_S = 0.8
"""A turn is reported this much after its first sound, at most."""
_KEPT_S = 2.9


@dataclass(frozen=True, slots=True)
class Times:
    """The stream's limits in seconds; the module's first lines say what they mean together."""

    connect_s: float = 3.0
    outage_s: float = 3.5
    quick_s: float = 5.0
    backoff_s: float = 0.1
    backoff_max_s: float = 1.0
    watch_s: float = 0.25
    silence_s: float = 0.5
    finalize_s: float = 0.8
    stalled_s: float = 3.0
    idle_stalled_s: float = 10.0
    loud_stalled_s: float = 4.0
    owed_s: float = 2.0
    """After a reconnect: words of the cut turn are closed when no more come."""
    configure_s: float = 5.0
    """An answer to a change of the expected languages is waited for that long."""
    close_s: float = 0.7

    @property
    def after_stall_s(self) -> float:
        """From a stall, whose words count as settled, to a new connection."""
        return self.outage_s


DEFAULT_TIMES = Times()


class FluxStream:
    """One call's recognition (ports/stt.py, SttStream; deepgram_link.py, LinkUser)."""

    def __init__(
        self,
        open_socket: OpenSocket,
        turns: FluxTurns,
        listener: SttListener,
        times: Times = DEFAULT_TIMES,
    ) -> None:
        self._times = times
        self._open_socket = open_socket
        self._turns = turns
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._memory = AudioMemory()
        self._chunk = bytearray()
        self._turn_began_s = 0.0
        """Place of the open turn in the call's audio."""
        self._heard_s = 0.0
        """Place up to which messages have come."""
        self._unanswered_bytes = self._loud_frames = 0
        self._message_at_s = self._sent_at_s = self._loop.time()
        self._reports_idle = False
        self._hints: Sequence[str] = ()
        self._told_hints: Sequence[str] = ()
        """What the vendor was told last, or is being told."""
        self._telling_until_s = 0.0
        """A change of the hints is under way up to this time; one at a time is allowed."""
        self._finalize_timer: asyncio.TimerHandle | None = None
        self._owed_timer: asyncio.TimerHandle | None = None
        self._watch_timer = self._loop.call_later(times.watch_s, self._watch)
        self._link = DeepgramLink(VENDOR, "Deepgram Flux", self._connect, self, times)

    def send_audio(self, frame: bytes) -> None:
        """Take 20 ms of mu-law; never blocks. While reconnecting the last 3 s are kept."""
        self._memory.add(frame)
        if is_loud(frame):
            self._loud_frames += 1
        if self._link.socket is not None:
            self._chunk += frame
            if len(self._chunk) >= _CHUNK_BYTES:
                self._flush(self._link.socket)

    def finalize(self) -> None:
        """Ask for the end of the open turn now; without an answer in 0.8 s its words so far are taken."""
        if self._link.over or self._link.socket is None:
            return
        self._flush(self._link.socket)
        self._link.socket.send_text(FORCE_END)
        if self._finalize_timer is None:
            self._finalize_timer = self._loop.call_later(self._times.finalize_s, self._finalize_unanswered)

    def expect_languages(self, languages: Sequence[str]) -> None:
        """Tell the vendor which languages to expect from now on (multilingual model); unknown ones are left out."""
        self._hints = language_codes(languages) or self._hints
        self._tell_hints(self._link.socket)

    def _tell_hints(self, socket: DeepgramSocket | None) -> None:
        """Send the newest expected languages, unless the answer to earlier ones is still to come."""
        now_s = self._loop.time()
        if socket is None or self._hints == self._told_hints or now_s < self._telling_until_s:
            return
        self._told_hints, self._telling_until_s = self._hints, now_s + self._times.configure_s
        socket.send_text(language_hints(self._hints))

    async def close(self) -> None:
        """End the recognition within about a second; the listener hears nothing more."""
        self._stop_clocks()
        await self._link.close(CLOSE_STREAM)

    # -- the connection ------------------------------------------------------------------------------------------

    async def _connect(self, within_s: float) -> DeepgramSocket:
        """Open a connection and wait for its Connected: audio before it would be lost."""
        began_s = self._loop.time()
        socket = await self._open_socket(within_s)
        try:
            async with asyncio.timeout(began_s + within_s - self._loop.time()):
                while (text := await socket.receive()) is not None:
                    match parse(text):
                        case Connected(request_id=request_id):
                            self._link.request_id = request_id
                            return socket
                        case Failed() as failed:
                            code = failed.code or failed.error_code
                            raise VendorUnavailableError(f"Deepgram Flux reported {code}", vendor=VENDOR)
                        case _:
                            pass
                raise VendorUnavailableError(
                    f"Deepgram Flux closed the connection at once ({socket.close_code})", vendor=VENDOR
                )
        except TimeoutError:
            await socket.close()
            raise VendorTimeoutError(
                "Deepgram Flux took the connection but did not get ready",
                vendor=VENDOR,
                remedy="See status.deepgram.com; check what the Base URL leads to.",
            ) from None
        except BaseException:
            await socket.close()
            raise

    def adopt(self, socket: DeepgramSocket) -> None:
        """Let a new connection hear what no earlier one has settled, then the live audio."""
        if self._turns.is_open and self._memory.end_s - self._turn_began_s <= _KEPT_S:
            self._tell(self._turns.forget())
            heard_s = self._turn_began_s
        else:
            self._tell(self._turns.lost())
            heard_s = self._heard_s
        self._turns.connection_opened()
        if self._turns.owes_end:
            self._cancel(self._owed_timer)
            self._owed_timer = self._loop.call_later(self._times.owed_s, self._pay)
        self._chunk.clear()
        for chunk in self._memory.since(heard_s)[1]:
            socket.send_audio(chunk)
        self._unanswered_bytes = self._loud_frames = 0
        self._message_at_s = self._sent_at_s = self._loop.time()
        self._told_hints, self._telling_until_s = (), 0.0
        self._tell_hints(socket)

    def lost(self, *, stalled: bool) -> bool:
        """Hear that the connection is gone; the words of a stalled one count as settled."""
        if stalled:
            self._tell(self._turns.settle())
        return stalled

    def failed(self, error: VendorError) -> None:
        """Pass on that the recogniser is lost for good."""
        self._stop_clocks()
        self._listener.on_stt_failed(error)

    def receive(self, text: str) -> None:
        """Take a message."""
        self._unanswered_bytes = self._loud_frames = 0
        self._message_at_s = self._loop.time()
        if self._link.over:
            return
        match parse(text):
            case TurnInfo() as info:
                self._take_turn(info)
            case ConfigureSuccess():
                self._telling_until_s = 0.0
            case Failed() | Warned() | ConfigureFailure() as problem:
                code = problem.code or (None if isinstance(problem, Warned) else problem.error_code)
                _log.warning("stt vendor complains", vendor=VENDOR, code=code, request_id=self._link.request_id)
                if isinstance(problem, ConfigureFailure):
                    self._telling_until_s = 0.0
            case _:
                pass

    def _take_turn(self, info: TurnInfo) -> None:
        was_open = self._turns.is_open
        if info.event == "Update" and not was_open and not info.text:
            self._reports_idle = True
        self._heard_s = self._memory.end_s
        facts = self._turns.take(info)
        if self._turns.is_open and not was_open:
            self._turn_began_s = max(0.0, self._memory.end_s - _LEAD_S)
            self._cancel(self._owed_timer)
        if info.event == "EndOfTurn":
            self._cancel(self._finalize_timer)
            self._finalize_timer = None
        self._tell(facts)

    def _tell(self, facts: Sequence[Fact]) -> None:
        listener = self._listener
        for fact in facts:
            match fact:
                case SpeechStarted():
                    listener.on_stt_speech_started()
                case Interim(text):
                    listener.on_stt_interim(text)
                case Language(code):
                    listener.on_stt_language(code)
                case EarlyEnd(text):
                    listener.on_stt_early_end_of_turn(text)
                case Resumed():
                    listener.on_stt_turn_resumed()
                case Final(text, confidence):
                    listener.on_stt_final(text, confidence)
                case EndOfTurn():
                    listener.on_stt_end_of_turn()

    # -- clocks --------------------------------------------------------------------------------------------------

    def _flush(self, socket: DeepgramSocket) -> None:
        if self._chunk:
            self._send(socket, bytes(self._chunk))
            self._chunk.clear()

    def _send(self, socket: DeepgramSocket, audio: bytes) -> None:
        socket.send_audio(audio)
        self._unanswered_bytes += len(audio)
        self._sent_at_s = self._loop.time()

    def _watch(self) -> None:
        """Four times a second: keep an open turn's clock running, notice a silent vendor."""
        self._watch_timer = self._loop.call_later(self._times.watch_s, self._watch)
        socket, now_s = self._link.socket, self._loop.time()
        if socket is None:
            return
        self._tell_hints(self._link.socket)
        if self._turns.is_open and now_s - self._sent_at_s >= self._times.silence_s:
            self._flush(socket)
            self._send(socket, SILENCE_FRAME * round(self._times.silence_s / FRAME_S))
        if self._stalled(now_s):
            self._link.give_up_connection()

    def _stalled(self, now_s: float) -> bool:
        """Tell whether audio went out for too long without a message, judged by its own length and by the clock."""
        times = self._times
        quiet_s = min(self._unanswered_bytes / SAMPLE_RATE_HZ, now_s - self._message_at_s)
        if self._turns.is_open and quiet_s > times.stalled_s:
            return True
        if self._reports_idle and quiet_s > times.idle_stalled_s:
            return True
        return min(self._loud_frames * FRAME_S, quiet_s) > times.loud_stalled_s

    def _finalize_unanswered(self) -> None:
        self._finalize_timer = None
        self._tell(self._turns.settle())

    def _pay(self) -> None:
        self._owed_timer = None
        self._tell(self._turns.pay())

    @staticmethod
    def _cancel(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()

    def _stop_clocks(self) -> None:
        for timer in (self._watch_timer, self._finalize_timer, self._owed_timer):
            self._cancel(timer)
