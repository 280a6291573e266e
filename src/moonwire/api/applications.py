"""REST: Applications, and the probe for an application's environment variables."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, field_validator

from moonwire.api.access import Administered, Caller, OwnAccount, Services
from moonwire.api.env_vars import check_env_vars, secret_names
from moonwire.api.services import ApiServices
from moonwire.api.wire import (
    ERRORS,
    Body,
    CreatedWithWarnings,
    Flag,
    HookBody,
    HookShown,
    Json,
    LlmChoiceBody,
    Moment,
    Name,
    PageShown,
    Paging,
    Sid,
    SidPath,
    Text,
    Url,
    check_url,
    listed,
    verb_array,
)
from moonwire.errors import HookError
from moonwire.ports.administration import Row

routes = APIRouter(tags=["Applications"], responses=ERRORS)

_HOOKS = ("call_hook", "call_status_hook", "messaging_hook")


class ApplicationMembers(Body):
    """What a new and a changed application share."""

    account_sid: Sid | None = None
    call_hook: HookBody | None = None
    call_status_hook: HookBody | None = None
    messaging_hook: HookBody | None = None
    app_json: Annotated[str, Field(max_length=200_000)] | None = None
    env_vars: Json | None = None
    speech_synthesis_vendor: Text | None = None
    speech_synthesis_language: Text | None = None
    speech_synthesis_voice: Text | Json | None = None
    speech_synthesis_label: Text | None = None
    speech_recognizer_vendor: Text | None = None
    speech_recognizer_language: Text | None = None
    speech_recognizer_label: Text | None = None
    use_for_fallback_speech: Flag = False
    fallback_speech_synthesis_vendor: Text | None = None
    fallback_speech_synthesis_language: Text | None = None
    fallback_speech_synthesis_voice: Text | Json | None = None
    fallback_speech_synthesis_label: Text | None = None
    fallback_speech_recognizer_vendor: Text | None = None
    fallback_speech_recognizer_language: Text | None = None
    fallback_speech_recognizer_label: Text | None = None
    llm: LlmChoiceBody | None = None
    fallback: Annotated[list[LlmChoiceBody], Field(max_length=10)] = Field(default_factory=list[LlmChoiceBody])
    agent_messages: Literal["auto", "agent", "hook"] = "auto"
    record_all_calls: Flag = False

    @field_validator("app_json", mode="before")
    @classmethod
    def _verbs(cls, value: object) -> object:
        return verb_array(value)


class ApplicationChange(ApplicationMembers):
    """Members to change; those left out stay."""

    primary_key: ClassVar[str] = "application_sid"

    name: Name = Field(default_factory=str)


class NewApplication(ApplicationMembers):
    """Members of a new application."""

    name: Name


class ApplicationShown(BaseModel):
    """An application as REST shows it; secrets among env_vars are only named."""

    application_sid: str
    account_sid: str
    name: str
    call_hook: HookShown | None
    call_status_hook: HookShown | None
    messaging_hook: HookShown | None
    app_json: str | None
    env_vars: dict[str, Any] | None
    secret_env_vars: list[str]
    speech_synthesis_vendor: str | None
    speech_synthesis_language: str | None
    speech_synthesis_voice: str | dict[str, Any] | None
    speech_synthesis_label: str | None
    speech_recognizer_vendor: str | None
    speech_recognizer_language: str | None
    speech_recognizer_label: str | None
    use_for_fallback_speech: int
    fallback_speech_synthesis_vendor: str | None
    fallback_speech_synthesis_language: str | None
    fallback_speech_synthesis_voice: str | dict[str, Any] | None
    fallback_speech_synthesis_label: str | None
    fallback_speech_recognizer_vendor: str | None
    fallback_speech_recognizer_language: str | None
    fallback_speech_recognizer_label: str | None
    llm: dict[str, Any] | None
    fallback: list[dict[str, Any]]
    agent_messages: str
    record_all_calls: int
    created_at: Moment


_List = list[ApplicationShown] | PageShown[ApplicationShown]
_Query = Annotated[Paging, Query()]


def _checked(body: ApplicationMembers, services: ApiServices) -> dict[str, Any]:
    members = body.members()
    for name in _HOOKS:
        if hook := members.get(name):
            check_url(hook["url"], f"{name}.url", services.hosts, "http", "https", "ws", "wss")
    return members


async def _env_var_warnings(services: ApiServices, members: dict[str, Any], stored: Row) -> list[str]:
    """Compare given env_vars with what the application declares, and note which it wants obscured."""
    hook = members.get("call_hook") or stored.get("call_hook")
    if not members.get("env_vars") or not hook or services.probe_app_env is None:
        return []
    try:
        schema = await services.probe_app_env(hook["url"]) or {}
    except HookError:
        return []
    members["declared_secret_env_vars"] = secret_names(schema)
    return check_env_vars(schema, members["env_vars"], stored.get("secret_env_vars", ()))


@routes.get("/Applications", response_model=_List, operation_id="listApplications")
async def list_applications(principal: Caller, records: Administered, paging: _Query) -> Any:
    """List applications; a bare array without `page`."""
    return await listed(records.resource("applications"), principal, {}, paging, ApplicationShown)


@routes.get("/Accounts/{account_sid}/Applications", response_model=_List, operation_id="listAccountApplications")
async def list_account_applications(
    account_sid: OwnAccount, principal: Caller, records: Administered, paging: _Query
) -> Any:
    """List an account's applications."""
    return await listed(
        records.resource("applications"), principal, {"account_sid": account_sid}, paging, ApplicationShown
    )


@routes.post("/Applications", status_code=201, response_model=CreatedWithWarnings, operation_id="createApplication")
async def create_application(body: NewApplication, principal: Caller, records: Administered, services: Services) -> Row:
    """Make an application; needs a call_hook or an app_json.

    `env_vars` are compared with what the application declares, when it answers: a value outside its `enum` is saved
    with a warning.
    """
    members = _checked(body, services)
    warnings = await _env_var_warnings(services, members, {})
    return await records.resource("applications").create(principal, members) | {"warnings": warnings}


@routes.get("/Applications/{sid}", response_model=ApplicationShown, operation_id="getApplication")
async def get_application(sid: SidPath, principal: Caller, records: Administered) -> Row:
    """Return one application."""
    return await records.resource("applications").get(principal, sid)


@routes.put("/Applications/{sid}", status_code=204, operation_id="updateApplication")
async def update_application(
    sid: SidPath, body: ApplicationChange, principal: Caller, records: Administered, services: Services
) -> Response:
    """Change the given members; warnings about `env_vars` come in the header `X-Moonwire-Warnings`."""
    members = _checked(body, services)
    stored = await records.resource("applications").get(principal, sid)
    warnings = await _env_var_warnings(services, members, stored)
    await records.resource("applications").update(principal, sid, members)
    return Response(status_code=204, headers={"X-Moonwire-Warnings": " ".join(warnings)} if warnings else None)


@routes.delete("/Applications/{sid}", status_code=204, operation_id="deleteApplication")
async def delete_application(sid: SidPath, principal: Caller, records: Administered) -> None:
    """Remove an application; its numbers stay, without an application."""
    await records.resource("applications").delete(principal, sid)


@routes.get(
    "/AppEnv",
    response_model=dict[str, Any],
    operation_id="probeAppEnv",
    responses={204: {"description": "The application declares no environment variables."}},
)
async def probe_app_env(url: Annotated[Url, Query()], _principal: Caller, services: Services) -> Any:
    """Ask an application which environment variables it takes."""
    check_url(url, "url", services.hosts, "http", "https", "ws", "wss")
    schema = await services.probe_app_env(url) if services.probe_app_env else None
    return Response(status_code=204) if schema is None else dict(schema)
