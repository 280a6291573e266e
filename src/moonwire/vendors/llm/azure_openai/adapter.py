"""Azure OpenAI: a deployment in the path, a version in the query, the key in a header of its own.

Source: Microsoft's Azure OpenAI REST reference and content filtering pages, read 2026-11-22.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from moonwire.dialects.endpoints import BaseUrl, clean_base_url
from moonwire.errors import ConfigError, RequestRejectedError
from moonwire.ports.directory import VendorCredential
from moonwire.vendors.chat_errors import ErrorRow
from moonwire.vendors.chat_family import ENDPOINTS, FamilyAccount, Traits
from moonwire.vendors.llm.azure_openai.manifest import API_VERSION, MANIFEST

_DEPLOYMENTS = "/openai/deployments/"


class AzureOpenAi(FamilyAccount):
    """One deployment of an Azure OpenAI resource."""

    traits = Traits(
        MANIFEST,
        "",
        cap=lambda model: "max_completion_tokens",
        rows=(
            ErrorRow(
                RequestRejectedError,
                "api-version",
                "the API version is not known there",
                "Choose another API version.",
                (400, 404),
                text=r"api[- ]version",
            ),
        ),
        request_ids=("apim-request-id", "x-request-id"),
    )

    def __init__(self, credential: VendorCredential, base_url: str | None = None) -> None:
        """Prepare a deployment; nothing is sent.

        Args:
            credential: with `endpoint`, `deployment` and `api_version`; a Base URL stands for an endpoint too.
            base_url: the application's own address instead.

        Raises:
            ConfigError: endpoint or deployment is missing or unusable.
        """
        self._deployment = credential.fields.get("deployment", "").strip()
        if not self._deployment:
            raise ConfigError("azure-openai: deployment is missing; it is the name given in Azure's console")
        super().__init__(credential, base_url or credential.fields.get("endpoint") or credential.base_url)
        version = credential.fields.get("api_version", "").strip() or API_VERSION
        self._endpoint = replace(self._endpoint, query=f"?api-version={quote(version)}")

    def _clean(self, given: str) -> BaseUrl:
        if not given:
            raise ConfigError("azure-openai: endpoint is missing; it looks like https://my-resource.openai.azure.com")
        address = clean_base_url(given, endpoints=ENDPOINTS)
        resource = address.url.partition(_DEPLOYMENTS)[0].removesuffix("/openai/v1").removesuffix("/openai")
        return replace(address, url=f"{resource}{_DEPLOYMENTS}{quote(self._deployment, safe='')}")

    def _auth(self, key: str) -> dict[str, str]:
        return {"api-key": key}
