"""Keeps the order of what an application says: answers that somebody waits for, and commands that come by themselves.

A command that follows an answer on the wire must not overtake it: it is delivered after the waiting task took it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from moonwire.spec.commands import Command

Answer = asyncio.Future[Any]


class Inbox:
    """One session's answers and commands."""

    def __init__(self, on_command: Callable[[Command], None]) -> None:
        self._on_command = on_command
        self._commands: deque[Command] = deque()
        self._not_taken: set[Answer] = set()

    def resolve(self, answer: Answer, data: object) -> None:
        """Give an answer to the task that waits for it."""
        if not answer.done():
            self._not_taken.add(answer)
            answer.set_result(data)

    @contextmanager
    def taking(self, answer: Answer) -> Generator[None]:
        """Mark the block in which an answer is awaited and used; commands follow when the task next waits."""
        try:
            yield
        finally:
            self._not_taken.discard(answer)
            asyncio.get_running_loop().call_soon(self._flush)

    def deliver(self, command: Command) -> None:
        """Hand over a command, now or after the answers before it."""
        self._commands.append(command)
        self._flush()

    def _flush(self) -> None:
        while self._commands and not self._not_taken:
            self._on_command(self._commands.popleft())
