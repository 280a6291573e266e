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

"Speech" is half a second of loud audio once the vendor has shown that it reports onsets or answers Finalize; until
then twice as much, because some endpoints that speak this protocol keep quiet about sounds without words.

What words mean is decided in utterance.py, what a refusal means in refusal.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from moonwire.core.audio.frames import FRAME_S, SILENCE_FRAME
from moonwire.errors import OUR_FAULT, VendorError, VendorTimeoutError, VendorUnavailableError
from moonwire.ports.stt import SttListener
from moonwire.vendors.audio_memory import AudioMemory, is_loud
from moonwire.vendors.deepgram_socket import DeepgramSocket
from moonwire.vendors.redial import backoff_s, redial
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

_QUICK_FAILURES = 3
_SPEECH_FRAMES = int(0.5 / FRAME_S)
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


DEFAULT_TIMES = Times()

OpenSocket = Callable[[float], Coroutine[Any, Any, DeepgramSocket]]
"""Opens one connection within so many seconds, or raises a VendorError."""


class DeepgramStream:
    """One call's recognition."""

    def __init__(
        self,
        open_socket: OpenSocket,
        assembler: UtteranceAssembler,
        listener: SttListener,
        times: Times = DEFAULT_TIMES,
    ) -> None:
        self._times = times
        self._open_socket = open_socket
        self._assembler = assembler
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._memory = AudioMemory()
        self._socket: DeepgramSocket | None = None
        self._base_s = 0.0
        self._over = False
        self._patience: asyncio.Timeout | None = None
        self._loud_frames = 0
        self._shy_factor = _SHY_FACTOR
        self._messages = 0
        self._request_id: str | None = None
        self._asked_at_s: float | None = None
        self._final_at_s = 0.0
        self._watched_s = 0.0
        self._watched_loud_frames = 0
        self._loud_at_s = 0.0
        self._idle_ticks = 0
        self._finalize_timer: asyncio.TimerHandle | None = None
        self._watch_timer = self._loop.call_later(self._times.watch_s, self._watch)
        self._task = self._loop.create_task(self._run(), name="deepgram stt")

    def send_audio(self, frame: bytes) -> None:
        """Take 20 ms of mu-law; never blocks. While reconnecting the last 3 s are kept."""
        self._memory.add(frame)
        if is_loud(frame):
            self._loud_frames += 1
        if self._socket is not None:
            self._socket.send_audio(frame)

    def finalize(self) -> None:
        """Ask for the pending words now; the utterance is closed by the answer, or after 0.8 s without one."""
        if self._over:
            return
        self._assembler.finalize_requested(self._memory.end_s)
        if self._asked_at_s is None:
            self._asked_at_s = self._loop.time()
        if self._socket is not None:
            self._socket.send_text(FINALIZE)
        self._cancel_finalize_timer()
        self._finalize_timer = self._loop.call_later(self._times.finalize_s, self._finalize_unanswered)

    async def close(self) -> None:
        """End the recognition within about a second; the listener hears nothing more."""
        self._end()
        if self._socket is not None and not self._task.done():
            self._socket.send_text(CLOSE_STREAM)
            await asyncio.wait({self._task}, timeout=self._times.close_s)
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        try:
            await self._serve()
        except VendorError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - the boundary: whatever breaks here must reach the call as a failure
            # The exception's text may hold our request headers, so only its type is logged.
            _log.error("recognition broke", vendor=VENDOR, error=type(error).__name__)
            self._fail(VendorUnavailableError("The recognition broke", vendor=VENDOR, remedy=OUR_FAULT))

    async def _serve(self) -> None:
        quick_failures = stalls = 0
        while not self._over:
            # A stall has used up part of the caller's patience already.
            within_s = self._times.outage_s - (self._times.stalled_s if stalls else 0.0)
            socket = await redial(self._open_socket, self._times, VENDOR, within_s=within_s)
            opened_at_s = self._loop.time()
            self._adopt(socket)
            messages_before = self._messages
            stalled = await self._read(socket)
            if self._over:
                return
            lasted_s = self._loop.time() - opened_at_s
            _log.warning(
                "stt connection lost",
                vendor=VENDOR,
                stalled=stalled,
                close_code=socket.close_code,
                request_id=self._request_id,
                lasted_s=round(lasted_s, 3),
                dropped_bytes=socket.dropped_bytes,
            )
            heard = self._messages > messages_before
            stalls = (1 if heard else stalls + 1) if stalled and self._asked_at_s is not None else 0
            if stalls > 1:
                raise VendorTimeoutError("Deepgram accepts audio but does not answer", vendor=VENDOR)
            quick_failures = quick_failures + 1 if lasted_s < self._times.quick_s and not stalled else 0
            if quick_failures >= _QUICK_FAILURES:
                raise VendorUnavailableError(
                    f"Deepgram closed {quick_failures} connections in a row at once, last with {socket.close_code}",
                    vendor=VENDOR,
                )
            if quick_failures:
                await asyncio.sleep(backoff_s(self._times, quick_failures - 1))

    def _adopt(self, socket: DeepgramSocket) -> None:
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
            self._loud_frames = min(self._loud_frames, _SPEECH_FRAMES * self._shy_factor)
        self._idle_ticks = 0
        self._request_id = None
        self._socket = socket

    async def _read(self, socket: DeepgramSocket) -> bool:
        """Take messages until the connection is gone; return whether we gave it up as stalled."""
        try:
            async with asyncio.timeout(None) as self._patience:
                while (text := await socket.receive()) is not None:
                    self._take(text)
        except TimeoutError:
            return True
        finally:
            self._patience = self._socket = None
            await socket.close()
        return False

    def _take(self, text: str) -> None:
        self._messages += 1
        self._loud_frames = 0
        self._asked_at_s = None
        if self._over:
            return
        match parse(text):
            case Results() as results:
                if self._request_id is None and results.metadata is not None:
                    self._request_id = results.metadata.request_id
                if results.from_finalize:
                    self._shy_factor = 1
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
        if self._socket is None:
            return
        self._keep_alive(self._socket)
        if self._stalled(now_s) and self._patience is not None:
            self._patience.reschedule(now_s)

    def _stalled(self, now_s: float) -> bool:
        """Tell whether the caller has spoken and the vendor has said nothing at all; asks it when in doubt."""
        if self._loud_frames != self._watched_loud_frames:
            self._watched_loud_frames = self._loud_frames
            self._loud_at_s = now_s
        if self._loud_frames >= _LONG_SPEECH_FRAMES * self._shy_factor:
            return True
        if self._loud_frames < _SPEECH_FRAMES * self._shy_factor:
            return False
        if self._asked_at_s is None and now_s - self._loud_at_s > self._times.quiet_s:
            self.finalize()
        return self._asked_at_s is not None and now_s - self._asked_at_s > self._times.stalled_s

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

    def _end(self) -> None:
        self._over = True
        self._watch_timer.cancel()
        self._cancel_finalize_timer()

    def _fail(self, error: VendorError) -> None:
        if self._over:
            return
        self._end()
        _log.warning(
            "stt failed",
            vendor=VENDOR,
            error=error.code,
            status=error.status,
            request_id=error.request_id or self._request_id,
        )
        self._listener.on_stt_failed(error)
