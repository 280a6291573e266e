"""API keys on the wire: the token is shown once, afterwards only its last four characters."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from moonwire.errors import RecordError
from moonwire.ports.administration import Row
from moonwire.store.resources.kind import Kind, Writing
from moonwire.store.secrets import SecretBox
from moonwire.store.snapshot import token_digest
from moonwire.store.tables import AccountRow, ApiKeyRow, utc_now_s


def show(row: ApiKeyRow, _box: SecretBox) -> Row:
    """Return the key as REST shows it."""
    return {
        "api_key_sid": row.sid,
        "name": row.name or None,
        "token": "X" * 8 + row.hint,
        "account_sid": row.account_sid,
        "expires_at": row.expires_at,
        "last_used": row.last_used,
        "created_at": row.created_at,
    }


async def fill(writing: Writing, row: ApiKeyRow, members: Mapping[str, Any], is_new: bool) -> Row:
    """Make the token of a new key; it is a UUID, as jambonz clients expect."""
    if not is_new:
        raise RecordError("An API key cannot be changed; delete it and create another.", why="invalid")
    account_sid = members.get("account_sid") or writing.principal.account_sid
    if account_sid is not None:
        if not writing.principal.may_use(account_sid):
            raise RecordError("This account is not yours.", why="forbidden")
        if await writing.session.get(AccountRow, account_sid) is None:
            raise RecordError("account_sid: there is no such account.", why="invalid")
    token = str(uuid.uuid4())
    row.account_sid = account_sid
    row.name = members.get("name") or f"key {row.sid[:8]}"
    row.token_sha256, row.hint = token_digest(token), token[-4:]
    if members.get("expiry_secs"):
        row.expires_at = utc_now_s() + members["expiry_secs"]
    return {"token": token}


API_KEYS = Kind(ApiKeyRow, "API key", show, fill, {"account_sid": ApiKeyRow.account_sid}, has_account=False)
