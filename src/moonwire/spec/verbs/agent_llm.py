"""The `llm` member of the agent verb: whom to ask, on whose account, and with what instructions.

Source: @jambonz/schema 0.4.15, verbs/agent, `llm`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field

from moonwire.spec.components import WireModel

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class SeedMessage:
    """One earlier message of the conversation, given by the application."""

    role: Literal["user", "assistant"]
    text: str


def message_text(content: object) -> str:
    """Reduce a message's content, in whatever vendor's shape, to text.

    Strings stay; lists of parts give their text parts, joined; an object gives its `text` or `content`; anything else
    is written as JSON, so that nothing the application said is lost.
    """
    match content:
        case None:
            return ""
        case str():
            return content
        case list():
            parts = [message_text(part) for part in cast("list[object]", content)]
            return "\n".join(part for part in parts if part)
        case dict():
            members = cast("dict[str, object]", content)
            for name in ("text", "content"):
                if name in members:
                    return message_text(members[name])
            return "" if "type" in members else json.dumps(members, ensure_ascii=False)
        case _:
            return json.dumps(content, ensure_ascii=False)


def _content(value: object) -> str:
    return message_text(value)


class LlmMessage(WireModel):
    """One entry of `messages`; `content` is text here, whatever shape it had."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Annotated[str, BeforeValidator(_content)] = ""


def _unwrapped(value: object) -> object:
    if isinstance(value, dict):
        function = cast("dict[str, object]", value).get("function")
        return cast("object", function if isinstance(function, dict) else value)
    return value


class Tool(WireModel):
    """A tool the model may call; flat on the wire, or wrapped as `{type: "function", function: {...}}`."""

    name: str = Field(min_length=1)
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})


ToolField = Annotated[Tool, BeforeValidator(_unwrapped)]


class LlmOptions(WireModel):
    """Instructions, seed conversation, limits and tools."""

    system_prompt: str | None = None
    messages: list[LlmMessage] = Field(default_factory=list[LlmMessage])
    initial_messages: list[LlmMessage] = Field(default_factory=list[LlmMessage])
    """The historical name of `messages`; used when that is empty."""
    max_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    reasoning_effort: Literal["minimal", "low", "medium", "high"] | None = None
    tools: list[ToolField] = Field(default_factory=list[ToolField])
    vendor_params: dict[str, Any] = Field(default_factory=dict[str, Any])

    @property
    def instructions(self) -> str:
        """`systemPrompt` first, then the system entries of the messages, parted by an empty line."""
        parts = [self.system_prompt or ""]
        parts += [message.content for message in self._seed if message.role in ("system", "developer")]
        return "\n\n".join(part.strip() for part in parts if part.strip())

    @property
    def seed_messages(self) -> tuple[SeedMessage, ...]:
        """User and assistant entries that say something."""
        return tuple(
            SeedMessage(message.role, message.content)
            for message in self._seed
            if message.role in ("user", "assistant") and message.content.strip()
        )

    @property
    def _seed(self) -> list[LlmMessage]:
        return self.messages or self.initial_messages


class ConnectOptions(WireModel):
    """Client options."""

    timeout: float | None = Field(default=None, ge=0)
    """Milliseconds."""
    max_retries: int | None = Field(default=None, ge=0)
    endpoint: str | None = None
    base_url: str | None = Field(default=None, alias="baseURL")


class AgentLlm(WireModel):
    """The model to ask; without vendor and model, the application's default."""

    vendor: str | None = None
    model: str | None = None
    label: str | None = None
    auth: dict[str, Any] | None = Field(default=None, repr=False)
    """Inline credential; with it nothing is looked up."""
    connect_options: ConnectOptions = Field(default_factory=ConnectOptions)
    llm_options: LlmOptions = Field(default_factory=LlmOptions)
    vendor_params: dict[str, Any] = Field(default_factory=dict[str, Any])

    @property
    def auth_fields(self) -> dict[str, Any] | None:
        """The inline credential with snake_case names (`apiKey` -> `api_key`, `baseURL` -> `base_url`), or None."""
        if self.auth is None:
            return None
        return {_WORD_START.sub("_", name).lower(): value for name, value in self.auth.items()}

    @property
    def all_vendor_params(self) -> dict[str, Any]:
        """Free vendor parameters from both places where applications put them."""
        return {**self.llm_options.vendor_params, **self.vendor_params}
