"""Vendor accounts on the wire (SpeechCredentials, LlmCredentials): secrets obscured, keys bound to their host."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from moonwire.errors import RecordError
from moonwire.ports.administration import Row
from moonwire.store.apply import moved_host
from moonwire.store.declared import SECRET_MEMBERS
from moonwire.store.resources.kind import Kind, Writing, merged, obscured
from moonwire.store.sealing import open_field, seal_field
from moonwire.store.secrets import SecretBox
from moonwire.store.tables import LlmServiceRow, SpeechServiceRow

ServiceRow = LlmServiceRow | SpeechServiceRow

_COLUMNS = frozenset(
    {"account_sid", "vendor", "label", "is_default", "fallback", "use_for_stt", "use_for_tts", "service_provider_sid"}
)


def show_llm(row: LlmServiceRow, box: SecretBox) -> Row:
    """Return the language-model account as REST shows it."""
    own = {"fallback": row.fallback, "time_to_first_token_ms": row.first_ms}
    return {"llm_credential_sid": row.sid, **_shown(row, box), **own}


def show_speech(row: SpeechServiceRow, box: SecretBox) -> Row:
    """Return the speech account as REST shows it."""
    uses = {"use_for_stt": int(row.use_for_stt), "use_for_tts": int(row.use_for_tts)}
    own = {**uses, "time_to_first_audio_ms": row.first_ms}
    return {"speech_credential_sid": row.sid, **_shown(row, box), **own}


async def fill_llm(writing: Writing, row: LlmServiceRow, members: Mapping[str, Any], is_new: bool) -> Row:
    """Put members into columns."""
    await _fill(writing, row, members, is_new)
    if "fallback" in members:
        row.fallback = members["fallback"] or []
    return {}


async def fill_speech(writing: Writing, row: SpeechServiceRow, members: Mapping[str, Any], is_new: bool) -> Row:
    """Put members into columns."""
    await _fill(writing, row, members, is_new)
    for name in ("use_for_stt", "use_for_tts"):
        if name in members and bool(members[name]) != getattr(row, name):
            setattr(row, name, bool(members[name]))
            # A test covers what the account was used for then.
            row.tested_ok, row.tested_at, row.first_ms = None, None, None
    return {}


def _shown(row: ServiceRow, box: SecretBox) -> Row:
    secrets = {name: open_field(box, row, name) or "" for name in row.sealed}
    return {
        "account_sid": row.account_sid,
        "vendor": row.vendor,
        "label": row.label or None,
        "is_default": row.is_default,
        **row.fields,
        **{name: obscured(secret) for name, secret in secrets.items()},
        "fingerprints": {name: _fingerprint(secret) for name, secret in secrets.items()},
        "tested_ok": row.tested_ok,
        "tested_at": row.tested_at,
        "last_used_at": row.last_used_at,
        "last_error": row.last_error or None,
        "last_error_at": row.last_error_at,
        "created_at": row.created_at,
    }


async def _fill(writing: Writing, row: ServiceRow, members: Mapping[str, Any], is_new: bool) -> None:
    if is_new:
        row.vendor, row.label, row.fields = members["vendor"], "", {}
    elif members.get("vendor", row.vendor) != row.vendor:
        raise RecordError("vendor cannot be changed; create a new credential.", why="invalid")
    if "label" in members:
        row.label = members["label"] or ""
    await _refuse_taken_label(writing, row)
    secrets = {
        name: value
        for name, value in members.items()
        if name in SECRET_MEMBERS and not (value and _is_mask(writing.box, row, name, value))
    }
    plain = {name: value for name, value in members.items() if name not in SECRET_MEMBERS | _COLUMNS}
    fields = merged(row.fields, plain)
    if (set(row.sealed) - set(secrets)) and moved_host(row.fields, fields):
        missing = ", ".join(sorted(set(row.sealed) - set(secrets)))
        raise RecordError(
            f"{missing} must be given again, because the host changes; a stored key is sent only to the host it was "
            "stored for.",
            why="invalid",
        )
    if is_new or moved_host(row.fields, fields):
        row.by_operator = False
    if fields != row.fields or secrets:
        row.tested_ok, row.tested_at, row.first_ms = None, None, None
    row.fields = fields
    for name, value in secrets.items():
        seal_field(writing.box, row, name, value or None)
    if "is_default" in members:
        await _set_default(writing, row, bool(members["is_default"]))


def _is_mask(box: SecretBox, row: ServiceRow, name: str, value: str) -> bool:
    """Say whether a client sent back what it was shown; the secret then stays."""
    stored = open_field(box, row, name)
    return stored is not None and value == obscured(stored)


async def _set_default(writing: Writing, row: ServiceRow, is_default: bool) -> None:
    """Make this the default of its vendor; the account has one at most."""
    row.is_default = is_default
    if is_default:
        table = type(row)
        query = select(table).where(
            table.account_sid == row.account_sid, table.vendor == row.vendor, table.sid != row.sid
        )
        for other in await writing.session.scalars(query):
            other.is_default = False


async def _refuse_taken_label(writing: Writing, row: ServiceRow) -> None:
    table = type(row)
    query = select(func.count()).where(
        table.account_sid == row.account_sid,
        table.vendor == row.vendor,
        table.label == row.label,
        table.sid != row.sid,
    )
    with writing.session.no_autoflush:
        if await writing.session.scalar(query):
            kind = "llm" if isinstance(row, LlmServiceRow) else "speech"
            what = f"Label {row.label}" if row.label else f"{row.vendor} without a label"
            raise RecordError(f"{what} is already in use for another {kind} credential", why="conflict")


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


LLM_CREDENTIALS = Kind(
    LlmServiceRow,
    "llm credential",
    show_llm,
    fill_llm,
    {"account_sid": LlmServiceRow.account_sid, "vendor": LlmServiceRow.vendor},
)
SPEECH_CREDENTIALS = Kind(
    SpeechServiceRow,
    "speech credential",
    show_speech,
    fill_speech,
    {"account_sid": SpeechServiceRow.account_sid, "vendor": SpeechServiceRow.vendor},
)
