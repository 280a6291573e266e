"""REST: ApiKeys; a token is shown once."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from moonwire.api.access import Administered, Caller, OwnAccount
from moonwire.api.wire import ERRORS, WHOLE, Body, Created, Moment, Name, Sid, SidPath
from moonwire.ports.administration import Row

routes = APIRouter(tags=["ApiKeys"], responses=ERRORS)


class NewApiKey(Body):
    """Members of a new key; an administrator's without account opens every account."""

    name: Name | None = None
    account_sid: Sid | None = None
    expiry_secs: Annotated[int, Field(ge=1, le=10_000_000_000), WHOLE] | None = None


class CreatedApiKey(Created):
    """The only answer that holds the token."""

    token: str


class ApiKeyShown(BaseModel):
    """A key as REST shows it."""

    api_key_sid: str
    name: str | None
    token: str
    """Obscured but for its last four characters."""
    account_sid: str | None
    expires_at: Moment
    last_used: Moment
    created_at: Moment
    service_provider_sid: str | None = None


@routes.get("/ApiKeys", response_model=list[ApiKeyShown], operation_id="listApiKeys")
async def list_keys(principal: Caller, records: Administered) -> Any:
    """List the keys the caller may see."""
    return await records.resource("api_keys").find(principal, {})


@routes.get("/Accounts/{account_sid}/ApiKeys", response_model=list[ApiKeyShown], operation_id="listAccountApiKeys")
async def list_account_keys(account_sid: OwnAccount, principal: Caller, records: Administered) -> Any:
    """List an account's keys."""
    return await records.resource("api_keys").find(principal, {"account_sid": account_sid})


@routes.post("/ApiKeys", status_code=201, response_model=CreatedApiKey, operation_id="createApiKey")
async def create_key(body: NewApiKey, principal: Caller, records: Administered) -> Row:
    """Make a key; keep the token, it is not shown again."""
    return await records.resource("api_keys").create(principal, body.members())


@routes.delete("/ApiKeys/{sid}", status_code=204, operation_id="deleteApiKey")
async def delete_key(sid: SidPath, principal: Caller, records: Administered) -> None:
    """Remove a key; it stops working at once."""
    await records.resource("api_keys").delete(principal, sid)
