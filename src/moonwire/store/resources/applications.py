"""Applications on the wire: hooks as objects, environment variables without their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import func, select

from moonwire.errors import RecordError
from moonwire.ports.administration import Row
from moonwire.store.apply import SPEECH_MEMBERS
from moonwire.store.resources.hooks import shown_hook, with_hook
from moonwire.store.resources.kind import Kind, Writing, assign_given, merged
from moonwire.store.sealing import open_field, seal_field
from moonwire.store.secret_names import DECLARED_SECRETS, declared_secrets, hidden_names, with_kept_secrets
from moonwire.store.secrets import SecretBox
from moonwire.store.tables import ApplicationRow

HOOKS = ("call_hook", "call_status_hook", "messaging_hook")


def show(row: ApplicationRow, box: SecretBox) -> Row:
    """Return the application as REST shows it; `secret_env_vars` names what `env_vars` leaves out."""
    env_vars = _env_vars(row, box)
    hidden = hidden_names(env_vars, declared_secrets(box, row))
    return {
        "application_sid": row.sid,
        "account_sid": row.account_sid,
        "name": row.name,
        **{name: shown_hook(row.sid, row.hooks, name) for name in HOOKS},
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
            before, hook = row.hooks.get(name, {}), members[name]
            if hook is not None and hook["url"] != before.get("url"):
                row.by_operator = False
            row.hooks = with_hook(writing.box, row, row.hooks, name, hook)
    if "env_vars" in members:
        if members.get(DECLARED_SECRETS) is not None:
            names = msgspec.json.encode(sorted(members[DECLARED_SECRETS])).decode()
            seal_field(writing.box, row, DECLARED_SECRETS, names if members[DECLARED_SECRETS] else None)
        declared = declared_secrets(writing.box, row)
        env_vars = with_kept_secrets(members["env_vars"] or {}, _env_vars(row, writing.box), declared)
        text = msgspec.json.encode(env_vars, order="sorted").decode() if env_vars else None
        seal_field(writing.box, row, "env_vars", text)
    if not row.hooks.get("call_hook") and not row.app_json:
        raise RecordError("An application needs a call_hook or an app_json.", why="invalid")
    return {}


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
    searched=ApplicationRow.name,
)
