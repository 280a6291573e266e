"""Sends webhooks: signed requests, their retries and answers; what an answer means is decided by the session.

Source: jambonz feature-server 0.9.8 (request and answer rules), @jambonz/sdk 0.10.1 (signature), read 2026-11-22.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
import msgspec
import structlog

from moonwire.apps.retry import Failure, split_retry
from moonwire.apps.surroundings import Surroundings
from moonwire.apps.wire_json import snake_keys, stringify
from moonwire.dialects.network_words import plain_cause
from moonwire.errors import HookError
from moonwire.ports.directory import AlertType, ApplicationRecord
from moonwire.spec.hooks import Hook

_log = structlog.get_logger()

_ACCEPTED = frozenset({200, 202, 204})
_MOST_BYTES = 1 << 20


def sign(secret: str, at_s: int, body: bytes) -> str:
    """Return the `Jambonz-Signature` header: HMAC-SHA256 over `<unix seconds>.<body>`."""
    digest = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: decoded JSON, or the text when it was not JSON."""

    value: Any
    is_json: bool


class _RefusedError(HookError):
    """One attempt failed; `failure` is what the retry policy asks about."""

    def __init__(self, message: str, *, url: str, failure: Failure, status: int | None = None) -> None:
        super().__init__(message, url=url, status=status)
        self.failure: Failure = failure


class Webhooks:
    """One call's HTTP requests to its application."""

    def __init__(self, surroundings: Surroundings, application: ApplicationRecord, call_sid: str) -> None:
        self._surroundings = surroundings
        self._account_sid = application.account_sid
        self._secret = application.webhook_secret
        self._call_sid = call_sid

    async def request(self, hook: Hook, payload: Mapping[str, Any], *, limit_s: float | None = None) -> Answer:
        """Send a payload and return the answer, retrying as the URL's fragment asks.

        Args:
            hook: absolute address with its fragment, method and credentials.
            payload: names are converted to snake_case.
            limit_s: how long one attempt may take, when it is more than a hook's usual time.

        Raises:
            HookError: unreachable, too slow, or a status other than 200, 202, 204; the alert is raised.
        """
        target, policy = split_retry(hook.url, default_retries=0)
        body = snake_keys(payload)
        attempt = 0
        while True:
            try:
                return await self._attempt(hook, target, body, limit_s or self._surroundings.timings.webhook_s)
            except _RefusedError as refusal:
                if attempt >= policy.retries or not policy.covers(refusal.failure):
                    self._alert(refusal)
                    raise
            await asyncio.sleep(self._surroundings.timings.retry_delays_s[0] * 2**attempt)
            attempt += 1

    async def _attempt(self, hook: Hook, url: str, body: dict[str, Any], limit_s: float) -> Answer:
        timings = self._surroundings.timings
        # one limit for everything: a body that trickles in is as bad as no answer
        limit = aiohttp.ClientTimeout(total=limit_s, sock_connect=timings.connect_s)
        content, query = (None, _query(body)) if hook.method == "GET" else (stringify(body), None)
        try:
            async with self._surroundings.http.request(
                "GET" if hook.method == "GET" else "POST",
                url,
                data=content,
                params=query,
                headers=self._headers(hook, content),
                timeout=limit,
                allow_redirects=False,
            ) as response:
                if response.status not in _ACCEPTED:
                    failure: Failure = "5xx" if response.status >= 500 else "4xx"
                    raise _RefusedError(
                        f"webhook answered {response.status}", url=url, failure=failure, status=response.status
                    )
                return await _read(response, url)
        except aiohttp.ServerTimeoutError as error:
            failed: Failure = "ct" if isinstance(error, aiohttp.ConnectionTimeoutError) else "rt"
            raise _RefusedError("webhook did not answer in time", url=url, failure=failed) from error
        except TimeoutError as error:
            raise _RefusedError("webhook did not answer in time", url=url, failure="rt") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _RefusedError(f"webhook cannot be reached: {plain_cause(error)}", url=url, failure="ct") from error

    def _headers(self, hook: Hook, content: bytes | None) -> dict[str, str]:
        headers = {"User-Agent": "jambonz", "Accept": "application/json"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        if self._secret is not None:
            at_s = int(self._surroundings.clock.utc_s())
            headers["Jambonz-Signature"] = sign(self._secret.get_secret_value(), at_s, content or b"")
        return headers | authorization(hook)

    def _alert(self, refusal: _RefusedError) -> None:
        alert_type: AlertType = "webhook-connection-failure"
        if refusal.status is not None:
            alert_type = "webhook-auth-failure" if refusal.status in (401, 403) else "webhook-failure"
        self._surroundings.alert(
            self._account_sid,
            self._call_sid,
            alert_type,
            f"{refusal} ({loggable(refusal.url)})",
            "check that the application runs at this address and answers in time",
        )


def authorization(hook: Hook) -> dict[str, str]:
    """Return the Basic credentials of a hook as a header, or nothing."""
    if not hook.username and not hook.password:
        return {}
    pair = f"{hook.username or ''}:{hook.password or ''}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def loggable(url: str) -> str:
    """Return a URL without credentials and query, which may hold secrets."""
    bare = url.partition("#")[0].partition("?")[0]
    scheme, separator, rest = bare.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"


def _query(body: Mapping[str, Any]) -> dict[str, str]:
    """Reduce a payload to query parameters: only its scalar members."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in body.items()
        if isinstance(value, str | int | float)
    }


async def _read(response: aiohttp.ClientResponse, url: str) -> Answer:
    raw = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        raw += chunk
        if len(raw) > _MOST_BYTES:
            raise _RefusedError("webhook's answer is larger than 1 MiB", url=url, failure="4xx", status=response.status)
    if "application/json" not in response.headers.get("Content-Type", "").lower():
        return Answer(raw.decode("utf-8", "replace"), is_json=False)
    if not raw.strip():
        return Answer(None, is_json=True)
    try:
        return Answer(cast("object", msgspec.json.decode(bytes(raw))), is_json=True)
    except (msgspec.DecodeError, RecursionError) as error:
        problem = "webhook's answer is no valid JSON"
        raise _RefusedError(problem, url=url, failure="4xx", status=response.status) from error


class Notifications:
    """Sends webhooks whose answer nobody waits for: one after the other, so that they arrive in order."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks
        self._waiting: asyncio.Queue[tuple[Hook, Mapping[str, Any]] | None] = asyncio.Queue(maxsize=500)
        self._worker: asyncio.Task[None] | None = None
        self._closing = False

    def post(self, hook: Hook, payload: Mapping[str, Any]) -> None:
        """Queue a webhook; with 500 waiting, the application is lost anyway and the newest is dropped."""
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        try:
            self._waiting.put_nowait((hook, payload))
        except asyncio.QueueFull:
            _log.warning("notification dropped", url=loggable(hook.url))

    async def close(self, limit_s: float) -> None:
        """Send what waits, for at most `limit_s` seconds."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        self._closing = True
        if self._waiting.empty():
            self._waiting.put_nowait(None)
        await asyncio.wait((worker,), timeout=limit_s)
        if not worker.done():
            _log.warning("notifications abandoned", count=self._waiting.qsize())
            # a cancellation that meets aiohttp's own timeout is taken for that timeout: the queue must be empty, too
            self._waiting = asyncio.Queue()
            worker.cancel()
            await asyncio.wait((worker,), timeout=limit_s)

    async def _work(self) -> None:
        while not (self._closing and self._waiting.empty()):
            item = await self._waiting.get()
            if item is None:
                return
            try:
                await self._webhooks.request(*item)
            except HookError:
                continue  # the alert is raised; the call does not depend on it
