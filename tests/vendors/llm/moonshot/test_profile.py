from __future__ import annotations

from typing import Any

import pytest

from moonwire.ports.llm import ListedModel
from moonwire.vendors.llm.moonshot.manifest import MANIFEST
from moonwire.vendors.llm.moonshot.profile import (
    ALWAYS,
    EFFORT,
    FOREIGN,
    PLAIN,
    SWITCHABLE,
    UNKNOWN_KIMI,
    V1,
    Family,
    family_of,
    plan_thinking,
)

OFF = {"thinking": {"type": "disabled"}}
ON = {"thinking": {"type": "enabled"}}


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("kimi-k2.6", SWITCHABLE), ("kimi-k2.5", SWITCHABLE), ("kimi-k2.7-code-highspeed", ALWAYS),
        ("kimi-k3.1-pro", EFFORT), ("kimi-k2-thinking-turbo", ALWAYS), ("kimi-k2-0711-preview", PLAIN),
        ("kimi-latest", PLAIN), ("moonshot-v1-auto", V1), ("moonshotai/Kimi-K2.6", FOREIGN), ("kimi-k4", UNKNOWN_KIMI),
    ],
)  # fmt: skip
def test_families(model: str, family: Family) -> None:
    assert family_of(model, {}) is family


def test_known_models_and_families_agree() -> None:
    for model in MANIFEST.models:
        assert family_of(model.id, {}).thinking == model.thinking, model.id


@pytest.mark.parametrize(
    ("thinking", "family"),
    [("switchable", SWITCHABLE), ("always", EFFORT), ("no", PLAIN), ("unknown", UNKNOWN_KIMI)],
)
def test_the_list_decides_about_new_models(thinking: Any, family: Family) -> None:
    assert family_of("kimi-k4-instant", {"kimi-k4-instant": ListedModel("kimi-k4-instant", None, thinking)}) is family


@pytest.mark.parametrize(
    ("family", "effort", "asked", "members", "thinks"),
    [
        (SWITCHABLE, None, {}, OFF, False),
        (SWITCHABLE, "minimal", {}, OFF, False),
        (SWITCHABLE, "low", {}, OFF, False),
        (SWITCHABLE, "medium", {}, ON, True),
        (SWITCHABLE, "high", {}, ON, True),
        (SWITCHABLE, None, ON, ON, True),
        (SWITCHABLE, None, {"reasoning_effort": "high"}, {"reasoning_effort": "high"}, True),
        (SWITCHABLE, None, {**ON, "reasoning_effort": "high"}, ON, True),
        (SWITCHABLE, "high", {"tool_choice": {"type": "function"}}, OFF, False),
        (EFFORT, None, {}, {"reasoning_effort": "low"}, True),
        (EFFORT, "minimal", {}, {"reasoning_effort": "low"}, True),
        (EFFORT, "high", {}, {"reasoning_effort": "high"}, True),
        (EFFORT, None, {**OFF, "reasoning_effort": "max"}, {"reasoning_effort": "max"}, True),
        (ALWAYS, "low", {}, {}, True),
        (PLAIN, "high", {}, {}, False),
        (V1, None, {}, {}, False),
        (UNKNOWN_KIMI, None, {}, {}, True),
        (FOREIGN, "low", {}, {}, False),
        (FOREIGN, None, ON, ON, True),
    ],
)
def test_thinking(family: Family, effort: str | None, asked: Any, members: Any, thinks: bool) -> None:
    plan = plan_thinking(family, effort, asked, frozenset())
    assert plan.members == members
    assert plan.thinks == thinks
    assert plan.limits.first_content_s == (30.0 if thinks else 4.0)
    assert (plan.reasoning == "drop") == (not thinks)


def test_repairs_change_the_plan() -> None:
    assert plan_thinking(SWITCHABLE, None, {}, frozenset({"drop-thinking"})).members == {}
    assert plan_thinking(EFFORT, None, {}, frozenset({"drop-effort"})).members == {}
    assert plan_thinking(FOREIGN, None, {}, frozenset({"fill-reasoning"})).reasoning == "tool-calls"
