"""REST: SpeechCredentials and their test."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from moonwire.api.access import Administered, Caller, Services, refuse_other_account
from moonwire.api.errors import ApiError
from moonwire.api.services import ApiServices
from moonwire.api.wire import ERRORS, Body, Created, Flag, Json, Moment, Name, SidPath, Text, Url, check_url
from moonwire.ports.administration import Administration, Principal, Row

routes = APIRouter(tags=["SpeechCredentials"], responses=ERRORS)

_BASE = "/Accounts/{account_sid}/SpeechCredentials"
_URLS = ("base_url", "custom_stt_url", "custom_tts_url", "custom_tts_streaming_url")
_NOT_TESTED = {"status": "not tested"}


class SpeechCredentialMembers(Body):
    """What a new and a changed credential share; secrets are write-only, left out they stay."""

    label: Text | None = None
    is_default: Flag = False
    use_for_tts: Flag = 1
    use_for_stt: Flag = 1
    api_key: Text | None = None
    base_url: Url | None = None
    model_id: Text | None = None
    stt_model_id: Text | None = None
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

    vendor: Name = Field(default_factory=str)


class NewSpeechCredential(SpeechCredentialMembers):
    """Members of a new credential."""

    vendor: Name


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
    tested_ok: bool | None
    tested_at: Moment
    last_used_at: Moment
    last_error: str | None
    last_error_at: Moment
    created_at: Moment


@routes.get(_BASE, response_model=list[SpeechCredentialShown], operation_id="listSpeechCredentials")
async def list_credentials(account_sid: SidPath, principal: Caller, records: Administered) -> Any:
    """List an account's credentials; asks no vendor."""
    refuse_other_account(principal, account_sid)
    return await records.resource("speech_credentials").find(principal, {"account_sid": account_sid})


@routes.post(_BASE, status_code=201, response_model=Created, operation_id="createSpeechCredential")
async def create_credential(
    account_sid: SidPath, body: NewSpeechCredential, principal: Caller, records: Administered, services: Services
) -> Row:
    """Store a credential."""
    refuse_other_account(principal, account_sid)
    members = _members(body, services) | {"account_sid": account_sid}
    return await records.resource("speech_credentials").create(principal, members)


@routes.get(_BASE + "/{sid}", response_model=SpeechCredentialShown, operation_id="getSpeechCredential")
async def get_credential(account_sid: SidPath, sid: SidPath, principal: Caller, records: Administered) -> Row:
    """Return one credential."""
    return await _owned(records, principal, account_sid, sid)


@routes.put(_BASE + "/{sid}", status_code=204, operation_id="updateSpeechCredential")
async def update_credential(
    account_sid: SidPath,
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
async def delete_credential(account_sid: SidPath, sid: SidPath, principal: Caller, records: Administered) -> None:
    """Remove a credential."""
    await _owned(records, principal, account_sid, sid)
    await records.resource("speech_credentials").delete(principal, sid)


@routes.get(_BASE + "/{sid}/test", response_model=dict[str, Any], operation_id="testSpeechCredential")
async def test_credential(
    account_sid: SidPath, sid: SidPath, principal: Caller, records: Administered, services: Services
) -> Any:
    """Test a stored credential; answers `{tts: {status, reason?}, stt: {status, reason?}}`."""
    await _owned(records, principal, account_sid, sid)
    if services.test_speech is None:
        return {"tts": _NOT_TESTED, "stt": _NOT_TESTED}
    tested = await services.test_speech(await records.vendor_credential(principal, "speech_credentials", sid))
    await records.note_test("speech_credentials", sid, ok=tested.ok, error=tested.reason)
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
    refuse_other_account(principal, account_sid)
    row = await records.resource("speech_credentials").get(principal, sid)
    if row["account_sid"] != account_sid:
        raise ApiError(404, "There is no such speech credential.")
    return row
