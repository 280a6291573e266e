"""Which gateway takes an outbound call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moonwire.ports.routes import OutboundRoute
from moonwire.store.directory import MemoryDirectory
from moonwire.store.gateways import Gateway, parse_gateway
from moonwire.store.routes import StoredRoutes
from moonwire.store.snapshot import KnownCarrier, Snapshot

NORTH = OutboundRoute("north", "sip.north.example", auth=("user", "planted"))
SOUTH = OutboundRoute("south", "2001:db8::1", 5070, "tcp")


@pytest.mark.parametrize(
    ("text", "gateway"),
    [
        ("sip.carrier.example", Gateway("sip.carrier.example")),
        ("sip:10.0.0.1:5080", Gateway("10.0.0.1", 5080)),
        ("[2001:db8::1]:5070;transport=tcp", Gateway("2001:db8::1", 5070, "tcp")),
        ("10.0.0.1:70000", None),
        ("http://carrier.example", None),
        ("carrier example", None),
    ],
)
def test_gateways_as_written(text: str, gateway: Gateway | None) -> None:
    assert parse_gateway(text) == gateway


def test_a_named_carrier_or_the_accounts_first() -> None:
    carriers = [
        KnownCarrier("silent", account_sid="a"),
        KnownCarrier("north", account_sid="a", routes=[NORTH]),
        KnownCarrier("south", account_sid="a", routes=[SOUTH]),
    ]
    routes = StoredRoutes(MemoryDirectory(Snapshot(carriers=carriers)))
    assert routes.route("a", None) is NORTH
    assert routes.route("a", "south") is SOUTH
    assert routes.route("a", "silent") is None
    assert routes.route("b", None) is None


def test_the_uri_of_a_number() -> None:
    assert NORTH.uri("+15551234567") == "sip:+15551234567@sip.north.example:5060"
    assert SOUTH.uri("100") == "sip:100@[2001:db8::1]:5070;transport=tcp"
    assert "planted" not in repr(NORTH)


def test_numbers_as_the_carrier_wants_them() -> None:
    assert replace(NORTH, leading_plus=False).uri("+1555") == "sip:1555@sip.north.example:5060"
    assert replace(NORTH, leading_plus=True).uri("1555") == "sip:+1555@sip.north.example:5060"
    assert replace(NORTH, leading_plus=True, prefix="99#").uri("1555") == "sip:99%23+1555@sip.north.example:5060"
    assert replace(NORTH, leading_plus=True).uri("*72") == "sip:*72@sip.north.example:5060"
