"""Opens recognitions on one Deepgram account; what a recognition does on its socket is in stream.py."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
from pydantic import SecretStr

from moonwire.errors import CredentialError, RequestRejectedError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.stt import SttListener, SttStream
from moonwire.spec.components import Recognizer
from moonwire.vendors.stt.deepgram.manifest import VENDOR
from moonwire.vendors.stt.deepgram.query import listen_query, listen_url, wants_short_utterances
from moonwire.vendors.stt.deepgram.socket import DeepgramSocket, connect
from moonwire.vendors.stt.deepgram.stream import DEFAULT_TIMES, DeepgramStream, Times
from moonwire.vendors.stt.deepgram.utterance import UtteranceAssembler


class DeepgramSpeechToText:
    """One Deepgram account.

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
        assembler = UtteranceAssembler(
            short_utterances=wants_short_utterances(recognizer), min_confidence=recognizer.min_confidence or 0.0
        )
        return DeepgramStream(lambda within_s: self._connect(recognizer, within_s), assembler, listener, self._times)

    async def knock(self) -> None:
        """Open one connection as a call would, and close it.

        Raises:
            VendorError: refused or unreachable.
        """
        socket = await self._connect(Recognizer(vendor=VENDOR), self._times.connect_s)
        await socket.close()

    async def _connect(self, recognizer: Recognizer, within_s: float) -> DeepgramSocket:
        base_url, key = self._target(recognizer)
        try:
            address = f"{listen_url(base_url)}?{listen_query(recognizer, self._credential.fields.get('model_id'))}"
        except ValueError as error:
            raise RequestRejectedError(
                f"The Deepgram Base URL cannot be used: {error}",
                vendor=VENDOR,
                remedy="Correct the Base URL of the speech service, for example wss://api.deepgram.com.",
            ) from None
        return await connect(self._http, address, key.get_secret_value(), within_s)

    def _target(self, recognizer: Recognizer) -> tuple[str | None, SecretStr]:
        """Return address and key; a stored key never travels to a host that the application chose."""
        options = recognizer.deepgram_options
        own_key = str(options.get("apiKey") or "")
        key = SecretStr(own_key or self._credential.api_key)
        if not key:
            raise CredentialError(
                "There is no Deepgram API key", vendor=VENDOR, remedy="Add a Deepgram speech service with an API key."
            )
        uri = options.get("deepgramSttUri")
        if not uri:
            return self._credential.base_url, key
        host = str(uri).rpartition("//")[2]
        if not own_key or not self._may_dial(host.partition("/")[0].partition(":")[0]):
            raise RequestRejectedError(
                "The application names a Deepgram host of its own that this server does not allow",
                vendor=VENDOR,
                remedy="Send deepgramOptions.apiKey with deepgramSttUri and have the operator allow the host, "
                "or set the Base URL of the speech service.",
            )
        return f"{'wss' if options.get('deepgramSttUseTls', True) else 'ws'}://{host}", key
