"""Decides when a conversation has outgrown its model's context, and to what size it is to be shortened.

Shortening happens rarely and by much: between two times the beginning of every request stays the same, byte for byte,
and the vendor's prompt cache works. Sizes are bytes of text; what a token is in bytes is learned from the vendor's own
counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from moonwire.core.dialog.messages import AssistantMessage, Message

FULL: Final = 0.85
"""Share of the context at which a conversation is shortened: counts are estimates, and the next turn is unknown."""

KEPT: Final = 0.5
"""Share of the limit that is left after shortening."""

_BYTES_PER_TOKEN: Final = 3.0
"""Until the vendor has counted: a little less than English text has, so that the guess is careful."""

_LEAST, _MOST = 1.0, 8.0
_FRAME_BYTES: Final = 24
"""What a message costs beside its text: role, separators, ids."""


def size_of(messages: Iterable[Message]) -> int:
    """Return the size of messages as a vendor would count it, in bytes of text."""
    size = 0
    for message in messages:
        size += _FRAME_BYTES + len(message.text.encode())
        if isinstance(message, AssistantMessage):
            size += len(message.reasoning.encode())
            size += sum(2 * _FRAME_BYTES + len(str(call.arguments).encode()) for call in message.tool_calls)
    return size


class ContextWindow:
    """What one call's model can take in."""

    def __init__(self) -> None:
        self._bytes_per_token = _BYTES_PER_TOKEN
        self._asked = 0
        self._ceiling = math.inf

    @property
    def is_new(self) -> bool:
        """Whether nothing has been asked yet."""
        return not self._asked

    def asked(self, size: int) -> None:
        """Note the size of a request that is sent now."""
        self._asked = size

    def counted(self, prompt_tokens: int) -> None:
        """Learn from the vendor's count of the newest request's prompt."""
        if prompt_tokens > 0 and self._asked > 0:
            self._bytes_per_token = min(max(self._asked / prompt_tokens, _LEAST), _MOST)

    def refused(self, overrun: float = 1.0) -> None:
        """Learn that the newest request was too long, whatever was believed about the model.

        Args:
            overrun: how many times too long, as far as the vendor said.
        """
        self._ceiling = self._asked / overrun * FULL

    def goal(self, size: int, context_tokens: int | None, answer_tokens: int) -> int | None:
        """Return the size to shorten a request to, None when it fits.

        Args:
            size: of the request that is about to be sent.
            context_tokens: the model's limit for prompt and answer, None = unknown.
            answer_tokens: what the answer may take of it.
        """
        limit = self._ceiling
        if context_tokens is not None:
            prompt_tokens = max(context_tokens - answer_tokens, context_tokens // 4)
            limit = min(limit, prompt_tokens * FULL * self._bytes_per_token)
        return None if size <= limit else int(limit * KEPT)
