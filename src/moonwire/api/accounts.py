"""REST: Accounts and their webhook secrets."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from moonwire.api.access import Administered, Caller, Services
from moonwire.api.services import ApiServices
from moonwire.api.wire import (
    ERRORS,
    Body,
    Created,
    Flag,
    HookBody,
    HookShown,
    Moment,
    Name,
    Sid,
    SidPath,
    Text,
    check_url,
)
from moonwire.ports.administration import Row

routes = APIRouter(tags=["Accounts"], responses=ERRORS)


class AccountMembers(Body):
    """What a new and a changed account share."""

    is_active: bool = Field(default=True, strict=True)
    sip_realm: Text | None = None
    registration_hook: HookBody | None = None
    queue_event_hook: HookBody | None = None
    device_calling_application_sid: Sid | None = None
    record_all_calls: Flag | None = None
    record_format: Text | None = None
    enable_debug_log: Flag | None = None


class AccountChange(AccountMembers):
    """Members to change; those left out stay."""

    primary_key: ClassVar[str] = "account_sid"

    name: Name = Field(default_factory=str)


class NewAccount(AccountMembers):
    """Members of a new account."""

    name: Name


class AccountShown(BaseModel):
    """An account as REST shows it."""

    account_sid: str
    name: str
    is_active: bool
    is_default: bool
    """Owns what the configuration file declares."""
    sip_realm: str | None
    registration_hook: HookShown | None
    queue_event_hook: HookShown | None
    device_calling_application_sid: str | None
    record_all_calls: bool | int | None
    record_format: str | None
    enable_debug_log: bool | int | None
    plan_type: str | None
    created_at: Moment
    service_provider_sid: str | None = None
    bucket_credential: dict[str, Any] | None = None


class WebhookSecret(BaseModel):
    """What signs an account's webhooks (`Jambonz-Signature`)."""

    webhook_secret: str


@routes.get("/Accounts", response_model=list[AccountShown], operation_id="listAccounts")
async def list_accounts(principal: Caller, records: Administered) -> Any:
    """List the accounts the caller may use."""
    return await records.resource("accounts").find(principal, {})


@routes.post("/Accounts", status_code=201, response_model=Created, operation_id="createAccount")
async def create_account(body: NewAccount, principal: Caller, records: Administered, services: Services) -> Row:
    """Make an account; administrators only."""
    return await records.resource("accounts").create(principal, _checked(body, services))


@routes.get("/Accounts/{account_sid}", response_model=AccountShown, operation_id="getAccount")
async def get_account(account_sid: SidPath, principal: Caller, records: Administered) -> Row:
    """Return one account."""
    return await records.resource("accounts").get(principal, account_sid)


@routes.put("/Accounts/{account_sid}", status_code=204, operation_id="updateAccount")
async def update_account(
    account_sid: SidPath, body: AccountChange, principal: Caller, records: Administered, services: Services
) -> None:
    """Change the given members."""
    await records.resource("accounts").update(principal, account_sid, _checked(body, services))


@routes.delete("/Accounts/{account_sid}", status_code=204, operation_id="deleteAccount")
async def delete_account(account_sid: SidPath, principal: Caller, records: Administered) -> None:
    """Remove an account with everything it owns; administrators only."""
    await records.resource("accounts").delete(principal, account_sid)


@routes.get("/Accounts/{account_sid}/WebhookSecret", response_model=WebhookSecret, operation_id="getWebhookSecret")
async def webhook_secret(
    account_sid: SidPath, principal: Caller, records: Administered, regenerate: Annotated[bool, Query()] = False
) -> Any:
    """Return the account's webhook secret; `regenerate=true` makes a new one."""
    return {"webhook_secret": await records.webhook_secret(principal, account_sid, regenerate=regenerate)}


def _checked(body: AccountMembers, services: ApiServices) -> dict[str, Any]:
    members = body.members()
    for name in ("registration_hook", "queue_event_hook"):
        if hook := members.get(name):
            check_url(hook["url"], f"{name}.url", services.hosts, "http", "https", "ws", "wss")
    return members
