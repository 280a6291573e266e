"""Puts other models behind the first one: the next is asked when one fails or says nothing useful within a limit.

Only before anything was given away; who answers is said in the answer's first item. A model that failed is passed over
for a while, so that the caller does not pay for it on every turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import replace

import structlog

from moonwire.errors import ContextTooLongError, VendorError, VendorTimeoutError
from moonwire.ports.directory import LlmChoice
from moonwire.ports.llm import AnswerItem, ChatRequest, LanguageModel, ModelOutlook, ModelSwitched, RequestChanged

USEFUL_WITHIN_S = 3.0
"""Together with the next model's first word this stays below the time a reply may take to become audible."""

USEFUL_THOUGHT_S = 12.0
"""The same for a model that thinks before it speaks; the caller hears a filler meanwhile."""

_PASSED_OVER_S = 30.0
_PASSED_OVER_FOR_GOOD = frozenset({"credential", "quota", "model-unavailable"})

_log = structlog.get_logger()

Candidate = tuple[LlmChoice, LanguageModel]


class FallbackModel:
    """A LanguageModel made of several, in the operator's order; opened for one call like each of them."""

    def __init__(
        self,
        first: Candidate,
        others: Sequence[Candidate],
        *,
        useful_within_s: float = USEFUL_WITHIN_S,
        late: Callable[[LlmChoice, VendorError], None] | None = None,
    ) -> None:
        """Take the models.

        Args:
            first: asked first.
            others: behind it, in order.
            useful_within_s: how long each but the last may take to say something.
            late: told which model took longer, for that one only sees that it is not listened to any more.
        """
        self._late = late
        self._candidates = [first, *others]
        self._useful_within_s = useful_within_s
        self._passed_over: dict[int, tuple[float, str]] = {}
        """Place -> until when (loop time), and the error's code."""

    def outlook(self, request: ChatRequest) -> ModelOutlook:
        """Return what is known about the answer of the model that will be asked first."""
        place = next(self._places())
        return self._candidates[place][1].outlook(self._asked(request, place))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerItem, None]:
        """Yield the answer of the first model that gives one; `ModelSwitched` comes first when it is another.

        Raises:
            VendorError: of the first model that was asked, when none answered; or in the middle of an answer.
        """
        cause: VendorError | None = None
        places = list(self._places())
        for place in places:
            choice, model = self._candidates[place]
            asked = self._asked(request, place)
            limit_s = self._limit_s(model, asked) if place != places[-1] else None
            answer = model.stream(asked)
            try:
                begin = await self._begin(answer, choice, limit_s)
            except ContextTooLongError:
                # Not the model's fault, and another one would hardly take it: the call shortens and asks again.
                raise
            except VendorError as error:
                cause = cause or error
                self._pass_over(place, error)
                continue
            else:
                for item in self._introduced(begin, request, place, cause):
                    yield item
                async for item in answer:
                    yield item
                return
            finally:
                await answer.aclose()
        if cause is not None:
            raise cause

    def _limit_s(self, model: LanguageModel, request: ChatRequest) -> float:
        thinks = model.outlook(request).thinks
        return max(self._useful_within_s, USEFUL_THOUGHT_S) if thinks else self._useful_within_s

    async def _begin(
        self, answer: AsyncGenerator[AnswerItem, None], choice: LlmChoice, limit_s: float | None
    ) -> list[AnswerItem]:
        """Read up to the first useful item."""
        begin: list[AnswerItem] = []
        try:
            async with asyncio.timeout(limit_s):
                while not begin or isinstance(begin[-1], ModelSwitched | RequestChanged):
                    begin.append(await anext(answer))
        except TimeoutError:
            error = VendorTimeoutError(
                f"{choice.vendor}: nothing useful from {choice.model} within {limit_s:g} s",
                vendor=choice.vendor,
                remedy="If it stays, put a quicker model first.",
            )
            if self._late is not None:
                self._late(choice, error)
            raise error from None
        return begin

    def _introduced(
        self, begin: list[AnswerItem], request: ChatRequest, place: int, cause: VendorError | None
    ) -> Iterator[AnswerItem]:
        """Put one notice before an answer that comes from another model than the application asked for."""
        inner = next((item for item in begin if isinstance(item, ModelSwitched)), None)
        choice = self._candidates[place][0]
        if place:
            used = inner.used if inner else choice.model
            reason = cause.code if cause else self._passed_over[0][1]
            yield ModelSwitched(
                request.model, used, reason, choice.vendor, str(cause or ""), cause.remedy if cause else ""
            )
        elif inner:
            yield inner
        yield from (item for item in begin if not isinstance(item, ModelSwitched))

    def _asked(self, request: ChatRequest, place: int) -> ChatRequest:
        """Ask another model by its own name; free parameters stay with the vendor they were written for."""
        if place == 0:
            return request
        choice = self._candidates[place][0]
        same = choice.vendor == self._candidates[0][0].vendor
        return replace(request, model=choice.model, vendor_params=request.vendor_params if same else {})

    def _places(self) -> Iterator[int]:
        """Return the order to ask in: those that failed lately come last, but they do come."""
        now_s = asyncio.get_running_loop().time()
        late = {place for place, (until_s, _) in self._passed_over.items() if until_s > now_s}
        everyone = range(len(self._candidates))
        yield from (place for place in everyone if place not in late)
        yield from (place for place in everyone if place in late)

    def _pass_over(self, place: int, error: VendorError) -> None:
        choice = self._candidates[place][0]
        _log.warning("llm fallback", vendor=choice.vendor, model=choice.model, cause=error.code, remedy=error.remedy)
        forever = error.code in _PASSED_OVER_FOR_GOOD
        wait_s = float("inf") if forever else _PASSED_OVER_S
        self._passed_over[place] = (asyncio.get_running_loop().time() + wait_s, error.code)

    async def warm_up(self) -> None:
        """Open all connections early, side by side."""
        async with asyncio.TaskGroup() as group:
            for _, model in self._candidates:
                group.create_task(model.warm_up())
