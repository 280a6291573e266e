"""One consistent picture of everything calls read, built from the rows in one go; never changed afterwards."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any, Literal, TypeVar, cast

import msgspec
from pydantic import SecretStr
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from moonwire.ports.directory import ApplicationRecord, LlmChoice, VendorCredential
from moonwire.ports.routes import OutboundRoute
from moonwire.spec.components import Recognizer, Synthesizer
from moonwire.spec.hooks import Hook
from moonwire.store.networks import Network
from moonwire.store.sealing import open_field, open_fields
from moonwire.store.secrets import SecretBox
from moonwire.store.tables import (
    AccountRow,
    ApplicationRow,
    CarrierRow,
    GatewayRow,
    LlmServiceRow,
    PhoneNumberRow,
    SpeechServiceRow,
)

_ROWS_AT_ONCE = 20
"""A few milliseconds of work."""

_Row = TypeVar("_Row")
_ServiceRow = TypeVar("_ServiceRow", LlmServiceRow, SpeechServiceRow)


@dataclass(frozen=True, slots=True)
class KnownCredential:
    """A credential, and whether it is the one for applications that name no label."""

    credential: VendorCredential
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class KnownCarrier:
    """One active carrier."""

    name: str
    networks: Sequence[Network] = ()
    """May call us."""
    trusted: Sequence[Network] = ()
    """Those of them that the operator wrote; users may call there, too."""
    token_sha256: str | None = None
    twilio_auth_token: SecretStr | None = None
    account_sid: str = ""
    application_sid: str | None = None
    """Takes the calls to numbers that have no application."""
    routes: Sequence[OutboundRoute] = ()


Credentials = Mapping[tuple[str, str], Sequence[KnownCredential]]
"""(account sid, vendor in lower case) -> credentials, oldest first."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything calls read."""

    default_account_sid: str = ""
    applications: Mapping[str, ApplicationRecord] = field(default_factory=dict[str, ApplicationRecord])
    numbers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Number without plus -> application sid."""
    llm: Credentials = field(default_factory=dict[tuple[str, str], Sequence[KnownCredential]])
    speech: Credentials = field(default_factory=dict[tuple[str, str], Sequence[KnownCredential]])
    carriers: Sequence[KnownCarrier] = ()
    webhook_secrets: Mapping[str, SecretStr] = field(default_factory=dict[str, SecretStr])
    """By account sid."""


def token_digest(token: str) -> str:
    """Return the SHA-256 by which a token is looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


async def load_snapshot(session: AsyncSession, box: SecretBox) -> Snapshot:
    """Read all rows and decrypt what calls need; gives way to calls every few milliseconds."""
    accounts = {row.sid: row async for row in in_turns(session, select(AccountRow)) if row.is_active}
    applications = {
        row.sid: application_record(row, accounts[row.account_sid], box)
        async for row in in_turns(session, select(ApplicationRow))
        if row.account_sid in accounts
    }
    numbers = {
        row.number: row.application_sid
        async for row in in_turns(session, select(PhoneNumberRow))
        if row.application_sid in applications
    }
    return Snapshot(
        default_account_sid=next((sid for sid, row in accounts.items() if row.is_default), ""),
        applications=applications,
        numbers=numbers,
        llm=await _grouped(in_turns(session, select(LlmServiceRow).order_by(LlmServiceRow.created_at)), box),
        speech=await _grouped(in_turns(session, select(SpeechServiceRow).order_by(SpeechServiceRow.created_at)), box),
        carriers=await _carriers(session, box, set(accounts)),
        webhook_secrets={
            sid: SecretStr(secret)
            for sid, row in accounts.items()
            if (secret := open_field(box, row, "webhook_secret"))
        },
    )


async def in_turns(session: AsyncSession, query: Select[_Row]) -> AsyncGenerator[_Row]:
    """Read rows a few at a time, so that thousands of them do not hold up the calls' audio."""
    result = await session.stream_scalars(query.execution_options(yield_per=_ROWS_AT_ONCE))
    async for some in result.partitions():
        for row in some:
            yield row
        await asyncio.sleep(0)


def application_record(row: ApplicationRow, account: AccountRow, box: SecretBox) -> ApplicationRecord:
    """Translate one application's row."""
    env_vars = open_field(box, row, "env_vars")
    secret = open_field(box, account, "webhook_secret")
    return ApplicationRecord(
        sid=row.sid,
        account_sid=row.account_sid,
        name=row.name,
        call_hook=_hook(row, "call_hook", box),
        call_status_hook=_hook(row, "call_status_hook", box),
        app_json=msgspec.json.decode(row.app_json) if row.app_json else None,
        env_vars=msgspec.json.decode(env_vars) if env_vars else {},
        synthesizer=_synthesizer(row.speech),
        recognizer=_recognizer(row.speech),
        llm=_choice(row.llm) if row.llm else None,
        fallback_llm=tuple(_choice(one) for one in row.fallback),
        agent_messages=cast("Literal['auto', 'agent', 'hook']", row.agent_messages),
        webhook_secret=SecretStr(secret) if secret else None,
        record_calls=row.record_all_calls,
        by_operator=row.by_operator,
    )


def vendor_credential(row: LlmServiceRow | SpeechServiceRow, box: SecretBox) -> VendorCredential:
    """Translate one service's row."""
    fields = {name: _text(value) for name, value in row.fields.items() if value is not None}
    if row.vendor == "deepgram" and "base_url" not in fields and (host := fields.get("deepgram_stt_uri")):
        plain = fields.get("deepgram_stt_use_tls", "true") == "false"
        fields["base_url"] = host if "://" in host else f"{'ws' if plain else 'wss'}://{host}"
    return VendorCredential(
        vendor=row.vendor,
        label=row.label or None,
        sid=row.sid,
        secrets=open_fields(box, row),
        fields=fields,
        fallback=tuple(_choice(one) for one in row.fallback) if isinstance(row, LlmServiceRow) else (),
        listens=isinstance(row, SpeechServiceRow) and row.use_for_stt,
        speaks=isinstance(row, SpeechServiceRow) and row.use_for_tts,
        by_operator=row.by_operator,
    )


async def _grouped(rows: AsyncGenerator[_ServiceRow], box: SecretBox) -> Credentials:
    groups: dict[tuple[str, str], list[KnownCredential]] = {}
    async for row in rows:
        known = KnownCredential(vendor_credential(row, box), row.is_default)
        groups.setdefault((row.account_sid, row.vendor.lower()), []).append(known)
    return groups


async def _carriers(session: AsyncSession, box: SecretBox, accounts: set[str]) -> list[KnownCarrier]:
    networks: dict[str, list[Network]] = {}
    trusted: dict[str, list[Network]] = {}
    async for gateway in in_turns(session, select(GatewayRow).where(GatewayRow.inbound, GatewayRow.is_active)):
        network = gateway_network(gateway)
        if network is not None:
            networks.setdefault(gateway.carrier_sid, []).append(network)
            if gateway.by_operator:
                trusted.setdefault(gateway.carrier_sid, []).append(network)
    outbound: dict[str, list[GatewayRow]] = {}
    active = select(GatewayRow).where(GatewayRow.outbound, GatewayRow.is_active)
    async for gateway in in_turns(session, active.order_by(GatewayRow.created_at, GatewayRow.sid)):
        outbound.setdefault(gateway.carrier_sid, []).append(gateway)
    carriers: list[KnownCarrier] = []
    async for row in in_turns(session, select(CarrierRow).where(CarrierRow.is_active).order_by(CarrierRow.created_at)):
        if row.account_sid not in accounts:
            continue
        token = open_field(box, row, "token")
        auth_token = open_field(box, row, "auth_token") if row.carrier_type == "twilio" else None
        carriers.append(
            KnownCarrier(
                name=row.name,
                account_sid=row.account_sid,
                application_sid=row.application_sid,
                routes=[_route(row, gateway, box) for gateway in outbound.get(row.sid, ())],
                networks=networks.get(row.sid, ()),
                trusted=trusted.get(row.sid, ()),
                token_sha256=token_digest(token) if token else None,
                twilio_auth_token=SecretStr(auth_token) if auth_token else None,
            )
        )
    return carriers


def _route(carrier: CarrierRow, gateway: GatewayRow, box: SecretBox) -> OutboundRoute:
    user, password = carrier.properties.get("register_username"), open_field(box, carrier, "register_password")
    auth = (str(user), password) if user and password else None
    plus, proxy = carrier.properties.get("e164_leading_plus"), carrier.properties.get("outbound_sip_proxy")
    return OutboundRoute(
        carrier.name,
        gateway.address,
        gateway.port,
        gateway.protocol.partition("/")[0],
        auth,
        leading_plus=None if plus is None else bool(plus),
        prefix=str(carrier.properties.get("tech_prefix") or ""),
        proxy=str(proxy) if proxy else None,
        guarded=bool(proxy) or not gateway.by_operator,
    )


def gateway_network(gateway: GatewayRow) -> Network | None:
    """Return a gateway's network; None for a host name, which admits nobody."""
    try:
        return ip_network(f"{gateway.address}/{gateway.netmask}", strict=False)
    except ValueError:
        return None


def _hook(row: ApplicationRow, name: str, box: SecretBox) -> Hook | None:
    spec = row.hooks.get(name)
    if not spec:
        return None
    return Hook(
        url=spec["url"],
        method=spec.get("method", "POST"),
        username=spec.get("username"),
        password=open_field(box, row, f"{name}.password"),
    )


def _choice(spec: Mapping[str, Any]) -> LlmChoice:
    return LlmChoice(vendor=spec["vendor"], model=spec["model"], label=spec.get("label"))


def _synthesizer(speech: Mapping[str, Any]) -> Synthesizer | None:
    return Synthesizer.model_validate(found) if (found := _component(speech, "speech_synthesis_")) else None


def _recognizer(speech: Mapping[str, Any]) -> Recognizer | None:
    return Recognizer.model_validate(found) if (found := _component(speech, "speech_recognizer_")) else None


def _component(speech: Mapping[str, Any], prefix: str) -> dict[str, Any] | None:
    if not speech.get(f"{prefix}vendor"):
        return None
    plain = {part: speech.get(f"{prefix}{part}") for part in ("vendor", "label", "language", "voice")}
    if speech.get("use_for_fallback_speech"):
        plain |= {
            f"fallback_{part}": speech.get(f"fallback_{prefix}{part}")
            for part in ("vendor", "label", "language", "voice")
        }
    return {name: value for name, value in plain.items() if value is not None}


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case _:
            return msgspec.json.encode(value).decode()
