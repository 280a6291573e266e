"""REST: makes calls; the body is jambonz's createCall.

Source: jambonz REST API, createCall; @jambonz/sdk 0.10.1 (client), read 2026-11-22.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, Field, field_validator

from moonwire.api.access import OwnAccount, Services
from moonwire.api.calls import Live
from moonwire.api.errors import ApiError, ErrorBody
from moonwire.api.services import ApiServices
from moonwire.api.wire import ERRORS, Body, HookBody, Json, Name, Sid, Text, check_url, verb_array
from moonwire.errors import CallError, RemoteProtocolError, SpecError
from moonwire.ports.live_calls import NewCall
from moonwire.spec.components import Recognizer, SipHeaders, Synthesizer
from moonwire.spec.hooks import Hook
from moonwire.spec.transfers import HOST, Target
from moonwire.spec.verbs import parse_verbs

routes = APIRouter(tags=["Calls"], responses=ERRORS)

_SPEECH: Final = (
    "speech_synthesis_vendor",
    "speech_synthesis_language",
    "speech_synthesis_voice",
    "speech_recognizer_vendor",
    "speech_recognizer_language",
)
_NOT_NOW: dict[int | str, dict[str, Any]] = {480: {"model": ErrorBody, "description": "No calls are made now."}}


class NewCallBody(Body):
    """Whom to call, as whom, and what runs when that call is answered."""

    from_: Name = Field(alias="from")
    to: Target
    application_sid: Sid | None = None
    call_hook: HookBody | None = None
    call_status_hook: HookBody | None = None
    app_json: Annotated[str, Field(max_length=200_000)] | None = None
    speech_synthesis_vendor: Text | None = None
    speech_synthesis_language: Text | None = None
    speech_synthesis_voice: Text | Json | None = None
    speech_synthesis_label: Text | None = None
    speech_recognizer_vendor: Text | None = None
    speech_recognizer_language: Text | None = None
    speech_recognizer_label: Text | None = None
    env_vars: Json | None = None
    tag: Json | None = None
    headers: SipHeaders | None = None
    caller_name: Text | None = Field(None, alias="callerName")
    from_host: Annotated[str, Field(pattern=HOST)] | None = Field(None, alias="fromHost")
    timeout: float | None = Field(None, gt=0, le=600)
    """Seconds to ring; 60 when left out."""
    time_limit: float | None = Field(None, alias="timeLimit", gt=0, le=86_400)
    """Longest call in seconds."""

    @field_validator("app_json", mode="before")
    @classmethod
    def _verbs(cls, value: object) -> object:
        return verb_array(value)


class CallMade(BaseModel):
    """The answer once the INVITE is out."""

    sid: str
    callId: str  # noqa: N815 - jambonz's name


@routes.post(
    "/Accounts/{account_sid}/Calls",
    status_code=201,
    response_model=CallMade,
    operation_id="createCall",
    responses=_NOT_NOW,
)
async def create_call(account_sid: OwnAccount, body: NewCallBody, live: Live, services: Services) -> Any:
    """Call somebody; answers as soon as the call is under way. Its application begins when it is answered."""
    order = NewCall(
        account_sid=account_sid,
        target=body.to,
        from_=body.from_,
        application_sid=body.application_sid,
        changes=_changes(body, services),
        from_host=body.from_host,
        caller_name=body.caller_name or "",
        headers=body.headers or {},
        timeout_s=body.timeout or 60.0,
        time_limit_s=body.time_limit,
        customer_data=body.tag or {},
    )
    try:
        placed = await live.place(order)
    except CallError as error:
        raise ApiError(480 if error.reason in ("busy", "no-ports") else 400, _sentence(error), error.reason) from None
    except RemoteProtocolError as error:
        raise ApiError(400, f"to: {error}") from None
    return CallMade(sid=placed.call_sid, callId=placed.call_id)


def _sentence(error: CallError) -> str:
    match error.reason:
        case "private-address":
            return "to: this address is private; the operator can allow it in MOONWIRE_PRIVATE_HOSTS."
        case "unreachable":
            return "to: this host cannot be reached."
        case "busy" | "no-ports" | "no-application":
            return str(error)
        case _:
            return f"to: {error}."


def _changes(body: NewCallBody, services: ApiServices) -> dict[str, Any]:
    """Return the members of the application that hold for this call."""
    changes: dict[str, Any] = {}
    for name, hook in (("call_hook", body.call_hook), ("call_status_hook", body.call_status_hook)):
        if hook is not None:
            check_url(hook.url, name, services.hosts, "http", "https", "ws", "wss")
            changes[name] = Hook(hook.url, hook.method, hook.username, hook.password)
    if body.application_sid is None:
        _check_complete(body)
    if body.app_json is not None:
        changes["app_json"] = _checked_verbs(body.app_json)
    elif body.call_hook is not None:
        changes["app_json"] = None
    if body.env_vars is not None:
        changes["env_vars"] = body.env_vars
    if body.speech_synthesis_vendor:
        changes["synthesizer"] = Synthesizer(
            vendor=body.speech_synthesis_vendor,
            language=body.speech_synthesis_language,
            voice=body.speech_synthesis_voice,
            label=body.speech_synthesis_label,
        )
    if body.speech_recognizer_vendor:
        changes["recognizer"] = Recognizer(
            vendor=body.speech_recognizer_vendor,
            language=body.speech_recognizer_language,
            label=body.speech_recognizer_label,
        )
    return changes


def _check_complete(body: NewCallBody) -> None:
    if body.call_hook is None and body.app_json is None:
        raise ApiError(400, "either call_hook or application_sid is required")
    missing = [name for name in _SPEECH if not getattr(body, name)]
    if body.app_json is None and missing:
        raise ApiError(400, f"{missing[0]} is required when there is no application_sid")


def _checked_verbs(text: str) -> list[dict[str, Any]]:
    verbs = msgspec.json.decode(text, type=list[dict[str, Any]])
    try:
        parse_verbs(verbs)
    except SpecError as error:
        raise ApiError(400, f"app_json{error}") from None
    return verbs
