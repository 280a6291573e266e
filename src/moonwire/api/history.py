"""What the lists of things past have in common: pages, days or a period."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, Field

from moonwire.ports.administration import Period

_DAY_S = 86_400.0


class History(BaseModel):
    """Query members of both lists; `page` and `count` are required."""

    page: int = Field(ge=1, le=1_000_000)
    count: int = Field(ge=1, le=500)
    days: int | None = Field(None, ge=1, le=3650)
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None


def period_of(query: History, now_s: float) -> Period:
    """Return the part of a history that a request asks for."""
    if query.days is not None:
        return Period(query.page, query.count, since=now_s - query.days * _DAY_S)
    start, end = query.start, query.end
    return Period(
        query.page,
        query.count,
        since=start.timestamp() if start else None,
        until=end.timestamp() if end else None,
    )
