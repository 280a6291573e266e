"""The language-model vendors: an explicit table, and the one factory that calls, Test and model list use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import cast
from urllib.parse import urlsplit

from pydantic import SecretStr

from moonwire.errors import ConfigError, RequestRejectedError
from moonwire.ports.directory import VendorCredential
from moonwire.vendors.chat_completions import ChatCompletions, Watch
from moonwire.vendors.chat_manifest import Manifest
from moonwire.vendors.chat_vendor import ChatVendor, ConnectOptions
from moonwire.vendors.connections import VendorConnections

VENDORS: Mapping[str, tuple[str, str]] = {
    "moonshot": ("moonwire.vendors.llm.moonshot.adapter", "Moonshot"),
    "openai": ("moonwire.vendors.llm.openai.adapter", "OpenAi"),
    "azure-openai": ("moonwire.vendors.llm.azure_openai.adapter", "AzureOpenAi"),
    "deepseek": ("moonwire.vendors.llm.deepseek.adapter", "DeepSeek"),
    "groq": ("moonwire.vendors.llm.groq.adapter", "Groq"),
    "xai": ("moonwire.vendors.llm.xai.adapter", "XAi"),
    "zai": ("moonwire.vendors.llm.zai.adapter", "ZAi"),
    "baseten": ("moonwire.vendors.llm.baseten.adapter", "Baseten"),
    "huggingface": ("moonwire.vendors.llm.huggingface.adapter", "HuggingFace"),
    "openrouter": ("moonwire.vendors.llm.openrouter.adapter", "OpenRouter"),
    "openai-compatible": ("moonwire.vendors.llm.openai_compatible.adapter", "OpenAiCompatible"),
}
"""Vendor name -> module and class; loaded on first use. Adding a vendor: one folder, one line here."""

_SECRET_FIELDS = frozenset({"api_key"})
_SPELLINGS = {
    "apiKey": "api_key",
    "baseURL": "base_url",
    "api_url": "base_url",
    "apiVersion": "api_version",
    "retiredModels": "retired_models",
}


def open_llm(
    credential: VendorCredential,
    connections: VendorConnections,
    options: ConnectOptions | None = None,
    watch: Watch | None = None,
) -> ChatCompletions:
    """Open an account for one call (or one Test): a LanguageModel, with `list_models` beside.

    Args:
        credential: stored, or inline (`sid` is None).
        connections: the process's pool; connections and knowledge are shared between calls.
        options: the agent's `connectOptions`.
        watch: hears how each answer ended.

    Raises:
        ConfigError: unknown vendor, or an unusable address.
        RequestRejectedError: the application chose an address for a key that the operator stored.
    """
    module_name, class_name = _entry(credential.vendor)
    make = cast("Callable[..., ChatVendor]", getattr(import_module(module_name), class_name))
    account = make(credential)
    base_url = options.base_url if options else None
    if base_url:
        elsewhere = make(credential, base_url)
        if credential.sid is not None and _origin(elsewhere) != _origin(account):
            raise RequestRejectedError(
                f"{credential.vendor}: connectOptions.baseURL needs the application's own key",
                vendor=credential.vendor,
                remedy="Give llm.auth.apiKey beside it, or set the Base URL in the LLM service: "
                "a stored key is sent only to the host it was stored for.",
            )
        account = elsewhere
    return ChatCompletions(account, connections, options, guarded=not credential.by_operator, watch=watch)


def _origin(account: ChatVendor) -> tuple[str, str]:
    parts = urlsplit(account.endpoint.base_url)
    return parts.scheme, parts.netloc


def credential_from_auth(vendor: str, auth: Mapping[str, object]) -> VendorCredential:
    """Turn an inline `auth` (camelCase names of the form, or snake_case) into a credential without a sid."""
    values = {_SPELLINGS.get(name, name): value for name, value in auth.items() if isinstance(value, str)}
    return VendorCredential(
        vendor=vendor,
        secrets={name: SecretStr(value) for name, value in values.items() if name in _SECRET_FIELDS},
        fields={name: value for name, value in values.items() if name not in _SECRET_FIELDS},
        by_operator=False,
    )


def manifest(vendor: str) -> Manifest:
    """Return what a vendor tells about itself.

    Raises:
        ConfigError: unknown vendor.
    """
    folder = _entry(vendor)[0].rpartition(".")[0]
    return cast("Manifest", import_module(f"{folder}.manifest").MANIFEST)


def manifests(more_regions: Mapping[str, Sequence[tuple[str, str]]] | None = None) -> list[dict[str, object]]:
    """Return all manifests in jambonz's shape, in the table's order.

    Args:
        more_regions: vendor -> (label, Base URL) of further addresses to choose from (the sandbox's).
    """
    return [manifest(vendor).document((more_regions or {}).get(vendor, ())) for vendor in VENDORS]


def _entry(vendor: str) -> tuple[str, str]:
    try:
        return VENDORS[vendor]
    except KeyError:
        raise ConfigError(f"unknown language-model vendor {vendor!r}; known are {', '.join(VENDORS)}") from None
