"""Writes batches of call records and of what happened to services into their tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from moonwire.ports.directory import CallRecord
from moonwire.store.alerts import end_alerts_of_service
from moonwire.store.tables import CallRow, LlmServiceRow, SpeechServiceRow


@dataclass(frozen=True, slots=True)
class ServiceOutcome:
    """How a stored credential did in a call; an empty code means well."""

    credential_sid: str
    code: str
    message: str
    at: float
    recovered_from: tuple[str, ...] = ()
    """Texts of the failures since it worked last."""


async def write_outcomes(session: AsyncSession, outcomes: Sequence[ServiceOutcome]) -> None:
    """Put the latest outcomes onto their credentials; those of deleted ones are dropped."""
    for outcome in outcomes:
        service = await session.get(LlmServiceRow, outcome.credential_sid)
        service = service or await session.get(SpeechServiceRow, outcome.credential_sid)
        if service is None:
            continue
        if outcome.code:
            service.last_error_at, service.last_error_code = outcome.at, outcome.code
            service.last_error = outcome.message
            continue
        if errors := {service.last_error, *outcome.recovered_from} - {""}:
            await end_alerts_of_service(session, service, errors, outcome.at)
        service.last_used_at, service.last_error_code, service.last_error = outcome.at, "", ""


async def write_calls(session: AsyncSession, records: Sequence[CallRecord]) -> None:
    """Insert or replace call records; a deleted call stays deleted."""
    for record in records:
        row = await session.get(CallRow, record.call_sid)
        if row is not None and row.deleted_at is not None:
            continue
        await session.merge(CallRow(**asdict(record), deleted_at=None))
