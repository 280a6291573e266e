"""One account of an OpenAI-compatible vendor: what they share is here, what each does differently is data (`Traits`).

A vendor's folder holds its manifest and its traits; docs/howto/add-llm-vendor.md adds one step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import msgspec
import structlog

from moonwire.dialects.chat_history import ReasoningPolicy, chat_messages
from moonwire.dialects.endpoints import BaseUrl, clean_base_url, clean_key
from moonwire.dialects.openai_chat import chat_body
from moonwire.errors import ConfigError, ModelUnavailableError, RemoteProtocolError, VendorError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.llm import ChatRequest, ListedModel, ModelOutlook
from moonwire.vendors.chat_errors import ErrorRow, classify, repair_for
from moonwire.vendors.chat_manifest import Manifest
from moonwire.vendors.chat_retired import RetiredModels
from moonwire.vendors.chat_tools import OfferedTools, name_tools
from moonwire.vendors.chat_vendor import ChatLimits, ChatPlan, Endpoint, HttpFailure, ModelChoice, Repair
from moonwire.vendors.connections import EndpointKnowledge

Cap = Literal["max_tokens", "max_completion_tokens"]

ENDPOINTS = ("/chat/completions", "/models")
SAMPLING = frozenset({"temperature", "top_p", "n", "presence_penalty", "frequency_penalty", "seed", "top_k"})

_CAPS: frozenset[str] = frozenset({"max_tokens", "max_completion_tokens"})
_QUICK = ChatLimits()
_THINKING = ChatLimits(headers_s=10.0, first_content_s=30.0, idle_s=10.0)

_SPOKEN_TOKENS, _THOUGHTFUL_TOKENS = 1024, 4096
"""What is left of the context for an answer that nobody bounds."""

_log = structlog.get_logger()


def _never(_model: str) -> bool:
    return False


def _max_tokens(_model: str) -> Cap:
    return "max_tokens"


def _nothing(_model: str) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True, slots=True)
class Traits:
    """What one vendor does differently from the plain dialect; questions are asked per model id."""

    manifest: Manifest
    url: str
    """Base URL; empty when the operator must give one."""
    default_path: str = ""
    """Added to a Base URL without any path."""
    cap: Callable[[str], Cap] = _max_tokens
    """Which member bounds the answer."""
    thinks: Callable[[str], bool] = _never
    """Reasons before it speaks, whatever is sent."""
    quiet: Callable[[str], Mapping[str, object]] = _nothing
    """Members that keep a model from thinking, or let it think least; not sent when the application asks
    for medium or high effort."""
    takes_effort: Callable[[str], bool] = _never
    """Takes `reasoning_effort` as jambonz spells it."""
    fixed_sampling: Callable[[str], bool] = _never
    """Refuses a temperature of one's own."""
    no_tools: Callable[[str], bool] = _never
    stream_options: bool = True
    """Understands `stream_options.include_usage`."""
    forces_tools: bool = True
    """Takes a `tool_choice` other than `auto` and `none`."""
    reasoning: ReasoningPolicy = "drop"
    """Which assistant messages carry their reasoning back while a model thinks."""
    extra: Mapping[str, object] = field(default_factory=dict[str, object])
    """Members sent with tools."""
    withheld: frozenset[str] = frozenset()
    """Members this vendor refuses; an application's are left out with a warning."""
    rows: tuple[ErrorRow, ...] = ()
    """Its own lines of the error table."""
    request_ids: tuple[str, ...] = ()
    """Headers with its own request id."""


def _as_object(parameters: Mapping[str, object]) -> dict[str, object]:
    return {"type": "object", "properties": {}, **parameters}


def _wants_thought(request: ChatRequest) -> bool:
    return request.reasoning_effort in {"medium", "high"}


def context_tokens(about: Manifest, model: str, knowledge: EndpointKnowledge) -> int | None:
    """Return a model's context; the endpoint's own word goes before the manifest's."""
    listed = knowledge.live.get(model)
    if listed is not None and listed.context_tokens:
        return listed.context_tokens
    known = about.by_id.get(model)
    return known.context_tokens if known is not None else None


class FamilyAccount:
    """Implements ChatVendor; a vendor's class sets `traits`."""

    traits: ClassVar[Traits]

    def __init__(self, credential: VendorCredential, base_url: str | None = None) -> None:
        """Prepare an account; nothing is sent.

        Args:
            credential: the stored or inline account.
            base_url: the application's own address instead of the credential's.

        Raises:
            ConfigError: the address is unusable or missing.
        """
        about = self.traits.manifest
        self._retired = RetiredModels.of(about, credential)
        self._address = self._clean(base_url or credential.base_url or self.traits.url)
        key = clean_key(credential.api_key)
        self._endpoint = Endpoint(self._address.url, {**self._auth(key), "Content-Type": "application/json"}, key)
        self._tools = OfferedTools(_as_object)
        self._warned: set[str] = set()

    def _clean(self, given: str) -> BaseUrl:
        if not given:
            raise ConfigError(f"{self.name}: Base URL is missing; it looks like https://llm.example.com/v1")
        return clean_base_url(given, endpoints=ENDPOINTS, default_path=self.traits.default_path)

    def _auth(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if key else {}

    @property
    def name(self) -> str:
        """The vendor's name as in `llm.vendor`."""
        return self.traits.manifest.vendor

    @property
    def address(self) -> BaseUrl:
        """The address, and what was changed about the given one."""
        return self._address

    @property
    def notice(self) -> str:
        """Nothing to know beforehand."""
        return ""

    @property
    def lists_models(self) -> bool:
        """Whether there is a model list."""
        return self.traits.manifest.lists_models

    @property
    def endpoint(self) -> Endpoint:
        """The account's address and headers."""
        return self._endpoint

    def choose(self, model: str, knowledge: EndpointKnowledge) -> ModelChoice:
        """Keep the asked model unless the endpoint is known not to have it and a successor is known."""
        return self._retired.choose(model, knowledge)

    def plan(self, request: ChatRequest, model: str, repairs: frozenset[str], knowledge: EndpointKnowledge) -> ChatPlan:
        """Write the request body."""
        traits = self.traits
        quiet = {} if _wants_thought(request) or "drop-thinking" in repairs else dict(traits.quiet(model))
        thinks = self._thinks(request, model)
        tools = self._tools
        tools.offer(() if traits.no_tools(model) else request.tools, plain="plain-schemas" in repairs)
        policy: ReasoningPolicy = (
            "tool-calls" if "fill-reasoning" in repairs else traits.reasoning if thinks else "drop"
        )
        body = chat_body(model, chat_messages(request.messages, tools.names, policy), tools.written)
        if tools.written:
            body |= {"tool_choice": "auto", **traits.extra}
        if not traits.stream_options or "drop-stream-options" in repairs:
            del body["stream_options"]
        if request.max_tokens is not None:
            body[self._cap(model, repairs)] = request.max_tokens
        if request.reasoning_effort and traits.takes_effort(model):
            body["reasoning_effort"] = request.reasoning_effort
        body |= quiet
        if "drop-effort" in repairs:
            body.pop("reasoning_effort", None)
        sampling = {} if request.temperature is None else {"temperature": request.temperature}
        self._merge(body, {**sampling, **request.vendor_params}, model, repairs)
        return ChatPlan(body, _THINKING if thinks else _QUICK, thinks)

    def _thinks(self, request: ChatRequest, model: str) -> bool:
        return self.traits.thinks(model) or (_wants_thought(request) and bool(self.traits.quiet(model)))

    def outlook(self, request: ChatRequest, model: str, knowledge: EndpointKnowledge) -> ModelOutlook:
        """Return the model's context by the endpoint's list or the manifest, and whether it reasons first."""
        thinks = self._thinks(request, model)
        answer = request.max_tokens or (_THOUGHTFUL_TOKENS if thinks else _SPOKEN_TOKENS)
        return ModelOutlook(context_tokens(self.traits.manifest, model, knowledge), answer, thinks)

    def _cap(self, model: str, repairs: frozenset[str]) -> Cap:
        cap = self.traits.cap(model)
        if "other-cap" not in repairs:
            return cap
        return "max_tokens" if cap == "max_completion_tokens" else "max_completion_tokens"

    def _merge(
        self, body: dict[str, object], members: Mapping[str, object], model: str, repairs: frozenset[str]
    ) -> None:
        """Add the application's free members, without replacing ours and without what would be refused."""
        fixed = self.traits.fixed_sampling(model) or "drop-sampling" in repairs
        for key, value in members.items():
            if key == "tool_choice" and self._tools.written:
                if "drop-tool-choice" not in repairs and (self.traits.forces_tools or value in ("auto", "none")):
                    body[key] = self._tools.names.in_choice(value)
            elif (key in SAMPLING and fixed) or key in self.traits.withheld:
                self._warn_once("llm parameter left out: the vendor refuses it", parameter=key)
            elif key not in body and not (key in _CAPS and _CAPS & body.keys()):
                body[key] = value

    def _warn_once(self, message: str, **facts: object) -> None:
        if message not in self._warned:
            self._warned.add(message)
            _log.warning(message, vendor=self.name, **facts)

    def tool_name(self, name: str) -> str:
        """Return the application's name of a tool that the model called."""
        return self._tools.names.to_application(name)

    def error(self, failure: HttpFailure, knowledge: EndpointKnowledge) -> VendorError:
        """Name a failure; a missing model is told with what lives instead."""
        error = classify(failure, self.name, self.traits.rows, self.traits.request_ids)
        name_tools(error, self._tools.offered)
        if isinstance(error, ModelUnavailableError) and failure.model:
            return self._retired.unavailable(failure.model, knowledge, error)
        return error

    def repair(self, error: VendorError, plan: ChatPlan) -> Repair | None:
        """Return the change that may make a refused request acceptable."""
        return repair_for(error)

    def listed(self, body: bytes) -> list[ListedModel]:
        """Read the answer of GET /models."""
        return listed_models(body)


class _ListedEntry(msgspec.Struct):
    id: str
    context_length: int | None = None
    context_window: int | None = None


class _ModelList(msgspec.Struct):
    data: list[_ListedEntry]


def listed_models(body: bytes) -> list[ListedModel]:
    """Translate a model list: `{"data": [...]}`, or the bare array that some hosts give.

    Raises:
        RemoteProtocolError: it is none.
    """
    try:
        if body.lstrip()[:1] == b"[":
            entries = msgspec.json.decode(body, type=list[_ListedEntry])
        else:
            entries = msgspec.json.decode(body, type=_ModelList).data
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RemoteProtocolError("the model list is no model list") from None
    return [ListedModel(one.id, one.context_length or one.context_window) for one in entries if one.id]
