"""REST: login, logout, Users and their passwords."""

from __future__ import annotations

from math import ceil
from typing import Annotated, Any, ClassVar, cast

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from moonwire.api.access import Administered, AnyCaller, Caller
from moonwire.api.errors import ApiError, too_soon
from moonwire.api.login_guard import LoginGuard
from moonwire.api.wire import ERRORS, Body, Moment, Name, Sid, SidPath, Text
from moonwire.ports.administration import Row

routes = APIRouter(tags=["Users"], responses=ERRORS)

Password = Annotated[str, Field(min_length=8, max_length=1000)]


class Credentials(Body):
    """A login."""

    username: Text
    password: Annotated[str, Field(max_length=1000)]


class LoggedIn(BaseModel):
    """A successful login; `force_change` = the password must be changed before anything else."""

    token: str
    user_sid: str
    scope: str
    account_sid: str | None
    force_change: bool
    permissions: list[str]


class UserMembers(Body):
    """What a new and a changed user share."""

    email: Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x20@]+@[^\x00-\x20@]+$")] | None = None
    is_active: bool = Field(default=True, strict=True)


class NewUser(UserMembers):
    """Members of a new user; without account an administrator makes an administrator."""

    name: Name
    initial_password: Password
    account_sid: Sid | None = None


class UserChange(UserMembers):
    """Members to change; `old_password` and `new_password` change one's own."""

    primary_key: ClassVar[str] = "user_sid"

    name: Name = Field(default_factory=str)
    initial_password: Password = Field(default_factory=str)
    old_password: Annotated[str, Field(max_length=1000)] | None = None
    new_password: Password | None = None


class UserShown(BaseModel):
    """A user as REST shows it."""

    user_sid: str
    name: str
    email: str | None
    account_sid: str | None
    scope: str
    force_change: bool
    is_active: bool
    created_at: Moment


class Me(BaseModel):
    """Who is asking."""

    user: UserShown


@routes.post("/login", response_model=LoggedIn, operation_id="logIn")
async def log_in(body: Credentials, request: Request, records: Administered) -> Any:
    """Exchange name and password for a bearer token."""
    guard = cast("LoginGuard", request.app.state.login_guard)
    address = request.client.host if request.client else ""
    if wait_s := guard.try_again_s(body.username, address):
        raise too_soon(f"Too many wrong passwords; try again in {ceil(wait_s)} seconds.", wait_s)
    login = await records.log_in(body.username, body.password)
    if login is None:
        raise ApiError(403, "Wrong user name or password.", "wrong-password")
    guard.succeeded(body.username, address)
    return {
        "token": login.token,
        "user_sid": login.user_sid,
        "scope": "account" if login.account_sid else "admin",
        "account_sid": login.account_sid,
        "force_change": login.force_change,
        "permissions": ["VIEW_ONLY", "PROVISION_SERVICES", "PROVISION_USERS"],
    }


@routes.post("/logout", status_code=204, operation_id="logOut")
async def log_out(_principal: AnyCaller) -> None:
    """End a session; the client forgets its token."""


@routes.get("/Users", response_model=list[UserShown], operation_id="listUsers")
async def list_users(principal: Caller, records: Administered) -> Any:
    """List the users the caller may see."""
    return await records.resource("users").find(principal, {})


@routes.get("/Users/me", response_model=Me, operation_id="getMe")
async def me(principal: AnyCaller, records: Administered) -> Any:
    """Return who is asking; an API key is nobody."""
    if principal.user_sid is None:
        raise ApiError(404, "An API key belongs to no user.")
    return {"user": await records.resource("users").get(principal, principal.user_sid)}


@routes.post("/Users", status_code=204, operation_id="createUser")
async def create_user(body: NewUser, principal: Caller, records: Administered) -> None:
    """Make a user, who has to change the initial password at the first login."""
    await records.resource("users").create(principal, body.members())


@routes.get("/Users/{sid}", response_model=UserShown, operation_id="getUser")
async def get_user(sid: SidPath, principal: Caller, records: Administered) -> Row:
    """Return one user."""
    return await records.resource("users").get(principal, sid)


@routes.put("/Users/{sid}", status_code=204, operation_id="updateUser")
async def update_user(sid: SidPath, body: UserChange, principal: AnyCaller, records: Administered) -> None:
    """Change the given members, or one's own password."""
    members = body.members()
    old, new = members.pop("old_password", None), members.pop("new_password", None)
    if new is not None:
        if principal.user_sid != sid.lower():
            raise ApiError(403, "new_password changes one's own password; use initial_password for others.")
        if not await records.change_password(principal, old or "", new):
            raise ApiError(403, "old_password is wrong.", "wrong-password")
    if members:
        if principal.must_change_password and new is None:
            raise ApiError(403, "Change the one-time password first.", "password-change-required")
        await records.resource("users").update(principal, sid, members)


@routes.delete("/Users/{sid}", status_code=204, operation_id="deleteUser")
async def delete_user(sid: SidPath, principal: Caller, records: Administered) -> None:
    """Remove a user; not the last administrator."""
    await records.resource("users").delete(principal, sid)
