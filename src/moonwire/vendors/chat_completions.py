"""Streams one answer after another from a chat-completions vendor: retries, repairs and replacement of gone models.

Everything here happens before the first piece of an answer was given away; afterwards an error is an error. The call's
reply reads plain strings from an async generator; closing it closes the TCP stream.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

import aiohttp
import structlog

from moonwire.dialects.openai_chat import finish_reason
from moonwire.errors import (
    MoonwireError,
    RateLimitError,
    RequestRejectedError,
    VendorError,
    VendorOverloadedError,
    VendorTimeoutError,
    VendorUnavailableError,
)
from moonwire.ports.llm import (
    AnswerEnd,
    AnswerItem,
    ChatRequest,
    FinishReason,
    ListedModel,
    ModelOutlook,
    ModelSwitched,
    RequestChanged,
    TokenUsage,
)
from moonwire.vendors.chat_exchange import ChatExchange, Refusal, unreached
from moonwire.vendors.chat_vendor import (
    LASTING_REPAIRS,
    ChatLimits,
    ChatPlan,
    ChatVendor,
    ConnectOptions,
    HttpFailure,
    ModelChoice,
)
from moonwire.vendors.connections import EndpointKnowledge, VendorConnections

_LIST_S = 10.0
_LIST_BYTES = 1024 * 1024
_MAX_REPAIRS = 3
_TIER_HEADER = "Msh-Gid"
"""Moonshot's rate tier, `enterprise-tier-3` (captured 2026-03)."""

_log = structlog.get_logger()

_Args = ParamSpec("_Args")
_Result = TypeVar("_Result")

Watch = Callable[[VendorError | None], None]
"""Told once per answer: None when it was complete, else why not."""


def _nobody(_error: VendorError | None) -> None: ...


@dataclass(slots=True)
class _Attempts:
    """What was tried for one answer so far."""

    started_s: float
    choice: ModelChoice
    repairs: frozenset[str]
    retries: int = 0
    stall: VendorError | None = None
    """The first time-out; the second try is short, so the first one tells more."""
    replaced: int = 0
    announced: bool = False
    changes: list[RequestChanged] = field(default_factory=list[RequestChanged])
    """Repairs of this answer's request."""


class ChatCompletions:
    """A LanguageModel over one account of a chat-completions vendor; shares connections with other calls."""

    def __init__(
        self,
        vendor: ChatVendor,
        connections: VendorConnections,
        options: ConnectOptions | None = None,
        *,
        guarded: bool = False,
        watch: Watch | None = None,
    ) -> None:
        """Prepare an account; nothing is sent.

        Args:
            vendor: decides what is sent and what answers mean.
            connections: of the process.
            options: the agent's.
            guarded: a user chose the address, so that it must not be private.
            watch: hears how each answer ended.
        """
        self._vendor = vendor
        self._connections = connections
        self._options = options or ConnectOptions()
        self._guarded = guarded
        self._watch = watch or _nobody

    @property
    def vendor(self) -> ChatVendor:
        """The account behind this model."""
        return self._vendor

    @property
    def live(self) -> Mapping[str, ListedModel]:
        """The endpoint's own list as far as it is known and not old; asks nobody."""
        return self._knowledge.live

    @property
    def _knowledge(self) -> EndpointKnowledge:
        endpoint = self._vendor.endpoint
        return self._connections.knowledge(endpoint.base_url, endpoint.api_key)

    def _session(self) -> aiohttp.ClientSession:
        return self._connections.session(self._vendor.endpoint.base_url, guarded=self._guarded)

    def outlook(self, request: ChatRequest) -> ModelOutlook:
        """Return what is known about the answer before it is asked for."""
        try:
            model = self._vendor.choose(request.model, self._knowledge).model
        except VendorError:
            model = request.model
        return self._vendor.outlook(request, model, self._knowledge)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerItem, None]:
        """Yield text pieces, tool calls and, last, one AnswerEnd; closing the generator cancels at once.

        Raises:
            VendorError: before anything was yielded, or in the middle of the answer.
        """
        loop = asyncio.get_running_loop()
        attempts = self._told(self._begin, request, loop.time())
        while True:
            plan = self._plan(request, attempts)
            exchange = ChatExchange(self._vendor.name, attempts.choice.model, plan.limits, self._connections.let_end)
            spoken = False
            try:
                await exchange.open(self._session(), self._vendor.endpoint, plan.body)
                while (pieces := await exchange.read()) is not None:
                    if not spoken:
                        spoken = bool(pieces)
                        for notice in self._announced(attempts):
                            yield notice
                    for piece in pieces:
                        yield piece
                end = self._end(exchange, attempts, spoken, loop.time())
                for notice in self._announced(attempts):
                    yield notice
                for call in exchange.answer.tool_calls():
                    spoken = True
                    yield replace(call, name=self._vendor.tool_name(call.name))
                self._watch(None)
                yield end
                return
            except (VendorError, Refusal) as caught:
                exchange.close()
                error = self._vendor.error(caught.failure, self._knowledge) if isinstance(caught, Refusal) else caught
                if spoken:
                    raise self._noted(error) from None
                wait_s = self._told(self._next_attempt, error, plan, attempts, loop.time())
            finally:
                exchange.close()
            if wait_s:
                await asyncio.sleep(wait_s)

    def _announced(self, attempts: _Attempts) -> list[ModelSwitched | RequestChanged]:
        """Return, once, what is to be told before the answer: it comes from elsewhere, or the request was changed."""
        if attempts.announced:
            return []
        attempts.announced = True
        switched = attempts.choice.switched
        return [*([switched] if switched is not None else []), *attempts.changes]

    def _noted(self, error: VendorError) -> VendorError:
        self._watch(error)
        return error

    def _told(self, step: Callable[_Args, _Result], *args: _Args.args, **kwargs: _Args.kwargs) -> _Result:
        """Do a step that may end the answer, and tell when it does."""
        try:
            return step(*args, **kwargs)
        except VendorError as error:
            raise self._noted(error) from None

    def _begin(self, request: ChatRequest, now_s: float) -> _Attempts:
        if not request.messages:
            raise ValueError("a request to a language model needs at least one message")
        choice = self._vendor.choose(request.model, self._knowledge)
        return _Attempts(now_s, choice, self._knowledge.repairs(choice.model))

    def _plan(self, request: ChatRequest, attempts: _Attempts) -> ChatPlan:
        plan = self._vendor.plan(request, attempts.choice.model, attempts.repairs, self._knowledge)
        limits = plan.limits.overridden(self._options)
        if attempts.stall is not None:
            short_s = limits.stall_retry_s
            limits = ChatLimits(
                connect_s=min(limits.connect_s, short_s),
                headers_s=min(limits.headers_s, short_s),
                first_content_s=min(limits.first_content_s, short_s),
                idle_s=limits.idle_s,
                retries=limits.retries,
                retry_budget_s=limits.retry_budget_s,
                stall_retry_s=short_s,
            )
        return ChatPlan(plan.body, limits, plan.thinks)

    def _next_attempt(self, error: VendorError, plan: ChatPlan, attempts: _Attempts, now_s: float) -> float:
        """Prepare another try and return the seconds to wait before it.

        Raises:
            VendorError: there is nothing sensible left to try.
        """
        model = attempts.choice.model
        if self._replaced(error, attempts) or self._repaired(error, plan, attempts):
            _log.info("llm request changed", vendor=self._vendor.name, model=model, cause=error.code)
            return 0.0
        limits = plan.limits
        wait_s = None if plan.thinks and isinstance(error, VendorTimeoutError) else _wait_s(error, attempts)
        late = now_s - attempts.started_s + (wait_s or 0.0) > limits.retry_budget_s
        if wait_s is None or attempts.retries >= limits.retries or (late and not isinstance(error, VendorTimeoutError)):
            raise (attempts.stall if attempts.stall and isinstance(error, VendorTimeoutError) else error) from None
        attempts.retries += 1
        if isinstance(error, VendorTimeoutError):
            attempts.stall = error
        _log.info("llm request repeated", vendor=self._vendor.name, model=model, cause=error.code, wait_s=wait_s)
        return wait_s

    def _replaced(self, error: VendorError, attempts: _Attempts) -> bool:
        """Go on with the successor of a model that the endpoint does not have."""
        if error.code != "model-unavailable" or attempts.replaced >= 2:
            return False
        knowledge = self._knowledge
        knowledge.learn_gone(attempts.choice.model)
        requested = attempts.choice.switched.requested if attempts.choice.switched else attempts.choice.model
        choice = self._vendor.choose(requested, knowledge)
        if choice.model == attempts.choice.model or knowledge.is_gone(choice.model):
            return False
        attempts.replaced += 1
        attempts.choice = choice
        attempts.repairs = knowledge.repairs(choice.model)
        return True

    def _repaired(self, error: VendorError, plan: ChatPlan, attempts: _Attempts) -> bool:
        repair = self._vendor.repair(error, plan)
        if repair is None or repair in attempts.repairs or len(attempts.repairs) >= _MAX_REPAIRS:
            return False
        attempts.repairs = attempts.repairs | {repair}
        attempts.changes.append(RequestChanged(self._vendor.name, repair, error.said.text))
        if repair in LASTING_REPAIRS:
            self._knowledge.learn_repair(attempts.choice.model, attempts.repairs & LASTING_REPAIRS)
        return True

    def _end(self, exchange: ChatExchange, attempts: _Attempts, spoken: bool, now_s: float) -> AnswerEnd:
        answer = exchange.answer
        reason: FinishReason = finish_reason(answer.finish_reason)
        if reason == "stop" and answer.has_tool_calls:
            reason = "tool"
        if reason == "length" and not spoken:
            raise RequestRejectedError(
                f"{self._vendor.name}: the whole token limit went into thinking, nothing was said",
                vendor=self._vendor.name,
                remedy="Raise llmOptions.maxTokens, or choose a model that can answer without thinking.",
                request_id=exchange.request_id,
            )
        usage, begin = answer.usage, exchange.started_s
        return AnswerEnd(
            finish_reason=reason,
            usage=TokenUsage(
                input=usage.input, output=usage.output, cache_read=usage.cached, reasoning=usage.reasoning
            ),
            model=answer.model or attempts.choice.model,
            request_id=exchange.request_id,
            headers_ms=max(exchange.headers_s - begin, 0.0) * 1000,
            first_content_ms=max(exchange.first_content_s - begin, 0.0) * 1000,
            total_ms=(now_s - begin) * 1000,
            reasoning=answer.reasoning,
        )

    async def warm_up(self) -> None:
        """Open a connection and learn the live models; never raises a VendorError, bounded, off the call's path."""
        if self._vendor.lists_models:
            with suppress(MoonwireError):
                await self.list_models()
            return
        with suppress(aiohttp.ClientError, OSError):
            # Any answer will do, and no key is needed for it: the connection is what counts.
            async with asyncio.timeout(_LIST_S), self._session().head(self._vendor.endpoint.base_url):
                pass

    async def list_models(self) -> list[ListedModel]:
        """Return the endpoint's own list.

        Raises:
            VendorError: refused, unreachable, too slow, or no list.
        """
        vendor, endpoint = self._vendor, self._vendor.endpoint
        try:
            async with (
                asyncio.timeout(_LIST_S),
                self._session().get(
                    endpoint.url("/models"),
                    headers=endpoint.headers,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=ChatLimits().connect_s),
                    allow_redirects=False,
                ) as response,
            ):
                body = await response.content.read(_LIST_BYTES)
                while len(body) < _LIST_BYTES and (more := await response.content.read(_LIST_BYTES)):
                    body += more
                status, headers = response.status, response.headers
        except TimeoutError:
            raise VendorTimeoutError(f"{vendor.name}: no model list within {_LIST_S:g} s", vendor=vendor.name) from None
        except (aiohttp.ClientError, OSError) as error:
            raise unreached(vendor.name, error, urlsplit(endpoint.base_url).hostname or "") from None
        if status != 200:
            raise vendor.error(HttpFailure(status, headers, body, ""), self._knowledge)
        try:
            models = vendor.listed(body)
        except MoonwireError:
            raise vendor.error(HttpFailure(status, headers, body, ""), self._knowledge) from None
        self._knowledge.tier = headers.get(_TIER_HEADER, "").strip().lower()
        self._knowledge.learn_list({model.id: model for model in models})
        return models


def _wait_s(error: VendorError, attempts: _Attempts) -> float | None:
    """Return how long to wait before the next try, or None when another try cannot help or would come too late."""
    match error:
        case VendorOverloadedError():
            return min(error.retry_after_s or random.uniform(0.15, 0.4), 1.0)
        case RateLimitError(retry_after_s=wait_s) if wait_s is not None and wait_s <= 1.0:
            return wait_s
        case VendorTimeoutError():
            return None if attempts.stall is not None else 0.0
        case VendorUnavailableError():
            return 0.0 if attempts.retries == 0 else None
        case _:
            return None
