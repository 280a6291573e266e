"""A voice that says nothing: for agents that work without talking (`speak: false`), for example through key menus.

Each utterance is one frame of silence once it has all its text, so that replies begin, end and enter the history as
spoken ones do.
"""

from __future__ import annotations

from moonwire.core.audio.frames import SILENCE_FRAME
from moonwire.ports.tts import TtsListener


class MuteVoice:
    """Implements ports.tts.Voice."""

    def speak(self, listener: TtsListener) -> MuteUtterance:
        """Begin an utterance."""
        return MuteUtterance(listener)

    async def close(self) -> None:
        """Nothing is open."""


class MuteUtterance:
    """Implements ports.tts.Utterance."""

    def __init__(self, listener: TtsListener) -> None:
        self._listener: TtsListener | None = listener

    def send_text(self, text: str) -> None:
        """Keep it to ourselves."""

    def finish(self) -> None:
        """Count as said."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_tts_audio(SILENCE_FRAME)
            listener.on_tts_done()

    def cancel(self) -> None:
        """Say nothing of it."""
        self._listener = None
