"""Decides how one reply is spoken in one ElevenLabs context: opening it late, closing it always; does no I/O itself.

A context is opened with the first text only, because every open one counts against the vendor's limit; it is closed
by `finish` and by `cancel`, whatever happened in between. A reply that was not audible yet survives a lost socket once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from moonwire.core.audio.frames import SAMPLE_RATE_HZ
from moonwire.errors import VendorError
from moonwire.ports.tts import TtsListener
from moonwire.vendors.tts.elevenlabs.failures import failure_of_words, stalled
from moonwire.vendors.tts.elevenlabs.wire import (
    ServerMessage,
    WordReader,
    close_message,
    flush_message,
    keep_message,
    opening_message,
    text_message,
)

STALL_LIMIT_S = 3.0
"""Longest wait for audio that is owed."""
_SPOKEN_PAUSE_S = 1.0
"""Chunks come faster than they sound: after such a pause, all text that was sent has been spoken."""


class Line(Protocol):
    """The call's connection, as an utterance sees it."""

    @property
    def last_failure(self) -> VendorError | None:
        """Why there is no connection, when there is none."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """Strings that must not show in errors."""
        ...

    def transmit(self, payload: bytes) -> bool:
        """Send a message; False when there is no connection yet (the utterance is asked to resume later)."""
        ...

    def adopt(self, utterance: ElevenLabsUtterance) -> str | None:
        """Route a new context to an utterance; None while the vendor's limit of open contexts is reached."""
        ...

    def release(self, context_id: str) -> None:
        """Route nothing more from this context; it still counts until the vendor says that it is over."""
        ...

    def forget(self, utterance: ElevenLabsUtterance) -> None:
        """Hear that an utterance is over."""
        ...

    def suspect(self, failure: VendorError) -> None:
        """Give up this connection: it looks open but delivers nothing."""
        ...


class ElevenLabsUtterance:
    """One reply being synthesised (ports/tts.py, Utterance)."""

    __slots__ = (
        "_audio_bytes",
        "_context_id",
        "_deadline_s",
        "_end_sent",
        "_finishing",
        "_held_back",
        "_line",
        "_listener",
        "_loop",
        "_over",
        "_owes",
        "_resent",
        "_sent",
        "_settings",
        "_texts",
        "_watchdog",
        "_words",
    )

    def __init__(self, line: Line, settings: Mapping[str, Any], listener: TtsListener) -> None:
        self._line = line
        self._settings = settings
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._context_id: str | None = None
        self._texts: list[str] = []
        self._held_back = ""
        self._sent = 0
        self._finishing = self._end_sent = self._over = self._resent = False
        self._owes = False
        """Whether audio or the end must still come."""
        self._audio_bytes = 0
        self._words = WordReader()
        self._deadline_s = 0.0
        self._watchdog: asyncio.TimerHandle | None = None

    def send_text(self, text: str) -> None:
        """Add text to speak; blanks wait for the words that follow them."""
        if self._over or self._finishing:
            return
        text = self._held_back + text
        if not text.strip():
            self._held_back = text
            return
        self._held_back = ""
        self._texts.append(text.lstrip() if not self._texts else text)
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

    def cancel(self) -> None:
        """Stop at once; the mark is local, the vendor's stray messages find no receiver."""
        self._close()

    @property
    def is_waiting(self) -> bool:
        """Whether it needs a connection: text to send, or audio to come."""
        unsent = self._sent < len(self._texts) or (self._finishing and not self._end_sent)
        return not self._over and bool(self._texts) and (unsent or self._context_id is not None)

    # -- the connection's side -----------------------------------------------------------------------------------

    def resume(self) -> None:
        """Hear that there is a connection, or room for a context: transmit what is waiting."""
        self._push()

    def keep_alive(self) -> None:
        """Keep the context open while its reply is being thought out."""
        if self._context_id is not None and not self._end_sent:
            self._line.transmit(keep_message(self._context_id))

    def receive(self, message: ServerMessage) -> None:
        """Take a message of the live context."""
        if self._over:
            return
        if message.audio or message.alignment is not None:
            self._take_audio(message)
        if message.error:
            self.fail(failure_of_words(message.error, hide=(*self._line.secrets, *self._texts)))
        elif message.final:
            self._take_final()

    def lose_connection(self, failure: VendorError) -> None:
        """Hear that the socket is gone: repeat what was not audible yet, once; fail when words were cut."""
        if self._over or self._context_id is None:
            return
        self._leave()
        if self._audio_bytes == 0 and not self._resent:
            self._resent = True
            self._sent, self._end_sent = 0, False
        elif self._finishing or self._is_owed():
            self.fail(failure)
        else:
            self._end_sent = False  # all that was given has been spoken: what follows takes a new context

    def give_up(self, failure: VendorError) -> None:
        """Hear that no connection can be made for now."""
        if self._owes:
            self.fail(failure)

    def fail(self, failure: VendorError) -> None:
        """End with an error, unless it is over."""
        if not self._over:
            self._close()
            self._listener.on_tts_failed(failure)

    def complete(self) -> None:
        """End well, unless it is over."""
        if not self._over:
            self._close()
            self._listener.on_tts_done()

    # -- inside --------------------------------------------------------------------------------------------------

    def _take_audio(self, message: ServerMessage) -> None:
        offset_s = self._audio_bytes / SAMPLE_RATE_HZ
        self._deadline_s = self._loop.time() + STALL_LIMIT_S
        if message.alignment is not None:
            words = self._words.read(message.alignment, offset_s)
            if words:
                self._listener.on_tts_words(words)
        if message.audio:
            self._audio_bytes += len(message.audio)
            self._listener.on_tts_audio(message.audio)

    def _take_final(self) -> None:
        """Hear the end of the context: of all of it, or because the vendor ran out of patience."""
        words = self._words.rest()
        if words:
            self._listener.on_tts_words(words)
        if self._end_sent:
            self.complete()
            return
        self._leave()
        self._owes = False
        self._push()

    def _is_owed(self) -> bool:
        """Judge by the pause whether audio of the text given so far is missing."""
        return self._owes and self._deadline_s - STALL_LIMIT_S + _SPOKEN_PAUSE_S > self._loop.time()

    def _push(self) -> None:
        if self._over or not (self._sent < len(self._texts) or (self._finishing and not self._end_sent)):
            return
        if self._context_id is None and not self._open():
            return
        context_id = self._context_id
        if context_id is None:
            return
        while self._sent < len(self._texts):
            if not self._line.transmit(text_message(context_id, self._texts[self._sent])):
                return
            self._sent += 1
        if self._finishing and not self._end_sent:
            # Closing alone would drop text that the vendor still holds back.
            self._end_sent = self._line.transmit(flush_message(context_id)) and self._line.transmit(
                close_message(context_id)
            )

    def _open(self) -> bool:
        if self._sent == len(self._texts):
            self.complete()  # everything was spoken in a context that the vendor has closed
            return False
        context_id = self._line.adopt(self)
        if context_id is None:
            return False
        if not self._line.transmit(opening_message(context_id, self._settings)):
            self._line.release(context_id)
            return False
        self._context_id = context_id
        return True

    def _expect(self) -> None:
        """Start the stall clock when nothing was owed until now."""
        if not self._owes or self._loop.time() > self._deadline_s - STALL_LIMIT_S + _SPOKEN_PAUSE_S:
            self._deadline_s = self._loop.time() + STALL_LIMIT_S
        self._owes = True
        if self._watchdog is None and not self._over:
            self._watchdog = self._loop.call_at(self._deadline_s, self._check)

    def _check(self) -> None:
        self._watchdog = None
        if self._over or not self._owes:
            return
        if self._loop.time() < self._deadline_s:
            self._watchdog = self._loop.call_at(self._deadline_s, self._check)
        elif self._audio_bytes and not self._finishing:
            self._owes = False  # silent since its last audio: everything given so far has been spoken
        elif self._audio_bytes and self._end_sent:
            self.complete()  # the end is overdue, its audio is not
        else:
            failure = self._line.last_failure or stalled(STALL_LIMIT_S)
            self.fail(failure)
            self._line.suspect(failure)

    def _leave(self) -> None:
        if self._context_id is not None:
            self._line.release(self._context_id)
            self._context_id = None

    def _close(self) -> None:
        if self._over:
            return
        self._over = True
        if self._watchdog is not None:
            self._watchdog.cancel()
        if self._context_id is not None and not self._end_sent:
            self._line.transmit(close_message(self._context_id))
        self._leave()
        self._line.forget(self)
