"""REST: SpeechCredentials and their test."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

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
    Json,
    Label,
    Moment,
    SidPath,
    Text,
    Url,
    VendorName,
    check_url,
)
from moonwire.ports.administration import Administration, Principal, Row

routes = APIRouter(tags=["SpeechCredentials"], responses=ERRORS)

_BASE = "/Accounts/{account_sid}/SpeechCredentials"
_SECRETS = ("api_key", "secret_access_key", "service_key", "auth_token")
_URLS = ("base_url", "custom_stt_url", "custom_tts_url", "custom_tts_streaming_url")
_NOT_TESTED = {"status": "not tested"}


class SpeechCredentialMembers(Body):
    """What a new and a changed credential share; secrets are write-only, left out they stay."""

    label: Label | None = None
    is_default: Flag = False
    use_for_tts: Flag = 1
    use_for_stt: Flag = 1
    api_key: Text | None = None
    base_url: Url | None = None
    model_id: Text | None = None
    stt_model_id: Text | None = None
    voice_id: Text | None = None
    voice_aliases: Text | None = None
    options: Text | Json | None = None
    region: Text | None = None
    access_key_id: Text | None = None
    secret_access_key: Text | None = None
    role_arn: Text | None = None
    service_key: Text | None = None
    auth_token: Text | None = None
    custom_stt_url: Url | None = None
    custom_tts_url: Url | None = None
    custom_tts_streaming_url: Url | None = None
    deepgram_stt_uri: Text | None = None
    deepgram_stt_use_tls: Flag | None = None
    deepgram_tts_uri: Text | None = None


class SpeechCredentialChange(SpeechCredentialMembers):
    """Members to change; those left out stay."""

    primary_key: ClassVar[str] = "speech_credential_sid"

    vendor: VendorName = Field(default_factory=str)


class NewSpeechCredential(SpeechCredentialMembers):
    """Members of a new credential."""

    vendor: VendorName


class SpeechTestShown(BaseModel):
    """How a test went: jambonz's `tts` and `stt`, and our stages."""

    model_config = ConfigDict(extra="allow")

    tts: dict[str, str] = Field(default_factory=lambda: dict(_NOT_TESTED))
    stt: dict[str, str] = Field(default_factory=lambda: dict(_NOT_TESTED))
    status: Literal["ok", "ok_with_warnings", "failed", "not_tested"] = "not_tested"
    stages: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])
    time_to_first_audio_ms: float | None = None


class SpeechVendors(BaseModel):
    """All vendors."""

    vendors: list[dict[str, Any]]


class SpeechCredentialShown(BaseModel):
    """A credential as REST shows it: plain members of its vendor, secrets obscured."""

    model_config = ConfigDict(extra="allow")

    speech_credential_sid: str
    account_sid: str
    vendor: str
    label: str | None
    is_default: bool
    use_for_tts: int
    use_for_stt: int
    fingerprints: dict[str, str]
    time_to_first_audio_ms: float | None
    """First sound in the latest test that succeeded."""
    tested_ok: bool | None
    tested_at: Moment
    last_used_at: Moment
    last_error: str | None
    last_error_at: Moment
    created_at: Moment
    service_provider_sid: str | None = None


@routes.get("/speech-vendors/manifest", response_model=SpeechVendors, operation_id="listSpeechVendors")
async def manifests(_principal: Caller, services: Services) -> Any:
    """Return what each vendor's form asks, and whether it listens (`stt`), speaks (`tts`) or both."""
    return {"vendors": list(services.speech_manifests())}


@routes.get(_BASE, response_model=list[SpeechCredentialShown], operation_id="listSpeechCredentials")
async def list_credentials(account_sid: OwnAccount, principal: Caller, records: Administered) -> Any:
    """List an account's credentials; asks no vendor."""
    return await records.resource("speech_credentials").find(principal, {"account_sid": account_sid})


@routes.post(_BASE, status_code=201, response_model=Created, operation_id="createSpeechCredential")
async def create_credential(
    account_sid: OwnAccount, body: NewSpeechCredential, principal: Caller, records: Administered, services: Services
) -> Row:
    """Store a credential."""
    members = _members(body, services) | {"account_sid": account_sid}
    return await records.resource("speech_credentials").create(principal, members)


@routes.post(
    _BASE + "/test",
    response_model=SpeechTestShown,
    operation_id="testNewSpeechCredential",
    dependencies=[Paced],
)
async def test_new_credential(
    account_sid: OwnAccount, body: NewSpeechCredential, principal: Caller, services: Services
) -> Any:
    """Test a credential before it is stored; nothing is saved."""
    members = _members(body, services)
    if services.test_speech is None:
        return {"tts": _NOT_TESTED, "stt": _NOT_TESTED}
    return (await services.test_speech(unsaved_credential(members, _SECRETS))).report


@routes.get(_BASE + "/{sid}", response_model=SpeechCredentialShown, operation_id="getSpeechCredential")
async def get_credential(account_sid: OwnAccount, sid: SidPath, principal: Caller, records: Administered) -> Row:
    """Return one credential."""
    return await _owned(records, principal, account_sid, sid)


@routes.put(_BASE + "/{sid}", status_code=204, operation_id="updateSpeechCredential")
async def update_credential(
    account_sid: OwnAccount,
    sid: SidPath,
    body: SpeechCredentialChange,
    principal: Caller,
    records: Administered,
    services: Services,
) -> None:
    """Change the given members; another host needs the key again."""
    await _owned(records, principal, account_sid, sid)
    await records.resource("speech_credentials").update(principal, sid, _members(body, services))


@routes.delete(_BASE + "/{sid}", status_code=204, operation_id="deleteSpeechCredential")
async def delete_credential(account_sid: OwnAccount, sid: SidPath, principal: Caller, records: Administered) -> None:
    """Remove a credential."""
    await _owned(records, principal, account_sid, sid)
    await records.resource("speech_credentials").delete(principal, sid)


@routes.get(
    _BASE + "/{sid}/test",
    response_model=SpeechTestShown,
    operation_id="testSpeechCredential",
    dependencies=[Paced],
)
async def test_credential(
    account_sid: OwnAccount, sid: SidPath, principal: Caller, records: Administered, services: Services
) -> Any:
    """Test a stored credential for what it is used for; answers `{tts: {status, reason?}, stt: {status, reason?}}`."""
    await _owned(records, principal, account_sid, sid)
    if services.test_speech is None:
        return {"tts": _NOT_TESTED, "stt": _NOT_TESTED}
    tested = await services.test_speech(await records.vendor_credential(principal, "speech_credentials", sid))
    if tested.report.get("status") == "not_tested":
        return tested.report
    first_ms = tested.report.get("time_to_first_audio_ms")
    await records.note_test("speech_credentials", sid, ok=tested.ok, error=tested.reason, first_ms=first_ms)
    return tested.report


def _members(body: SpeechCredentialMembers, services: ApiServices) -> dict[str, Any]:
    members = body.members()
    for name in _URLS:
        if members.get(name):
            check_url(members[name], name, services.hosts, "https", "http", "wss", "ws")
    for name in ("deepgram_stt_uri", "deepgram_tts_uri"):
        if members.get(name):
            uri = members[name] if "://" in members[name] else f"wss://{members[name]}"
            check_url(uri, name, services.hosts, "https", "http", "wss", "ws")
    return members


async def _owned(records: Administration, principal: Principal, account_sid: str, sid: str) -> Row:
    """Return the row, if it belongs to the account of the path."""
    row = await records.resource("speech_credentials").get(principal, sid)
    if row["account_sid"] != account_sid:
        raise ApiError(404, "There is no such speech credential.")
    return row
