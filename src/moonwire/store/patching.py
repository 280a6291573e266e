"""Brings one changed row into the calls' picture, so that a write costs the same however much there is.

Rows that calls look up by the thousand (applications, numbers) are patched, those that calls never see (users, API
keys) change nothing; whatever else changes loads the whole picture anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from moonwire.store.secrets import SecretBox
from moonwire.store.snapshot import Snapshot, application_record
from moonwire.store.tables import AccountRow, ApiKeyRow, ApplicationRow, PhoneNumberRow, Table, UserRow


@dataclass(frozen=True, slots=True)
class Change:
    """What of the picture one written row concerns; neither: nothing."""

    application_sid: str | None = None
    number: str | None = None


def change_of(row: Table) -> Change | None:
    """Return what a written row concerns; None when only loading everything can tell."""
    match row:
        case ApplicationRow():
            return Change(application_sid=row.sid)
        case PhoneNumberRow():
            return Change(number=row.number)
        case UserRow() | ApiKeyRow():
            return Change()
        case _:
            return None


async def patched(session: AsyncSession, box: SecretBox, snapshot: Snapshot, change: Change) -> Snapshot:
    """Return the picture with one change in it."""
    if change.application_sid is not None:
        snapshot = await _with_application(session, box, snapshot, change.application_sid)
    if change.number is not None:
        numbers = {number: sid for number, sid in snapshot.numbers.items() if number != change.number}
        query = select(PhoneNumberRow.application_sid).where(PhoneNumberRow.number == change.number)
        sid = await session.scalar(query)
        if sid is not None and sid in snapshot.applications:
            numbers[change.number] = sid
        snapshot = replace(snapshot, numbers=numbers)
    return snapshot


async def _with_application(session: AsyncSession, box: SecretBox, snapshot: Snapshot, sid: str) -> Snapshot:
    row = await session.get(ApplicationRow, sid)
    account = await session.get(AccountRow, row.account_sid) if row is not None else None
    if row is not None and account is not None and account.is_active:
        return replace(snapshot, applications={**snapshot.applications, sid: application_record(row, account, box)})
    return replace(
        snapshot,
        applications={other: record for other, record in snapshot.applications.items() if other != sid},
        numbers={number: target for number, target in snapshot.numbers.items() if target != sid},
    )
