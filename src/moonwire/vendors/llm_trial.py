"""Tests a language-model account in stages with the code that calls use, and says what failed, why, and what to do.

input (key and address), reach (DNS, TCP, TLS, proxy), key (the live model list), model, talk (one streamed answer with
the agent's parameters), tools. Nothing is repeated or replaced behind the operator's back; no stage tells the key.
The report is described in docs/reference/llm-test.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from moonwire.core.dialog.messages import SystemMessage, ToolCall, UserMessage
from moonwire.errors import ConfigError, CredentialError, RateLimitError, VendorError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.llm import AnswerEnd, ChatRequest, ListedModel, ModelSwitched, RequestChanged, ToolDefinition
from moonwire.vendors.address_guard import AddressGuard
from moonwire.vendors.chat_completions import ChatCompletions
from moonwire.vendors.chat_manifest import Manifest
from moonwire.vendors.chat_retired import RetiredModels, Retirement
from moonwire.vendors.chat_vendor import ConnectOptions
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.llm import manifest, open_llm
from moonwire.vendors.llm_models import merged_models
from moonwire.vendors.reach import Reached, reach, trouble_of
from moonwire.vendors.trial_report import Stage, StageName, Trial, failed, ok, skipped, stage_of, warned

TALK_LIMIT_S = 40.0
_SLOW_S = 2.5
"""A caller notices; models for live calls begin within this."""

_NO_RETRY = ConnectOptions(max_retries=0)
_PROMPT = (SystemMessage("You are on the phone. Answer in one short sentence."), UserMessage("Hello, can you hear me?"))
_WEATHER = ToolDefinition(
    "get_weather",
    "The weather of a city now.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
_TOOL_PROMPT = (SystemMessage("Use the tool to answer."), UserMessage("What is the weather in Paris?"))

Regions = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TrialOptions:
    """What one test is asked to do."""

    region_check: bool = False
    """The user agrees that a refused key is tried at the vendor's other region."""
    tools: bool = True


@dataclass(frozen=True, slots=True)
class LlmTester:
    """What all tests of the process share with its calls."""

    connections: VendorConnections
    guard: AddressGuard | None = None
    """Judges addresses that users chose; None = everything may be reached."""
    more_regions: Callable[[str], Regions] = lambda vendor: ()
    """Further regions of a vendor (the sandbox's)."""

    async def test(self, credential: VendorCredential, options: TrialOptions | None = None) -> Trial:
        """Run all stages; never raises for anything the vendor or the network does."""
        try:
            about = manifest(credential.vendor)
        except ConfigError as error:
            return Trial.not_tested(str(error))
        return await _Run(self, credential, about, options or TrialOptions()).run()


@dataclass(slots=True)
class _Run:
    """One test."""

    tester: LlmTester
    credential: VendorCredential
    about: Manifest
    options: TrialOptions
    stages: list[Stage] = field(default_factory=list[Stage])
    extra: dict[str, Any] = field(default_factory=dict[str, Any])
    live: Mapping[str, ListedModel] = field(default_factory=dict[str, ListedModel])
    model: str = ""

    async def run(self) -> Trial:
        steps = (self._input, self._reach, self._key, self._model, self._talk, self._tools)
        names: tuple[StageName, ...] = ("input", "reach", "key", "model", "talk", "tools")
        stopped = False
        for name, step in zip(names, steps, strict=True):
            if stopped:
                self.stages.append(skipped(name, "An earlier stage failed."))
                continue
            began_s = asyncio.get_running_loop().time()
            stage = await step()
            if stage.duration_ms is None and stage.status != "skipped":
                stage = replace(stage, duration_ms=round((asyncio.get_running_loop().time() - began_s) * 1000))
            self.stages.append(stage)
            stopped = stage.status == "failed"
        self.extra["models"] = merged_models(self.about, self.live)
        if self.model:
            self.extra["model"] = self.model
        return Trial(tuple(self.stages), self.extra)

    @property
    def _guard(self) -> AddressGuard | None:
        return None if self.credential.by_operator else self.tester.guard

    def _account(self) -> ChatCompletions:
        return open_llm(self.credential, self.tester.connections, _NO_RETRY)

    async def _input(self) -> Stage:
        for one in self.about.fields:
            given = {**self.credential.fields, "api_key": self.credential.api_key}.get(one.member, "")
            if one.required and not given.strip("\u00a0\u200b\ufeff \t\r\n"):
                return failed("input", f"{one.member}-missing", f"{one.label} is missing.", f"Enter {one.label}.")
        try:
            vendor = self._account().vendor
        except ConfigError as error:
            return failed("input", "url-invalid", f"{error}.", "It looks like https://api.example.com/v1.")
        endpoint, guard = vendor.endpoint, self._guard
        self.extra["base_url"] = endpoint.base_url
        if not endpoint.api_key.isascii():
            hint = "Copy the key again from the vendor's console."
            return failed("input", "key-characters", "The key holds letters that no key has.", hint)
        if guard is not None and not guard.allows_url(endpoint.base_url):
            hint = "The operator can allow it with MOONWIRE_PRIVATE_HOSTS or in the configuration file."
            return failed("input", "private-address", f"{vendor.address.host} is a private address.", hint)
        if vendor.notice:
            return warned("input", "other-product", "This key belongs to another product.", vendor.notice)
        changes = list(vendor.address.changes)
        if endpoint.api_key != self.credential.api_key:
            changes.append("removed blanks or line breaks from the key")
        said = "; ".join(changes)
        return ok("input", f"{said[:1].upper()}{said[1:]}." if said else "", code="cleaned" if said else "")

    async def _reach(self) -> Stage:
        base_url = str(self.extra["base_url"])
        try:
            reached = await reach(base_url, self._guard)
        except (OSError, ValueError) as error:
            trouble = trouble_of(error, urlsplit(base_url).hostname or base_url)
            return failed("reach", trouble.code, trouble.message, trouble.hint)
        self.extra["connect_ms"] = round(reached.total_ms, 1)
        return replace(ok("reach", _steps(reached)), duration_ms=round(reached.total_ms))

    async def _key(self) -> Stage:
        if not self.about.lists_models:
            return skipped("key", "This vendor has no model list; the answer proves the key.")
        try:
            models = await self._account().list_models()
        except CredentialError as error:
            return await self._other_region(stage_of("key", error))
        except VendorError as error:
            if error.said.cause == "wrong-path" and not self.about.regions:
                return warned("key", "no-model-list", "This host has no model list.", "The answer proves the key.")
            return stage_of("key", error)
        self.live = {model.id: model for model in models}
        return ok("key", f"The key is accepted; {len(models)} models.")

    async def _other_region(self, stage: Stage) -> Stage:
        """Say which region the key may belong to; ask there only when the user agreed."""
        if stage.code != "key" or (other := self._other()) is None:
            return stage
        region, base_url = other
        self.extra["check_other_region"] = {"region": region, "base_url": base_url}
        if not self.options.region_check:
            return replace(stage, suggested={"base_url": base_url})
        fields = {**self.credential.fields, "base_url": base_url}
        there = VendorCredential(
            self.credential.vendor, secrets=self.credential.secrets, fields=fields, by_operator=False
        )
        try:
            await open_llm(there, self.tester.connections, _NO_RETRY).list_models()
        except (VendorError, ConfigError) as error:
            self.extra["region_check"] = {"region": region, "base_url": base_url, "status": "failed"}
            return replace(stage, hint=f"The region {region} refuses the key too ({error}). {stage.hint}")
        self.extra["region_check"] = {"region": region, "base_url": base_url, "status": "ok"}
        return replace(
            stage,
            code="region",
            message=f"The key belongs to the region {region}.",
            hint=f"Set the Base URL to {base_url} and test again.",
            suggested={"base_url": base_url},
        )

    def _other(self) -> tuple[str, str] | None:
        """Return the other one of the vendor's regions, when the Base URL is one of them."""
        here = str(self.extra["base_url"])
        for group in (self.about.regions, self.tester.more_regions(self.about.vendor)):
            if any(base_url == here for _, base_url in group):
                return next(((label, base_url) for label, base_url in group if base_url != here), None)
        return None

    async def _model(self) -> Stage:
        self.model = self.credential.fields.get("model_id", "").strip() or self._best_model()
        if not self.model:
            return warned("model", "no-model", "There is no model to test with.", "Enter a model.")
        if self.model in self.live or self.model.partition(":")[0] in self.live:
            # Hugging Face's router takes `model:provider`.
            return ok("model", f"{self.model} is in the list of this key.")
        told = RetiredModels.of(self.about, self.credential).retirement(self.model, self.live)
        if told is not None and (self.live or not self.about.lists_models):
            return self._retired(told)
        if not self.live:
            return skipped("model", f"There is no list to look {self.model} up in.")
        return warned(
            "model", "unlisted", f"{self.model} is not in the list of this key.",
            "Lists can be incomplete; the answer below tells. Otherwise choose a model from the list.",
        )  # fmt: skip

    def _retired(self, told: Retirement) -> Stage:
        judge = warned if told.goes_on else failed
        stage = judge("model", "retired", f"{told.says}.", told.remedy)
        return replace(stage, suggested={"model_id": told.successor} if told.successor else {})

    def _best_model(self) -> str:
        """Take the model from the list, never from a constant of ours alone."""
        listed = [name for name in self.about.available if name in self.live]
        known = self.about.available if not self.live else []
        return next(iter([*listed, *self.live, *known]), "")

    async def _talk(self) -> Stage:
        if not self.model:
            return skipped("talk", "There is no model to talk to.")
        began_s = asyncio.get_running_loop().time()
        try:
            heard = await self._ask(ChatRequest(self.model, _PROMPT))
        except VendorError as error:
            return self._with_successor(stage_of("talk", error))
        except TimeoutError:
            hint = "Try again; if it stays, choose a quicker model."
            return failed("talk", "stalled", f"The answer did not end within {TALK_LIMIT_S:g} s.", hint)
        if heard.first_s is None:
            return failed("talk", "nothing-said", "The answer had no words.", "Choose another model.")
        first_s = heard.first_s - began_s
        self.extra["time_to_first_token_ms"] = round(first_s * 1000)
        return self._judged(heard, first_s)

    def _judged(self, heard: _Heard, first_s: float) -> Stage:
        said = f"First word after {first_s:.2f} s."
        request_id = heard.end.request_id if heard.end else None
        if heard.switched is not None:
            says = f"{heard.switched.requested} is not served any more; {heard.switched.used} answered. {said}"
            stage = warned("talk", "substituted", says, f"Choose {heard.switched.used}.")
            stage = replace(stage, suggested={"model_id": heard.switched.used})
        elif heard.thought:
            quick = next((one.id for one in self.about.models if not one.retired_on and one.thinking != "always"), None)
            hint = f"Callers wait that long for each answer. For live calls choose {quick}." if quick else ""
            stage = warned(
                "talk", "thinks-first", f"The model thinks before it speaks. {said}",
                hint or "Callers wait that long for each answer; choose a model that answers at once.",
            )  # fmt: skip
            stage = replace(stage, suggested={"model_id": quick} if quick and quick != self.model else {})
        elif first_s > _SLOW_S:
            hint = "Callers notice more than a second or two; try a nearer region or a quicker model."
            stage = warned("talk", "slow", said, hint)
        else:
            stage = ok("talk", said)
        return replace(stage, request_id=request_id)

    def _with_successor(self, stage: Stage) -> Stage:
        if stage.code not in {"retired", "model-unavailable"}:
            return stage
        known = self.about.by_id.get(self.model)
        other = known.successor if known is not None else self._best_model()
        return replace(stage, suggested={"model_id": other} if other and other != self.model else {})

    async def _tools(self) -> Stage:
        if not self.options.tools or not self.model:
            return skipped("tools", "Not asked for." if self.model else "There is no model to ask.")
        forced = {"tool_choice": {"type": "function", "function": {"name": _WEATHER.name}}}
        try:
            heard = await self._ask(ChatRequest(self.model, _TOOL_PROMPT, (_WEATHER,), vendor_params=forced))
        except RateLimitError as error:
            says = "Two requests in a row are too many for this account."
            return replace(stage_of("tools", error), status="warning", message=says)
        except VendorError as error:
            return replace(stage_of("tools", error), status="warning")
        except TimeoutError:
            return warned("tools", "stalled", "No tool call came.", "Agents without tools are not affected.")
        call = next(iter(heard.calls), None)
        if call is None:
            hint = "Agents without tools are not affected; for tools choose another model."
            return warned("tools", "no-tool-call", "The model did not call the offered tool.", hint)
        if call.name != _WEATHER.name or not isinstance(call.arguments.get("city"), str):
            hint = "Agents without tools are not affected; for tools choose another model."
            return warned("tools", "malformed-tool-call", "The model called the tool with wrong arguments.", hint)
        return ok("tools", "The model calls tools.")

    async def _ask(self, request: ChatRequest) -> _Heard:
        heard = _Heard()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(TALK_LIMIT_S), aclosing(self._account().stream(request)) as answer:
            async for item in answer:
                match item:
                    case str():
                        heard.first_s = heard.first_s or (loop.time() if item.strip() else None)
                    case ToolCall():
                        heard.calls.append(item)
                    case ModelSwitched():
                        heard.switched = item
                    case RequestChanged():
                        pass  # what a call would live with, too
                    case AnswerEnd():
                        heard.end = item
        return heard


@dataclass(slots=True)
class _Heard:
    """What came of one answer."""

    first_s: float | None = None
    """When the first useful text came, loop time."""
    calls: list[ToolCall] = field(default_factory=list[ToolCall])
    switched: ModelSwitched | None = None
    end: AnswerEnd | None = None

    @property
    def thought(self) -> bool:
        """Whether the model reasoned before it spoke."""
        return self.end is not None and bool(self.end.reasoning or self.end.usage.reasoning)


def _steps(reached: Reached) -> str:
    steps = [
        f"{name} {spent_ms:.0f} ms"
        for name, spent_ms in (("DNS", reached.dns_ms), ("TCP", reached.tcp_ms), ("TLS", reached.tls_ms))
        if spent_ms is not None
    ]
    through = f" through the proxy {reached.proxy}" if reached.proxy else ""
    return f"Connected{through}: {', '.join(steps)}."
