"""Whose gateways may lead to private hosts: the operator's and an administrator's, not an account's."""

from __future__ import annotations

from moonwire.store.declared import Configuration
from moonwire.store.routes import StoredRoutes

from .rest import Rest

GATEWAY = {"ipv4": "10.0.0.9", "outbound": 1, "inbound": 1}


async def test_an_accounts_gateway_is_guarded_and_vouches_for_nobody(rest: Rest) -> None:
    carrier = await rest.alice.make("/VoipCarriers", {"name": "own"})
    gateway = await rest.alice.make("/SipGateways", {**GATEWAY, "voip_carrier_sid": carrier})
    routes, directory = StoredRoutes(rest.store.directory), rest.store.directory
    route = routes.route(rest.alice.account_sid, None)
    assert route is not None
    assert route.guarded
    assert directory.carrier_for_address("10.0.0.9") == "own"
    assert not directory.operator_knows("10.0.0.9")
    assert await rest.admin.ask("PUT", f"/SipGateways/{gateway}", {"port": 5070}) == (204, None)
    route = routes.route(rest.alice.account_sid, None)
    assert route is not None
    assert (route.port, route.guarded) == (5070, False), "an administrator's word"
    assert directory.operator_knows("10.0.0.9")
    proxy = {"outbound_sip_proxy": "sip:10.0.0.1"}
    assert await rest.alice.ask("PUT", f"/VoipCarriers/{carrier}", proxy) == (204, None)
    route = routes.route(rest.alice.account_sid, None)
    assert route is not None
    assert route.guarded


async def test_a_declared_gateway_may_be_private(rest: Rest) -> None:
    declared = {"name": "pbx", "inbound": ["10.0.0.0/8"], "outbound": ["10.0.0.9:5080"]}
    await rest.store.apply(Configuration.model_validate({"carriers": [declared]}))
    directory = rest.store.directory
    route = StoredRoutes(directory).route(directory.default_account_sid, "pbx")
    assert route is not None
    assert not route.guarded
    assert directory.operator_knows("10.1.2.3")
