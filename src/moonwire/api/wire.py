"""What REST bodies share: text that any database can hold, sids, hooks, choices of a model, lists with pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar, cast
from urllib.parse import urlsplit

import msgspec
from fastapi import Path, Query, Response
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
from moonwire.api.long_list import LONG, long_list
from moonwire.core.hosts import HostPolicy
from moonwire.ports.administration import SEARCH, Principal, Resource, Row
from moonwire.spec.hooks import with_split_credentials

_DEEPEST = 64
_NO_NUL = r"^[^\x00]*$"
_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"

Text = Annotated[str, StringConstraints(max_length=10_000, pattern=_NO_NUL)]
_VISIBLE = r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$"
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255, pattern=_VISIBLE)]
VendorName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=_VISIBLE)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255, pattern=r"^[^\x00-\x1f]*$")]
"""Tells several services of one vendor apart; empty = none."""
Url = Annotated[
    str,
    StringConstraints(max_length=10_000, strip_whitespace=True),
    Field(json_schema_extra={"format": "uri", "pattern": r"^(https?|wss?)://[^\x00-\x20/]+"}),
]
"""What the URL may lead to is checked by check_url, which says it better."""
Sid = Annotated[str, StringConstraints(pattern=_UUID, to_lower=True)]
SidPath = Annotated[Sid, Path()]
SidQuery = Annotated[Sid | None, Query()]
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
    413: {"model": ErrorBody, "description": "The body is too large."},
    422: {"model": ErrorBody, "description": "Taken, or still in use."},
    429: {"model": ErrorBody, "description": "Too many requests lately; `Retry-After` says when to come again."},
}


def iso_time(seconds: float | None) -> str | None:
    """Write a time as jambonz does: ISO 8601 in UTC with milliseconds."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def check_json(value: Any) -> Any:
    """Return JSON that every database and every client can hold.

    Raises:
        ValueError: too deep, too long, a number that JSON has no text for, or half of a surrogate pair.
    """
    _check_numbers(value, _DEEPEST)
    try:
        encoded = msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("must be plain JSON") from None
    if len(encoded) > 200_000:
        raise ValueError("must not be longer than 200,000 bytes")
    return value


def _check_numbers(value: object, depth: int) -> None:
    if depth == 0:
        raise ValueError(f"must not be nested deeper than {_DEEPEST} levels")
    match value:
        case float() if not isfinite(value):
            raise ValueError("must be plain JSON")  # 1e400 reads as infinity
        case dict() | list():
            items = cast("dict[str, object] | list[object]", value)
            for item in items.values() if isinstance(items, dict) else items:
                _check_numbers(item, depth - 1)
        case _:
            pass


Json = Annotated[dict[str, Any], AfterValidator(check_json)]


def _whole(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("must be a whole number")
    return value


WHOLE = BeforeValidator(_whole)
"""Last in an Annotated[int, ...]: takes a JSON number without fraction, no text, no boolean."""


class Body(BaseModel):
    """Base of request bodies: unknown members are ignored, given ones are told from absent ones."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    primary_key: ClassVar[str] = ""
    """Of a change: the record's own sid, which jambonz refuses in the body."""

    @model_validator(mode="before")
    @classmethod
    def _immutable(cls, value: object) -> object:
        if cls.primary_key and isinstance(value, dict) and cls.primary_key in value:
            raise ValueError(f"primary key {cls.primary_key} is immutable")
        return cast("object", value)

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
        given = {"url": value} if isinstance(value, str) else value
        return with_split_credentials(cast("dict[str, object]", given)) if isinstance(given, dict) else given


class HookShown(BaseModel):
    """A hook as REST shows it; its password is write-only."""

    webhook_sid: str
    url: str
    method: str
    username: str | None


class LlmChoiceBody(Body):
    """A model of a vendor."""

    vendor: VendorName
    model: Name
    label: Name | None = None


def verb_array(value: object) -> object:
    """Read an `app_json`, a string that holds a JSON array of verbs (or that array); None when it is empty."""
    if isinstance(value, list):
        value = msgspec.json.encode(cast("list[object]", value)).decode()
    if isinstance(value, str) and value.strip():
        try:
            verbs = msgspec.json.decode(value, type=list[dict[str, Any]])
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeEncodeError):
            raise ValueError("must be a JSON array of verbs") from None
        check_json(verbs)
        if not verbs or not all(isinstance(verb.get("verb"), str) for verb in verbs):
            raise ValueError("must be a JSON array of verbs, each with its verb's name")
    return value or None


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


async def listed(
    resource: Resource,
    principal: Principal,
    filters: Mapping[str, str | bool],
    paging: Paging,
    model: type[BaseModel],
) -> Sequence[Row] | dict[str, Any] | Response:
    """Return rows as an array of the model, or one page; `name` or `filter` is part of what is searched."""
    if text := paging.name or paging.filter:
        filters = {**filters, SEARCH: text}
    if paging.page is None:
        rows = await resource.find(principal, filters)
        return rows if len(rows) < LONG else long_list(rows, model)
    found = await resource.page(principal, filters, paging.page, paging.page_size)
    return {"total": found.total, "page": paging.page, "page_size": paging.page_size, "data": found.rows}


def check_url(url: str, member: str, hosts: HostPolicy, *schemes: str) -> None:
    """Answer 400 for a URL that is none, has another scheme, or leads where users may not go."""
    try:
        parts = urlsplit(url)
        is_url = parts.scheme.lower() in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_url = False
    if not is_url:
        raise ApiError(400, f"{member}: must be an absolute {', '.join(schemes)} URL.", "invalid-url")
    if urlsplit(url).username is not None:
        raise ApiError(400, f"{member}: must not hold a user name or password; they have members of their own.")
    if not hosts.allows_url(url):
        raise ApiError(
            400,
            f"{member}: {urlsplit(url).hostname} is private; the operator can allow it in MOONWIRE_PRIVATE_HOSTS.",
            "private-address",
        )
