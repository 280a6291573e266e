"""REST: PhoneNumbers."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints

from moonwire.api.access import Administered, Caller, OwnAccount
from moonwire.api.wire import ERRORS, Body, Created, Moment, PageShown, Paging, Sid, SidPath, Text, listed
from moonwire.ports.administration import Row

routes = APIRouter(tags=["PhoneNumbers"], responses=ERRORS)

Number = Annotated[str, StringConstraints(min_length=1, max_length=132, pattern=r"^\+?[^\x00-\x20+]+$")]


class NewPhoneNumber(Body):
    """Members of a new number; it is stored without its plus."""

    number: Number
    account_sid: Sid | None = None
    voip_carrier_sid: Sid | None = None
    application_sid: Sid | None = None


class PhoneNumberChange(Body):
    """Members to change; number and carrier only if they are the same as before."""

    primary_key: ClassVar[str] = "phone_number_sid"

    number: Text = Field(default_factory=str)
    account_sid: Sid | None = None
    voip_carrier_sid: Sid | None = None
    application_sid: Sid | None = None


class PhoneNumberShown(BaseModel):
    """A number as REST shows it."""

    phone_number_sid: str
    number: str
    account_sid: str
    voip_carrier_sid: str | None
    application_sid: str | None
    created_at: Moment
    service_provider_sid: str | None = None


_List = list[PhoneNumberShown] | PageShown[PhoneNumberShown]


class NumberQuery(Paging):
    """Query members of the lists."""

    assigned: bool | None = None
    """Only numbers that lead to an application, or only those that do not."""

    def filters(self) -> dict[str, str | bool]:
        """Return what the rows are chosen by."""
        return {} if self.assigned is None else {"application_sid": self.assigned}


_Query = Annotated[NumberQuery, Query()]


@routes.get("/PhoneNumbers", response_model=_List, operation_id="listPhoneNumbers")
async def list_phone_numbers(principal: Caller, records: Administered, paging: _Query) -> Any:
    """List numbers; a bare array without `page`."""
    return await listed(records.resource("phone_numbers"), principal, paging.filters(), paging, PhoneNumberShown)


@routes.get("/Accounts/{account_sid}/PhoneNumbers", response_model=_List, operation_id="listAccountPhoneNumbers")
async def list_account_phone_numbers(
    account_sid: OwnAccount, principal: Caller, records: Administered, paging: _Query
) -> Any:
    """List an account's numbers."""
    filters = {"account_sid": account_sid, **paging.filters()}
    return await listed(records.resource("phone_numbers"), principal, filters, paging, PhoneNumberShown)


@routes.post("/PhoneNumbers", status_code=201, response_model=Created, operation_id="createPhoneNumber")
async def create_phone_number(body: NewPhoneNumber, principal: Caller, records: Administered) -> Row:
    """Make a number."""
    return await records.resource("phone_numbers").create(principal, body.members())


@routes.get("/PhoneNumbers/{sid}", response_model=PhoneNumberShown, operation_id="getPhoneNumber")
async def get_phone_number(sid: SidPath, principal: Caller, records: Administered) -> Row:
    """Return one number."""
    return await records.resource("phone_numbers").get(principal, sid)


@routes.put("/PhoneNumbers/{sid}", status_code=204, operation_id="updatePhoneNumber")
async def update_phone_number(sid: SidPath, body: PhoneNumberChange, principal: Caller, records: Administered) -> None:
    """Give the number to another application."""
    await records.resource("phone_numbers").update(principal, sid, body.members())


@routes.delete("/PhoneNumbers/{sid}", status_code=204, operation_id="deletePhoneNumber")
async def delete_phone_number(sid: SidPath, principal: Caller, records: Administered) -> None:
    """Remove a number."""
    await records.resource("phone_numbers").delete(principal, sid)
