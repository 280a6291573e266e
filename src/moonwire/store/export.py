"""Writes what the default account holds as a configuration file that `moonwire apply` accepts again.

No secret leaves the database. They are left out, so that the file applies to an empty database and gives an equal
export there; or, where asked for, stand as `${NAME}` placeholders.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
import yaml
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from moonwire.store.declared import CARRIER_FLAGS, CARRIER_PROPERTIES, CarrierSpec
from moonwire.store.gateways import Gateway, gateway_text
from moonwire.store.sealing import open_field
from moonwire.store.secret_names import declared_secrets, hidden_names
from moonwire.store.secrets import SecretBox
from moonwire.store.snapshot import gateway_network
from moonwire.store.tables import (
    ApiKeyRow,
    ApplicationRow,
    CarrierRow,
    GatewayRow,
    LlmServiceRow,
    PhoneNumberRow,
    SpeechServiceRow,
)

_LEFT_OUT = """\
# Written by moonwire export. Secrets are left out: applied to the same database they stay as they are; for a new one
# add them, for example  api_key: ${MOONSHOT_API_KEY}
"""
_PLACEHOLDERS = """\
# Written by moonwire export. Every ${NAME} is a secret to be set in the environment before this file is applied.
"""


async def export_configuration(
    session: AsyncSession, box: SecretBox, account_sid: str, *, placeholders: bool = False
) -> str:
    """Return the account's configuration as YAML text."""
    writer = _Writer(session, box, account_sid, placeholders)
    sections = await writer.sections()
    head = _PLACEHOLDERS if placeholders else _LEFT_OUT
    body = yaml.safe_dump(sections, sort_keys=False, allow_unicode=True, width=120) if sections else ""
    return head + body


class _Writer:
    """Turns rows into the members that a file has."""

    def __init__(self, session: AsyncSession, box: SecretBox, account_sid: str, placeholders: bool) -> None:
        self._session = session
        self._box = box
        self._account_sid = account_sid
        self._placeholders = placeholders

    async def sections(self) -> dict[str, Any]:
        llm = await self._rows(LlmServiceRow, LlmServiceRow.vendor, LlmServiceRow.label)
        speech = await self._rows(SpeechServiceRow, SpeechServiceRow.vendor, SpeechServiceRow.label)
        applications = await self._rows(ApplicationRow, ApplicationRow.name)
        carriers = await self._rows(CarrierRow, CarrierRow.name)
        names = {row.sid: row.name for row in (*applications, *carriers)}
        numbers = await self._rows(PhoneNumberRow, PhoneNumberRow.number)
        keys: Sequence[ApiKeyRow] = await self._rows(ApiKeyRow, ApiKeyRow.name) if self._placeholders else []
        found: dict[str, Any] = {
            "llm_services": [self._llm(row) for row in llm],
            "speech_services": [self._speech(row) for row in speech],
            "applications": [self._application(row) for row in applications],
            "phone_numbers": [_phone_number(row, names) for row in numbers],
            "carriers": [await self._carrier(row, names) for row in carriers],
            "api_keys": [{"name": row.name, "token": _placeholder("api", row.name, "token")} for row in keys],
        }
        return {section: entries for section, entries in found.items() if entries}

    async def _rows(self, table: type[Any], *order: Any) -> Sequence[Any]:
        query = select(table).where(table.account_sid == self._account_sid).order_by(*order)
        return (await self._session.scalars(query)).all()

    def _llm(self, row: LlmServiceRow) -> dict[str, Any]:
        return self._service(row) | _given({"fallback": escaped(row.fallback)})

    def _speech(self, row: SpeechServiceRow) -> dict[str, Any]:
        limits = {"use_for_stt": row.use_for_stt, "use_for_tts": row.use_for_tts}
        return self._service(row) | {name: value for name, value in limits.items() if not value}

    def _service(self, row: LlmServiceRow | SpeechServiceRow) -> dict[str, Any]:
        fields = {name: value for name, value in row.fields.items() if value is not None and not _has_password(value)}
        members = _given({"vendor": row.vendor, "label": row.label, "default": row.is_default}) | fields
        return cast("dict[str, Any]", escaped(members)) | self._secrets(row.sealed, row.vendor, row.label)

    def _application(self, row: ApplicationRow) -> dict[str, Any]:
        hooks = {name: self._hook(row, name, hook) for name, hook in row.hooks.items()}
        env_vars = open_field(self._box, row, "env_vars")
        members: dict[str, Any] = {
            "name": escaped(row.name),
            **hooks,
            "app_json": escaped(msgspec.json.decode(row.app_json)) if row.app_json else None,
            "env_vars": self._env_vars(row, msgspec.json.decode(env_vars)) if env_vars else None,
            **cast("dict[str, Any]", escaped(row.speech)),
            "llm": escaped(row.llm),
            "fallback": escaped(row.fallback),
            "agent_messages": None if row.agent_messages == "auto" else row.agent_messages,
            "record_all_calls": row.record_all_calls,
        }
        return _given(members)

    def _hook(self, row: ApplicationRow, name: str, hook: Mapping[str, Any]) -> object:
        password = self._secrets(["password"] if f"{name}.password" in row.sealed else [], row.name, name)
        members = {member: value for member, value in hook.items() if (member, value) != ("method", "POST")}
        if set(members) == {"url"} and not password:
            return escaped(hook["url"])
        return cast("dict[str, Any]", escaped(members)) | password

    def _env_vars(self, row: ApplicationRow, env_vars: Mapping[str, Any]) -> dict[str, Any]:
        hidden = hidden_names(env_vars, declared_secrets(self._box, row))
        shown: dict[str, Any] = {}
        for name, value in env_vars.items():
            if name not in hidden:
                shown[name] = escaped(value)
            elif self._placeholders:
                shown[name] = _placeholder(row.name, name)
        return shown

    async def _carrier(self, row: CarrierRow, names: Mapping[str, str]) -> dict[str, Any]:
        query = select(GatewayRow).where(GatewayRow.carrier_sid == row.sid, GatewayRow.is_active)
        gateways = (await self._session.scalars(query.order_by(GatewayRow.created_at, GatewayRow.sid))).all()
        networks = {str(network) for one in gateways if one.inbound and (network := gateway_network(one))}
        members = {
            "name": escaped(row.name),
            "description": escaped(row.description),
            "type": None if row.carrier_type == "sip" else row.carrier_type,
            "inbound": sorted(networks),
            "outbound": [text for one in gateways if one.outbound and (text := _outbound(one))],
            "application": escaped(names.get(row.application_sid or "")),
        }
        flags = {name: bool(row.properties[name]) for name in CARRIER_FLAGS if row.properties.get(name) is not None}
        texts = {name: escaped(row.properties.get(name)) for name in CARRIER_PROPERTIES if name not in CARRIER_FLAGS}
        inactive = {} if row.is_active else {"is_active": False}
        declared = [name for name in row.sealed if name in CarrierSpec.model_fields]
        return _given(members | texts) | flags | inactive | self._secrets(declared, row.name)

    def _secrets(self, sealed: Collection[str], *owner: str | None) -> dict[str, Any]:
        return {field: _placeholder(*owner, field) for field in sealed} if self._placeholders else {}


def escaped(value: object) -> object:
    """Return the value with `${` in its texts written so that `apply` reads it as text again."""
    match value:
        case str():
            return value.replace("${", "$${")
        case list():
            return [escaped(item) for item in cast("list[object]", value)]
        case dict():
            return {key: escaped(item) for key, item in cast("dict[object, object]", value).items()}
        case _:
            return value


def _phone_number(row: PhoneNumberRow, names: Mapping[str, str]) -> dict[str, Any]:
    application, carrier = names.get(row.application_sid or ""), names.get(row.carrier_sid or "")
    return _given({"number": row.number, "application": escaped(application), "carrier": escaped(carrier)})


def _outbound(row: GatewayRow) -> str | None:
    return gateway_text(Gateway(row.address, row.port, row.protocol))


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what equals the schema's default."""
    return {name: value for name, value in members.items() if value not in (None, "", False, [], {})}


def _placeholder(*parts: str | None) -> str:
    name = "_".join(part for part in parts if part)
    return "${" + re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") + "}"


def _has_password(value: object) -> bool:
    """Say whether a URL carries a password."""
    try:
        return isinstance(value, str) and urlsplit(value).password is not None
    except ValueError:
        return False
