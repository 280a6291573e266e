"""Decides who asks: every REST route takes its caller from here."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from moonwire.api.errors import ApiError
from moonwire.api.services import ApiServices
from moonwire.api.trial_pace import TrialPace
from moonwire.api.wire import SidPath
from moonwire.ports.administration import Administration, Principal

_bearer = HTTPBearer(auto_error=False, description="An API key, or the token of POST /v1/login.")


def services_of(request: Request) -> ApiServices:
    """Return what create_api was given."""
    return cast("ApiServices", request.app.state.services)


Services = Annotated[ApiServices, Depends(services_of)]


def administration_of(services: Services) -> Administration:
    """Return the records."""
    return services.administration


Administered = Annotated[Administration, Depends(administration_of)]


async def any_caller(
    administration: Administered, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """Return who asks, also one who must change the password first."""
    principal = await administration.authenticate(bearer.credentials) if bearer and bearer.credentials else None
    if principal is None:
        raise ApiError(401, "Unauthorized")
    return principal


async def caller(principal: Annotated[Principal, Depends(any_caller)]) -> Principal:
    """Return who asks."""
    if principal.must_change_password:
        raise ApiError(403, "Change the one-time password first.", "password-change-required")
    return principal


AnyCaller = Annotated[Principal, Depends(any_caller)]
Caller = Annotated[Principal, Depends(caller)]


async def owned_account(account_sid: SidPath, principal: Caller, records: Administered) -> str:
    """Return the account of the path, if it is the caller's; an administrator's must exist."""
    if not principal.may_use(account_sid):
        raise ApiError(403, "This account is not yours.")
    if principal.is_admin:
        await records.resource("accounts").get(principal, account_sid)
    return account_sid


OwnAccount = Annotated[str, Depends(owned_account)]


async def paced(account_sid: OwnAccount, request: Request) -> None:
    """Count a credential's test in; 429 when an account tests too often."""
    cast("TrialPace", request.app.state.trial_pace).take(account_sid)


Paced = Depends(paced)
