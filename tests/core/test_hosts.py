"""Which hosts may be named."""

from __future__ import annotations

import pytest

from moonwire.core.hosts import LOOPBACK, HostPolicy


@pytest.mark.parametrize(
    "url",
    [
        "https://api.moonshot.ai/v1",
        "wss://app.example.com/agent",
        "http://8.8.8.8:80/",
        "https://[2606:4700::1111]/",
    ],
)
def test_public_hosts_are_allowed(url: str) -> None:
    assert HostPolicy().allows_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/",
        "http://localhost/",
        "http://api.localhost/",
        "http://10.1.2.3/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::127.0.0.1]/",
        "http://[2002:7f00:1::]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[fe80::1%25eth0]/",
        "http://0.0.0.0/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://224.0.0.1/",
        "http://100.64.0.1/",
        "http://[64:ff9b::a00:1]/",
        "http://[2002:a00:1::]/",
        "http://127.1/",
        "http://ollama:11434/v1",
        "http://box.local./",
        "http://metadata.google.internal/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://",
        "http://[broken",
        "not a url",
    ],
)
def test_private_and_odd_hosts_are_refused(url: str) -> None:
    assert not HostPolicy().allows_url(url)


def test_the_operator_permits_names_addresses_and_networks() -> None:
    policy = HostPolicy(["vllm.internal", "10.0.0.0/8", "192.168.1.7", *LOOPBACK])
    assert policy.allows_url("http://10.200.3.4/v1")
    assert policy.allows_url("http://192.168.1.7:8000/v1")
    assert not policy.allows_url("http://192.168.1.8/v1")
    assert policy.allows_url("ws://127.0.0.1:3000/")
    assert policy.allows_url("ws://localhost:3000/")
    assert policy.allows_url("http://VLLM.internal./v1")
