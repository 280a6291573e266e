"""Reads alerts and finished calls, page by page, latest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from moonwire.ports.administration import PageOfRows, Period, Row
from moonwire.store.tables import AlertRow, CallRow


async def page_of_alerts(
    session: AsyncSession, account_sid: str, period: Period, filters: Mapping[str, str]
) -> PageOfRows:
    """Return alerts of an account; filters: alert_type, state (open, cleared)."""
    query = select(AlertRow).where(AlertRow.account_sid == account_sid)
    if alert_type := filters.get("alert_type"):
        query = query.where(AlertRow.alert_type == alert_type)
    if state := filters.get("state"):
        query = query.where(AlertRow.cleared_at.is_(None) if state == "open" else AlertRow.cleared_at.is_not(None))
    query = _within(query, AlertRow.last_seen, period)
    total, rows = await _page(session, query, period, AlertRow.last_seen.desc(), AlertRow.id.desc())
    return PageOfRows(total, [_alert(row) for row in rows])


async def page_of_calls(
    session: AsyncSession, account_sid: str, period: Period, filters: Mapping[str, str]
) -> PageOfRows:
    """Return calls of an account; `filter` is part of a number, a call sid or a SIP Call-ID."""
    query = select(CallRow).where(CallRow.account_sid == account_sid, CallRow.deleted_at.is_(None))
    if direction := filters.get("direction"):
        query = query.where(CallRow.direction == direction)
    if trunk := filters.get("trunk"):
        query = query.where(CallRow.trunk == trunk)
    if answered := filters.get("answered"):
        is_answered = CallRow.answered_at.is_not(None)
        query = query.where(is_answered if answered == "true" else ~is_answered)
    if text := filters.get("filter"):
        columns = (CallRow.from_, CallRow.to, CallRow.call_sid, CallRow.call_id)
        query = query.where(or_(*(column.contains(text, autoescape=True) for column in columns)))
    query = _within(query, CallRow.attempted_at, period)
    total, rows = await _page(session, query, period, CallRow.attempted_at.desc(), CallRow.call_sid)
    return PageOfRows(total, [call_row(row) for row in rows])


def call_row(row: CallRow) -> Row:
    """Return a finished call as REST shows it; times stay seconds since 1970."""
    talked_s = max(0.0, row.terminated_at - row.answered_at) if row.answered_at is not None else 0.0
    return {
        "account_sid": row.account_sid,
        "call_sid": row.call_sid,
        "application_sid": row.application_sid,
        "from": row.from_,
        "to": row.to,
        "answered": row.answered_at is not None,
        "sip_callid": row.call_id,
        "sip_status": row.sip_status,
        "duration": round(talked_s),
        "attempted_at": row.attempted_at,
        "answered_at": row.answered_at,
        "terminated_at": row.terminated_at,
        "termination_reason": row.termination_reason,
        "termination_by": row.termination_by,
        "remote_host": row.remote_host,
        "direction": row.direction,
        "trunk": row.trunk,
        "transport": row.transport,
        "trace_id": row.trace_id,
        "usage": row.usage,
        "has_recording": row.recording_path is not None,
    }


def _alert(row: AlertRow) -> Row:
    return {
        "time": row.last_seen,
        "alert_id": row.id,
        "account_sid": row.account_sid,
        "alert_type": row.alert_type,
        "message": row.message,
        "detail": row.remedy or None,
        "call_sid": row.call_sid or None,
        "count": row.count,
        "first_seen": row.first_seen,
        "last_seen": row.last_seen,
        "cleared_at": row.cleared_at,
        "cleared_by": row.cleared_by or None,
    }


def _within(query: Select[Any], column: Any, period: Period) -> Select[Any]:
    if period.since is not None:
        query = query.where(column >= period.since)
    if period.until is not None:
        query = query.where(column <= period.until)
    return query


async def _page(session: AsyncSession, query: Select[Any], period: Period, *order: Any) -> tuple[int, list[Any]]:
    total = await session.scalar(select(func.count()).select_from(query.subquery()))
    rows = await session.scalars(query.order_by(*order).offset((period.page - 1) * period.count).limit(period.count))
    return total or 0, list(rows)
