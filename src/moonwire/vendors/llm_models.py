"""Merges the models a vendor is known for with the live list of one key; never on a call's path."""

from __future__ import annotations

from collections.abc import Mapping

from moonwire.errors import VendorError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.llm import ListedModel
from moonwire.vendors.chat_manifest import KnownModel, Manifest
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.llm import manifest, open_llm


async def models_of(credential: VendorCredential, connections: VendorConnections) -> list[dict[str, object]]:
    """Return a credential's models: `{id, displayName, status, ...}`, best for live calls first.

    The live list is cached for some minutes with what calls know about the endpoint; when it cannot be had, the known
    models come without it.

    Raises:
        ConfigError: unknown vendor, or an unusable address.
    """
    about = manifest(credential.vendor)
    account = open_llm(credential, connections)
    live = account.live
    if not live and about.lists_models:
        try:
            live = {model.id: model for model in await account.list_models()}
        except VendorError:
            live = {}
    return merged_models(about, live)


def merged_models(about: Manifest, live: Mapping[str, ListedModel]) -> list[dict[str, object]]:
    """Merge known and listed models.

    `status`: `available`; `retired` with `retiredOn` and `successor`; `unknown` for a known model that this key's list
    does not hold. `listed` is None while there is no list.
    """
    merged = [_known(model, live) for model in about.models]
    merged += [_listed(model) for model in live.values() if model.id not in about.by_id]
    order = {"available": 0, "unknown": 1, "retired": 2}
    return sorted(merged, key=lambda entry: order[str(entry["status"])])


def _known(model: KnownModel, live: Mapping[str, ListedModel]) -> dict[str, object]:
    entry = model.document()
    entry["listed"] = model.id in live if live else None
    if not live:
        return entry
    if model.id in live:
        # The endpoint has the last word: an older or another host may still serve what the vendor has retired.
        entry["status"] = "available"
    elif not model.retired_on:
        entry |= {"status": "unknown", "note": "not in this key's list"}
    return entry


def _listed(model: ListedModel) -> dict[str, object]:
    entry: dict[str, object] = {
        "id": model.id, "displayName": model.id, "status": "available", "thinking": model.thinking, "listed": True,
    }  # fmt: skip
    if model.context_tokens:
        entry["capabilities"] = {"maxContextTokens": model.context_tokens}
    return entry
