from __future__ import annotations

import aiohttp
import pytest

from moonwire.errors import ConfigError
from moonwire.ports.directory import VendorCredential
from moonwire.vendors.tts import open_tts, tts_manifests, tts_vendors


def test_every_vendor_has_a_manifest_of_its_name() -> None:
    assert [(one.vendor, one.kind, one.fields[0].name) for one in tts_manifests()] == [
        (vendor, "tts", "apiKey") for vendor in tts_vendors()
    ]


async def test_an_unknown_vendor_is_named_with_the_known_ones() -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(ConfigError, match=r"'parrot'.*cartesia"):
            open_tts(VendorCredential("parrot"), http)


async def test_an_unusable_base_url_is_told_at_once() -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(ConfigError, match="base_url"):
            open_tts(VendorCredential("cartesia", fields={"base_url": "ftp://x"}), http)
