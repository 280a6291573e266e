"""REST: RecentCalls; one call's timeline and recording; deleting a call."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field

from moonwire.api.access import Administered, Caller, OwnAccount, Services
from moonwire.api.errors import ApiError
from moonwire.api.history import History, period_of
from moonwire.api.wire import ERRORS, Moment, Text
from moonwire.errors import ConfigError
from moonwire.ports.administration import Row

routes = APIRouter(tags=["RecentCalls"], responses=ERRORS)

_CALLS = "/Accounts/{account_sid}/RecentCalls"


class CallHistory(History):
    """Query members of RecentCalls."""

    direction: Literal["inbound", "outbound"] | None = None
    answered: Literal["true", "false"] | None = None
    trunk: Text | None = None
    filter: Text | None = None


class CallShown(BaseModel):
    """A finished call as REST shows it."""

    account_sid: str
    call_sid: str
    application_sid: str | None
    from_: str = Field(serialization_alias="from", validation_alias="from")
    to: str
    answered: bool
    sip_callid: str
    sip_status: int
    duration: int
    """Seconds since the answer."""
    attempted_at: Moment
    answered_at: Moment
    terminated_at: Moment
    termination_reason: str
    termination_by: str
    remote_host: str
    host: str = ""
    """jambonz's media server; here it is the server that you ask."""
    direction: str
    trunk: str | None
    transport: str
    trace_id: str
    recording_url: str | None
    usage: dict[str, int] | None
    """Tokens of the call's language models, under the names of `turn_end`; null when there were none."""


class CallPage(BaseModel):
    """A page of calls; total and page are strings, as jambonz sends them."""

    total: str
    page: str
    data: list[CallShown]


@routes.get(_CALLS, response_model=CallPage, operation_id="listRecentCalls")
async def list_calls(
    account_sid: OwnAccount,
    principal: Caller,
    records: Administered,
    services: Services,
    query: Annotated[CallHistory, Query()],
) -> Any:
    """List finished calls, latest first."""
    given = query.model_dump(include={"direction", "answered", "trunk", "filter"}, exclude_none=True)
    page = await records.calls(principal, account_sid, period_of(query, services.clock.utc_s()), given)
    return {"total": str(page.total), "page": str(query.page), "data": [_with_recording(row) for row in page.rows]}


@routes.get(_CALLS + "/{call_sid}", response_model=CallShown, operation_id="getRecentCall")
async def get_call(account_sid: OwnAccount, call_sid: Text, principal: Caller, records: Administered) -> Any:
    """Return one finished call, by call sid or SIP Call-ID."""
    return _with_recording(await records.call(principal, account_sid, call_sid))


@routes.delete(_CALLS + "/{call_sid}", status_code=204, operation_id="deleteRecentCall")
async def delete_call(
    account_sid: OwnAccount, call_sid: Text, principal: Caller, records: Administered, services: Services
) -> None:
    """Delete a call's record, event log and recording; a tombstone without content stays."""
    call = await records.call(principal, account_sid, call_sid)
    recording = await records.delete_call(principal, account_sid, call["call_sid"])
    await asyncio.to_thread(services.event_logs.delete, call["call_sid"])
    if recording:
        await asyncio.to_thread(Path(recording).unlink, missing_ok=True)


@routes.get(
    "/Accounts/{account_sid}/Calls/{call_sid}/timeline",
    response_model=list[dict[str, Any]],
    operation_id="getCallTimeline",
)
async def timeline(
    account_sid: OwnAccount, call_sid: Text, principal: Caller, records: Administered, services: Services
) -> Response:
    """Return a finished call's complete event log."""
    call = await records.call(principal, account_sid, call_sid)
    try:
        lines = await asyncio.to_thread(services.event_logs.read, call["call_sid"])
    except ConfigError:
        raise ApiError(404, "There is no event log of this call.") from None
    return Response(msgspec.json.encode(lines), media_type="application/json")


@routes.get(
    "/Accounts/{account_sid}/Calls/{call_sid}/recording",
    operation_id="getCallRecording",
    response_class=FileResponse,
    responses={200: {"content": {"audio/wav": {}}, "description": "Both voices."}},
)
async def recording(account_sid: OwnAccount, call_sid: Text, principal: Caller, records: Administered) -> FileResponse:
    """Return a finished call's audio."""
    call = await records.call(principal, account_sid, call_sid)
    path = Path(call["recording_path"] or "")
    if not await asyncio.to_thread(path.is_file):
        raise ApiError(404, "There is no recording of this call.")
    return FileResponse(path, media_type="audio/wav", filename=f"{call['call_sid']}.wav")


def _with_recording(row: Row) -> Row:
    has_recording = row.get("has_recording")
    path = f"/v1/Accounts/{row['account_sid']}/Calls/{row['call_sid']}/recording"
    return row | {"recording_url": path if has_recording else None}
