"""Speaks with Cartesia: one socket per call (vendors/voice_connection.py), messages routed to the live utterances."""

from __future__ import annotations

import asyncio
import secrets

import aiohttp
import structlog

from moonwire.errors import VendorError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.tts import TtsListener, Voice
from moonwire.spec.components import Synthesizer
from moonwire.vendors.refused_voice import RefusedVoice
from moonwire.vendors.tts.cartesia.dial import dial
from moonwire.vendors.tts.cartesia.failures import failure_of_message, unreachable
from moonwire.vendors.tts.cartesia.manifest import VENDOR
from moonwire.vendors.tts.cartesia.options import VoiceChoice, choose_voice, socket_url
from moonwire.vendors.tts.cartesia.utterance import CartesiaUtterance
from moonwire.vendors.tts.cartesia.wire import ContextRecipe, ServerMessage, parse_message
from moonwire.vendors.voice_connection import VoiceConnection

log = structlog.get_logger()


class CartesiaTextToSpeech:
    """One Cartesia account (ports/tts.py, TextToSpeech)."""

    def __init__(self, credential: VendorCredential, http: aiohttp.ClientSession) -> None:
        """Keep an account.

        Raises:
            ConfigError: the base URL is unusable.
        """
        self._credential = credential
        self._http = http
        self._url = socket_url(credential.base_url)
        self._warned: set[str] = set()

    def open(self, synthesizer: Synthesizer) -> Voice:
        """Start to connect in the background and return at once; failures reach the utterances."""
        try:
            choice = choose_voice(synthesizer, self._credential)
        except VendorError as failure:
            return RefusedVoice(failure)
        self._warn_once(choice)
        return CartesiaVoice(self._http, self._url, self._credential.api_key, choice.recipe)

    async def knock(self) -> None:
        """Open one connection as a call would, and close it.

        Raises:
            VendorError: refused or unreachable.
        """
        socket = await dial(self._http, self._url, self._credential.api_key)
        await socket.close()

    def _warn_once(self, choice: VoiceChoice) -> None:
        if choice.substituted and choice.substituted not in self._warned:
            self._warned.add(choice.substituted)
            log.warning(
                "a cartesia model was named as voice, the default voice speaks",
                asked=choice.substituted,
                voice=choice.recipe.voice_id,
                model=choice.recipe.model_id,
                remedy="put a voice id (UUID) into synthesizer.voice",
            )
        for option in choice.clamped:
            if option not in self._warned:
                self._warned.add(option)
                log.warning("a cartesia option was out of range and moved to its limit", option=option)


class CartesiaVoice:
    """One call's synthesis (ports/tts.py, Voice; vendors/voice_connection.py, ConnectionUser)."""

    def __init__(self, http: aiohttp.ClientSession, url: str, api_key: str, recipe: ContextRecipe) -> None:
        self._api_key = api_key
        self._recipe = recipe
        self._open: dict[CartesiaUtterance, None] = {}
        self._live: dict[str, CartesiaUtterance] = {}
        self._context_prefix = secrets.token_hex(6)
        self._contexts = 0
        self._connection = VoiceConnection(VENDOR, lambda: dial(http, url, api_key), _Reactions(self))
        self._connection.start()

    def speak(self, listener: TtsListener) -> CartesiaUtterance:
        """Begin an utterance; a failure that is already known is told on the next turn of the loop."""
        utterance = CartesiaUtterance(self, self._recipe, listener)
        self._open[utterance] = None
        if self._connection.permanent is not None:
            asyncio.get_running_loop().call_soon(utterance.fail, self._connection.permanent)
        else:
            self._connection.want()
        return utterance

    async def close(self) -> None:
        """End the synthesis; bounded to about a second."""
        for utterance in self.utterances():
            utterance.cancel()
        await self._connection.close()

    def utterances(self) -> list[CartesiaUtterance]:
        """Return the utterances that are not over."""
        return list(self._open)

    # -- what utterances use (utterance.py, Line) ----------------------------------------------------------------

    @property
    def last_failure(self) -> VendorError | None:
        """Why there is no connection, when there is none."""
        return self._connection.last_failure

    @property
    def secrets(self) -> tuple[str, ...]:
        """Strings that must not show in errors."""
        return (self._api_key,)

    def transmit(self, payload: bytes) -> bool:
        """Send a message, in order; False without a connection, which is then made."""
        return self._connection.transmit(payload)

    def adopt(self, utterance: CartesiaUtterance) -> str:
        """Route a new context to an utterance; ids are never used twice."""
        self._contexts += 1
        context_id = f"{self._context_prefix}-{self._contexts}"
        self._live[context_id] = utterance
        return context_id

    def release(self, context_id: str) -> None:
        """Route nothing more from this context."""
        self._live.pop(context_id, None)

    def forget(self, utterance: CartesiaUtterance) -> None:
        """Drop an utterance that is over."""
        self._open.pop(utterance, None)

    def suspect(self) -> None:
        """Give up this connection, or this attempt to make one: nothing comes of it."""
        self._connection.suspect()

    def route(self, message: ServerMessage) -> None:
        """Give a message to whom it concerns."""
        utterance = self._live.get(message.context_id or "")
        if utterance is not None:
            utterance.receive(message)
        elif message.type == "error" and message.context_id is None:
            self._spread(message)

    def _spread(self, message: ServerMessage) -> None:
        """Tell an error without a context to whoever waits for audio."""
        failure = failure_of_message(message, hide=self.secrets)
        log.warning("cartesia reported an error without context", error=str(failure), request_id=failure.request_id)
        for utterance in list(self._live.values()):
            utterance.receive(message)


class _Reactions:
    """What a voice does about its connection (vendors/voice_connection.py, ConnectionUser)."""

    def __init__(self, voice: CartesiaVoice) -> None:
        self._voice = voice

    def utterances(self) -> list[CartesiaUtterance]:
        return self._voice.utterances()

    def connected(self) -> None:
        for utterance in self._voice.utterances():
            utterance.resume()

    def received_audio(self, audio: bytes) -> None:
        del audio  # Cartesia's audio travels inside text messages

    def received(self, text: bytes) -> None:
        parsed = parse_message(text)
        if parsed is None:
            log.warning("cartesia sent a message that is no JSON object", size_bytes=len(text))
        else:
            self._voice.route(parsed)

    def unreachable(self, why: str) -> VendorError:
        return unreachable(why)

    def closed(self, code: int | None, reason: str) -> VendorError:
        del reason
        return unreachable(f"closed the connection ({code})")
