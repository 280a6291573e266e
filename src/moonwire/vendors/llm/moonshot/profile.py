"""What differs between Moonshot's model families, as data: thinking, sampling, limits, reasoning to send back.

Source: Moonshot's API reference (2026-08, 2026-09) and integrators' live reports, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from moonwire.dialects.chat_history import ReasoningPolicy
from moonwire.ports.llm import ListedModel
from moonwire.vendors.chat_vendor import ChatLimits

Thinking = Literal["no", "switchable", "always", "unknown"]

QUICK_CAP_TOKENS = 400
"""Enough for spoken answers. The vendor counts the requested cap, not the used tokens, against the rate limit."""

THINKING_CAP_TOKENS = 4096
"""Reasoning and answer share the cap; with a small one nothing is left to say."""

_QUICK = ChatLimits()
_THINKING = ChatLimits(headers_s=10.0, first_content_s=30.0, idle_s=10.0)


@dataclass(frozen=True, slots=True)
class Family:
    """One family's contract."""

    thinking: Thinking
    effort: bool = False
    """Takes `reasoning_effort` (low, high, max); without it the vendor uses the highest."""
    sampling: bool = False
    """Takes temperature, 0 to 1. All `kimi-*` models have fixed values and refuse others."""
    forces_tools: bool = False
    """Takes `tool_choice: "required"`; the others answer 400 while they think, and document an error otherwise."""
    foreign: bool = False
    """Not one of Moonshot's own ids: another host's model, whose parameters are the operator's business."""


SWITCHABLE = Family("switchable")
ALWAYS = Family("always")
EFFORT = Family("always", effort=True, forces_tools=True)
PLAIN = Family("no")
V1 = Family("no", sampling=True)
UNKNOWN_KIMI = Family("unknown")
FOREIGN = Family("unknown", sampling=True, forces_tools=True, foreign=True)

_BY_PREFIX: tuple[tuple[str, Family], ...] = (
    ("kimi-k2.5", SWITCHABLE),
    ("kimi-k2.6", SWITCHABLE),
    ("kimi-k2.7-code", ALWAYS),
    ("kimi-k3", EFFORT),
    ("kimi-k2-thinking", ALWAYS),
    ("kimi-thinking-preview", ALWAYS),
    ("kimi-k2-", PLAIN),
    ("kimi-latest", PLAIN),
    ("moonshot-v1-", V1),
)
"""First match wins. Hosts of the open weights use other spellings (`moonshotai/Kimi-K2.6`) and fall through."""


def family_of(model: str, listed: Mapping[str, ListedModel]) -> Family:
    """Return a model's family; for new `kimi-*` ids the endpoint's own list decides."""
    for prefix, family in _BY_PREFIX:
        if model.startswith(prefix):
            return family
    if not model.startswith("kimi-"):
        return FOREIGN
    match listed[model].thinking if model in listed else "unknown":
        case "switchable":
            return SWITCHABLE
        case "always":
            return EFFORT
        case "no":
            return PLAIN
        case _:
            return UNKNOWN_KIMI


def takes_tool_choice(family: Family, choice: object, *, thinks: bool) -> bool:
    """Tell whether a family takes a `tool_choice`; what it does not take is left to the model.

    Source: Moonshot's parameter reference (2026-09) and live refusals (2026-04, 2026-07).
    """
    if choice in ("auto", "none"):
        return True
    if choice == "required":
        return family.forces_tools
    # A named function: only without thinking, and documented only for the family that can do without.
    return family.foreign or (family.thinking == "switchable" and not thinks)


@dataclass(frozen=True, slots=True)
class ThinkingPlan:
    """How one request treats thinking."""

    members: Mapping[str, object]
    """What goes into the body for it."""
    thinks: bool
    reasoning: ReasoningPolicy
    limits: ChatLimits


def plan_thinking(
    family: Family, effort: str | None, asked: Mapping[str, object], repairs: frozenset[str]
) -> ThinkingPlan:
    """Decide about thinking: off where it can be, as little as possible where it cannot, unless asked otherwise.

    Args:
        family: of the model.
        effort: jambonz's `reasoningEffort`, if any.
        asked: the application's own `thinking`, `reasoning_effort` or `tool_choice` members; they win.
        repairs: what the endpoint refused before.
    """
    members = _thinking_members(family, effort, asked, repairs)
    switch = members.get("thinking")
    told: object = cast("Mapping[str, object]", switch).get("type") if isinstance(switch, Mapping) else None
    thinks = told == "enabled" or (told is None and family.thinking != "no" and not family.foreign)
    policy: ReasoningPolicy = "drop"
    if thinks:
        policy = "always" if family.thinking == "always" else "tool-calls"
    elif "fill-reasoning" in repairs:
        policy = "tool-calls"
    return ThinkingPlan(members, thinks, policy, _THINKING if thinks else _QUICK)


def _thinking_members(
    family: Family, effort: str | None, asked: Mapping[str, object], repairs: frozenset[str]
) -> dict[str, object]:
    own = {key: asked[key] for key in ("thinking", "reasoning_effort") if key in asked}
    if len(own) == 2:
        # Both together are refused by every family; the family knows one of them.
        own.pop("thinking" if family.effort else "reasoning_effort")
    if own:
        return own
    if family.thinking == "switchable" and "drop-thinking" not in repairs:
        forced = isinstance(asked.get("tool_choice"), Mapping)
        wanted = effort in {"medium", "high"} and not forced
        return {"thinking": {"type": "enabled" if wanted else "disabled"}}
    if family.effort and "drop-effort" not in repairs:
        return {"reasoning_effort": "high" if effort in {"medium", "high"} else "low"}
    return {}
