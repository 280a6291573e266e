"""The `say` verb: speak a text.

Source: @jambonz/schema 0.4.15, verbs/say.
"""

from __future__ import annotations

from typing import Literal

from moonwire.spec.components import Repetitions, Synthesizer, VerbModel


class Say(VerbModel):
    """Speak a text (one entry of several, picked at random), `loop` times."""

    verb: Literal["say"] = "say"
    text: str | list[str] | None = None
    instructions: str | None = None
    """How to speak, for voices that take directions."""
    stream: bool = False
    loop: Repetitions = 1
    """0 = until stopped."""
    synthesizer: Synthesizer | None = None
    early_media: bool = False
    disable_tts_cache: bool = False
    close_stream_on_empty: bool = True

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts to choose from, empty ones left out."""
        entries = [self.text] if isinstance(self.text, str) else self.text or []
        return tuple(entry for entry in entries if entry.strip())
