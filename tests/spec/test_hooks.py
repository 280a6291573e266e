"""Hooks in all their shapes."""

from __future__ import annotations

import pytest

from moonwire.errors import SpecError
from moonwire.spec.hooks import Hook, parse_hook


@pytest.mark.parametrize(
    ("value", "hook"),
    [
        ("/a", Hook("/a")),
        ({"url": "/a"}, Hook("/a")),
        ({"url": "/a", "method": "get"}, Hook("/a", "GET")),
        ({"url": "/a", "method": None}, Hook("/a")),
        ({"url": "http://x/#rc=2", "method": "WS"}, Hook("http://x/#rc=2", "WS")),
        ({"url": "/a", "basicAuth": {"username": "u", "password": "p"}}, Hook("/a", "POST", "u", "p")),
        ({"url": "/a", "username": "u", "password": "p"}, Hook("/a", "POST", "u", "p")),
        ({"url": "/a", "username": "", "password": None}, Hook("/a")),
        (Hook("/x"), Hook("/x")),
    ],
)
def test_shapes(value: object, hook: Hook) -> None:
    assert parse_hook(value) == hook


@pytest.mark.parametrize(
    "value",
    ["", "  ", None, 5, [], {}, {"url": ""}, {"url": 5}, {"url": "/a", "method": "PUT"}, {"url": "/a", "basicAuth": 5},
     {"url": "/a", "username": 5, "password": "p"}, {"url": "/a", "username": "u", "password": 5}],
)  # fmt: skip
def test_what_is_no_hook(value: object) -> None:
    with pytest.raises(SpecError) as caught:
        parse_hook(value, path="[0].actionHook")
    assert caught.value.path == "[0].actionHook"


def test_passwords_stay_out_of_sight() -> None:
    assert "pass" not in repr(Hook("/a", "POST", "u", "pass-word")).replace("password", "")


@pytest.mark.parametrize(
    ("url", "method", "scheme", "relative", "websocket"),
    [
        ("/a?next=https://x", "POST", "", True, False),
        ("a", "POST", "", True, False),
        ("WSS://x/", "POST", "wss", False, True),
        ("http://x/", "WS", "http", False, True),
        ("https://x/", "POST", "https", False, False),
        ("/a", "WS", "", True, False),
    ],
)
def test_kinds(url: str, method: str, scheme: str, relative: bool, websocket: bool) -> None:
    hook = parse_hook({"url": url, "method": method})
    assert (hook.scheme, hook.is_relative, hook.is_websocket) == (scheme, relative, websocket)
