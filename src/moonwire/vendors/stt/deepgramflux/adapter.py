"""Opens recognitions with Deepgram Flux; what a recognition does on its socket is in stream.py."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp

from moonwire.ports.directory import VendorCredential
from moonwire.ports.stt import SttListener, SttStream
from moonwire.spec.components import Recognizer
from moonwire.vendors.deepgram_access import recogniser_target, unusable_base_url
from moonwire.vendors.deepgram_socket import DeepgramSocket, connect
from moonwire.vendors.stt.deepgramflux.manifest import VENDOR
from moonwire.vendors.stt.deepgramflux.query import listen_query, listen_url
from moonwire.vendors.stt.deepgramflux.stream import DEFAULT_TIMES, FluxStream, Times
from moonwire.vendors.stt.deepgramflux.turns import FluxTurns


class FluxSpeechToText:
    """One Deepgram account, asked for recognition with turn taking.

    Args:
        credential: `api_key`; optional fields `base_url` and `model_id`.
        http: the session that carries the sockets; its connector must not limit connections below the calls.
        may_dial: whether an application may name this host itself (`deepgramOptions.deepgramSttUri`).
        times: limits of its streams.
    """

    def __init__(
        self,
        credential: VendorCredential,
        http: aiohttp.ClientSession,
        *,
        may_dial: Callable[[str], bool] = lambda host: False,
        times: Times = DEFAULT_TIMES,
    ) -> None:
        self._times = times
        self._credential = credential
        self._http = http
        self._may_dial = may_dial

    def open(self, recognizer: Recognizer, listener: SttListener) -> SttStream:
        """Start to connect in the background and return at once; failures reach the listener."""
        turns = FluxTurns(recognizer.min_confidence or 0.0)
        return FluxStream(lambda within_s: self._connect(recognizer, within_s), turns, listener, self._times)

    async def knock(self) -> None:
        """Open one connection as a call would, and close it.

        Raises:
            VendorError: refused or unreachable.
        """
        socket = await self._connect(Recognizer(vendor=VENDOR), self._times.connect_s)
        await socket.close()

    async def _connect(self, recognizer: Recognizer, within_s: float) -> DeepgramSocket:
        base_url, key = recogniser_target(self._credential, recognizer.deepgram_options, self._may_dial)
        try:
            address = f"{listen_url(base_url)}?{listen_query(recognizer, self._credential.fields.get('model_id'))}"
        except ValueError as error:
            raise unusable_base_url(error, VENDOR) from None
        return await connect(self._http, address, key.get_secret_value(), within_s, vendor=VENDOR)
