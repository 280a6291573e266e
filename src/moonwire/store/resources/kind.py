"""Reading and writing records for a principal: the same five operations for every kind of record.

A kind says how its rows look on the wire and how members get into columns; who may see what is decided here, once.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from moonwire.errors import RecordError
from moonwire.ports.administration import SEARCH, PageOfRows, Principal, Row
from moonwire.store.patching import Change, change_of
from moonwire.store.secrets import SecretBox
from moonwire.store.snapshot import in_turns
from moonwire.store.store import Store
from moonwire.store.tables import AccountRow, new_sid


@dataclass(frozen=True, slots=True)
class Writing:
    """One request being carried out, inside its transaction."""

    session: AsyncSession
    box: SecretBox
    principal: Principal

    async def owned(self, table: type[Any], sid: str | None, noun: str, account_sid: str) -> str | None:
        """Check that a referred record exists in an account; returns its sid."""
        if sid is None:
            return None
        row = await self.session.get(table, sid)
        if row is None or row.account_sid != account_sid:
            raise RecordError(f"{noun}_sid: there is no such {noun.replace('_', ' ')} in this account.", why="invalid")
        return sid


Shown = Callable[[Any, SecretBox], Row]
Filled = Callable[[Writing, Any, Mapping[str, Any], bool], Awaitable[Row]]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of record is shown and written."""

    table: type[Any]
    noun: str
    """For messages: `application`."""
    show: Shown
    fill: Filled
    """Puts given members into a row's columns (True = the row is new); returns members to show only now."""
    filters: Mapping[str, Any]
    """REST member -> column, for `find`."""
    scope: Callable[[Principal], ColumnElement[bool]] | None = None
    """Which rows belong to a principal; None = those whose account_sid is his."""
    searched: Any = None
    """Column that the filter SEARCH looks into."""
    has_account: bool = True
    """New rows get an account_sid."""
    guard_delete: Callable[[Writing, Any], Awaitable[None]] | None = None
    """Refuses what must not be deleted."""


class TableResource:
    """Port Resource on one table."""

    def __init__(self, store: Store, kind: Kind) -> None:
        self._store = store
        self._kind = kind

    async def find(self, principal: Principal, filters: Mapping[str, str | bool]) -> Sequence[Row]:
        """Return rows, oldest first; see the port."""
        async with self._store.database.reading() as session:
            rows = in_turns(session, self._ordered(self._selected(principal, filters)))
            return [self._kind.show(row, self._store.box) async for row in rows]

    async def page(
        self, principal: Principal, filters: Mapping[str, str | bool], page: int, page_size: int
    ) -> PageOfRows:
        """Return one page of what `find` returns, and how many rows there are."""
        query = self._selected(principal, filters)
        part = self._ordered(query).offset((page - 1) * page_size).limit(page_size)
        async with self._store.database.reading() as session:
            total = await session.scalar(select(func.count()).select_from(query.subquery()))
            rows = [self._kind.show(row, self._store.box) for row in await session.scalars(part)]
        return PageOfRows(total or 0, rows)

    async def get(self, principal: Principal, sid: str) -> Row:
        """Return one row."""
        async with self._store.database.reading() as session:
            return self._kind.show(await self._row(session, principal, sid), self._store.box)

    async def create(self, principal: Principal, members: Mapping[str, Any]) -> Row:
        """Make a row; returns its sid, and what is shown only once."""
        kind = self._kind
        try:
            changes: list[Change | None] = []
            async with self._store.transaction(changes) as session:
                writing = Writing(session, self._store.box, principal)
                row = kind.table(sid=new_sid())
                if hasattr(row, "sealed"):
                    row.sealed = {}
                if kind.has_account:
                    row.account_sid = await _account_for(writing, members)
                shown = await kind.fill(writing, row, members, True)
                session.add(row)
                changes.append(change_of(row))
            return {"sid": row.sid, **shown}
        except IntegrityError:
            raise RecordError(f"There is already such a {kind.noun}.", why="conflict") from None

    async def update(self, principal: Principal, sid: str, members: Mapping[str, Any]) -> None:
        """Change the members that are given; others stay, secrets too."""
        try:
            changes: list[Change | None] = []
            async with self._store.transaction(changes) as session:
                row = await self._row(session, principal, sid)
                changes.append(change_of(row))
                moved = members.get("account_sid")
                if moved is not None and self._kind.has_account and moved != row.account_sid:
                    raise RecordError(f"account_sid: a {self._kind.noun} stays in its account.", why="invalid")
                await self._kind.fill(Writing(session, self._store.box, principal), row, members, False)
        except IntegrityError:
            raise RecordError(f"There is already such a {self._kind.noun}.", why="conflict") from None

    async def delete(self, principal: Principal, sid: str) -> None:
        """Remove a row."""
        try:
            changes: list[Change | None] = []
            async with self._store.transaction(changes) as session:
                row = await self._row(session, principal, sid)
                changes.append(change_of(row))
                if self._kind.guard_delete is not None:
                    await self._kind.guard_delete(Writing(session, self._store.box, principal), row)
                await session.delete(row)
        except IntegrityError:
            raise RecordError(f"This {self._kind.noun} is still in use.", why="in-use") from None

    def _selected(self, principal: Principal, filters: Mapping[str, str | bool]) -> Select[Any]:
        kind = self._kind
        query = select(kind.table).where(self._scope(principal))
        for name, value in filters.items():
            if name == SEARCH:
                query = query.where(func.lower(kind.searched).contains(str(value).lower(), autoescape=True))
            elif isinstance(value, bool):
                column = kind.filters[name]
                query = query.where(column.is_not(None) if value else column.is_(None))
            else:
                query = query.where(kind.filters[name] == value)
        return query

    def _ordered(self, query: Select[Any]) -> Select[Any]:
        return query.order_by(self._kind.table.created_at, self._kind.table.sid)

    def _scope(self, principal: Principal) -> ColumnElement[bool]:
        if self._kind.scope is not None:
            return self._kind.scope(principal)
        return true() if principal.is_admin else self._kind.table.account_sid == principal.account_sid

    async def _row(self, session: AsyncSession, principal: Principal, sid: str) -> Any:
        query = select(self._kind.table).where(self._kind.table.sid == checked_sid(sid), self._scope(principal))
        row = await session.scalar(query)
        if row is None:
            raise RecordError(f"There is no such {self._kind.noun}.", why="not-found")
        return row


def checked_sid(sid: str) -> str:
    """Return a sid in its stored spelling.

    Raises:
        RecordError: no UUID (jambonz contract section 5.1: 400).
    """
    try:
        return str(uuid.UUID(sid))
    except ValueError:
        raise RecordError("The sid is malformed; it must be a UUID.", why="invalid") from None


def assign_given(row: Any, members: Mapping[str, Any], *names: str, **renamed: str) -> None:
    """Set columns from the members that are given: `names` as they are, `renamed` as column=member."""
    for column, member in ({name: name for name in names} | renamed).items():
        if member in members:
            setattr(row, column, members[member])


def merged(stored: Mapping[str, Any] | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored members with given ones on top; a given None removes one."""
    return {name: value for name, value in {**(stored or {}), **given}.items() if value is not None}


def obscured(secret: str) -> str:
    """Return what may be shown of a secret: its last four characters, if it is long."""
    return "X" * 8 + (secret[-4:] if len(secret) >= 12 else "")


async def _account_for(writing: Writing, members: Mapping[str, Any]) -> str:
    account_sid = members.get("account_sid") or writing.principal.account_sid
    if account_sid is None:
        raise RecordError("account_sid is required.", why="invalid")
    if not writing.principal.may_use(account_sid):
        raise RecordError("This account is not yours.", why="forbidden")
    if await writing.session.get(AccountRow, checked_sid(account_sid)) is None:
        raise RecordError("account_sid: there is no such account.", why="invalid")
    return account_sid
