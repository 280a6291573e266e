"""Puts another recogniser behind the first one: when that is lost for good, the call goes on with the other.

The other one hears the last three seconds again, as far as no words of them have been settled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from moonwire.errors import VendorError
from moonwire.ports.stt import LanguageHinted, SpeechToText, SttListener, SttStream
from moonwire.spec.components import Recognizer
from moonwire.vendors.audio_memory import AudioMemory

OnSwitch = Callable[[VendorError], None]
"""Hears why the first vendor was left, once per stream."""


class FallbackSpeechToText:
    """Two recognisers as one (ports/stt.py, SpeechToText).

    Args:
        first: the recogniser that was asked for, or why there is none.
        other: the one behind it.
        other_recognizer: what it is asked for.
        on_switch: told when the other one takes over.
    """

    def __init__(
        self, first: SpeechToText | VendorError, other: SpeechToText, other_recognizer: Recognizer, on_switch: OnSwitch
    ) -> None:
        self._first = first
        self._other = other
        self._other_recognizer = other_recognizer
        self._on_switch = on_switch

    def open(self, recognizer: Recognizer, listener: SttListener) -> SttStream:
        """Start to connect in the background and return at once; failures reach the listener."""

        def open_other(ear: SttListener) -> SttStream:
            return self._other.open(self._other_recognizer, ear)

        first = self._first
        return FallbackStream(
            first if isinstance(first, VendorError) else lambda ear: first.open(recognizer, ear),
            open_other,
            listener,
            self._on_switch,
        )


class FallbackStream:
    """One call's recognition; the first recogniser's listener, until it is lost."""

    def __init__(
        self,
        open_first: Callable[[SttListener], SttStream] | VendorError,
        open_other: Callable[[SttListener], SttStream],
        listener: SttListener,
        on_switch: OnSwitch,
    ) -> None:
        self._open_other = open_other
        self._listener = listener
        self._on_switch = on_switch
        self._memory: AudioMemory | None = AudioMemory()
        self._settled_s = 0.0
        self._early = False
        self._stream: SttStream | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._over = False
        if isinstance(open_first, VendorError):
            self._switch(open_first)
        else:
            self._stream = open_first(self)

    def send_audio(self, frame: bytes) -> None:
        """Take 20 ms of mu-law; never blocks."""
        if self._memory is not None:
            self._memory.add(frame)
        if self._stream is not None:
            self._stream.send_audio(frame)

    def finalize(self) -> None:
        """Ask for the pending words now."""
        if self._stream is not None:
            self._stream.finalize()

    async def close(self) -> None:
        """End the recognition; bounded."""
        self._over = True
        if self._stream is not None:
            await self._stream.close()
        if self._leaving is not None:
            await asyncio.wait({self._leaving})

    def on_stt_speech_started(self) -> None:
        """Pass on."""
        self._listener.on_stt_speech_started()

    def on_stt_interim(self, text: str) -> None:
        """Pass on."""
        self._listener.on_stt_interim(text)

    def on_stt_final(self, text: str, confidence: float) -> None:
        """Pass on, and remember up to where words are settled."""
        if self._memory is not None:
            self._settled_s = self._memory.end_s
        self._listener.on_stt_final(text, confidence)

    def on_stt_end_of_turn(self) -> None:
        """Pass on."""
        self._early = False
        self._listener.on_stt_end_of_turn()

    def on_stt_early_end_of_turn(self, text: str) -> None:
        """Pass on."""
        self._early = True
        self._listener.on_stt_early_end_of_turn(text)

    def on_stt_turn_resumed(self) -> None:
        """Pass on."""
        self._early = False
        self._listener.on_stt_turn_resumed()

    def on_stt_language(self, language: str) -> None:
        """Pass on."""
        self._listener.on_stt_language(language)

    def expect_languages(self, languages: Sequence[str]) -> None:
        """Tell the recogniser, where it can be told."""
        if isinstance(self._stream, LanguageHinted):
            self._stream.expect_languages(languages)

    def on_stt_failed(self, error: VendorError) -> None:
        """Let the other recogniser go on; its own loss is final."""
        if self._memory is None:
            self._listener.on_stt_failed(error)
        elif not self._over:
            self._switch(error)

    def _switch(self, error: VendorError) -> None:
        memory, self._memory = self._memory, None
        lost = self._stream
        if lost is not None:
            self._leaving = asyncio.get_running_loop().create_task(lost.close(), name="stt fallback")
        if self._early:
            self.on_stt_turn_resumed()
        self._on_switch(error)
        self._stream = self._open_other(self)
        for chunk in memory.since(self._settled_s)[1] if memory is not None else ():
            self._stream.send_audio(chunk)
