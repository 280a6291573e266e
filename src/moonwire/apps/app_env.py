"""Asks an application which environment variables it takes: HTTP OPTIONS on its hook.

Source: @jambonz/sdk 0.10.1 answers with the schema itself; jambonz-python-sdk 0.4.0 with `{"env": schema}`, or empty.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, cast

import aiohttp
import msgspec

from moonwire.dialects.network_words import plain_cause
from moonwire.errors import HookError

PROBE_S = 5.0
MAX_BYTES = 256 * 1024
_KEY = re.compile(r"[A-Za-z0-9_]+\Z")
_TYPES = frozenset({"string", "number", "boolean"})


class AppEnvProbe:
    """Probes applications for the portal's form."""

    def __init__(self, http: aiohttp.ClientSession, host_policy: Callable[[str], bool]) -> None:
        self._http = http
        self._host_policy = host_policy

    async def ask(self, url: str) -> Mapping[str, Any] | None:
        """Return the schema, name -> description of the variable, or None when the application has none.

        Raises:
            HookError: the host may not be named, the application does not answer, or the schema is invalid.
        """
        if not self._host_policy(url):
            raise HookError(f"{url}: this host may not be named; MOONWIRE_PRIVATE_HOSTS permits private ones", url=url)
        address = re.sub(r"^ws", "http", url.partition("#")[0], flags=re.IGNORECASE)
        try:
            async with self._http.options(
                address,
                headers={"Accept": "application/json", "User-Agent": "jambonz"},
                timeout=aiohttp.ClientTimeout(total=PROBE_S),
                allow_redirects=False,
            ) as answer:
                body = b"".join([piece async for piece in _bounded(answer.content)])
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise HookError(f"the application did not answer: {plain_cause(error)}", url=url) from None
        return _schema(body, url) if status == 200 and body.strip() else None


async def _bounded(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    left = MAX_BYTES
    async for piece in content.iter_any():
        left -= len(piece)
        if left < 0:
            raise ValueError("the schema is too long")
        yield piece


def _schema(body: bytes, url: str) -> Mapping[str, Any] | None:
    try:
        decoded = msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise HookError("Invalid appenv schema", url=url) from None
    if isinstance(decoded, dict) and set(cast("dict[str, Any]", decoded)) == {"env"}:
        decoded = cast("dict[str, Any]", decoded)["env"]
    if not isinstance(decoded, dict):
        raise HookError("Invalid appenv schema", url=url)
    schema = cast("dict[str, Any]", decoded)
    for name, variable in schema.items():
        if not _KEY.match(name) or not isinstance(variable, dict):
            raise HookError("Invalid appenv schema", url=url)
        members = cast("dict[str, Any]", variable)
        if members.get("type") not in _TYPES or not isinstance(members.get("description"), str):
            raise HookError("Invalid appenv schema", url=url)
    return schema or None
