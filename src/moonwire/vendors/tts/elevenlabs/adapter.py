"""Speaks with ElevenLabs: one socket per call, contexts counted and always closed, messages routed to utterances."""

from __future__ import annotations

import asyncio
import secrets

import aiohttp
import structlog

from moonwire.errors import VendorError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.tts import TtsListener, Voice
from moonwire.spec.components import Synthesizer
from moonwire.vendors.guarded_dial import NotOpened, Socket, dial
from moonwire.vendors.refused_voice import RefusedVoice
from moonwire.vendors.tts.elevenlabs.failures import (
    failure_of_close,
    failure_of_refusal,
    failure_of_words,
    unreachable,
)
from moonwire.vendors.tts.elevenlabs.manifest import MAX_CONTEXTS, VENDOR
from moonwire.vendors.tts.elevenlabs.options import VoiceChoice, base_address, choose_voice
from moonwire.vendors.tts.elevenlabs.utterance import ElevenLabsUtterance
from moonwire.vendors.tts.elevenlabs.wire import CLOSE_SOCKET, KEEP_SOCKET, ServerMessage, parse_message
from moonwire.vendors.voice_connection import VoiceConnection

_KEEP_ALIVE_S = 15.0
"""Below the shortest inactivity limit the vendor uses (20 s)."""
_CLOSED_WITHIN_S = 3.0
"""A context that was closed is taken to be over after this time, should the vendor not say so."""

log = structlog.get_logger()


class ElevenLabsTextToSpeech:
    """One ElevenLabs account (ports/tts.py, TextToSpeech)."""

    def __init__(self, credential: VendorCredential, http: aiohttp.ClientSession) -> None:
        """Keep an account.

        Raises:
            ConfigError: the base URL is unusable.
        """
        self._credential = credential
        self._http = http
        self._address = base_address(credential.base_url or credential.fields.get("api_uri"))

    def open(self, synthesizer: Synthesizer) -> Voice:
        """Start to connect in the background and return at once; failures reach the utterances."""
        try:
            choice = choose_voice(synthesizer, self._credential)
        except VendorError as failure:
            return RefusedVoice(failure)
        return ElevenLabsVoice(self, choice)

    async def knock(self) -> None:
        """Open one connection as a call would, and close it.

        Raises:
            VendorError: refused or unreachable.
        """
        socket = await self.dial(choose_voice(Synthesizer(vendor=VENDOR), self._credential))
        await socket.close()

    @property
    def api_key(self) -> str:
        """The key in clear text."""
        return self._credential.api_key

    async def dial(self, choice: VoiceChoice) -> Socket:
        """Open a socket.

        Raises:
            VendorError: refused, redirected, or unreachable.
        """
        opened = await dial(self._http, self._address + choice.path_and_query, {"xi-api-key": self.api_key})
        if not isinstance(opened, NotOpened):
            return opened
        if opened.status is None:
            raise unreachable(opened.why)
        raise failure_of_refusal(opened.status, opened.why, opened.request_id)


class ElevenLabsVoice:
    """One call's synthesis (ports/tts.py, Voice)."""

    def __init__(self, account: ElevenLabsTextToSpeech, choice: VoiceChoice) -> None:
        self._account = account
        self._choice = choice
        self._open: dict[ElevenLabsUtterance, None] = {}
        self._live: dict[str, ElevenLabsUtterance] = {}
        self._contexts: set[str] = set()
        """Contexts that the vendor counts: opened, and not said to be over."""
        self._prefix = secrets.token_hex(4)
        self._count = 0
        self._connection = VoiceConnection(VENDOR, lambda: account.dial(choice), _Reactions(self))
        self._connection.start()
        self._keep_timer = asyncio.get_running_loop().call_later(_KEEP_ALIVE_S, self._keep_alive)

    def speak(self, listener: TtsListener) -> ElevenLabsUtterance:
        """Begin an utterance; a failure that is already known is told on the next turn of the loop."""
        utterance = ElevenLabsUtterance(self, self._choice.opening, listener)
        self._open[utterance] = None
        if self._connection.permanent is not None:
            asyncio.get_running_loop().call_soon(utterance.fail, self._connection.permanent)
        else:
            self._connection.want()
        return utterance

    async def close(self) -> None:
        """End the synthesis; the vendor closes first, bounded to about two seconds."""
        self._keep_timer.cancel()
        for utterance in self.utterances():
            utterance.cancel()
        await self._connection.close(farewell=CLOSE_SOCKET)

    def utterances(self) -> list[ElevenLabsUtterance]:
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
        return (self._account.api_key,)

    def transmit(self, payload: bytes) -> bool:
        """Send a message, in order; False without a connection, which is then made."""
        return self._connection.transmit(payload)

    def adopt(self, utterance: ElevenLabsUtterance) -> str | None:
        """Route a new context to an utterance; None while the vendor's limit of open contexts is reached."""
        if len(self._contexts) >= MAX_CONTEXTS:
            return None
        self._count += 1
        context_id = f"{self._prefix}-{self._count}"
        self._live[context_id] = utterance
        if self._connection.is_open:
            self._contexts.add(context_id)
        return context_id

    def release(self, context_id: str) -> None:
        """Route nothing more from this context; it still counts until the vendor says that it is over."""
        self._live.pop(context_id, None)
        if context_id in self._contexts:
            asyncio.get_running_loop().call_later(_CLOSED_WITHIN_S, self._let_in, context_id)

    def forget(self, utterance: ElevenLabsUtterance) -> None:
        """Drop an utterance that is over."""
        self._open.pop(utterance, None)

    def suspect(self, failure: VendorError) -> None:
        """Give up this connection: it looks open but delivers nothing."""
        self._contexts.clear()
        for utterance in self.utterances():
            utterance.lose_connection(failure)
        self._connection.suspect()

    def reconnected(self) -> None:
        """Begin anew: the vendor knows no context on a new socket."""
        self._contexts.clear()
        for utterance in self.utterances():
            utterance.resume()

    def route(self, message: ServerMessage) -> None:
        """Give a message to whom it concerns."""
        context_id = message.context_id or ""
        utterance = self._live.get(context_id)
        if utterance is not None:
            utterance.receive(message)
        elif message.error:
            log.warning("elevenlabs reported an error", error=str(failure_of_words(message.error, hide=self.secrets)))
            if message.context_id is None:
                for waiting in list(self._live.values()):
                    waiting.receive(message)
        if message.final:
            self._let_in(context_id)

    def _let_in(self, ended: str) -> None:
        """Count a context no more; utterances that waited for room go on."""
        if ended in self._contexts:
            self._contexts.discard(ended)
            for waiting in self.utterances():
                waiting.resume()

    def _keep_alive(self) -> None:
        self._keep_timer = asyncio.get_running_loop().call_later(_KEEP_ALIVE_S, self._keep_alive)
        if self._connection.is_open:
            self._connection.transmit(KEEP_SOCKET)
            for utterance in self._live.values():
                utterance.keep_alive()


class _Reactions:
    """What a voice does about its connection (vendors/voice_connection.py, ConnectionUser)."""

    def __init__(self, voice: ElevenLabsVoice) -> None:
        self._voice = voice

    def utterances(self) -> list[ElevenLabsUtterance]:
        return self._voice.utterances()

    def connected(self) -> None:
        self._voice.reconnected()

    def received(self, text: bytes) -> None:
        message = parse_message(text)
        if message is None:
            log.warning("elevenlabs sent a message that is no JSON object", size_bytes=len(text))
        else:
            self._voice.route(message)

    def received_audio(self, audio: bytes) -> None:
        del audio  # ElevenLabs' audio travels inside text messages

    def unreachable(self, why: str) -> VendorError:
        return unreachable(why)

    def closed(self, code: int | None, reason: str) -> VendorError:
        return failure_of_close(code, reason, hide=self._voice.secrets)
