"""Runs an application's verbs one after another; the stack may be replaced or extended at any time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from moonwire.spec.verbs import Verb

RunVerb = Callable[[Verb], Awaitable[Sequence[Verb] | None]]
"""Runs one verb to its end; verbs returned replace the rest of the stack."""


class Script:
    """One call's verb stack."""

    def __init__(self, run_verb: RunVerb) -> None:
        self._run_verb = run_verb
        self._stack: deque[Verb] = deque()
        self._current: asyncio.Task[Sequence[Verb] | None] | None = None
        self._wake = asyncio.Event()
        self._finished = False
        self._killed = False

    def replace(self, verbs: Sequence[Verb]) -> None:
        """Stop the running verb, without its actionHook, and go on with these."""
        self._stack = deque(verbs)
        self._kill()
        self._wake.set()

    def append(self, verbs: Sequence[Verb]) -> None:
        """Queue verbs behind the others."""
        self._stack.extend(verbs)
        self._wake.set()

    def finish(self) -> None:
        """Drop what has not been started; the running verb may come to its own end."""
        self._stack.clear()
        self._finished = True
        self._wake.set()

    def abort(self) -> None:
        """Stop the running verb and everything after it."""
        self.finish()
        self._kill()

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return self._current is None and not self._stack

    async def run_dry(self) -> None:
        """Run verbs until the stack is empty."""
        while self._stack and not self._finished:
            await self._run_one(self._stack.popleft())

    async def wait_for_verbs(self) -> bool:
        """Wait until verbs have arrived (True) or the script is finished (False)."""
        while not self._stack and not self._finished:
            self._wake.clear()
            await self._wake.wait()
        return not self._finished

    async def _run_one(self, verb: Verb) -> None:
        async with asyncio.TaskGroup() as group:
            self._killed = False
            self._current = group.create_task(self._guard(verb))
        task, self._current = self._current, None
        if task.cancelled() or self._killed:
            return
        following = task.result()
        if following and not self._finished:
            self._stack = deque(following)

    async def _guard(self, verb: Verb) -> Sequence[Verb] | None:
        return await self._run_verb(verb)

    def _kill(self) -> None:
        if self._current is not None:
            self._killed = True
            self._current.cancel()
