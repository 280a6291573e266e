"""Brings a configuration into the database: makes what is missing, updates what differs, leaves the rest alone.

A declared thing is complete: a member left out gets its default, only a secret left out stays as it is. Nothing is
deleted, because REST and portal users own things too. The caller's transaction makes it all or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from moonwire.errors import ConfigError
from moonwire.store.declared import (
    CARRIER_PROPERTIES,
    CARRIER_SECRETS,
    ApiKeySpec,
    ApplicationSpec,
    CarrierSpec,
    Configuration,
    HookSpec,
    LlmChoiceSpec,
    LlmServiceSpec,
    PhoneNumberSpec,
    ServiceSpec,
    SpeechServiceSpec,
)
from moonwire.store.gateways import Gateway, parse_gateway
from moonwire.store.sealing import open_field, seal_field
from moonwire.store.secret_names import declared_secrets, with_kept_secrets
from moonwire.store.secrets import SecretBox
from moonwire.store.snapshot import token_digest
from moonwire.store.tables import (
    ApiKeyRow,
    ApplicationRow,
    CarrierRow,
    GatewayRow,
    LlmServiceRow,
    PhoneNumberRow,
    SpeechServiceRow,
    new_sid,
)

_ServiceRow = TypeVar("_ServiceRow", LlmServiceRow, SpeechServiceRow)
_HOST_FIELDS = ("base_url", "api_url", "endpoint", "region", "deepgram_stt_uri", "custom_stt_url", "custom_tts_url")
_HOOKS = ("call_hook", "call_status_hook", "messaging_hook")
SPEECH_MEMBERS = tuple(name for name in ApplicationSpec.model_fields if "speech_" in name or name.endswith("_speech"))
_SERVICE_COLUMNS = frozenset({"vendor", "label", "default", "fallback", "use_for_stt", "use_for_tts"})


@dataclass(slots=True)
class Applied:
    """What an apply did; entries read `applications/kimi`."""

    created: list[str] = field(default_factory=list[str])
    updated: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])

    def __str__(self) -> str:
        changed = [f"{word} {', '.join(names)}" for word, names in self._changed() if names]
        return "; ".join([*changed, f"{len(self.unchanged)} unchanged"])

    def _changed(self) -> Sequence[tuple[str, list[str]]]:
        return (("created", self.created), ("updated", self.updated))

    def note(self, entry: str, *, is_new: bool, changed: bool) -> None:
        """Count one thing."""
        (self.created if is_new else self.updated if changed else self.unchanged).append(entry)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where an apply works."""

    session: AsyncSession
    box: SecretBox
    account_sid: str
    applied: Applied


async def apply_configuration(
    session: AsyncSession, box: SecretBox, account_sid: str, configuration: Configuration
) -> Applied:
    """Bring one configuration into one account, inside the session's transaction.

    Raises:
        ConfigError: a reference names nothing, a number or token belongs to somebody else, or a service moves to
            another host without its secret being given again.
    """
    scope = _Scope(session, box, account_sid, Applied())
    for index, llm in enumerate(configuration.llm_services):
        await _llm_service(scope, llm, f"llm_services[{index}]")
    for index, speech in enumerate(configuration.speech_services):
        await _speech_service(scope, speech, f"speech_services[{index}]")
    applications = await _applications(scope, configuration.applications)
    carriers = await _carriers(scope, configuration.carriers, applications)
    await _phone_numbers(scope, configuration.phone_numbers, applications, carriers)
    await _api_keys(scope, configuration.api_keys)
    await session.flush()
    return scope.applied


def moved_host(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Say whether a service's fields now point at another host than before; a stored key must not follow."""
    return any(
        _host(old.get(name)) != _host(new.get(name))
        for name in (
            "base_url",
            "api_url",
            "endpoint",
            "region",
            "deepgram_stt_uri",
            "custom_stt_url",
            "custom_tts_url",
        )
    )


def _host(url: object) -> str:
    text = str(url or "")
    return (urlsplit(text).hostname or text) if "://" in text else text


async def _llm_service(scope: _Scope, spec: LlmServiceSpec, path: str) -> None:
    row, is_new = await _service_row(scope, spec, LlmServiceRow)
    changed = _service_columns(scope, row, spec, path)
    changed |= _assign(row, fallback=[_choice(one) for one in spec.fallback])
    scope.applied.note(f"llm_services/{_service_name(spec)}", is_new=is_new, changed=changed)


async def _speech_service(scope: _Scope, spec: SpeechServiceSpec, path: str) -> None:
    row, is_new = await _service_row(scope, spec, SpeechServiceRow)
    changed = _service_columns(scope, row, spec, path)
    changed |= _assign(row, use_for_stt=spec.use_for_stt, use_for_tts=spec.use_for_tts)
    scope.applied.note(f"speech_services/{_service_name(spec)}", is_new=is_new, changed=changed)


def _service_name(spec: ServiceSpec) -> str:
    return f"{spec.vendor}:{spec.label}" if spec.label else spec.vendor


async def _service_row(scope: _Scope, spec: ServiceSpec, table: type[_ServiceRow]) -> tuple[_ServiceRow, bool]:
    query = select(table).where(
        table.account_sid == scope.account_sid, table.vendor == spec.vendor, table.label == (spec.label or "")
    )
    row = await scope.session.scalar(query)
    if row is not None:
        return row, False
    row = table(sid=new_sid(), account_sid=scope.account_sid, vendor=spec.vendor, label=spec.label or "", sealed={})
    scope.session.add(row)
    return row, True


def _service_columns(scope: _Scope, row: LlmServiceRow | SpeechServiceRow, spec: ServiceSpec, path: str) -> bool:
    plain: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    for name in type(spec).model_fields:
        value = getattr(spec, name)
        if isinstance(value, SecretStr):
            secrets[name] = value.get_secret_value()
        elif value is not None and name not in _SERVICE_COLUMNS:
            plain[name] = value
    kept = set(row.sealed) - set(secrets)
    if kept and moved_host(row.fields, plain):
        raise ConfigError(
            f"{path}: the host changes, so {', '.join(sorted(kept))} must be given again; a stored key is sent only to "
            "the host it was stored for."
        )
    changed = _assign(row, fields=plain, is_default=spec.default, by_operator=True)
    for name, text in secrets.items():
        changed |= seal_field(scope.box, row, name, text)
    return changed


async def _applications(scope: _Scope, specs: Sequence[ApplicationSpec]) -> dict[str, str]:
    """Apply applications; return sid by name of all the account has."""
    query = select(ApplicationRow).where(ApplicationRow.account_sid == scope.account_sid)
    rows = {row.name: row for row in await scope.session.scalars(query)}
    for spec in specs:
        row = rows.get(spec.name)
        is_new = row is None
        if row is None:
            row = ApplicationRow(sid=new_sid(), account_sid=scope.account_sid, name=spec.name, sealed={})
            scope.session.add(row)
            rows[spec.name] = row
        changed = _application_columns(scope, row, spec)
        scope.applied.note(f"applications/{spec.name}", is_new=is_new, changed=changed)
    await scope.session.flush()
    return {name: row.sid for name, row in rows.items()}


def _application_columns(scope: _Scope, row: ApplicationRow, spec: ApplicationSpec) -> bool:
    hooks = {name: getattr(spec, name) for name in _HOOKS}
    speech = {name: value for name in SPEECH_MEMBERS if (value := getattr(spec, name)) not in (None, False)}
    changed = _assign(
        row,
        hooks={name: _hook(hook) for name, hook in hooks.items() if hook is not None},
        app_json=None if spec.app_json is None else msgspec.json.encode(spec.app_json).decode(),
        speech=speech,
        llm=_choice(spec.llm) if spec.llm else {},
        fallback=[_choice(one) for one in spec.fallback],
        agent_messages=spec.agent_messages,
        record_all_calls=spec.record_all_calls,
        by_operator=True,
    )
    stored = open_field(scope.box, row, "env_vars")
    declared = declared_secrets(scope.box, row)
    env_vars = with_kept_secrets(spec.env_vars, msgspec.json.decode(stored) if stored else {}, declared)
    text = msgspec.json.encode(env_vars, order="sorted").decode() if env_vars else None
    changed |= seal_field(scope.box, row, "env_vars", text)
    for name, hook in hooks.items():
        if hook is None or hook.username is None:
            changed |= seal_field(scope.box, row, f"{name}.password", None)
        elif hook.password is not None:
            changed |= seal_field(scope.box, row, f"{name}.password", hook.password.get_secret_value())
    return changed


async def _carriers(scope: _Scope, specs: Sequence[CarrierSpec], applications: Mapping[str, str]) -> dict[str, str]:
    """Apply carriers; return sid by name of all the account has."""
    query = select(CarrierRow).where(CarrierRow.account_sid == scope.account_sid)
    rows = {row.name: row for row in await scope.session.scalars(query)}
    for index, spec in enumerate(specs):
        row = rows.get(spec.name)
        is_new = row is None
        if row is None:
            row = CarrierRow(sid=new_sid(), account_sid=scope.account_sid, name=spec.name, sealed={}, properties={})
            scope.session.add(row)
            await scope.session.flush()
            rows[spec.name] = row
        changed = _assign(
            row,
            description=spec.description or "",
            carrier_type=spec.type,
            is_active=spec.is_active,
            application_sid=_reference(applications, spec.application, f"carriers[{index}].application", "application"),
            properties={name: value for name in CARRIER_PROPERTIES if (value := getattr(spec, name)) is not None},
        )
        secrets: dict[str, SecretStr | None] = {name: getattr(spec, name) for name in CARRIER_SECRETS}
        for name, secret in secrets.items():
            if secret is not None:
                changed |= seal_field(scope.box, row, name, secret.get_secret_value())
        changed |= await _inbound_gateways(scope, row, spec.inbound)
        changed |= await _outbound_gateways(scope, row, spec.outbound)
        scope.applied.note(f"carriers/{spec.name}", is_new=is_new, changed=changed)
    return {name: row.sid for name, row in rows.items()}


async def _inbound_gateways(scope: _Scope, carrier: CarrierRow, inbound: Sequence[str]) -> bool:
    """Make the carrier's inbound-only gateways exactly the declared ones; outbound gateways stay."""
    wanted = {(str(network.network_address), network.prefixlen) for network in map(ip_network, inbound)}
    rows = await scope.session.scalars(select(GatewayRow).where(GatewayRow.carrier_sid == carrier.sid))
    changed = False
    for row in rows:
        if (row.address, row.netmask) in wanted and row.inbound and row.is_active:
            wanted.discard((row.address, row.netmask))
            row.by_operator = True
        elif row.inbound and not row.outbound:
            await scope.session.delete(row)
            changed = True
    for address, netmask in sorted(wanted):
        new = GatewayRow(sid=new_sid(), carrier_sid=carrier.sid, address=address, netmask=netmask, by_operator=True)
        scope.session.add(new)
    return changed or bool(wanted)


async def _outbound_gateways(scope: _Scope, carrier: CarrierRow, outbound: Sequence[str]) -> bool:
    """Add the declared gateways that are missing; others, made over REST, stay."""
    rows = await scope.session.scalars(select(GatewayRow).where(GatewayRow.carrier_sid == carrier.sid))
    known = {(row.address, row.port, row.protocol): row for row in rows if row.outbound}
    declared = [gateway for one in outbound if (gateway := parse_gateway(one))]
    missing = [gateway for gateway in declared if _key(gateway) not in known]
    for gateway in declared:
        if _key(gateway) in known:
            known[_key(gateway)].by_operator = True
    for gateway in missing:
        scope.session.add(
            GatewayRow(
                sid=new_sid(),
                carrier_sid=carrier.sid,
                address=gateway.host,
                port=gateway.port,
                protocol=gateway.protocol,
                inbound=False,
                outbound=True,
                by_operator=True,
            )
        )
    return bool(missing)


def _key(gateway: Gateway) -> tuple[str, int, str]:
    return (gateway.host, gateway.port, gateway.protocol)


async def _phone_numbers(
    scope: _Scope, specs: Sequence[PhoneNumberSpec], applications: Mapping[str, str], carriers: Mapping[str, str]
) -> None:
    known = {row.number: row for row in await scope.session.scalars(select(PhoneNumberRow))} if specs else {}
    for index, spec in enumerate(specs):
        path = f"phone_numbers[{index}]"
        row = known.get(spec.number)
        is_new = row is None
        if row is None:
            row = PhoneNumberRow(sid=new_sid(), account_sid=scope.account_sid, number=spec.number)
            scope.session.add(row)
        elif row.account_sid != scope.account_sid:
            raise ConfigError(f"{path}.number: {spec.number} belongs to another account.")
        changed = _assign(
            row,
            application_sid=_reference(applications, spec.application, f"{path}.application", "application"),
            carrier_sid=_reference(carriers, spec.carrier, f"{path}.carrier", "carrier"),
        )
        scope.applied.note(f"phone_numbers/{spec.number}", is_new=is_new, changed=changed)


async def _api_keys(scope: _Scope, specs: Sequence[ApiKeySpec]) -> None:
    for index, spec in enumerate(specs):
        token = spec.token.get_secret_value().strip()
        account_sid = None if spec.scope == "admin" else scope.account_sid
        owner = ApiKeyRow.account_sid.is_(None) if account_sid is None else ApiKeyRow.account_sid == account_sid
        row = await scope.session.scalar(select(ApiKeyRow).where(owner, ApiKeyRow.name == spec.name))
        other = await scope.session.scalar(select(ApiKeyRow).where(ApiKeyRow.token_sha256 == token_digest(token)))
        if other is not None and other is not row:
            raise ConfigError(f"api_keys[{index}].token: another API key has the same token; make a new one.")
        is_new = row is None
        if row is None:
            row = ApiKeyRow(sid=new_sid(), account_sid=account_sid, name=spec.name)
            scope.session.add(row)
        changed = _assign(row, token_sha256=token_digest(token), hint=token[-4:])
        await scope.session.flush()
        scope.applied.note(f"api_keys/{spec.name}", is_new=is_new, changed=changed)


def _assign(row: object, **values: object) -> bool:
    """Set the columns that differ; say whether any did."""
    differing = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in differing.items():
        setattr(row, name, value)
    return bool(differing)


def _reference(known: Mapping[str, str], name: str | None, path: str, kind: str) -> str | None:
    if name is None:
        return None
    if name not in known:
        names = ", ".join(sorted(known)[:10]) or "none"
        raise ConfigError(f"{path}: there is no {kind} named {name!r}; known are {names}.")
    return known[name]


def _hook(spec: HookSpec) -> dict[str, Any]:
    return spec.model_dump(exclude={"password"}, exclude_none=True)


def _choice(spec: LlmChoiceSpec) -> dict[str, Any]:
    return spec.model_dump(exclude_none=True)
