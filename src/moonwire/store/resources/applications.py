"""Applications on the wire: hooks as objects, environment variables without their secrets."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import func, select

from moonwire.errors import RecordError
from moonwire.ports.administration import Row
from moonwire.store.apply import SPEECH_MEMBERS
from moonwire.store.resources.kind import Kind, Writing, assign_given, merged
from moonwire.store.sealing import open_field, seal_field
from moonwire.store.secret_names import looks_secret, with_kept_secrets
from moonwire.store.secrets import SecretBox
from moonwire.store.tables import ApplicationRow

HOOKS = ("call_hook", "call_status_hook", "messaging_hook")


def show(row: ApplicationRow, box: SecretBox) -> Row:
    """Return the application as REST shows it; `secret_env_vars` names what `env_vars` leaves out."""
    env_vars = _env_vars(row, box)
    hidden = {name for name, value in env_vars.items() if looks_secret(name, value)}
    return {
        "application_sid": row.sid,
        "account_sid": row.account_sid,
        "name": row.name,
        **{name: _hook(row, name) for name in HOOKS},
        "app_json": row.app_json,
        **{name: row.speech.get(name) for name in SPEECH_MEMBERS if name != "use_for_fallback_speech"},
        "use_for_fallback_speech": int(bool(row.speech.get("use_for_fallback_speech"))),
        "env_vars": {name: value for name, value in env_vars.items() if name not in hidden} or None,
        "secret_env_vars": sorted(hidden),
        "llm": row.llm or None,
        "fallback": row.fallback,
        "agent_messages": row.agent_messages,
        "record_all_calls": int(row.record_all_calls),
        "created_at": row.created_at,
    }


async def fill(writing: Writing, row: ApplicationRow, members: Mapping[str, Any], is_new: bool) -> Row:
    """Put members into columns; a hook's password left out stays while its URL stays."""
    if is_new:
        row.hooks, row.speech, row.by_operator = {}, {}, False
    if "name" in members and await _is_taken(writing, row, members["name"]):
        raise RecordError(f"name: there is already an application named {members['name']}.", why="conflict")
    assign_given(row, members, "name", "app_json", "fallback", "agent_messages")
    row.speech = merged(row.speech, {name: members[name] for name in SPEECH_MEMBERS if name in members})
    if "llm" in members:
        row.llm = members["llm"] or {}
    if "record_all_calls" in members:
        row.record_all_calls = bool(members["record_all_calls"])
    for name in HOOKS:
        if name in members:
            _set_hook(writing.box, row, name, members[name])
    if "env_vars" in members:
        env_vars = with_kept_secrets(members["env_vars"] or {}, _env_vars(row, writing.box))
        text = msgspec.json.encode(env_vars, order="sorted").decode() if env_vars else None
        seal_field(writing.box, row, "env_vars", text)
    if not row.hooks.get("call_hook") and not row.app_json:
        raise RecordError("An application needs a call_hook or an app_json.", why="invalid")
    return {}


def _set_hook(box: SecretBox, row: ApplicationRow, name: str, hook: Mapping[str, Any] | None) -> None:
    field = f"{name}.password"
    before: Mapping[str, Any] = row.hooks.get(name, {})
    if hook is None:
        row.hooks = {other: value for other, value in row.hooks.items() if other != name}
        seal_field(box, row, field, None)
        return
    if hook["url"] != before.get("url"):
        row.by_operator = False
    row.hooks = row.hooks | {name: merged({}, {member: hook.get(member) for member in ("url", "method", "username")})}
    if hook.get("password"):
        seal_field(box, row, field, hook["password"])
    elif not hook.get("username") or hook["url"] != before.get("url"):
        seal_field(box, row, field, None)


def _hook(row: ApplicationRow, name: str) -> Row | None:
    hook = row.hooks.get(name)
    if hook is None:
        return None
    return {
        "webhook_sid": str(uuid.uuid5(uuid.UUID(row.sid), name)),
        "url": hook["url"],
        "method": hook.get("method", "POST"),
        "username": hook.get("username"),
    }


def _env_vars(row: ApplicationRow, box: SecretBox) -> dict[str, Any]:
    text = open_field(box, row, "env_vars")
    return msgspec.json.decode(text) if text else {}


async def _is_taken(writing: Writing, row: ApplicationRow, name: str) -> bool:
    query = select(func.count()).where(
        ApplicationRow.account_sid == row.account_sid, ApplicationRow.name == name, ApplicationRow.sid != row.sid
    )
    return bool(await writing.session.scalar(query))


APPLICATIONS = Kind(
    ApplicationRow,
    "application",
    show,
    fill,
    {"account_sid": ApplicationRow.account_sid, "name": ApplicationRow.name},
)
