from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from moonwire.errors import ConfigError, RequestRejectedError
from moonwire.ports.directory import VendorCredential
from moonwire.vendors import llm as vendors
from moonwire.vendors.chat_vendor import ConnectOptions
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.llm import VENDORS, credential_from_auth, manifest, manifests, open_llm

STORED = VendorCredential("moonshot", sid="1", secrets={"api_key": SecretStr("sk-1")})


def test_every_vendor_has_a_manifest_in_jambonz_shape() -> None:
    assert [entry["vendor"] for entry in manifests()] == list(VENDORS)
    for entry in manifests():
        assert {"vendor", "displayName", "authKinds", "knownModels", "supportsModelListing", "docsUrl"} <= set(entry)


def test_moonshots_manifest_marks_what_is_retired() -> None:
    models = {model["id"]: model for model in manifest("moonshot").document()["knownModels"]}  # type: ignore[attr-defined]
    assert models["kimi-k2.6"]["status"] == "available"
    assert "deprecated" not in models["kimi-k2.6"]
    old = models["kimi-k2-0711-preview"]
    assert (old["deprecated"], old["status"], old["retiredOn"], old["successor"]) == (
        True,
        "retired",
        "2026-05-25",
        "kimi-k2.6",
    )


@pytest.mark.parametrize(
    "auth", [{"apiKey": " sk-1 ", "baseURL": "http://x/v1"}, {"api_key": "sk-1", "api_url": "http://x"}]
)
def test_inline_auth_in_both_spellings(auth: dict[str, object], connections: VendorConnections) -> None:
    credential = credential_from_auth("moonshot", {**auth, "number": 5})
    assert credential.sid is None
    assert credential.api_key.strip() == "sk-1"
    assert (credential.base_url or "").startswith("http://x")
    assert "sk-1" not in repr(credential)
    open_llm(credential, connections, ConnectOptions(base_url="http://elsewhere/v1"))


async def test_a_stored_key_goes_nowhere_else(connections: VendorConnections) -> None:
    with pytest.raises(RequestRejectedError, match="own key"):
        open_llm(STORED, connections, ConnectOptions(base_url="http://elsewhere/v1"))


async def test_unknown_vendors_and_addresses_are_the_operators_matter(connections: VendorConnections) -> None:
    with pytest.raises(ConfigError, match="known are moonshot"):
        open_llm(VendorCredential("nobody"), connections)
    with pytest.raises(ConfigError):
        manifest("nobody")
    with pytest.raises(ConfigError):
        open_llm(VendorCredential("moonshot", fields={"base_url": "ftp://x"}), connections)


def test_every_folder_is_a_vendor_with_all_that_belongs_to_it() -> None:
    folders = [path for path in Path(vendors.__file__).parent.iterdir() if (path / "__init__.py").exists()]
    listed = {module.rsplit(".", 2)[1] for module, _ in VENDORS.values()}
    assert {folder.name for folder in folders} == listed
    reference = (Path(__file__).parents[3] / "docs/reference/llm-vendors.md").read_text()
    for folder in folders:
        assert {"README.md", "adapter.py", "manifest.py"} <= {file.name for file in folder.iterdir()}, folder.name
    for vendor in VENDORS:
        assert f"| `{vendor}` |" in reference
