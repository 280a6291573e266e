"""What REST bodies share: text that any database can hold, sids, hooks, choices of a model, lists with pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
from fastapi import Path, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StringConstraints,
    model_validator,
)

from moonwire.api.errors import ApiError, ErrorBody
from moonwire.core.hosts import HostPolicy
from moonwire.ports.administration import Row

_NO_NUL = r"^[^\x00]*$"
_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"

Text = Annotated[str, StringConstraints(max_length=10_000, pattern=_NO_NUL)]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$")
]
Url = Annotated[
    str,
    StringConstraints(max_length=10_000),
    Field(json_schema_extra={"format": "uri", "pattern": r"^(https?|wss?)://[^\x00-\x20/]+"}),
]
"""What the URL may lead to is checked by check_url, which says it better."""
Sid = Annotated[str, StringConstraints(pattern=_UUID)]
SidPath = Annotated[str, Path(pattern=_UUID)]
SidQuery = Annotated[str | None, Query(pattern=_UUID)]
TextQuery = Annotated[str | None, Query(max_length=255, pattern=_NO_NUL)]
Flag = StrictBool | Literal[0, 1]
Moment = Annotated[
    float | None, PlainSerializer(lambda value: iso_time(value), return_type=str | None, when_used="json")
]
"""Seconds since 1970 inside, ISO 8601 in UTC on the wire."""

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorBody, "description": "Something in the request is not valid."},
    401: {"content": {"text/plain": {}}, "description": "No valid bearer token."},
    403: {"model": ErrorBody, "description": "Not open to this caller."},
    404: {"model": ErrorBody, "description": "There is no such record."},
    422: {"model": ErrorBody, "description": "Taken, or still in use."},
}


TOO_MANY: dict[int | str, dict[str, Any]] = {429: {"model": ErrorBody, "description": "Too many lately; wait."}}


def iso_time(seconds: float | None) -> str | None:
    """Write a time as jambonz does: ISO 8601 in UTC with milliseconds."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _encodable(value: Any) -> Any:
    try:
        encoded = msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError):
        raise ValueError("must be plain JSON") from None
    if len(encoded) > 200_000:
        raise ValueError("must not be longer than 200,000 bytes")
    return value


Json = Annotated[dict[str, Any], AfterValidator(_encodable)]


def _whole(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("must be a whole number")
    return value


WHOLE = BeforeValidator(_whole)
"""Last in an Annotated[int, ...]: takes a JSON number without fraction, no text, no boolean."""


class Body(BaseModel):
    """Base of request bodies: unknown members are ignored, given ones are told from absent ones."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    def members(self) -> dict[str, Any]:
        """Return the members that the client gave."""
        return self.model_dump(exclude_unset=True)


class Created(BaseModel):
    """The answer to a POST that made something."""

    sid: str


class CreatedWithWarnings(Created):
    """Made, but something about it may not be what was meant."""

    warnings: list[str] = Field(default_factory=list[str])


class HookBody(Body):
    """A hook as clients send it: a URL, or an object."""

    url: Url
    method: Literal["GET", "POST", "WS"] = "POST"
    username: Text | None = None
    password: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: object) -> object:
        return {"url": value} if isinstance(value, str) else value


class HookShown(BaseModel):
    """A hook as REST shows it; its password is write-only."""

    webhook_sid: str
    url: str
    method: str
    username: str | None


class LlmChoiceBody(Body):
    """A model of a vendor."""

    vendor: Name
    model: Name
    label: Name | None = None


Item = TypeVar("Item")


class PageShown(BaseModel, Generic[Item]):
    """A list's part, when the request names a page."""

    total: int
    page: int
    page_size: int
    data: list[Item]


class Paging(BaseModel):
    """Query members of lists: without `page` the answer is a bare array."""

    page: int | None = Field(None, ge=1, le=1_000_000)
    page_size: int = Field(50, ge=1, le=500)
    name: Text | None = None
    filter: Text | None = None


def listed(rows: Sequence[Row], paging: Paging, *searched: str) -> list[Row] | dict[str, Any]:
    """Return rows as an array, or one page of them; `name`/`filter` is part of one of the `searched` members."""
    if text := (paging.name or paging.filter or "").lower():
        rows = [row for row in rows if any(text in str(row.get(member) or "").lower() for member in searched)]
    if paging.page is None:
        return list(rows)
    start = (paging.page - 1) * paging.page_size
    return {
        "total": len(rows),
        "page": paging.page,
        "page_size": paging.page_size,
        "data": list(rows[start : start + paging.page_size]),
    }


def refuse_key(members: Mapping[str, Any], raw: Mapping[str, Any], *keys: str) -> None:
    """Answer 400 for an update that carries the record's own sid, as jambonz does."""
    for key in keys:
        if key in raw or key in members:
            raise ApiError(400, f"{key} cannot be updated.")


def check_url(url: str, member: str, hosts: HostPolicy, *schemes: str) -> None:
    """Answer 400 for a URL that is none, has another scheme, or leads where users may not go."""
    try:
        parts = urlsplit(url)
        is_url = parts.scheme.lower() in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_url = False
    if not is_url:
        raise ApiError(400, f"{member}: must be an absolute {', '.join(schemes)} URL.", "invalid-url")
    if not hosts.allows_url(url):
        raise ApiError(
            400,
            f"{member}: {urlsplit(url).hostname} is private; the operator can allow it in MOONWIRE_PRIVATE_HOSTS.",
            "private-address",
        )
