"""What the agent asks of a language-model vendor: one streamed answer at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from moonwire.core.dialog.messages import Message, ToolCall

FinishReason = Literal["stop", "tool", "length", "filtered", "error", "aborted"]


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool offered to the model; `parameters` is a JSON schema object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request; the first message may be a SystemMessage, at least one other message must follow."""

    model: str
    messages: Sequence[Message]
    tools: Sequence[ToolDefinition] = ()
    max_tokens: int | None = None
    temperature: float | None = None
    reasoning_effort: str | None = None
    """`minimal` | `low` | `medium` | `high`; adapters ignore it where the vendor has no equivalent."""
    vendor_params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Free members merged into the body last; they cannot replace the adapter's own."""


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of one request; `input` is the uncached part."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        """All tokens of the request."""
        return self.input + self.output + self.cache_read + self.cache_write

    def plus(self, other: TokenUsage) -> TokenUsage:
        """Return the sum of two requests."""
        return TokenUsage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.reasoning + other.reasoning,
        )


@dataclass(frozen=True, slots=True)
class ModelSwitched:
    """The answer comes from another model than asked for (retired model's successor, fallback); first item."""

    requested: str
    used: str
    reason: str
    vendor: str = ""
    says: str = field(default="", compare=False)
    """Why, in a sentence for the operator; empty when the reason says it all."""
    remedy: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class RequestChanged:
    """The vendor refused the request as it was written; a changed one was accepted. Before the first content."""

    vendor: str
    change: str
    """What was changed: `drop-sampling`, `plain-schemas`, ..."""
    refusal: str
    """The vendor's words, redacted."""


@dataclass(frozen=True, slots=True)
class AnswerEnd:
    """The end of an answer; exactly one, always last."""

    finish_reason: FinishReason
    usage: TokenUsage
    model: str
    request_id: str | None = None
    headers_ms: float = 0.0
    """Request sent to response headers."""
    first_content_ms: float = 0.0
    """Request sent to the first non-empty content."""
    total_ms: float = 0.0
    reasoning: str = ""
    """Reasoning text to keep with the assistant message, when the vendor wants it echoed."""


AnswerItem = str | ToolCall | ModelSwitched | RequestChanged | AnswerEnd
"""A plain str is a piece of spoken text; strings keep the per-token path free of objects."""


@dataclass(frozen=True, slots=True)
class ModelOutlook:
    """What is known, without asking anybody, about how a request will be answered."""

    context_tokens: int | None = None
    """Prompt and answer together; None = unknown."""
    answer_tokens: int = 0
    """What the answer may take of them."""
    thinks: bool = False
    """The model reasons before it speaks: seconds, perhaps many, pass before the first useful token."""
    caches_prefix: bool = False
    """The vendor remembers the beginning of a prompt, and the account can afford to send it once more than needed."""


class LanguageModel(Protocol):
    """One vendor account, opened for one call; shares connections with other calls."""

    def outlook(self, request: ChatRequest) -> ModelOutlook:
        """Return what is known about the answer before it is asked for; the messages do not matter."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[AnswerItem, None]:
        """Yield text pieces, tool calls and, last, one AnswerEnd; closing the generator cancels at once.

        Raises:
            ValueError: there is no message at all.
            ContextTooLongError: before anything was yielded: a shorter conversation may be asked at once.
            VendorError: before anything was yielded, or in the middle of the answer.
        """
        ...

    async def warm_up(self) -> None:
        """Open the connection early; never raises a VendorError, never blocks a call."""
        ...


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One model of a vendor's live list."""

    id: str
    context_tokens: int | None = None
    thinking: Literal["no", "switchable", "always", "unknown"] = "unknown"
