"""Failures of connections in words that an operator understands."""

from __future__ import annotations

import socket
import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from moonwire.dialects.network_words import plain_cause

KEY = ConnectionKey("host", 443, True, True, None, None, None)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "refused")), "refuses the connection"),
        (aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(-2, "unknown")), "name is unknown"),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError("self-signed")), "certificate"),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "WRONG_VERSION_NUMBER")), "TLS"),
        (aiohttp.ServerDisconnectedError(), "broke off"),
        (aiohttp.ServerTimeoutError(), "no answer in time"),
        (aiohttp.InvalidURL("x"), "cannot be used"),
        (ConnectionResetError(), "broke off"),
        (OSError(113, "No route to host"), "No route to host"),
        (OSError(), "network"),
    ],
)
def test_causes_are_told_without_names_of_classes(error: Exception, words: str) -> None:
    said = plain_cause(error)
    assert words in said
    assert type(error).__name__ not in said
