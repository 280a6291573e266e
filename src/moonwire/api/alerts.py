"""REST: Alerts; what went wrong, how often, and whether it is over."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from moonwire.api.access import Administered, Caller, OwnAccount, Services
from moonwire.api.history import History, period_of
from moonwire.api.wire import ERRORS, Body, Moment, Text

routes = APIRouter(tags=["Alerts"], responses=ERRORS)


class AlertHistory(History):
    """Query members of Alerts."""

    alert_type: Text | None = None
    state: Literal["open", "cleared"] | None = None


class AlertShown(BaseModel):
    """An alert as REST shows it; repeated ones are counted."""

    time: Moment
    alert_id: int
    account_sid: str
    alert_type: str
    message: str
    detail: str | None
    """What to do about it."""
    call_sid: str | None
    count: int
    first_seen: Moment
    last_seen: Moment
    cleared_at: Moment
    """When the service worked again, or somebody took note."""
    cleared_by: str | None
    """`recovery` or `operator`; null while the alert is open."""


class AlertChange(Body):
    """Whether somebody has seen to it."""

    cleared: bool = Field(strict=True)


class AlertPage(BaseModel):
    """A page of alerts."""

    total: int
    page: int
    data: list[AlertShown]


@routes.get("/Accounts/{account_sid}/Alerts", response_model=AlertPage, operation_id="listAlerts")
async def list_alerts(
    account_sid: OwnAccount,
    principal: Caller,
    records: Administered,
    services: Services,
    query: Annotated[AlertHistory, Query()],
) -> Any:
    """List alerts, latest first."""
    given = query.model_dump(include={"alert_type", "state"}, exclude_none=True)
    page = await records.alerts(principal, account_sid, period_of(query, services.clock.utc_s()), given)
    return {"total": page.total, "page": query.page, "data": page.rows}


@routes.put("/Accounts/{account_sid}/Alerts/{alert_id}", status_code=204, operation_id="updateAlert")
async def update_alert(
    account_sid: OwnAccount,
    alert_id: Annotated[int, Path(ge=1, le=2**53)],
    body: AlertChange,
    principal: Caller,
    records: Administered,
) -> None:
    """Take note of an alert, or open it again; one that happens again opens by itself."""
    await records.clear_alert(principal, account_sid, alert_id, cleared=body.cleared)
