"""Counts alerts on their cause, ends those whose cause is gone, and forgets old ones.

What differs from call to call (ids, durations) does not make another cause, so that a storm stays a few rows; an
account keeps the latest thousand for ninety days.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from moonwire.store.tables import AlertRow, LlmServiceRow, SpeechServiceRow

SAME_CAUSE_S = 3600.0
"""The same alert within an hour of its last occurrence is counted, later it is a new one."""
KEPT_S = 90 * 86_400.0
KEPT_PER_ACCOUNT = 1000
_OF_SERVICES = ("llm-failure", "stt-failure", "tts-failure", "no-stt", "no-tts")
_VARYING = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\b(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{16,}\b"
    r"|\d+(?:\.\d+)?(?= ?(?:ms|s|seconds|bytes|tokens|%)(?!\w))",
    re.IGNORECASE,
)
"""UUIDs, request ids, measured amounts; not the numbers of models, phones or ports."""


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
        return hashlib.sha256(f"{self.alert_type}\0{_VARYING.sub('#', self.message)}".encode()).hexdigest()


async def write_alerts(session: AsyncSession, alerts: Sequence[RaisedAlert]) -> None:
    """Count each alert on its cause's row, or make one; one that had ended is open again."""
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
        row.message = alert.message
        row.remedy = alert.remedy or row.remedy
        row.call_sid = alert.call_sid or row.call_sid
        row.cleared_at, row.cleared_by = None, ""


async def end_alerts_of_service(
    session: AsyncSession, service: LlmServiceRow | SpeechServiceRow, errors: Collection[str], at: float
) -> None:
    """End what a service's failures have raised: it works again.

    Args:
        session: of the transaction.
        service: the credential that has just served a call.
        errors: texts of its failures since it worked last.
        at: when it worked.
    """
    about = [AlertRow.message.contains(error, autoescape=True) for error in errors if error]
    if isinstance(service, LlmServiceRow):
        about.append(AlertRow.message.startswith(f"{service.vendor}:", autoescape=True))
    query = update(AlertRow).where(
        AlertRow.account_sid == service.account_sid,
        AlertRow.alert_type.in_(_OF_SERVICES),
        AlertRow.cleared_at.is_(None),
        AlertRow.last_seen <= at,
        or_(*about),
    )
    await session.execute(query.values(cleared_at=at, cleared_by="recovery"))


async def forget_old_alerts(session: AsyncSession, now_s: float) -> None:
    """Delete what is older than ninety days, and of each account all but the latest thousand."""
    await session.execute(delete(AlertRow).where(AlertRow.last_seen < now_s - KEPT_S))
    for account_sid in (await session.scalars(select(AlertRow.account_sid).distinct())).all():
        oldest_kept = await session.scalar(
            select(AlertRow.last_seen)
            .where(AlertRow.account_sid == account_sid)
            .order_by(AlertRow.last_seen.desc())
            .offset(KEPT_PER_ACCOUNT - 1)
            .limit(1)
        )
        if oldest_kept is not None:
            await session.execute(
                delete(AlertRow).where(AlertRow.account_sid == account_sid, AlertRow.last_seen < oldest_kept)
            )


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
