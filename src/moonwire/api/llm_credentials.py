"""REST: LlmCredentials with their test and live models, and the manifests that forms are made of."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from moonwire.api.access import Administered, Caller, OwnAccount, Paced, Services
from moonwire.api.errors import ApiError
from moonwire.api.services import ApiServices
from moonwire.api.unsaved import unsaved_credential
from moonwire.api.wire import (
    ERRORS,
    Body,
    Created,
    Flag,
    Label,
    LlmChoiceBody,
    Moment,
    SidPath,
    Text,
    Url,
    VendorName,
    check_url,
)
from moonwire.ports.administration import Administration, Principal, Row
from moonwire.ports.directory import VendorCredential

routes = APIRouter(tags=["LlmCredentials"], responses=ERRORS)

_BASE = "/Accounts/{account_sid}/LlmCredentials"
_SECRETS = ("api_key", "service_key", "secret_access_key", "session_token")
_URLS = ("base_url", "endpoint")


class LlmCredentialMembers(Body):
    """What a new and a changed credential share; secrets are write-only, left out they stay."""

    label: Label | None = None
    is_default: Flag = False
    api_key: Text | None = None
    api_url: Url | None = None
    """jambonz's name of base_url."""
    base_url: Url | None = None
    retired_models: Literal["substitute", "refuse"] | None = None
    fallback: Annotated[list[LlmChoiceBody], Field(max_length=10)] = Field(default_factory=list[LlmChoiceBody])
    model_id: Text | None = None
    service_key: Text | None = None
    access_key_id: Text | None = None
    secret_access_key: Text | None = None
    session_token: Text | None = None
    region: Text | None = None
    project_id: Text | None = None
    location: Text | None = None
    endpoint: Url | None = None
    deployment: Text | None = None
    api_version: Text | None = None


class LlmCredentialChange(LlmCredentialMembers):
    """Members to change; those left out stay."""

    primary_key: ClassVar[str] = "llm_credential_sid"

    vendor: VendorName = Field(default_factory=str)


class NewLlmCredential(LlmCredentialMembers):
    """Members of a new credential."""

    vendor: VendorName


class LlmCredentialTrial(NewLlmCredential):
    """What a test before saving is given."""

    region_check: Flag = False
    """The user agrees that a refused key is tried at the vendor's other region."""


class LlmTestShown(BaseModel):
    """How a test went: jambonz's `status` and `reason`, and our stages (docs/reference/llm-test.md)."""

    model_config = ConfigDict(extra="allow")

    status: Literal["ok", "fail", "not tested"]
    reason: str = ""
    outcome: Literal["ok", "ok_with_warnings", "failed", "not_tested"] = "not_tested"
    stages: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])
    connect_ms: float | None = None
    time_to_first_token_ms: float | None = None
    models: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])
    check_other_region: dict[str, str] | None = None


class LlmCredentialShown(BaseModel):
    """A credential as REST shows it: plain members of its vendor, secrets obscured."""

    model_config = ConfigDict(extra="allow")

    llm_credential_sid: str
    account_sid: str
    vendor: str
    label: str | None
    is_default: bool
    fingerprints: dict[str, str]
    """First eight hex digits of each secret's SHA-256."""
    fallback: list[dict[str, Any]]
    time_to_first_token_ms: float | None
    """First useful token in the latest test that succeeded."""
    tested_ok: bool | None
    tested_at: Moment
    last_used_at: Moment
    last_error: str | None
    last_error_at: Moment
    created_at: Moment
    service_provider_sid: str | None = None


class Manifests(BaseModel):
    """All vendors."""

    vendors: list[dict[str, Any]]


@routes.get("/llm-vendors/manifest", response_model=Manifests, operation_id="listLlmVendors")
async def manifests(_principal: Caller, services: Services) -> Any:
    """Return what each vendor's form asks and which models are known."""
    return {"vendors": list(services.llm_manifests())}


@routes.get(_BASE, response_model=list[LlmCredentialShown], operation_id="listLlmCredentials")
async def list_credentials(account_sid: OwnAccount, principal: Caller, records: Administered) -> Any:
    """List an account's credentials; asks no vendor."""
    return await records.resource("llm_credentials").find(principal, {"account_sid": account_sid})


@routes.post(_BASE, status_code=201, response_model=Created, operation_id="createLlmCredential")
async def create_credential(
    account_sid: OwnAccount, body: NewLlmCredential, principal: Caller, records: Administered, services: Services
) -> Row:
    """Store a credential; its test is a request of its own."""
    members = _members(body, services) | {"account_sid": account_sid}
    return await records.resource("llm_credentials").create(principal, members)


@routes.post(
    _BASE + "/test",
    response_model=LlmTestShown,
    operation_id="testNewLlmCredential",
    dependencies=[Paced],
)
async def try_new_credential(
    account_sid: OwnAccount, body: LlmCredentialTrial, principal: Caller, services: Services
) -> Any:
    """Test a credential before it is stored; nothing is saved."""
    members = _members(body, services)
    region_check = bool(members.pop("region_check", False))
    return (await _tested(services, unsaved_credential(members, _SECRETS), region_check))[1]


@routes.get(_BASE + "/{sid}", response_model=LlmCredentialShown, operation_id="getLlmCredential")
async def get_credential(account_sid: OwnAccount, sid: SidPath, principal: Caller, records: Administered) -> Row:
    """Return one credential."""
    return await _owned(records, principal, account_sid, sid)


@routes.put(_BASE + "/{sid}", status_code=204, operation_id="updateLlmCredential")
async def update_credential(
    account_sid: OwnAccount,
    sid: SidPath,
    body: LlmCredentialChange,
    principal: Caller,
    records: Administered,
    services: Services,
) -> None:
    """Change the given members; another host needs the key again."""
    await _owned(records, principal, account_sid, sid)
    await records.resource("llm_credentials").update(principal, sid, _members(body, services))


@routes.delete(_BASE + "/{sid}", status_code=204, operation_id="deleteLlmCredential")
async def delete_credential(account_sid: OwnAccount, sid: SidPath, principal: Caller, records: Administered) -> None:
    """Remove a credential."""
    await _owned(records, principal, account_sid, sid)
    await records.resource("llm_credentials").delete(principal, sid)


@routes.get(
    _BASE + "/{sid}/test",
    response_model=LlmTestShown,
    operation_id="testLlmCredential",
    dependencies=[Paced],
)
async def try_credential(
    account_sid: OwnAccount,
    sid: SidPath,
    principal: Caller,
    records: Administered,
    services: Services,
    region_check: bool = False,
) -> Any:
    """Test a stored credential with the code that calls use; `region_check` as for a new one."""
    await _owned(records, principal, account_sid, sid)
    credential = await records.vendor_credential(principal, "llm_credentials", sid)
    ok, report = await _tested(services, credential, region_check)
    if ok is not None:
        first_ms = report.get("time_to_first_token_ms")
        await records.note_test("llm_credentials", sid, ok=ok, error=str(report.get("reason", "")), first_ms=first_ms)
    return report


@routes.get(_BASE + "/{sid}/models", response_model=list[dict[str, Any]], operation_id="listLlmModels")
async def list_models(
    account_sid: OwnAccount, sid: SidPath, principal: Caller, records: Administered, services: Services
) -> Any:
    """List the models that the vendor offers to this key now."""
    await _owned(records, principal, account_sid, sid)
    if services.list_models is None:
        return []
    credential = await records.vendor_credential(principal, "llm_credentials", sid)
    return list(await services.list_models(credential))


def _members(body: LlmCredentialMembers, services: ApiServices) -> dict[str, Any]:
    members = body.members()
    if "api_url" in members:
        api_url = members.pop("api_url")
        members.setdefault("base_url", api_url)
    for name in _URLS:
        if members.get(name):
            check_url(members[name], name, services.hosts, "https", "http", "wss", "ws")
    return members


async def _tested(
    services: ApiServices, credential: VendorCredential, region_check: bool
) -> tuple[bool | None, dict[str, Any]]:
    if services.test_llm is None:
        return None, {"status": "not tested", "reason": "No test is available for this vendor."}
    tested = await services.test_llm(credential, region_check)
    if tested.report.get("outcome") == "not_tested":
        return None, {**tested.report, "status": "not tested", "reason": tested.reason}
    return tested.ok, {**tested.report, "status": "ok" if tested.ok else "fail", "reason": tested.reason}


async def _owned(records: Administration, principal: Principal, account_sid: str, sid: str) -> Row:
    """Return the row, if it belongs to the account of the path."""
    row = await records.resource("llm_credentials").get(principal, sid)
    if row["account_sid"] != account_sid:
        raise ApiError(404, "There is no such llm credential.")
    return row
