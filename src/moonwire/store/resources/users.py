"""Users on the wire; their passwords are hashed before they get here and never shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, or_, select

from moonwire.errors import RecordError
from moonwire.ports.administration import Row
from moonwire.store.resources.kind import Kind, Writing, assign_given
from moonwire.store.secrets import SecretBox
from moonwire.store.tables import AccountRow, UserRow
from moonwire.store.users import hash_password


def show(row: UserRow, _box: SecretBox) -> Row:
    """Return the user as REST shows it."""
    return {
        "user_sid": row.sid,
        "name": row.name,
        "email": row.email or None,
        "account_sid": row.account_sid,
        "scope": "account" if row.account_sid else "admin",
        "force_change": row.force_change,
        "is_active": row.is_active,
        "created_at": row.created_at,
    }


async def fill(writing: Writing, row: UserRow, members: Mapping[str, Any], is_new: bool) -> Row:
    """Put members into columns; `initial_password` must be changed at the first login."""
    if is_new:
        row.token_epoch = 0
        row.account_sid = await _account(writing, members)
    for member in ("name", "email"):
        if members.get(member) and await _is_taken(writing, row, members[member]):
            raise RecordError(f"{member}: there is already a user who logs in as {members[member]}.", why="conflict")
    assign_given(row, members, "name", "is_active")
    if "email" in members:
        row.email = members["email"] or ""
    if members.get("initial_password"):
        row.password_hash = await hash_password(members["initial_password"])
        row.force_change = True
        row.token_epoch += 1
    elif is_new:
        raise RecordError("initial_password is required.", why="invalid")
    if members.get("is_active") is False:
        await _guard_last_admin(writing, row)
    return {}


async def _account(writing: Writing, members: Mapping[str, Any]) -> str | None:
    account_sid = members.get("account_sid") or writing.principal.account_sid
    if account_sid is not None and not writing.principal.may_use(account_sid):
        raise RecordError("This account is not yours.", why="forbidden")
    if account_sid is not None and await writing.session.get(AccountRow, account_sid) is None:
        raise RecordError("account_sid: there is no such account.", why="invalid")
    return account_sid


async def _is_taken(writing: Writing, row: UserRow, login: str) -> bool:
    """Say whether another user's name or address is this: either logs in."""
    query = select(func.count()).where(or_(UserRow.name == login, UserRow.email == login), UserRow.sid != row.sid)
    return bool(await writing.session.scalar(query))


async def _guard_last_admin(writing: Writing, row: UserRow) -> None:
    """Keep one administrator who can log in."""
    query = select(func.count()).where(UserRow.account_sid.is_(None), UserRow.is_active, UserRow.sid != row.sid)
    if row.account_sid is None and not await writing.session.scalar(query):
        raise RecordError("The last administrator cannot be removed.", why="in-use")


USERS = Kind(
    UserRow,
    "user",
    show,
    fill,
    {"account_sid": UserRow.account_sid, "name": UserRow.name},
    has_account=False,
    guard_delete=_guard_last_admin,
)
