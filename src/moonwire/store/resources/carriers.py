"""Carriers and their gateways on the wire; tokens and passwords are write-only."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from sqlalchemy import ColumnElement, func, select, true

from moonwire.errors import RecordError
from moonwire.ports.administration import Principal, Row
from moonwire.store.declared import CARRIER_PROPERTIES, CARRIER_SECRETS
from moonwire.store.resources.kind import Kind, Writing, assign_given, merged
from moonwire.store.sealing import seal_field
from moonwire.store.secrets import SecretBox
from moonwire.store.tables import ApplicationRow, CarrierRow, GatewayRow

GATEWAY_PROPERTIES = ("send_options_ping", "pad_crypto")


def show_carrier(row: CarrierRow, _box: SecretBox) -> Row:
    """Return the carrier as REST shows it; `has_token` and the like say which secrets are set."""
    return {
        "voip_carrier_sid": row.sid,
        "account_sid": row.account_sid,
        "name": row.name,
        "description": row.description or None,
        "carrier_type": row.carrier_type,
        "is_active": row.is_active,
        "application_sid": row.application_sid,
        **{name: row.properties.get(name) for name in CARRIER_PROPERTIES},
        **{f"has_{name}": name in row.sealed for name in CARRIER_SECRETS},
        "created_at": row.created_at,
    }


async def fill_carrier(writing: Writing, row: CarrierRow, members: Mapping[str, Any], is_new: bool) -> Row:
    """Put members into columns."""
    if is_new:
        row.properties = {}
    if "name" in members and await _is_taken(writing, row, members["name"]):
        raise RecordError(f"name: there is already a carrier named {members['name']}.", why="conflict")
    assign_given(row, members, "name", "carrier_type", "is_active")
    if "description" in members:
        row.description = members["description"] or ""
    if "application_sid" in members:
        row.application_sid = await writing.owned(
            ApplicationRow, members["application_sid"], "application", row.account_sid
        )
    row.properties = merged(row.properties, {name: members[name] for name in CARRIER_PROPERTIES if name in members})
    for name in CARRIER_SECRETS:
        if name in members:
            seal_field(writing.box, row, name, members[name] or None)
    return {}


def show_gateway(row: GatewayRow, _box: SecretBox) -> Row:
    """Return the gateway as REST shows it; flags are 0 or 1, as jambonz has them."""
    return {
        "sip_gateway_sid": row.sid,
        "voip_carrier_sid": row.carrier_sid,
        "ipv4": row.address,
        "netmask": row.netmask,
        "port": row.port,
        "inbound": int(row.inbound),
        "outbound": int(row.outbound),
        "is_active": int(row.is_active),
        "protocol": row.protocol,
        **{name: row.properties.get(name) for name in GATEWAY_PROPERTIES},
        "created_at": row.created_at,
    }


async def fill_gateway(writing: Writing, row: GatewayRow, members: Mapping[str, Any], is_new: bool) -> Row:
    """Put members into columns."""
    if is_new:
        row.properties = {}
        row.carrier_sid = await _carrier_of(writing, members)
    elif members.get("voip_carrier_sid") not in (None, row.carrier_sid):
        raise RecordError("voip_carrier_sid: a gateway cannot move to another carrier.", why="invalid")
    before = None if is_new else (row.address, row.netmask, row.port, row.protocol)
    assign_given(row, members, "netmask", "port", "protocol", address="ipv4")
    if before != (row.address, row.netmask, row.port, row.protocol):
        row.by_operator = writing.principal.is_admin
    _check_network(row, members)
    for name in ("inbound", "outbound", "is_active"):
        if name in members:
            setattr(row, name, bool(members[name]))
    row.properties = merged(row.properties, {name: members[name] for name in GATEWAY_PROPERTIES if name in members})
    return {}


def _check_network(row: GatewayRow, members: Mapping[str, Any]) -> None:
    """Refuse a prefix length that the address cannot have; left out, it is that of one address."""
    try:
        bits = ip_address(row.address).max_prefixlen
    except ValueError:
        return  # a name
    if "netmask" not in members and "ipv4" in members:
        row.netmask = bits
    if row.netmask > bits:
        raise RecordError(f"netmask: an address of this kind has {bits} bits at most.", why="invalid")


async def _carrier_of(writing: Writing, members: Mapping[str, Any]) -> str:
    carrier = await writing.session.get(CarrierRow, members["voip_carrier_sid"])
    if carrier is None or not writing.principal.may_use(carrier.account_sid):
        raise RecordError("voip_carrier_sid: there is no such carrier.", why="invalid")
    return carrier.sid


async def _is_taken(writing: Writing, row: CarrierRow, name: str) -> bool:
    query = select(func.count()).where(
        CarrierRow.account_sid == row.account_sid, CarrierRow.name == name, CarrierRow.sid != row.sid
    )
    return bool(await writing.session.scalar(query))


def _gateway_scope(principal: Principal) -> ColumnElement[bool]:
    if principal.is_admin:
        return true()
    own = select(CarrierRow.sid).where(CarrierRow.account_sid == principal.account_sid)
    return GatewayRow.carrier_sid.in_(own)


CARRIERS = Kind(
    CarrierRow,
    "carrier",
    show_carrier,
    fill_carrier,
    {"account_sid": CarrierRow.account_sid, "name": CarrierRow.name},
    searched=CarrierRow.name,
)
GATEWAYS = Kind(
    GatewayRow,
    "gateway",
    show_gateway,
    fill_gateway,
    {"voip_carrier_sid": GatewayRow.carrier_sid},
    scope=_gateway_scope,
    has_account=False,
)
