"""Decides how one reply is spread over Cartesia contexts: expiry, resending once, stall, cancel; does no I/O itself.

A context dies one second after its last audio, so a reply whose text pauses longer continues in a fresh context;
word positions are shifted by the audio given before. Messages of contexts that were left never arrive here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from moonwire.core.audio.frames import SAMPLE_RATE_HZ
from moonwire.errors import RateLimitError, VendorError
from moonwire.ports.tts import TtsListener
from moonwire.vendors.tts.cartesia.failures import failure_of_message, stalled
from moonwire.vendors.tts.cartesia.manifest import CONTEXT_EXPIRY_S
from moonwire.vendors.tts.cartesia.wire import ContextRecipe, ServerMessage, WordReader, cancel_message

STALL_LIMIT_S = 3.0
"""Longest wait for audio that is owed; some limits make chunks stop without any message."""
_REUSE_LIMIT_S = CONTEXT_EXPIRY_S - 0.25
"""A context idle for longer is not used again: the text could arrive after its expiry."""
_CHUNK_PAUSE_S = 0.5
"""Longer than any pause between the chunks of one text, which come faster than they sound."""
_BUSY_WAIT_S = 0.25
_BUSY_RETRIES = 2
"""A barged-in context keeps counting against small plans until its audio is out; worth two short waits."""


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

    def adopt(self, utterance: CartesiaUtterance) -> str:
        """Route a new context to an utterance; returns the context's id."""
        ...

    def release(self, context_id: str) -> None:
        """Route nothing more from this context."""
        ...

    def forget(self, utterance: CartesiaUtterance) -> None:
        """Hear that an utterance is over."""
        ...

    def suspect(self) -> None:
        """Give up this connection: it looks open but delivers nothing."""
        ...


@dataclass(slots=True)
class _Context:
    id: str
    words: WordReader
    texts: list[str] = field(default_factory=list[str])
    unvoiced: list[str] = field(default_factory=list[str])
    """Texts given since the last audio."""
    pushed: int = 0
    """How many texts have been transmitted."""
    ended: bool = False
    end_pushed: bool = False
    flushes: int = 0
    audio_bytes: int = 0
    last_audio_s: float = 0.0

    @property
    def all_flushed(self) -> bool:
        """Whether the vendor said of every text that it is spoken."""
        return self.flushes >= len(self.texts)

    @property
    def owes(self) -> bool:
        """Whether audio or a `done` must still come."""
        return self.ended or (bool(self.unvoiced) and not self.all_flushed)


class CartesiaUtterance:
    """One reply being synthesised (ports/tts.py, Utterance)."""

    __slots__ = (
        "_backoff",
        "_busy_retries",
        "_context",
        "_deadline_s",
        "_finishing",
        "_held_back",
        "_line",
        "_listener",
        "_loop",
        "_over",
        "_recipe",
        "_resent",
        "_voiced_bytes",
        "_watchdog",
    )

    def __init__(self, line: Line, recipe: ContextRecipe, listener: TtsListener) -> None:
        self._line = line
        self._recipe = recipe
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._context: _Context | None = None
        self._voiced_bytes = 0
        self._held_back = ""
        self._finishing = False
        self._over = False
        self._resent = False
        self._busy_retries = 0
        self._deadline_s = 0.0
        self._watchdog: asyncio.TimerHandle | None = None
        self._backoff: asyncio.TimerHandle | None = None

    # -- the caller's side ---------------------------------------------------------------------------------------

    def send_text(self, text: str) -> None:
        """Add text to speak; blanks alone wait for the next words, because they would release an empty generation."""
        if self._over or self._finishing:
            return
        text = self._held_back + text
        if not text.strip():
            self._held_back = text
            return
        self._held_back = ""
        context = self._usable_context()
        self._expect(context)
        context.texts.append(text)
        context.unvoiced.append(text)
        self._push()
        self._watch()

    def finish(self) -> None:
        """Say that no more text follows."""
        if self._over or self._finishing:
            return
        self._finishing = True
        context = self._context
        if context is None or self._is_stale(context):
            self._loop.call_soon(self.complete)
            return
        self._expect(context)
        context.ended = True
        self._push()
        self._watch()

    def cancel(self) -> None:
        """Stop at once; the mark is local, the vendor's stray messages find no receiver."""
        if self._over:
            return
        context = self._context
        self._close()
        if context is not None and context.pushed and not self._is_stale(context):
            self._line.transmit(cancel_message(context.id))

    @property
    def is_waiting(self) -> bool:
        """Whether it needs a connection: a context of it is expected to speak."""
        return not self._over and self._context is not None

    # -- the connection's side -----------------------------------------------------------------------------------

    def resume(self) -> None:
        """Hear that there is a connection (again): transmit what is waiting."""
        self._push()

    def receive(self, message: ServerMessage) -> None:
        """Take a message of the live context."""
        context = self._context
        if self._over or context is None:
            return
        match message.type:
            case "chunk":
                if message.data:
                    self._take_audio(context, message.data)
            case "timestamps":
                if message.word_timestamps is not None:
                    words = context.words.read(message.word_timestamps)
                    if words:
                        self._listener.on_tts_words(words)
            case "flush_done":
                context.flushes += 1
            case "done":
                self._take_done(context)
            case "error":
                self._take_error(context, message)
            case _:
                pass  # new message types appear without notice

    def lose_connection(self, failure: VendorError) -> None:
        """Hear that the socket is gone: repeat what was not audible yet, once; fail when words were cut."""
        context = self._context
        if self._over or context is None or context.pushed == 0:
            return
        if self._is_spoken(context):
            self._leave(context)
            if self._finishing:
                self.complete()
        elif context.audio_bytes == 0 and not self._resent:
            self._resent = True
            self._restart(context, context.texts)
        else:
            self.fail(failure)

    def give_up(self, failure: VendorError) -> None:
        """Hear that no connection can be made for now."""
        if self._context is not None and self._context.owes:
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

    def _take_audio(self, context: _Context, audio: bytes) -> None:
        now_s = self._loop.time()
        context.audio_bytes += len(audio)
        context.last_audio_s = now_s
        self._deadline_s = now_s + STALL_LIMIT_S
        if context.unvoiced:
            context.unvoiced.clear()
        self._listener.on_tts_audio(audio)

    def _take_done(self, context: _Context) -> None:
        if context.ended:
            self.complete()
            return
        unspoken = [] if context.all_flushed else list(context.unvoiced)
        if unspoken:
            self._restart(context, unspoken)
        else:
            self._leave(context)

    def _take_error(self, context: _Context, message: ServerMessage) -> None:
        failure = failure_of_message(message, hide=(*self._line.secrets, *context.texts))
        if self._has_expired(context, failure):
            if context.unvoiced and not self._resent:
                self._resent = True
                self._restart(context, list(context.unvoiced))
                return
            if not context.unvoiced:
                self._leave(context)
                if self._finishing:
                    self.complete()
                return
        elif context.audio_bytes == 0 and self._may_retry(failure):
            self._restart(context, context.texts, hold=True)
            return
        self.fail(failure)

    def _has_expired(self, context: _Context, failure: VendorError) -> bool:
        """Whether an error says no more than that our text came after the context's end."""
        refused = failure.status is None or failure.status in {400, 404, 409, 410, 422}
        return refused and context.audio_bytes > 0 and self._loop.time() - context.last_audio_s > _REUSE_LIMIT_S

    def _may_retry(self, failure: VendorError) -> bool:
        if isinstance(failure, RateLimitError):
            self._busy_retries += 1
            return self._busy_retries <= _BUSY_RETRIES
        if failure.retryable and not self._resent:
            self._resent = True
            return True
        return False

    def _usable_context(self) -> _Context:
        context = self._context
        if context is not None and self._is_stale(context):
            self._leave(context)
            context = None
        return context or self._enter()

    def _is_stale(self, context: _Context) -> bool:
        spoken = context.all_flushed if context.flushes else not context.unvoiced
        idle_s = self._loop.time() - context.last_audio_s
        return context.audio_bytes > 0 and spoken and idle_s > _REUSE_LIMIT_S

    def _is_spoken(self, context: _Context) -> bool:
        """Say whether no audio of the texts given so far is missing; without flush messages, judged by a pause."""
        if context.flushes:
            return context.all_flushed
        pause_s = self._loop.time() - context.last_audio_s
        return not context.unvoiced and not context.ended and pause_s > _CHUNK_PAUSE_S

    def _enter(self) -> _Context:
        words = WordReader(self._voiced_bytes / SAMPLE_RATE_HZ)
        self._context = _Context(self._line.adopt(self), words)
        return self._context

    def _leave(self, context: _Context) -> None:
        self._voiced_bytes += context.audio_bytes
        self._line.release(context.id)
        self._context = None

    def _restart(self, old: _Context, texts: list[str], *, hold: bool = False) -> None:
        """Say these texts in a fresh context, after a short wait when the vendor is busy."""
        self._leave(old)
        context = self._enter()
        context.texts = list(texts)
        context.unvoiced = list(texts)
        context.ended = self._finishing
        if hold:
            self._backoff = self._loop.call_later(_BUSY_WAIT_S, self._retry)
        self._push()
        self._watch()

    def _retry(self) -> None:
        self._backoff = None
        self._push()

    def _push(self) -> None:
        context = self._context
        if context is None or self._backoff is not None:
            return
        while context.pushed < len(context.texts):
            if not self._line.transmit(self._recipe.text_message(context.id, context.texts[context.pushed])):
                return
            context.pushed += 1
        if context.ended and not context.end_pushed:
            context.end_pushed = self._line.transmit(self._recipe.end_message(context.id))

    def _expect(self, context: _Context) -> None:
        """Start the stall clock when nothing was owed until now."""
        if not context.owes:
            self._deadline_s = self._loop.time() + STALL_LIMIT_S

    def _watch(self) -> None:
        if self._watchdog is None and not self._over:
            self._watchdog = self._loop.call_at(self._deadline_s, self._check)

    def _check(self) -> None:
        self._watchdog = None
        context = self._context
        if self._over or context is None or not context.owes:
            return
        if self._loop.time() < self._deadline_s:
            self._watch()
        elif context.ended and context.texts and context.all_flushed:
            self.complete()
        else:
            failure = self._line.last_failure or stalled(STALL_LIMIT_S)
            self._line.suspect()
            self.fail(failure)

    def _close(self) -> None:
        self._over = True
        for timer in (self._watchdog, self._backoff):
            if timer is not None:
                timer.cancel()
        context = self._context
        if context is not None:
            self._line.release(context.id)
            self._context = None
        self._line.forget(self)
