"""Opens one socket to Cartesia and turns every way that can fail into our errors, without letting the key out."""

from __future__ import annotations

import aiohttp

from moonwire.vendors.guarded_dial import NotOpened, Socket
from moonwire.vendors.guarded_dial import dial as dial_guarded
from moonwire.vendors.tts.cartesia.failures import failure_of_refusal, unreachable
from moonwire.vendors.tts.cartesia.manifest import API_VERSION


async def dial(http: aiohttp.ClientSession, url: str, api_key: str) -> Socket:
    """Connect over the process's shared connector.

    Raises:
        VendorError: refused, redirected, or unreachable.
    """
    opened = await dial_guarded(http, url, {"X-API-Key": api_key, "Cartesia-Version": API_VERSION})
    if not isinstance(opened, NotOpened):
        return opened
    if opened.status is None:
        raise unreachable(opened.why)
    raise failure_of_refusal(opened.status, opened.why, opened.request_id, hide=(api_key,))
