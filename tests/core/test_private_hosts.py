"""Which hosts users may name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonwire.core.private_hosts import LOOPBACK_HOSTS, PrivateHosts


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:3000/x",
        "http://LOCALHOST./",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::a00:1]/",
        "http://[2002:a00:1::]/",
        "http://10.1.2.3/",
        "http://192.168.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://ollama:11434/v1",
        "http://box.local/",
        "http://metadata.google.internal/",
        "http://[fe80::1%eth0]/",
        "http:///nothing",
        "http://[broken",
    ],
)
def test_private(url: str) -> None:
    assert PrivateHosts().refuses_url(url) is not None


@pytest.mark.parametrize(
    "url", ["https://api.moonshot.ai/v1", "wss://8.8.8.8/", "http://[2606:4700::1111]/", "https://1.1.1.1:8443"]
)
def test_public(url: str) -> None:
    assert PrivateHosts().refuses_url(url) is None


def test_allowed_by_the_operator() -> None:
    hosts = PrivateHosts(["10.0.0.0/8", "ollama", "192.168.1.7", "Box.Local."])
    for host in ("10.9.9.9", "ollama", "192.168.1.7", "box.local", "OLLAMA"):
        assert not hosts.refuses_host(host)
    for host in ("192.168.1.8", "other", "127.0.0.1"):
        assert hosts.refuses_host(host)
    assert hosts.allows_name("ollama")
    assert hosts.refuses_address("127.0.0.1")
    assert hosts.refuses_address("no address")
    assert not hosts.refuses_address("10.0.0.1")


def test_loopback() -> None:
    hosts = PrivateHosts(LOOPBACK_HOSTS)
    for url in ("ws://127.0.0.1:3000/", "ws://localhost:3000", "http://[::1]:80/", "http://127.1"):
        assert hosts.refuses_url(url) is None


@given(st.text(max_size=40))
def test_any_text_has_an_answer(text: str) -> None:
    PrivateHosts().refuses_url(text)
    PrivateHosts().refuses_host(text)
