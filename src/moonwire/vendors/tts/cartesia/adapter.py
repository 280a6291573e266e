"""Speaks with Cartesia: one socket per call, opened early, reopened lazily; routes messages to the live utterances.

Timeline of an outage: a connection attempt ends after 2 s, attempts go on for 2.5 s; an utterance whose audio is owed
for 3 s fails whatever the connection does, so a dead vendor reaches the listener within 4 s.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from contextlib import suppress

import aiohttp
import structlog

from moonwire.errors import VendorError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.tts import TtsListener, Voice
from moonwire.spec.components import Synthesizer
from moonwire.vendors.tts.cartesia.dial import CLOSE_LIMIT_S, Socket, dial
from moonwire.vendors.tts.cartesia.failures import failure_of_message, unreachable
from moonwire.vendors.tts.cartesia.options import VoiceChoice, choose_voice, socket_url
from moonwire.vendors.tts.cartesia.refused import RefusedVoice
from moonwire.vendors.tts.cartesia.utterance import CartesiaUtterance
from moonwire.vendors.tts.cartesia.wire import ContextRecipe, ServerMessage, parse_message

_ATTEMPT_LIMIT_S = 2.0
_OUTAGE_LIMIT_S = 2.5
_FIRST_BACKOFF_S = 0.1
_LONGEST_BACKOFF_S = 0.5
_QUICK_FAILURE_S = 5.0
_QUICK_FAILURES = 3
_OUTBOX_MESSAGES = 1024

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
    """One call's synthesis (ports/tts.py, Voice)."""

    def __init__(self, http: aiohttp.ClientSession, url: str, api_key: str, recipe: ContextRecipe) -> None:
        self._http = http
        self._url = url
        self._api_key = api_key
        self._recipe = recipe
        self._socket: Socket | None = None
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue(_OUTBOX_MESSAGES)
        self._open: dict[CartesiaUtterance, None] = {}
        self._live: dict[str, CartesiaUtterance] = {}
        self._context_prefix = secrets.token_hex(6)
        self._contexts = 0
        self._quick_failures = 0
        self._wanted = asyncio.Event()
        self._permanent: VendorError | None = None
        self._last_failure: VendorError | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._start()

    def speak(self, listener: TtsListener) -> CartesiaUtterance:
        """Begin an utterance; a failure that is already known is told on the next turn of the loop."""
        utterance = CartesiaUtterance(self, self._recipe, listener)
        self._open[utterance] = None
        if self._permanent is not None:
            asyncio.get_running_loop().call_soon(utterance.fail, self._permanent)
        elif self._socket is None:
            self._wanted.set()
        return utterance

    async def close(self) -> None:
        """End the synthesis; bounded to about a second."""
        for utterance in list(self._open):
            utterance.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_LIMIT_S + 0.5)

    # -- what utterances use (utterance.py, Line) ----------------------------------------------------------------

    @property
    def last_failure(self) -> VendorError | None:
        """Why there is no connection, when there is none."""
        return self._last_failure

    @property
    def secrets(self) -> tuple[str, ...]:
        """Strings that must not show in errors."""
        return (self._api_key,)

    def transmit(self, payload: bytes) -> bool:
        """Send a message, in order; False without a connection, which is then made."""
        if self._socket is None or self._outbox.full():
            self._wanted.set()
            return False
        self._outbox.put_nowait(payload)
        return True

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
        self._socket = None
        log.warning("cartesia stalled, the connection is replaced")
        for task in self._tasks:
            task.cancel()
        self._start()

    # -- the connection ------------------------------------------------------------------------------------------

    def _start(self) -> None:
        task = asyncio.get_running_loop().create_task(self._run(), name="cartesia voice")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        try:
            while self._permanent is None:
                self._wanted.clear()
                if await self._connect_and_serve() or not self._needs_connection():
                    await self._wanted.wait()
        except Exception as error:  # the vendor boundary: nothing may leave the call silent
            log.exception("cartesia adapter failed")
            self._refuse(unreachable(f"adapter failed ({type(error).__name__})"))

    def _needs_connection(self) -> bool:
        return bool(self._live) or self._wanted.is_set()

    async def _connect_and_serve(self) -> bool:
        """Hold one connection from its making to its end; True when it is better to wait for the next utterance."""
        socket = await self._connect()
        if socket is None:
            return True
        loop = asyncio.get_running_loop()
        opened_s = loop.time()
        self._socket, self._last_failure = socket, None
        self._wanted.clear()
        self._outbox = asyncio.Queue(_OUTBOX_MESSAGES)
        writer = loop.create_task(self._write(socket, self._outbox), name="cartesia writer")
        try:
            for utterance in list(self._open):
                utterance.resume()
            await self._read(socket)
        finally:
            writer.cancel()
            if self._socket is socket:
                self._socket = None
            with suppress(TimeoutError, aiohttp.ClientError, OSError):
                async with asyncio.timeout(CLOSE_LIMIT_S):
                    await socket.close()
        return self._after_loss(socket.close_code, quick=loop.time() - opened_s < _QUICK_FAILURE_S)

    def _after_loss(self, close_code: int | None, *, quick: bool) -> bool:
        failure = unreachable(f"closed the connection ({close_code})")
        self._last_failure = failure
        self._quick_failures = self._quick_failures + 1 if quick else 0
        log.info("cartesia connection ended", close_code=close_code, live_utterances=len(self._live))
        for utterance in list(self._open):
            utterance.lose_connection(failure)
        if self._quick_failures < _QUICK_FAILURES:
            return False
        for utterance in list(self._open):
            utterance.give_up(failure)
        return True

    async def _connect(self) -> Socket | None:
        """Try until the outage limit; None when the utterances have been told that it is in vain."""
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + _OUTAGE_LIMIT_S
        backoff_s = _FIRST_BACKOFF_S
        while True:
            try:
                async with asyncio.timeout(min(_ATTEMPT_LIMIT_S, give_up_s - loop.time())):
                    return await dial(self._http, self._url, self._api_key)
            except VendorError as failure:
                self._last_failure = failure
                if not failure.retryable:
                    self._refuse(failure)
                    return None
            except TimeoutError:
                self._last_failure = unreachable(f"did not accept the connection within {_ATTEMPT_LIMIT_S:g} s")
            pause_s = backoff_s * random.uniform(0.75, 1.25)
            if loop.time() + pause_s >= give_up_s:
                log.warning("cartesia cannot be reached", error=str(self._last_failure))
                for utterance in list(self._open):
                    utterance.give_up(self._last_failure)
                return None
            await asyncio.sleep(pause_s)
            backoff_s = min(_LONGEST_BACKOFF_S, backoff_s * 2)

    async def _write(self, socket: Socket, outbox: asyncio.Queue[bytes]) -> None:
        # A send that fails needs no word here: the reader sees the end of the same socket.
        with suppress(aiohttp.ClientError, OSError):
            while True:
                payload = await outbox.get()
                await socket.send_frame(payload, aiohttp.WSMsgType.TEXT)

    async def _read(self, socket: Socket) -> None:
        while True:
            received = await socket.receive()
            if received.type is not aiohttp.WSMsgType.TEXT:
                if received.type is aiohttp.WSMsgType.BINARY:
                    continue
                return
            message = parse_message(received.data)
            if message is None:
                log.warning("cartesia sent a message that is no JSON object", size_bytes=len(received.data))
                continue
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

    def _refuse(self, failure: VendorError) -> None:
        """Fail for good: wrong key, refused request."""
        log.error(
            "cartesia refused the call's synthesis",
            error=str(failure),
            code=failure.code,
            status=failure.status,
            request_id=failure.request_id,
            remedy=failure.remedy,
        )
        self._permanent = self._last_failure = failure
        for utterance in list(self._open):
            utterance.fail(failure)
