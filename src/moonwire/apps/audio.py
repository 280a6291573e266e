"""Fetches the audio that an application names (`play`, fillers): WAV files over HTTP, bounded in size and time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp

from moonwire.core.audio.wav import WavError, read_wav
from moonwire.dialects.network_words import plain_cause
from moonwire.errors import HookError

MAX_BYTES = 32 * 1024 * 1024
FETCH_S = 15.0


class AudioFetcher:
    """Loads audio files for all calls."""

    def __init__(self, http: aiohttp.ClientSession, host_policy: Callable[[str], bool]) -> None:
        self._http = http
        self._host_policy = host_policy

    async def load(self, url: str) -> bytes:
        """Return a file's audio as mu-law 8 kHz.

        Raises:
            HookError: the host is not permitted, the file cannot be fetched, or it is no WAV file.
        """
        if not self._host_policy(url):
            raise HookError(f"{url}: this host may not be named; MOONWIRE_PRIVATE_HOSTS permits private ones", url=url)
        try:
            return await asyncio.to_thread(read_wav, await self._fetch(url))
        except WavError as error:
            raise HookError(f"{url} cannot be played: {error}; give a WAV file", url=url) from None
        except TimeoutError:
            raise HookError(f"{url} could not be fetched within {FETCH_S:.0f} s", url=url) from None
        except (aiohttp.ClientError, ValueError) as error:
            raise HookError(f"{url} could not be fetched: {plain_cause(error)}", url=url) from None

    async def _fetch(self, url: str) -> bytes:
        async with asyncio.timeout(FETCH_S), self._http.get(url, allow_redirects=False) as answer:
            if answer.status != 200:
                raise HookError(f"{url} answered HTTP {answer.status}", url=url, status=answer.status)
            body = bytearray()
            async for chunk in answer.content.iter_chunked(65536):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise HookError(f"{url} is larger than {MAX_BYTES // 1048576} MB", url=url)
            return bytes(body)
