from __future__ import annotations

from typing import Any

import pytest

from moonwire.errors import ConfigError, RequestRejectedError
from moonwire.ports.directory import VendorCredential
from moonwire.spec.components import Synthesizer
from moonwire.vendors.tts.deepgram.options import speak_query, speak_url


def query(fields: dict[str, str] | None = None, **synthesizer: Any) -> str:
    return speak_query(Synthesizer(vendor="deepgram", **synthesizer), VendorCredential("deepgram", fields=fields or {}))


def test_voice() -> None:
    assert "model=aura-asteria-en&" in query(voice="aura-asteria-en")
    assert "model=aura-2-celeste-es&" in query(language="es-MX")
    assert "model=aura-2-thalia-en&" in query(language="xx")
    assert "model=aura-2-orion-en&" in query({"model_id": "aura-2-orion-en"})
    assert "model=aura-2-thalia-en&" in query({"model_id": "nova-3"})
    with pytest.raises(RequestRejectedError):
        query(voice="Rachel")


def test_speed_is_kept_in_range() -> None:
    assert query(options={"speed": 9}).endswith("&speed=1.5")
    assert "speed" not in query(options={"speed": "quick"})


def test_address() -> None:
    assert speak_url(VendorCredential("deepgram")) == "wss://api.deepgram.com/v1/speak"
    fields = {"base_url": "ws://stt", "deepgram_tts_uri": "https://tts/v1"}
    assert speak_url(VendorCredential("deepgram", fields=fields)) == "wss://tts/v1/speak"
    with pytest.raises(ConfigError):
        speak_url(VendorCredential("deepgram", fields={"base_url": "ftp://x"}))
