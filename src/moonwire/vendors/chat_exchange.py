"""One HTTP exchange of a streamed chat completion: sends, reads pieces, watches the time, closes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import aiohttp
import msgspec

from moonwire.dialects.openai_chat import AnswerReader
from moonwire.dialects.sse import SseParser
from moonwire.errors import (
    RemoteProtocolError,
    VendorError,
    VendorTimeoutError,
    VendorUnavailableError,
    VendorWords,
)
from moonwire.vendors.chat_vendor import ChatLimits, Endpoint, HttpFailure
from moonwire.vendors.reach import trouble_of

REQUEST_ID_HEADERS = ("msh-request-id", "x-msh-trace-id", "x-trace-id", "x-request-id")
"""Where hosts put the id that their support asks for (Moonshot's headers as captured 2026-03)."""

_ERROR_BODY_BYTES = 64 * 1024
_ERROR_BODY_S = 2.0
_WHOLE_ANSWER_BYTES = 4 * 1024 * 1024
_LATE_USAGE_S = 0.5

encode_json = msgspec.json.Encoder().encode


class Refusal(Exception):  # noqa: N818 - not an error of the tree: the exchange's way to hand over what it got
    """The vendor answered, but not with an answer; the caller names the error."""

    def __init__(self, failure: HttpFailure) -> None:
        super().__init__(failure.status)
        self.failure = failure


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the vendor's id of a request."""
    return next((headers[name] for name in REQUEST_ID_HEADERS if name in headers), None)


class ChatExchange:
    """One request and its answer; `close` is safe at any time and drops the connection of an unfinished answer."""

    def __init__(
        self, vendor: str, model: str, limits: ChatLimits, let_end: Callable[[aiohttp.ClientResponse], None]
    ) -> None:
        """Prepare one request.

        Args:
            vendor: for the errors' texts.
            model: asked for.
            limits: of this try.
            let_end: takes a response that said everything but whose body has not formally ended.
        """
        self._vendor = vendor
        self._model = model
        self._limits = limits
        self._let_end = let_end
        self._loop = asyncio.get_running_loop()
        self._sse = SseParser()
        self._response: aiohttp.ClientResponse | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._deadline_s = 0.0
        self._expired = False
        self._ending = False
        self._whole: list[str] = []
        self.answer = AnswerReader()
        self.started_s = self._loop.time()
        """When this request was sent, loop time."""
        self.headers_s = 0.0
        self.first_content_s = 0.0

    @property
    def request_id(self) -> str | None:
        """The vendor's id of this request, once the headers are here."""
        return request_id(self._response.headers) if self._response is not None else None

    async def open(self, session: aiohttp.ClientSession, endpoint: Endpoint, body: Mapping[str, object]) -> None:
        """Send the request and wait for the headers of an answer.

        Raises:
            Refusal: any other status than 200, or something that is no answer.
            VendorTimeoutError, VendorUnavailableError: no connection, or nothing in time.
        """
        limits = self._limits
        try:
            async with asyncio.timeout_at(self.started_s + min(limits.headers_s, limits.first_content_s)):
                self._response = response = await session.post(
                    endpoint.url("/chat/completions"),
                    data=encode_json(body),
                    headers=endpoint.headers,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect_s),
                    # Elsewhere is not where the operator sent the key to.
                    allow_redirects=False,
                )
        except aiohttp.ConnectionTimeoutError:
            raise self._unavailable(f"no connection within {limits.connect_s:g} s", "timeout") from None
        except TimeoutError:
            raise self._too_late(f"no answer within {limits.headers_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise unreached(self._vendor, error, urlsplit(endpoint.base_url).hostname or "") from None
        self.headers_s = self._loop.time()
        if response.status != 200:
            raise Refusal(await self._read_failure(response))
        kind = response.content_type
        if kind == "application/json":
            await self._read_whole(response)
            return
        if kind == "text/html":
            raise Refusal(await self._read_failure(response))
        self._rearm(self.started_s + limits.first_content_s)

    async def read(self) -> list[str] | None:
        """Wait for more of the answer; returns its text pieces, or None when it is complete.

        Raises:
            Refusal: the stream carried an error object.
            VendorTimeoutError, VendorUnavailableError: it stalled, broke off, or is unreadable.
        """
        response = self._response
        if response is None or self.answer.done:
            whole, self._whole = self._whole, []
            return whole or None
        while True:
            try:
                data = await response.content.readany()
            except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
                # aiohttp raises one and the same exception for every response that was closed: what its traceback
                # holds (this exchange, the whole reply) would live for ever and grow with every stall.
                error.__traceback__ = None
                if self.answer.finish_reason is None:
                    if self._expired:
                        raise self._too_late(self._stall_text()) from None
                    raise unreached(self._vendor, error, "") from None
                data = b""  # everything was said; only the formal end is missing
            if not data:
                return self._end(response)
            pieces = self._take(data)
            if self.answer.error is not None:
                raise Refusal(HttpFailure(200, response.headers, _error_json(self.answer), self._model))
            if self.answer.done:
                self._finish(response)
                return pieces or None
            if self.answer.finish_reason is not None:
                self._expect_end()
            if pieces:
                return pieces

    def close(self) -> None:
        """Stop everything; a connection with an unfinished answer is closed at once, the vendor sees it."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._response is not None and not self.answer.done:
            self._response.close()

    def _take(self, data: bytes) -> list[str]:
        answer = self.answer
        pieces: list[str] = []
        progress = False
        try:
            for event in self._sse.feed(data):
                if piece := answer.read(event):
                    pieces.append(piece)
                progress = progress or answer.busy
        except RemoteProtocolError as error:
            raise self._unavailable(str(error)) from None
        if progress:
            self._progressed()
        return pieces

    def _end(self, response: aiohttp.ClientResponse) -> list[str] | None:
        """Judge the end of the body that came without the closing event."""
        pieces: list[str] = []
        try:
            pieces = [piece for event in self._sse.finish() if (piece := self.answer.read(event))]
        except RemoteProtocolError:
            # The last line was cut off in the middle: what counts is whether the answer was complete before it.
            pieces = []
        if self.answer.error is not None:
            raise Refusal(HttpFailure(200, response.headers, _error_json(self.answer), self._model))
        if not self.answer.complete:
            if self.answer.seen:
                raise self._unavailable("the answer broke off")
            raise self._unavailable("an empty stream: does the Base URL lead to a chat API?", "empty-stream")
        self.answer.done = True
        self._finish(response)
        return pieces or None

    def _finish(self, response: aiohttp.ClientResponse) -> None:
        """The answer is complete: the connection goes back to the pool when the body ends, or is dropped soon."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if not self.answer.complete:
            response.close()
            raise self._unavailable("the answer broke off in a tool call")
        if not response.closed:
            self._let_end(response)

    async def _read_failure(self, response: aiohttp.ClientResponse) -> HttpFailure:
        return HttpFailure(
            response.status, response.headers, await self._read_body(response, _ERROR_BODY_BYTES), self._model
        )

    async def _read_body(self, response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
        """Read a body that is no stream, bounded; what cannot be read is left out."""
        pieces: list[bytes] = []
        try:
            async with asyncio.timeout(_ERROR_BODY_S):
                while most_bytes > 0 and (data := await response.content.readany()):
                    pieces.append(data[:most_bytes])
                    most_bytes -= len(data)
        except (aiohttp.ClientError, OSError, TimeoutError):
            pass
        if not response.closed:
            response.close()
        return b"".join(pieces)

    async def _read_whole(self, response: aiohttp.ClientResponse) -> None:
        """Take an answer that came in one piece although a stream was asked for (some proxies do that)."""
        body = await self._read_body(response, _WHOLE_ANSWER_BYTES)
        try:
            text = self.answer.read(body)
        except RemoteProtocolError:
            text = ""
        if self.answer.finish_reason is None:
            raise Refusal(HttpFailure(200, response.headers, body[:_ERROR_BODY_BYTES], self._model))
        self.answer.done = True
        self.first_content_s = self._loop.time()
        self._whole = [text] if text else []

    def _progressed(self) -> None:
        now = self._loop.time()
        # Arguments of a tool call may come in one burst after seconds of silence (Kimi K2.x, reported 2026-04).
        until_s = now + self._limits.idle_s * (2 if self.answer.has_tool_calls else 1)
        if not self.first_content_s:
            # The first limit may lie far away (models that think); from here on the shorter one holds.
            self.first_content_s = now
            self._rearm(until_s)
        elif not self._ending:
            self._deadline_s = until_s

    def _expect_end(self) -> None:
        """The answer is over; usage and the closing event follow at once or are not waited for."""
        if not self._ending:
            self._ending = True
            self._rearm(self._loop.time() + _LATE_USAGE_S)

    def _rearm(self, at_s: float) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._deadline_s = at_s
        self._watch = self._loop.call_at(at_s, self._on_watch)

    def _on_watch(self) -> None:
        """One timer per answer: pieces only move the deadline, the timer looks at it when it fires."""
        if self._loop.time() < self._deadline_s:
            self._watch = self._loop.call_at(self._deadline_s, self._on_watch)
            return
        self._expired = True
        self._watch = None
        if self._response is not None:
            self._response.close()

    def _stall_text(self) -> str:
        if self.first_content_s:
            return f"the answer stalled for {self._limits.idle_s:g} s"
        if self.answer.reasoning:
            return f"still thinking after {self._limits.first_content_s:g} s"
        return f"no word within {self._limits.first_content_s:g} s"

    def _too_late(self, cause: str) -> VendorError:
        return VendorTimeoutError(
            f"{self._vendor}: {cause}", vendor=self._vendor, remedy="Try again; if it stays, use a fallback model.",
            request_id=self.request_id, said=VendorWords("stalled"),
        )  # fmt: skip

    def _unavailable(self, says: str, cause: str = "broken-off") -> VendorError:
        return VendorUnavailableError(
            f"{self._vendor}: {says}", vendor=self._vendor, remedy="Check the network and the service's Base URL.",
            request_id=self.request_id, said=VendorWords(cause),
        )  # fmt: skip


def _error_json(answer: AnswerReader) -> bytes:
    return encode_json({"error": answer.error})


def unreached(vendor: str, error: Exception, host: str) -> VendorError:
    """Return the error of a connection that could not be made or that broke off."""
    trouble = trouble_of(error, host)
    return VendorUnavailableError(
        f"{vendor}: {trouble.message}", vendor=vendor, remedy=trouble.hint, said=VendorWords(trouble.code)
    )
