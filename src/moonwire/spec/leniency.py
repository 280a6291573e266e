"""Decides what to do with a wrong member of a verb: name it with its path, and drop it where the verb can run without.

Unknown members are ignored. A wrong member that says *what* to run (a vendor, a model, a credential) rejects the
payload; a wrong member that only tunes it is dropped and reported.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from moonwire.errors import SpecError

ModelT = TypeVar("ModelT", bound=BaseModel)
Location = tuple[str | int, ...]
_MOST_FAULTS = 50
_PLAIN = {
    "missing": "is required",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be an array",
    "string_type": "must be a string",
}
"""Our words for pydantic's, by error type."""


def written(path: str, location: Location) -> str:
    """Write a place in a payload, for example `[1].llm.vendor` or `[0].tools[2]`."""
    text = path
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def validate(
    model: type[ModelT], data: dict[str, Any], path: str, may_drop: Callable[[Location], bool]
) -> tuple[ModelT, list[str]]:
    """Build a model, leaving out wrong members where allowed.

    Args:
        model: the verb or command.
        data: its members as the application wrote them; not changed.
        path: where it stands in the payload.
        may_drop: whether the model can do without the member at this place.

    Returns:
        The model, and one sentence per dropped member.

    Raises:
        SpecError: a member that cannot be dropped is wrong or missing.
    """
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        first = error
    members = deepcopy(data)
    problems: dict[str, str] = {}
    """By place: a needed member is first wrong, then missing, then its owner goes; one complaint is enough."""
    for _ in range(_MOST_FAULTS):
        fault = first.errors(include_url=False, include_context=False, include_input=False)[0]
        place = existing_place(members, fault["loc"])
        # the members of a union add their own names to the location; only a missing member is a place to name
        where = written(path, fault["loc"] if fault["type"] == "missing" else place)
        complaint = _PLAIN.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
        if not place or not may_drop(place):
            raise SpecError(complaint, path=where)
        problems.setdefault(where, complaint)
        _drop(members, place)
        try:
            return model.model_validate(members), [f"{where}: {text}" for where, text in problems.items()]
        except ValidationError as error:
            first = error
    raise SpecError("too many wrong members", path=path)


def existing_place(data: object, location: Location) -> Location:
    """Return the deepest place on the way to `location` that the payload really has."""
    place: list[str | int] = []
    here = data
    for part in location:
        if isinstance(here, dict) and part in here:
            here = cast("dict[str | int, object]", here)[part]
        elif isinstance(here, list) and isinstance(part, int) and part < len(cast("list[object]", here)):
            here = cast("list[object]", here)[part]
        else:
            break
        place.append(part)
    return tuple(place)


def _drop(data: dict[str, Any], place: Location) -> None:
    here: Any = data
    for part in place[:-1]:
        here = here[part]
    del here[place[-1]]
