"""Decides what the caller hears while tools run: a sound, short phrases that the model writes, or one plain sentence.

A phrase is finished once begun; a sound stops the moment the tools are done. Nothing of it enters the conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from moonwire.call.speech import Speech

PATIENCE_S: Final = 6.0
"""Silence after which an agent without `toolFiller` says that it is still there; `toolFiller: false` forbids it."""
QUIET_S: Final = 3.0
"""From the end of one phrase to the next; up to 5.2 s where the explanation follows."""
_LEAST_S: Final = 0.1

Phrase = Callable[[bool], Awaitable[str]]
"""Writes a phrase; True = a longer one that explains the wait."""


class ToolFiller:
    """Fills the silence of one agent's tool rounds."""

    def __init__(self, *, start_s: float, escalation_s: float, phrase: Phrase) -> None:
        """Configure it.

        Args:
            start_s: silence before anything is heard.
            escalation_s: waiting time after which a longer phrase explains.
            phrase: writes phrases, heard as long as there is no `sound`.
        """
        self.sound = b""
        """Mu-law 8 kHz, played in a loop; empty = none, or none yet."""
        self._start_s = start_s
        self._escalation_s = escalation_s
        self._phrase = phrase

    async def fill(self, speech: Speech) -> None:
        """Fill until cancelled."""
        await asyncio.sleep(self._start_s)
        await self._talk(speech)
        while True:
            await speech.track.heard_out()
            speech.play_filler(self.sound)

    async def _talk(self, speech: Speech) -> None:
        """Say phrases until there is a sound to play."""
        loop = asyncio.get_running_loop()
        escalates_at = loop.time() - self._start_s + self._escalation_s
        explained, explains = False, self._start_s >= self._escalation_s
        while not self.sound:
            text = await self._phrase(explains)
            await speech.track.heard_out()
            speech.say_filler(text)
            await speech.track.heard_out()
            explained = explained or explains
            left_s = escalates_at - loop.time()
            explains = not explained and left_s < 1.75 * QUIET_S
            await asyncio.sleep(max(_LEAST_S, left_s) if explains else QUIET_S)
