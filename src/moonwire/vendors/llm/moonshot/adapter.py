"""Joins the chat dialect with Moonshot's address, families, models and errors; streaming itself is shared code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import structlog

from moonwire.dialects.chat_history import chat_messages
from moonwire.dialects.endpoints import BaseUrl, clean_base_url, clean_key
from moonwire.dialects.moonshot_schema import normalise_parameters
from moonwire.dialects.openai_chat import chat_body
from moonwire.errors import ModelUnavailableError, RemoteProtocolError, VendorError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.llm import ChatRequest, ListedModel, ModelOutlook, ToolDefinition
from moonwire.vendors.chat_errors import repair_for
from moonwire.vendors.chat_family import ENDPOINTS, SAMPLING, context_tokens
from moonwire.vendors.chat_retired import RetiredModels
from moonwire.vendors.chat_tools import OfferedTools, name_tools
from moonwire.vendors.chat_vendor import ChatPlan, Endpoint, HttpFailure, ModelChoice, Repair
from moonwire.vendors.connections import EndpointKnowledge
from moonwire.vendors.llm.moonshot.errors import CODING_KEY, classify
from moonwire.vendors.llm.moonshot.manifest import CODING_HOST, CODING_KEY_PREFIX, GLOBAL_URL, MANIFEST, VENDOR
from moonwire.vendors.llm.moonshot.profile import (
    QUICK_CAP_TOKENS,
    THINKING_CAP_TOKENS,
    Family,
    family_of,
    plan_thinking,
    takes_tool_choice,
)

_MAX_TOOLS = 128
_POOREST = "tier-0"
"""Three requests a minute: none to spare."""

_log = structlog.get_logger()


def base_url_of(credential: VendorCredential) -> BaseUrl:
    """Return a credential's address, normalised.

    Raises:
        ConfigError: it is no http(s) address.
    """
    given = credential.base_url or credential.fields.get("api_url") or GLOBAL_URL
    return clean_base_url(given, endpoints=ENDPOINTS, default_path="/v1")


class Moonshot:
    """One Moonshot account: decides what is sent and what the answers mean."""

    name = VENDOR

    def __init__(self, credential: VendorCredential, base_url: str | None = None) -> None:
        """Prepare an account; nothing is sent.

        Args:
            credential: the stored or inline account.
            base_url: the application's own address instead of the credential's.

        Raises:
            ConfigError: the address is unusable.
        """
        self._address = (
            clean_base_url(base_url, endpoints=ENDPOINTS, default_path="/v1") if base_url else base_url_of(credential)
        )
        key = clean_key(credential.api_key)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._endpoint = Endpoint(self._address.url, headers, key)
        self._retired = RetiredModels.of(MANIFEST, credential)
        self._tools = OfferedTools(normalise_parameters)
        self._warned: set[str] = set()

    @property
    def address(self) -> BaseUrl:
        """The address, and what was changed about the given one."""
        return self._address

    @property
    def notice(self) -> str:
        """A key of the coding product is explained, not refused."""
        is_coding = self._address.host == CODING_HOST
        return CODING_KEY if is_coding or self._endpoint.api_key.startswith(CODING_KEY_PREFIX) else ""

    @property
    def lists_models(self) -> bool:
        """Moonshot has a model list."""
        return True

    @property
    def endpoint(self) -> Endpoint:
        """The account's address and headers."""
        return self._endpoint

    def choose(self, model: str, knowledge: EndpointKnowledge) -> ModelChoice:
        """Keep the asked model unless the endpoint is known not to have it and a successor is known."""
        return self._retired.choose(model, knowledge)

    def plan(self, request: ChatRequest, model: str, repairs: frozenset[str], knowledge: EndpointKnowledge) -> ChatPlan:
        """Write the request body; see README.md for what is sent and what never is."""
        family = family_of(model, knowledge.live)
        thinking = plan_thinking(family, request.reasoning_effort, request.vendor_params, repairs)
        tools = self._offer(request.tools, plain="plain-schemas" in repairs)
        body = chat_body(model, chat_messages(request.messages, tools.names, thinking.reasoning), tools.written)
        body["max_completion_tokens"] = _cap(
            request, context_tokens(MANIFEST, model, knowledge), thinks=thinking.thinks
        )
        body |= thinking.members
        if request.temperature is not None:
            self._add_temperature(body, request.temperature, family, repairs)
        for key, value in request.vendor_params.items():
            if key not in body and not self._withheld(key, value, family, repairs, thinking.thinks):
                body[key] = self._tools.names.in_choice(value) if key == "tool_choice" else value
        return ChatPlan(body, thinking.limits, thinking.thinks)

    def outlook(self, request: ChatRequest, model: str, knowledge: EndpointKnowledge) -> ModelOutlook:
        """Return the model's context, the answer's cap, and whether it will think first."""
        family = family_of(model, knowledge.live)
        repairs = knowledge.repairs(model)
        thinks = plan_thinking(family, request.reasoning_effort, request.vendor_params, repairs).thinks
        context = context_tokens(MANIFEST, model, knowledge)
        caches = not thinks and not knowledge.tier.endswith(_POOREST)
        return ModelOutlook(context, _cap(request, context, thinks=thinks), thinks, caches)

    def _offer(self, tools: Sequence[ToolDefinition], *, plain: bool) -> OfferedTools:
        if len(tools) > _MAX_TOOLS:
            self._warn_once("llm tools beyond the vendor's limit left out", offered=len(tools))
            tools = tools[:_MAX_TOOLS]
        self._tools.offer(tools, plain=plain)
        return self._tools

    def tool_name(self, name: str) -> str:
        """Return the application's name of a tool that the model called."""
        return self._tools.names.to_application(name)

    def _add_temperature(
        self, body: dict[str, object], temperature: float, family: Family, repairs: frozenset[str]
    ) -> None:
        if not family.sampling or "drop-sampling" in repairs:
            self._warn_once("llm temperature left out: the model has a fixed one", model=body["model"])
        else:
            body["temperature"] = temperature if family.foreign else min(max(temperature, 0.0), 1.0)

    def _withheld(self, key: str, value: object, family: Family, repairs: frozenset[str], thinks: bool) -> bool:
        """Whether a free member must not be sent: fixed sampling, a second token cap, refused before."""
        if key in SAMPLING and (not family.sampling or "drop-sampling" in repairs):
            self._warn_once("llm parameter left out: the model has a fixed value", parameter=key)
            return True
        if key == "tool_choice":
            refused = "drop-tool-choice" in repairs or not takes_tool_choice(family, value, thinks=thinks)
            return refused or not self._tools.written
        return key in {"max_tokens", "thinking", "reasoning_effort"}

    def _warn_once(self, message: str, **facts: object) -> None:
        if message not in self._warned:
            self._warned.add(message)
            _log.warning(message, vendor=VENDOR, **facts)

    def error(self, failure: HttpFailure, knowledge: EndpointKnowledge) -> VendorError:
        """Name a failure; a missing model is told with its date and what lives instead."""
        error = classify(failure, self._address.host)
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


def _cap(request: ChatRequest, context: int | None, *, thinks: bool) -> int:
    """Return the answer's cap; prompt and cap together must fit, so it never takes more than half of the context."""
    cap = request.max_tokens or QUICK_CAP_TOKENS
    cap = max(cap, THINKING_CAP_TOKENS) if thinks else cap
    return min(cap, context // 2) if context else cap


class _ListedEntry(msgspec.Struct):
    id: str
    context_length: int | None = None
    supports_reasoning: bool | None = None
    supports_thinking_type: str | None = None


class _ModelList(msgspec.Struct):
    data: list[_ListedEntry]


def listed_models(body: bytes) -> list[ListedModel]:
    """Translate the model list.

    Raises:
        RemoteProtocolError: it is none.

    Source: Moonshot's OpenAPI document (2026-08); `supports_thinking_type` from its own client.
    """
    try:
        found = msgspec.json.decode(body, type=_ModelList)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RemoteProtocolError("the model list is no model list") from None
    return [ListedModel(entry.id, entry.context_length, _thinking(entry)) for entry in found.data if entry.id]


def _thinking(entry: _ListedEntry) -> Literal["no", "switchable", "always", "unknown"]:
    match entry.supports_thinking_type:
        case "only":
            return "always"
        case "both":
            return "switchable"
        case "no":
            return "no"
        case _:
            return "no" if entry.supports_reasoning is False else "unknown"
