"""What a vendor of the chat-completions family decides, and the values it decides with.

The streaming itself (`chat_completions.py`) is the same for all of them; a vendor folder brings an address, a body,
an error table and its models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from moonwire.dialects.endpoints import BaseUrl
from moonwire.errors import VendorError
from moonwire.ports.llm import ChatRequest, ListedModel, ModelOutlook, ModelSwitched
from moonwire.vendors.connections import EndpointKnowledge

Repair = Literal[
    "drop-sampling",
    "drop-thinking",
    "drop-effort",
    "fill-reasoning",
    "drop-tool-choice",
    "drop-stream-options",
    "other-cap",
    "plain-schemas",
]
"""One change to a request that the vendor refused by name."""

LASTING_REPAIRS: frozenset[str] = frozenset(
    {"drop-sampling", "drop-thinking", "drop-effort", "fill-reasoning", "drop-stream-options", "other-cap"}
)
"""Repairs that hold for the model, not only for one conversation; remembered per endpoint."""


@dataclass(frozen=True, slots=True)
class ChatLimits:
    """How long each step of an answer may take, and what may be tried again before anything was said."""

    connect_s: float = 2.0
    headers_s: float = 4.0
    first_content_s: float = 4.0
    """Request sent to the first text or tool call; reasoning and keep-alive comments do not count."""
    idle_s: float = 5.0
    """Between two pieces of the answer; keep-alive comments do not count."""
    retries: int = 2
    retry_budget_s: float = 2.5
    """No retry begins later than this after the first request."""
    stall_retry_s: float = 0.8
    """What a second try may take after a first one that stalled; together they stay below the 5 s in which a reply must
    become audible, so that the cause is told and not only the silence."""

    def overridden(self, options: ConnectOptions) -> ChatLimits:
        """Apply what the application asked for."""
        limits = self
        if options.timeout_s is not None:
            limits = replace(limits, headers_s=options.timeout_s, first_content_s=options.timeout_s)
        if options.max_retries is not None:
            limits = replace(limits, retries=options.max_retries)
        return limits


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """An agent's `connectOptions`, in seconds; None leaves the vendor's own value."""

    timeout_s: float | None = None
    max_retries: int | None = None
    base_url: str | None = None
    """Another address; allowed only together with the caller's own key."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a vendor is reached; the headers hold the key."""

    base_url: str
    headers: Mapping[str, str]
    api_key: str
    query: str = ""
    """Added to every path, with its question mark (Azure's `api-version`)."""

    def url(self, path: str) -> str:
        """Return the address of an endpoint."""
        return f"{self.base_url}{path}{self.query}"

    def __repr__(self) -> str:
        return f"Endpoint({self.base_url!r})"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The model to ask, and the notice when it is not the one asked for."""

    model: str
    switched: ModelSwitched | None = None


@dataclass(frozen=True, slots=True)
class ChatPlan:
    """One request, ready to be sent."""

    body: Mapping[str, object]
    limits: ChatLimits
    thinks: bool = False
    """The model reasons before it speaks."""


@dataclass(frozen=True, slots=True)
class HttpFailure:
    """An answer that is no answer: status, headers and the beginning of the body; status 200 for errors in a stream."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    model: str


class ChatVendor(Protocol):
    """One vendor account of the chat-completions family."""

    @property
    def name(self) -> str:
        """The vendor's name as in `llm.vendor`."""
        ...

    @property
    def address(self) -> BaseUrl:
        """The account's address, and what was changed about the pasted one."""
        ...

    @property
    def notice(self) -> str:
        """What the operator should know about this key or address before anything is sent; empty = nothing."""
        ...

    @property
    def lists_models(self) -> bool:
        """Whether the vendor has a model list."""
        ...

    @property
    def endpoint(self) -> Endpoint:
        """The account's address and headers."""
        ...

    def choose(self, model: str, knowledge: EndpointKnowledge) -> ModelChoice:
        """Decide which model to ask for, without asking anybody.

        Raises:
            ModelUnavailableError: the model is known to be gone and must not be replaced.
        """
        ...

    def plan(self, request: ChatRequest, model: str, repairs: frozenset[str], knowledge: EndpointKnowledge) -> ChatPlan:
        """Write the request."""
        ...

    def outlook(self, request: ChatRequest, model: str, knowledge: EndpointKnowledge) -> ModelOutlook:
        """Return what is known about a model's answer beforehand."""
        ...

    def error(self, failure: HttpFailure, knowledge: EndpointKnowledge) -> VendorError:
        """Name what went wrong, and what to do about it."""
        ...

    def repair(self, error: VendorError, plan: ChatPlan) -> Repair | None:
        """Return the change that may make a refused request acceptable."""
        ...

    def tool_name(self, name: str) -> str:
        """Return the application's name of a tool that the model called."""
        ...

    def listed(self, body: bytes) -> list[ListedModel]:
        """Read the model list.

        Raises:
            RemoteProtocolError: it is none.
        """
        ...
