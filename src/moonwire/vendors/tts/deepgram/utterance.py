"""Decides what one reply sends to Deepgram's speak socket and when it is complete; does no I/O itself.

Audio carries no id, so only the first of the call's utterances has the socket; the others keep their text. Each clause
is flushed to be heard early, as far as the vendor's limit of flushes allows; the last flush is never left out.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from moonwire.errors import VendorError
from moonwire.ports.tts import TtsListener
from moonwire.vendors.tts.deepgram.wire import FLUSH, speak_messages, stalled

STALL_LIMIT_S = 3.0
"""Longest wait for audio that was flushed."""


class Line(Protocol):
    """The call's connection, as an utterance sees it."""

    @property
    def last_failure(self) -> VendorError | None:
        """Why there is no connection, when there is none."""
        ...

    def has_floor(self, utterance: AuraUtterance) -> bool:
        """Say whether the socket is this utterance's now."""
        ...

    def transmit(self, payload: bytes) -> bool:
        """Send a message; False when there is no connection yet (the utterance is asked to resume later)."""
        ...

    def flush_wait_s(self, *, ends_reply: bool) -> float:
        """Count a flush that is sent now and return 0, or return how long it has to wait."""
        ...

    def leave(self, utterance: AuraUtterance, *, clear: bool) -> None:
        """Hear that an utterance is over; with `clear`, what it sent must not be spoken any more."""
        ...

    def suspect(self, failure: VendorError) -> None:
        """Give up this connection: it looks open but delivers nothing."""
        ...


class AuraUtterance:
    """One reply being synthesised (ports/tts.py, Utterance)."""

    __slots__ = (
        "_audio_bytes",
        "_deadline_s",
        "_finishing",
        "_flushed",
        "_flushes",
        "_held_back",
        "_line",
        "_listener",
        "_loop",
        "_over",
        "_resent",
        "_retry",
        "_sent",
        "_texts",
        "_unflushed",
        "_watchdog",
    )

    def __init__(self, line: Line, listener: TtsListener) -> None:
        self._line = line
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._texts: list[str] = []
        self._held_back = ""
        self._sent = self._flushes = self._flushed = self._audio_bytes = 0
        self._unflushed = self._finishing = self._over = self._resent = False
        self._deadline_s = 0.0
        self._watchdog: asyncio.TimerHandle | None = None
        self._retry: asyncio.TimerHandle | None = None

    def send_text(self, text: str) -> None:
        """Add text to speak; blanks wait for the words that follow them."""
        if self._over or self._finishing:
            return
        text = self._held_back + text
        if not text.strip():
            self._held_back = text
            return
        self._held_back = ""
        self._texts.append(text)
        self._expect()
        self._push()

    def finish(self) -> None:
        """Say that no more text follows."""
        if self._over or self._finishing:
            return
        self._finishing = True
        if not self._texts:
            self._loop.call_soon(self.complete)
            return
        self._expect()
        self._push()
        self._complete_if_spoken()

    def cancel(self) -> None:
        """Stop at once; the listener hears nothing more."""
        self._close(clear=True)

    @property
    def is_waiting(self) -> bool:
        """Whether it needs a connection: text to send, or audio to come."""
        return not self._over and self._owes

    # -- the connection's side -----------------------------------------------------------------------------------

    def resume(self) -> None:
        """Hear that there is a connection: transmit what is waiting."""
        self._push()

    def take_floor(self) -> None:
        """Hear that the socket is this utterance's now."""
        self._deadline_s = self._loop.time() + STALL_LIMIT_S
        self._push()

    def receive_audio(self, audio: bytes) -> None:
        """Take audio of this utterance."""
        self._audio_bytes += len(audio)
        self._deadline_s = self._loop.time() + STALL_LIMIT_S
        self._listener.on_tts_audio(audio)

    def receive_flushed(self) -> None:
        """Hear that all audio of a flush has come."""
        self._flushed += 1
        self._complete_if_spoken()

    def lose_connection(self, failure: VendorError) -> None:
        """Hear that the socket is gone: repeat what was not audible yet, once; fail when words were cut."""
        if self._over or self._sent == 0:
            return
        if self._flushed == self._flushes and not self._unflushed:
            self._flushed = self._flushes = 0
        elif self._audio_bytes == 0 and not self._resent:
            self._resent = True
            self._sent = self._flushes = self._flushed = 0
            self._unflushed = False
        else:
            self.fail(failure)

    def give_up(self, failure: VendorError) -> None:
        """Hear that no connection can be made for now."""
        if self._owes:
            self.fail(failure)

    def fail(self, failure: VendorError) -> None:
        """End with an error, unless it is over."""
        if not self._over:
            self._close(clear=True)
            self._listener.on_tts_failed(failure)

    def complete(self) -> None:
        """End well, unless it is over."""
        if not self._over:
            self._close(clear=False)
            self._listener.on_tts_done()

    # -- inside --------------------------------------------------------------------------------------------------

    @property
    def _owes(self) -> bool:
        """Whether text waits to be sent or spoken."""
        return self._sent < len(self._texts) or self._unflushed or self._flushed < self._flushes

    def _push(self) -> None:
        if self._over or self._retry is not None or not self._line.has_floor(self):
            return
        while self._sent < len(self._texts):
            for message in speak_messages(self._texts[self._sent]):
                if not self._line.transmit(message):
                    return
            self._sent += 1
            self._unflushed = True
        if self._unflushed:
            self._flush()

    def _flush(self) -> None:
        wait_s = self._line.flush_wait_s(ends_reply=self._finishing)
        if wait_s > 0:
            if self._finishing:
                self._deadline_s = max(self._deadline_s, self._loop.time() + wait_s + STALL_LIMIT_S)
                self._retry = self._loop.call_later(wait_s, self._flush_late)
            return
        if self._line.transmit(FLUSH):
            self._flushes += 1
            self._unflushed = False

    def _flush_late(self) -> None:
        self._retry = None
        self._push()

    def _complete_if_spoken(self) -> None:
        if self._finishing and not self._owes:
            self.complete()

    def _expect(self) -> None:
        """Start the stall clock; it matters only while something is owed."""
        self._deadline_s = max(self._deadline_s, self._loop.time() + STALL_LIMIT_S)
        if self._watchdog is None:
            self._watchdog = self._loop.call_at(self._deadline_s, self._check)

    def _check(self) -> None:
        self._watchdog = None
        flushed_all = self._flushed == self._flushes and self._sent == len(self._texts)
        if self._over or (flushed_all and not self._finishing):
            return  # what waits for its flush is nothing the vendor owes
        if not self._line.has_floor(self):
            self._deadline_s = self._loop.time() + STALL_LIMIT_S
        if self._loop.time() < self._deadline_s:
            self._watchdog = self._loop.call_at(self._deadline_s, self._check)
            return
        failure = self._line.last_failure or stalled(STALL_LIMIT_S)
        self.fail(failure)
        self._line.suspect(failure)

    def _close(self, *, clear: bool) -> None:
        if self._over:
            return
        owed = self._owes
        self._over = True
        for timer in (self._watchdog, self._retry):
            if timer is not None:
                timer.cancel()
        self._line.leave(self, clear=clear and owed and self._sent > 0)
