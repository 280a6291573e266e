"""Speaks with Deepgram Aura: one socket per call, one utterance at a time on it, nothing audible of a cleared one."""

from __future__ import annotations

import asyncio

import aiohttp
import structlog

from moonwire.errors import VendorError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.tts import TtsListener, Voice
from moonwire.spec.components import Synthesizer
from moonwire.vendors.deepgram_refusal import refusal
from moonwire.vendors.guarded_dial import NotOpened, Socket, dial
from moonwire.vendors.refused_voice import RefusedVoice
from moonwire.vendors.tts.deepgram.flushes import FlushBudget
from moonwire.vendors.tts.deepgram.manifest import VENDOR
from moonwire.vendors.tts.deepgram.options import speak_query, speak_url
from moonwire.vendors.tts.deepgram.utterance import AuraUtterance
from moonwire.vendors.tts.deepgram.wire import CLEAR, CLOSE, failure_of_message, parse_message, unreachable
from moonwire.vendors.voice_connection import VoiceConnection

_CLEARED_WITHIN_S = 1.0
"""A Clear that stays unanswered for longer is not waited for: a new connection has nothing to clear."""

log = structlog.get_logger()


class AuraTextToSpeech:
    """One Deepgram account, asked for speech (ports/tts.py, TextToSpeech)."""

    def __init__(self, credential: VendorCredential, http: aiohttp.ClientSession) -> None:
        """Keep an account.

        Raises:
            ConfigError: the base URL is unusable.
        """
        self._credential = credential
        self._http = http
        self._url = speak_url(credential)

    def open(self, synthesizer: Synthesizer) -> Voice:
        """Start to connect in the background and return at once; failures reach the utterances."""
        try:
            query = speak_query(synthesizer, self._credential)
        except VendorError as failure:
            return RefusedVoice(failure)
        return AuraVoice(self, query)

    async def knock(self) -> None:
        """Open one connection as a call would, and close it.

        Raises:
            VendorError: refused or unreachable.
        """
        socket = await self.dial(speak_query(Synthesizer(vendor=VENDOR), self._credential))
        await socket.close()

    async def dial(self, query: str) -> Socket:
        """Open a socket.

        Raises:
            VendorError: refused, redirected, or unreachable.
        """
        key = self._credential.api_key
        opened = await dial(self._http, f"{self._url}?{query}", {"Authorization": f"Token {key}"})
        if not isinstance(opened, NotOpened):
            return opened
        if opened.status is None:
            raise unreachable(opened.why)
        raise refusal(opened.status, opened.headers, key)


class AuraVoice:
    """One call's synthesis (ports/tts.py, Voice)."""

    def __init__(self, account: AuraTextToSpeech, query: str) -> None:
        self._queue: dict[AuraUtterance, None] = {}
        """Utterances that are not over; the first one has the socket."""
        self._uncleared = 0
        """Clears whose answer has not come: what comes before it belongs to nobody."""
        self._clear_timer: asyncio.TimerHandle | None = None
        self._flushes = FlushBudget()
        self._connection = VoiceConnection(VENDOR, lambda: account.dial(query), _Reactions(self))
        self._connection.start()

    def speak(self, listener: TtsListener) -> AuraUtterance:
        """Begin an utterance; a failure that is already known is told on the next turn of the loop."""
        utterance = AuraUtterance(self, listener)
        self._queue[utterance] = None
        if self._connection.permanent is not None:
            asyncio.get_running_loop().call_soon(utterance.fail, self._connection.permanent)
        else:
            self._connection.want()
        return utterance

    async def close(self) -> None:
        """End the synthesis; bounded to about two seconds."""
        for utterance in reversed(self.utterances()):
            utterance.cancel()
        self._stop_clear_timer()
        await self._connection.close(farewell=CLOSE)

    def utterances(self) -> list[AuraUtterance]:
        """Return the utterances that are not over, the speaking one first."""
        return list(self._queue)

    # -- what utterances use (utterance.py, Line) ----------------------------------------------------------------

    @property
    def last_failure(self) -> VendorError | None:
        """Why there is no connection, when there is none."""
        return self._connection.last_failure

    def has_floor(self, utterance: AuraUtterance) -> bool:
        """Say whether the socket is this utterance's now."""
        return next(iter(self._queue), None) is utterance

    def transmit(self, payload: bytes) -> bool:
        """Send a message, in order; False without a connection, which is then made."""
        return self._connection.transmit(payload)

    def flush_wait_s(self, *, ends_reply: bool) -> float:
        """Count a flush that is sent now and return 0, or return how long it has to wait."""
        if not self._connection.is_open:
            return 0.0
        return self._flushes.take(asyncio.get_running_loop().time(), ends_reply=ends_reply)

    def leave(self, utterance: AuraUtterance, *, clear: bool) -> None:
        """Drop an utterance that is over; the next one has the socket."""
        had_floor = self.has_floor(utterance)
        self._queue.pop(utterance, None)
        if clear and had_floor and self._connection.is_open and self._connection.transmit(CLEAR):
            self._uncleared += 1
            self._stop_clear_timer()
            loop = asyncio.get_running_loop()
            self._clear_timer = loop.call_later(_CLEARED_WITHIN_S, self._clear_unanswered)
        following = next(iter(self._queue), None)
        if had_floor and following is not None:
            following.take_floor()

    def suspect(self, failure: VendorError) -> None:
        """Give up this connection: it looks open but delivers nothing."""
        for utterance in self.utterances():
            utterance.lose_connection(failure)
        self._connection.suspect()

    # -- the connection's side -----------------------------------------------------------------------------------

    def connected(self) -> None:
        """Begin anew on a new socket."""
        self._uncleared = 0
        self._stop_clear_timer()
        self._flushes.reset()
        for utterance in self.utterances()[:1]:
            utterance.resume()

    def take_audio(self, audio: bytes) -> None:
        """Give audio to the utterance that has the socket."""
        for utterance in self.utterances()[:1]:
            if not self._uncleared and audio:
                utterance.receive_audio(audio)

    def take_text(self, text: bytes) -> None:
        """Take a message."""
        message = parse_message(text)
        speaking = next(iter(self._queue), None)
        match message.type if message else "":
            case "Cleared":
                self._uncleared = max(0, self._uncleared - 1)
                if not self._uncleared:
                    self._stop_clear_timer()
            case "Flushed" if speaking is not None and not self._uncleared:
                speaking.receive_flushed()
            case "Warning":
                log.warning("deepgram warns", code=message.any_code if message else "")
            case "Error" if message is not None:
                failure = failure_of_message(message)
                log.warning("deepgram reported an error", error=str(failure), request_id=message.request_id)
                if speaking is not None and not self._uncleared:
                    speaking.fail(failure)
            case _:
                pass

    def _clear_unanswered(self) -> None:
        self._clear_timer = None
        self.suspect(unreachable("did not answer Clear"))

    def _stop_clear_timer(self) -> None:
        if self._clear_timer is not None:
            self._clear_timer.cancel()
            self._clear_timer = None


class _Reactions:
    """What a voice does about its connection (vendors/voice_connection.py, ConnectionUser)."""

    def __init__(self, voice: AuraVoice) -> None:
        self._voice = voice

    def utterances(self) -> list[AuraUtterance]:
        return self._voice.utterances()

    def connected(self) -> None:
        self._voice.connected()

    def received(self, text: bytes) -> None:
        self._voice.take_text(text)

    def received_audio(self, audio: bytes) -> None:
        self._voice.take_audio(audio)

    def unreachable(self, why: str) -> VendorError:
        return unreachable(why)

    def closed(self, code: int | None, reason: str) -> VendorError:
        del reason
        return unreachable(f"closed the connection ({code})")
