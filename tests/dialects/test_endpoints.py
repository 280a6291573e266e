from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.dialects.endpoints import clean_base_url, clean_key
from moonwire.errors import ConfigError

GOOD = "https://api.moonshot.ai/v1"


def clean(pasted: str) -> str:
    return clean_base_url(pasted, endpoints=("/chat/completions", "/models"), default_path="/v1").url


@pytest.mark.parametrize(
    "pasted",
    [
        GOOD, f"{GOOD}/", f"  {GOOD}\n", f"\u00a0{GOOD}\u200b", f"{GOOD}/chat/completions", f"{GOOD}/models/",
        "https://api.moonshot.ai", "https://api.moonshot.ai/", "api.moonshot.ai/v1", "HTTPS://API.moonshot.ai/v1",
        "wss://api.moonshot.ai/v1", f"{GOOD}?x=1#y", "https://api.moonshot.ai//v1//",
    ],
)  # fmt: skip
def test_all_spellings_of_one_address_are_one(pasted: str) -> None:
    assert clean(pasted) == GOOD


@pytest.mark.parametrize(
    ("pasted", "address"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("ws://[::1]:80/proxy/kimi", "http://[::1]:80/proxy/kimi"),
        ("http://gateway/openai/v1/chat/completions", "http://gateway/openai/v1"),
    ],
)
def test_own_paths_stay(pasted: str, address: str) -> None:
    assert clean(pasted) == address


@pytest.mark.parametrize(
    "pasted", ["", "ftp://x/v1", "https://", "https://u:p@host/v1", "http://[::1/v1", "http://host:port/"]
)
def test_what_is_no_address_is_refused(pasted: str) -> None:
    with pytest.raises(ConfigError):
        clean(pasted)


def test_changes_are_told() -> None:
    base = clean_base_url(" host/v1/models?x ", endpoints=("/models",))
    assert base.url == "https://host/v1"
    assert base.host == "host"
    assert len(base.changes) == 4
    assert clean_base_url(GOOD, endpoints=()).changes == ()


def test_keys_lose_everything_invisible() -> None:
    assert clean_key("\ufeff sk-a\u200bb\u00a0\r\n") == "sk-ab"


@given(st.text(max_size=60))
def test_cleaning_twice_changes_nothing(pasted: str) -> None:
    try:
        once = clean(pasted)
    except ConfigError:
        return
    assert clean(once) == once
