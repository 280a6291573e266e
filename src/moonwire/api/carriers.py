"""REST: VoipCarriers and SipGateways."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from moonwire.api.access import Administered, Caller, OwnAccount
from moonwire.api.wire import (
    ERRORS,
    WHOLE,
    Body,
    Created,
    Flag,
    Moment,
    Name,
    PageShown,
    Paging,
    Sid,
    SidPath,
    SidQuery,
    Text,
    listed,
)
from moonwire.ports.administration import Row

routes = APIRouter(tags=["VoipCarriers"], responses=ERRORS)

Host = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9._:-]+$")]


class CarrierMembers(Body):
    """What a new and a changed carrier share; tokens and passwords are write-only."""

    account_sid: Sid | None = None
    description: Text | None = None
    carrier_type: Literal["sip", "twilio"] = "sip"
    """twilio: media sockets with a valid X-Twilio-Signature of `auth_token` are let in."""
    is_active: Flag = True
    application_sid: Sid | None = None
    token: Text | None = None
    auth_token: Text | None = None
    trunk_type: Literal["static_ip", "auth", "reg"] | None = None
    e164_leading_plus: Flag | None = None
    requires_register: Flag | None = None
    register_username: Text | None = None
    register_password: Text | None = None
    register_sip_realm: Text | None = None
    register_from_user: Text | None = None
    register_from_domain: Text | None = None
    tech_prefix: Text | None = None
    inbound_auth_username: Text | None = None
    inbound_auth_password: Text | None = None
    diversion: Text | None = None
    dtmf_type: Literal["rfc2833", "tones", "info"] | None = None
    outbound_sip_proxy: Text | None = None


class CarrierChange(CarrierMembers):
    """Members to change; those left out stay."""

    primary_key: ClassVar[str] = "voip_carrier_sid"

    name: Name = Field(default_factory=str)


class NewCarrier(CarrierMembers):
    """Members of a new carrier."""

    name: Name


class CarrierShown(BaseModel):
    """A carrier as REST shows it."""

    voip_carrier_sid: str
    account_sid: str
    name: str
    description: str | None
    carrier_type: str
    is_active: bool
    application_sid: str | None
    trunk_type: str | None
    e164_leading_plus: bool | int | None
    requires_register: bool | int | None
    register_username: str | None
    register_sip_realm: str | None
    register_from_user: str | None
    register_from_domain: str | None
    tech_prefix: str | None
    inbound_auth_username: str | None
    diversion: str | None
    dtmf_type: str | None
    outbound_sip_proxy: str | None
    has_token: bool
    has_auth_token: bool
    has_register_password: bool
    has_inbound_auth_password: bool
    created_at: Moment
    service_provider_sid: str | None = None


class GatewayMembers(Body):
    """What a new and a changed gateway share."""

    netmask: Annotated[int, Field(ge=0, le=128), WHOLE] = 32
    port: Annotated[int, Field(ge=0, le=65535), WHOLE] = 5060
    inbound: Flag = 1
    outbound: Flag = 0
    is_active: Flag = 1
    protocol: Literal["udp", "tcp", "tls", "tls/srtp"] = "udp"
    send_options_ping: Flag | None = None
    pad_crypto: Flag | None = None


class GatewayChange(GatewayMembers):
    """Members to change; those left out stay."""

    primary_key: ClassVar[str] = "sip_gateway_sid"

    ipv4: Host = Field(default_factory=str)
    voip_carrier_sid: Sid | None = None


class NewGateway(GatewayMembers):
    """Members of a new gateway; `ipv4` is an address of either version, or a name (outbound only)."""

    ipv4: Host
    voip_carrier_sid: Sid


class GatewayShown(BaseModel):
    """A gateway as REST shows it."""

    sip_gateway_sid: str
    voip_carrier_sid: str
    ipv4: str
    netmask: int
    port: int
    inbound: int
    outbound: int
    is_active: int
    protocol: str
    send_options_ping: bool | int | None
    pad_crypto: bool | int | None
    created_at: Moment


_List = list[CarrierShown] | PageShown[CarrierShown]
_Query = Annotated[Paging, Query()]


@routes.get("/VoipCarriers", response_model=_List, operation_id="listVoipCarriers")
async def list_carriers(principal: Caller, records: Administered, paging: _Query) -> Any:
    """List carriers; a bare array without `page`."""
    return await listed(records.resource("carriers"), principal, {}, paging, CarrierShown)


@routes.get("/Accounts/{account_sid}/VoipCarriers", response_model=_List, operation_id="listAccountVoipCarriers")
async def list_account_carriers(
    account_sid: OwnAccount, principal: Caller, records: Administered, paging: _Query
) -> Any:
    """List an account's carriers."""
    return await listed(records.resource("carriers"), principal, {"account_sid": account_sid}, paging, CarrierShown)


@routes.post("/VoipCarriers", status_code=201, response_model=Created, operation_id="createVoipCarrier")
async def create_carrier(body: NewCarrier, principal: Caller, records: Administered) -> Row:
    """Make a carrier; it admits nobody until it has a gateway or a token."""
    return await records.resource("carriers").create(principal, _booleans(body))


@routes.get("/VoipCarriers/{sid}", response_model=CarrierShown, operation_id="getVoipCarrier")
async def get_carrier(sid: SidPath, principal: Caller, records: Administered) -> Row:
    """Return one carrier."""
    return await records.resource("carriers").get(principal, sid)


@routes.put("/VoipCarriers/{sid}", status_code=204, operation_id="updateVoipCarrier")
async def update_carrier(sid: SidPath, body: CarrierChange, principal: Caller, records: Administered) -> None:
    """Change the given members."""
    await records.resource("carriers").update(principal, sid, _booleans(body))


@routes.delete("/VoipCarriers/{sid}", status_code=204, operation_id="deleteVoipCarrier")
async def delete_carrier(sid: SidPath, principal: Caller, records: Administered) -> None:
    """Remove a carrier with its gateways."""
    await records.resource("carriers").delete(principal, sid)


@routes.get("/SipGateways", response_model=list[GatewayShown], operation_id="listSipGateways")
async def list_gateways(principal: Caller, records: Administered, voip_carrier_sid: SidQuery = None) -> Any:
    """List gateways, of one carrier when it is named."""
    filters = {"voip_carrier_sid": voip_carrier_sid} if voip_carrier_sid else {}
    return await records.resource("gateways").find(principal, filters)


@routes.post("/SipGateways", status_code=201, response_model=Created, operation_id="createSipGateway")
async def create_gateway(body: NewGateway, principal: Caller, records: Administered) -> Row:
    """Make a gateway; an inbound one lets its addresses call."""
    return await records.resource("gateways").create(principal, body.members())


@routes.get("/SipGateways/{sid}", response_model=GatewayShown, operation_id="getSipGateway")
async def get_gateway(sid: SidPath, principal: Caller, records: Administered) -> Row:
    """Return one gateway."""
    return await records.resource("gateways").get(principal, sid)


@routes.put("/SipGateways/{sid}", status_code=204, operation_id="updateSipGateway")
async def update_gateway(sid: SidPath, body: GatewayChange, principal: Caller, records: Administered) -> None:
    """Change the given members."""
    await records.resource("gateways").update(principal, sid, body.members())


@routes.delete("/SipGateways/{sid}", status_code=204, operation_id="deleteSipGateway")
async def delete_gateway(sid: SidPath, principal: Caller, records: Administered) -> None:
    """Remove a gateway."""
    await records.resource("gateways").delete(principal, sid)


def _booleans(body: CarrierMembers) -> dict[str, Any]:
    members = body.members()
    if "is_active" in members:
        members["is_active"] = bool(members["is_active"])
    return members
