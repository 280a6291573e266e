"""A voice that cannot speak because the application's choice is wrong: every utterance says why, nothing is sent."""

from __future__ import annotations

import asyncio

from moonwire.errors import VendorError
from moonwire.ports.tts import TtsListener


class RefusedUtterance:
    """Fails on the next turn of the loop, unless cancelled."""

    def __init__(self, listener: TtsListener, failure: VendorError) -> None:
        self._handle = asyncio.get_running_loop().call_soon(listener.on_tts_failed, failure)

    def send_text(self, text: str) -> None:
        """Drop the text."""

    def finish(self) -> None:
        """Say that no more text follows."""

    def cancel(self) -> None:
        """Stop at once."""
        self._handle.cancel()


class RefusedVoice:
    """Stands in for the call's synthesis (ports/tts.py, Voice)."""

    def __init__(self, failure: VendorError) -> None:
        self._failure = failure

    def speak(self, listener: TtsListener) -> RefusedUtterance:
        """Begin an utterance that fails."""
        return RefusedUtterance(listener, self._failure)

    async def close(self) -> None:
        """End the synthesis."""
