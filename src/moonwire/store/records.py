"""Writes batches of alerts and call records into their tables."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from moonwire.ports.directory import CallRecord
from moonwire.store.tables import AlertRow, CallRow, LlmServiceRow, SpeechServiceRow

SAME_CAUSE_S = 3600.0
"""The same alert within an hour of its last occurrence is counted, later it is a new one."""


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """One occurrence of an alert."""

    account_sid: str
    alert_type: str
    message: str
    remedy: str
    call_sid: str
    at: float

    @property
    def cause(self) -> str:
        """What makes two alerts the same."""
        return hashlib.sha256(f"{self.alert_type}\0{self.message}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ServiceOutcome:
    """How a stored credential did in a call; an empty code means well."""

    credential_sid: str
    code: str
    message: str
    at: float


async def write_outcomes(session: AsyncSession, outcomes: Sequence[ServiceOutcome]) -> None:
    """Put the latest outcomes onto their credentials; those of deleted ones are dropped."""
    for outcome in outcomes:
        changes: dict[str, object] = (
            {"last_error_at": outcome.at, "last_error_code": outcome.code, "last_error": outcome.message}
            if outcome.code
            else {"last_used_at": outcome.at, "last_error_code": "", "last_error": ""}
        )
        for table in (LlmServiceRow, SpeechServiceRow):
            await session.execute(update(table).where(table.sid == outcome.credential_sid).values(changes))


async def write_alerts(session: AsyncSession, alerts: Sequence[RaisedAlert]) -> None:
    """Count each alert on its cause's row, or make one."""
    rows: dict[tuple[str, str], AlertRow | None] = {}
    for alert in alerts:
        key = (alert.account_sid, alert.cause)
        if key not in rows:
            rows[key] = await session.scalar(
                select(AlertRow)
                .where(AlertRow.account_sid == alert.account_sid, AlertRow.cause == alert.cause)
                .order_by(AlertRow.last_seen.desc())
                .limit(1)
            )
        row = rows[key]
        if row is None or alert.at - row.last_seen > SAME_CAUSE_S:
            row = rows[key] = _new_row(alert)
            session.add(row)
        else:
            row.count += 1
        row.last_seen = max(row.last_seen, alert.at)
        row.remedy = alert.remedy or row.remedy
        row.call_sid = alert.call_sid or row.call_sid


async def write_calls(session: AsyncSession, records: Sequence[CallRecord]) -> None:
    """Insert or replace call records; a deleted call stays deleted."""
    for record in records:
        row = await session.get(CallRow, record.call_sid)
        if row is not None and row.deleted_at is not None:
            continue
        await session.merge(CallRow(**asdict(record), deleted_at=None))


def _new_row(alert: RaisedAlert) -> AlertRow:
    return AlertRow(
        account_sid=alert.account_sid,
        cause=alert.cause,
        alert_type=alert.alert_type,
        message=alert.message,
        remedy=alert.remedy,
        call_sid=alert.call_sid,
        count=1,
        first_seen=alert.at,
        last_seen=alert.at,
    )
