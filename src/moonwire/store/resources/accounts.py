"""Accounts on the wire; only administrators make and remove them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, select, true

from moonwire.errors import RecordError
from moonwire.ports.administration import Principal, Row
from moonwire.store.resources.hooks import shown_hook, with_hook
from moonwire.store.resources.kind import Kind, Writing, assign_given, merged
from moonwire.store.sealing import seal_field
from moonwire.store.secrets import SecretBox
from moonwire.store.tables import AccountRow

PROPERTIES = (
    "sip_realm",
    "device_calling_application_sid",
    "record_all_calls",
    "record_format",
    "enable_debug_log",
    "plan_type",
)
HOOKS = ("registration_hook", "queue_event_hook")


def show(row: AccountRow, _box: SecretBox) -> Row:
    """Return the account as REST shows it; its webhook secret has its own route."""
    shown: Row = {"account_sid": row.sid, "name": row.name, "is_active": row.is_active, "is_default": row.is_default}
    hooks = {name: shown_hook(row.sid, row.properties, name) for name in HOOKS}
    return shown | {name: row.properties.get(name) for name in PROPERTIES} | hooks | {"created_at": row.created_at}


async def fill(writing: Writing, row: AccountRow, members: Mapping[str, Any], is_new: bool) -> Row:
    """Put members into columns."""
    if is_new:
        if not writing.principal.is_admin:
            raise RecordError("Only an administrator makes accounts.", why="forbidden")
        new_webhook_secret(writing.box, row)
    if not writing.principal.is_admin and members.get("is_active") is False:
        raise RecordError("is_active: only an administrator switches an account off.", why="forbidden")
    if "name" in members and await _is_taken(writing, row, members["name"]):
        raise RecordError(f"name: there is already an account named {members['name']}.", why="conflict")
    assign_given(row, members, "name", "is_active")
    row.properties = merged(row.properties, {name: members[name] for name in PROPERTIES if name in members})
    for name in HOOKS:
        if name in members:
            row.properties = with_hook(writing.box, row, row.properties, name, members[name])
    return {}


def new_webhook_secret(box: SecretBox, row: AccountRow) -> str:
    """Make the secret that signs the account's webhooks (jambonz contract section 2.2)."""
    secret = f"wh_secret_{secrets.token_urlsafe(24)}"
    seal_field(box, row, "webhook_secret", secret)
    return secret


async def _is_taken(writing: Writing, row: AccountRow, name: str) -> bool:
    query = select(func.count()).where(AccountRow.name == name, AccountRow.sid != row.sid)
    return bool(await writing.session.scalar(query))


async def _guard_delete(writing: Writing, row: AccountRow) -> None:
    if not writing.principal.is_admin:
        raise RecordError("Only an administrator removes accounts.", why="forbidden")
    if row.is_default:
        raise RecordError("The default account cannot be removed.", why="in-use")


def _scope(principal: Principal) -> ColumnElement[bool]:
    return true() if principal.is_admin else AccountRow.sid == principal.account_sid


ACCOUNTS = Kind(
    AccountRow,
    "account",
    show,
    fill,
    {"name": AccountRow.name},
    scope=_scope,
    has_account=False,
    guard_delete=_guard_delete,
)
