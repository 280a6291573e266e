"""What happens to a model that is gone: who answers instead, or why nobody does."""

from __future__ import annotations

from dataclasses import dataclass, replace

from moonwire.errors import ModelUnavailableError, VendorError, VendorWords
from moonwire.ports.directory import VendorCredential
from moonwire.ports.llm import ModelSwitched
from moonwire.vendors.chat_manifest import Manifest
from moonwire.vendors.chat_vendor import ModelChoice
from moonwire.vendors.connections import EndpointKnowledge


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
        successor = None if self.refuse else self._successor(model, knowledge)
        if successor is None:
            return ModelChoice(model)  # nothing better is known: the endpoint may have it again
        reason = "retired" if retired else "unavailable"
        return ModelChoice(successor, ModelSwitched(model, successor, reason, self.about.vendor))

    def _successor(self, model: str, knowledge: EndpointKnowledge) -> str | None:
        """Follow the chain of successors to one that the endpoint may have."""
        live, by_id = knowledge.live, self.about.by_id
        candidate = by_id[model].successor if model in by_id else None
        while candidate is not None:
            if not knowledge.is_gone(candidate) and (not live or candidate in live):
                return candidate
            candidate = by_id[candidate].successor if candidate in by_id else None
        return None

    def unavailable(
        self, model: str, knowledge: EndpointKnowledge, refusal: VendorError | None = None
    ) -> ModelUnavailableError:
        """Tell a missing model with its date and what lives instead; `refusal` when the vendor was asked."""
        vendor = self.about.vendor
        known = self.about.by_id.get(model)
        live = ", ".join(list(knowledge.live or self.about.available)[:20])
        if known is not None and known.retired_on:
            cause, says = "retired", f"model '{model}' was retired on {known.retired_on}"
            text = f"{vendor}: {says}"
        else:
            cause, says = "model-unavailable", f"model '{model}' is misspelt, or not available to this account"
            text = f"{refusal or f'{vendor}: {says}'}"
        return ModelUnavailableError(
            f"{text}, use one of {live}" if live else text,
            vendor=vendor,
            status=refusal.status if refusal else None,
            request_id=refusal.request_id if refusal else None,
            remedy=f"Use one of {live}." if live else "Choose a model that this account has.",
            said=replace(refusal.said if refusal else VendorWords(), cause=cause, says=says),
        )
