"""What happens to a model that is gone: who answers instead, or why nobody does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from moonwire.errors import ModelUnavailableError, VendorError, VendorWords
from moonwire.ports.directory import VendorCredential
from moonwire.ports.llm import ListedModel, ModelSwitched
from moonwire.vendors.chat_manifest import Manifest
from moonwire.vendors.chat_vendor import ModelChoice
from moonwire.vendors.connections import EndpointKnowledge

_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Retirement:
    """What is to be told about a retired model, in the same words by the Test, a call and its alert."""

    says: str
    remedy: str
    successor: str | None
    goes_on: bool
    """Calls go on with the successor."""


@dataclass(frozen=True, slots=True)
class RetiredModels:
    """One service's rule, with what its vendor tells about its models."""

    about: Manifest
    refuse: bool

    @classmethod
    def of(cls, about: Manifest, credential: VendorCredential) -> RetiredModels:
        """Read the service's setting; the default goes on with the successor."""
        return cls(about, credential.fields.get("retired_models", "").strip().lower() == "refuse")

    def choose(self, model: str, knowledge: EndpointKnowledge) -> ModelChoice:
        """Keep the asked model unless the endpoint is known not to have it and a successor is known.

        Raises:
            ModelUnavailableError: it is gone and must not be replaced.
        """
        live = knowledge.live
        known = self.about.by_id.get(model)
        retired = known is not None and known.retired_on is not None
        unlisted = retired and bool(live) and model not in live
        if not unlisted and not knowledge.is_gone(model):
            return ModelChoice(model)
        if retired and self.refuse:
            raise self.unavailable(model, knowledge)
        successor = None if self.refuse else self._successor(model, live, knowledge.is_gone)
        if successor is None:
            return ModelChoice(model)  # nothing better is known: the endpoint may have it again
        told = self.retirement(model, live)
        if told is None:
            return ModelChoice(successor, ModelSwitched(model, successor, "unavailable", self.about.vendor))
        notice = ModelSwitched(model, successor, "retired", self.about.vendor, told.says, told.remedy)
        return ModelChoice(successor, notice)

    def retirement(self, model: str, live: Mapping[str, ListedModel]) -> Retirement | None:
        """Return what to tell about a model that its vendor has retired, None for others."""
        known = self.about.by_id.get(model)
        if known is None or not known.retired_on:
            return None
        use = f"use one of {self._usable(live)}."
        successor = self._successor(model, live)
        goes_on = successor is not None and not self.refuse
        remedy = f"Calls go on with {successor}; {use}" if goes_on else f"{use[0].upper()}{use[1:]}"
        return Retirement(f"{model} was retired on {known.retired_on}", remedy, successor, goes_on)

    def _usable(self, live: Mapping[str, ListedModel]) -> str:
        """Return the live ids, best for calls first."""
        known = [name for name in self.about.available if not live or name in live]
        return ", ".join([*known, *(name for name in live if name not in known)][:_MOST_NAMED])

    def _successor(
        self, model: str, live: Mapping[str, ListedModel], is_gone: Callable[[str], bool] = lambda model: False
    ) -> str | None:
        """Follow the chain of successors to one that the endpoint may have."""
        by_id = self.about.by_id
        candidate = by_id[model].successor if model in by_id else None
        while candidate is not None:
            if not is_gone(candidate) and (not live or candidate in live):
                return candidate
            candidate = by_id[candidate].successor if candidate in by_id else None
        return None

    def unavailable(
        self, model: str, knowledge: EndpointKnowledge, refusal: VendorError | None = None
    ) -> ModelUnavailableError:
        """Tell a missing model with its date and what lives instead; `refusal` when the vendor was asked."""
        vendor = self.about.vendor
        told, live = self.retirement(model, knowledge.live), self._usable(knowledge.live)
        if told is not None:
            cause, says = "retired", told.says
            text = f"{vendor}: {says}"
        else:
            cause, says = "model-unavailable", f"model '{model}' is misspelt, or not available to this account"
            text = f"{refusal or f'{vendor}: {says}'}"
        return ModelUnavailableError(
            f"{text}, use one of {live}" if live else text,
            vendor=vendor,
            status=refusal.status if refusal else None,
            request_id=refusal.request_id if refusal else None,
            remedy=told.remedy if told else f"Use one of {live}." if live else "Choose a model that this account has.",
            said=replace(refusal.said if refusal else VendorWords(), cause=cause, says=says),
        )
