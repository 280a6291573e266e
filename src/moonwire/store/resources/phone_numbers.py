"""Phone numbers on the wire: stored without plus; number and carrier cannot change later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from moonwire.errors import RecordError
from moonwire.ports.administration import Row
from moonwire.store.resources.kind import Kind, Writing
from moonwire.store.secrets import SecretBox
from moonwire.store.tables import ApplicationRow, CarrierRow, PhoneNumberRow


def show(row: PhoneNumberRow, _box: SecretBox) -> Row:
    """Return the number as REST shows it."""
    return {
        "phone_number_sid": row.sid,
        "number": row.number,
        "account_sid": row.account_sid,
        "voip_carrier_sid": row.carrier_sid,
        "application_sid": row.application_sid,
        "created_at": row.created_at,
    }


async def fill(writing: Writing, row: PhoneNumberRow, members: Mapping[str, Any], is_new: bool) -> Row:
    """Put members into columns."""
    if is_new:
        row.number = str(members["number"]).removeprefix("+")
        if await writing.session.scalar(select(func.count()).where(PhoneNumberRow.number == row.number)):
            raise RecordError(f"number: {row.number} is already in use.", why="conflict")
        row.carrier_sid = await writing.owned(
            CarrierRow, members.get("voip_carrier_sid"), "voip_carrier", row.account_sid
        )
    else:
        _refuse_change(row.number, members, "number")
        _refuse_change(row.carrier_sid, members, "voip_carrier_sid")
    if "application_sid" in members:
        row.application_sid = await writing.owned(
            ApplicationRow, members["application_sid"], "application", row.account_sid
        )
    return {}


def _refuse_change(stored: str | None, members: Mapping[str, Any], member: str) -> None:
    given = members.get(member, stored)
    if str(given or "").removeprefix("+") != (stored or ""):
        raise RecordError(f"{member} cannot be changed; delete the number and create it again.", why="invalid")


PHONE_NUMBERS = Kind(
    PhoneNumberRow,
    "phone number",
    show,
    fill,
    {
        "account_sid": PhoneNumberRow.account_sid,
        "number": PhoneNumberRow.number,
        "application_sid": PhoneNumberRow.application_sid,
        "voip_carrier_sid": PhoneNumberRow.carrier_sid,
    },
    searched=PhoneNumberRow.number,
)
