"""REST: calls that are up; every operation is the command that the call's application could send, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from moonwire.api.access import OwnAccount, Services
from moonwire.api.errors import ApiError
from moonwire.api.wire import ERRORS, SidPath, Text, iso_time
from moonwire.errors import CallError, SpecError
from moonwire.ports.live_calls import LiveCall, LiveCalls
from moonwire.spec.call_update import UnsupportedUpdateError, parse_call_update
from moonwire.spec.commands import CallStatusCommand, Command

routes = APIRouter(tags=["Calls"], responses=ERRORS)

_CALLS = "/Accounts/{account_sid}/Calls"


class CallCount(BaseModel):
    """How many calls are up."""

    inbound: int
    outbound: int


def live_calls(services: Services) -> LiveCalls:
    """Return the calls of this process."""
    if services.live_calls is None:
        raise ApiError(503, "This process takes no calls.")
    return services.live_calls


Live = Annotated[LiveCalls, Depends(live_calls)]
Order = Annotated[dict[str, Any], Body()]


@routes.get(_CALLS, response_model=list[dict[str, Any]], operation_id="listCalls")
async def list_calls(
    account_sid: OwnAccount,
    live: Live,
    direction: Text | None = None,
    from_: Annotated[Text | None, Query(alias="from")] = None,
    to: Text | None = None,
    call_status: Annotated[Text | None, Query(alias="callStatus")] = None,
) -> Any:
    """List the calls that are up."""
    wanted = {"direction": direction, "from": from_, "to": to, "call_status": call_status}
    given = {name: value for name, value in wanted.items() if value is not None}
    rows = [_row(call) for call in live.all() if call.account_sid == account_sid]
    return [row for row in rows if all(row.get(name) == value for name, value in given.items())]


@routes.get("/Accounts/{account_sid}/CallCount", response_model=CallCount, operation_id="countCalls")
async def count_calls(account_sid: OwnAccount, live: Live) -> Any:
    """Count the calls that are up."""
    directions = [call.payload["direction"] for call in live.all() if call.account_sid == account_sid]
    return {"inbound": directions.count("inbound"), "outbound": directions.count("outbound")}


@routes.get(_CALLS + "/{call_sid}", response_model=dict[str, Any], operation_id="getCall")
async def get_call(account_sid: OwnAccount, call_sid: SidPath, live: Live) -> Any:
    """Return a call that is up."""
    return _row(_found(live, account_sid, call_sid))


@routes.put(_CALLS + "/{call_sid}", status_code=202, operation_id="updateCall")
@routes.post(_CALLS + "/{call_sid}", status_code=202, include_in_schema=False)
async def update_call(account_sid: OwnAccount, call_sid: SidPath, live: Live, order: Order) -> Response:
    """Change a call that is up: exactly one operation, and a whisper with it if need be."""
    _found(live, account_sid, call_sid)
    for command in _read(order):
        _execute(live, call_sid, command)
    return JSONResponse({}, 202)


@routes.delete(_CALLS + "/{call_sid}", status_code=204, operation_id="deleteCall")
async def delete_call(account_sid: OwnAccount, call_sid: SidPath, live: Live) -> None:
    """Hang up."""
    _found(live, account_sid, call_sid)
    _execute(live, call_sid, CallStatusCommand("completed"))


def _row(call: LiveCall) -> dict[str, Any]:
    times = {"attempted_at": iso_time(call.attempted_at), "answered_at": iso_time(call.answered_at)}
    return {"duration": call.duration_s, **call.payload, **times}


def _found(live: LiveCalls, account_sid: str, call_sid: str) -> LiveCall:
    call = live.get(call_sid)
    if call is None or call.account_sid != account_sid:
        raise ApiError(404, "There is no such call.")
    return call


def _read(order: dict[str, Any]) -> Sequence[Command]:
    try:
        commands, problems = parse_call_update(order)
    except UnsupportedUpdateError as error:
        raise ApiError(422, str(error)) from None
    except SpecError as error:
        raise ApiError(422 if "agent_update" in order else 400, str(error)) from None
    if problems:
        raise ApiError(422 if "agent_update" in order else 400, "; ".join(problems))
    return commands


def _execute(live: LiveCalls, call_sid: str, command: Command) -> None:
    try:
        live.execute(call_sid, command)
    except CallError as error:
        raise ApiError(422, str(error), error.reason) from None
