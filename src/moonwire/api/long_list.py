"""Sends a list of thousands of rows piece by piece, so that calls do not wait for the loop meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from functools import cache

from fastapi.responses import StreamingResponse
from pydantic import BaseModel, TypeAdapter

from moonwire.ports.administration import Row

LONG = 200
_AT_ONCE = 50
"""A few milliseconds of work."""


def long_list(rows: Sequence[Row], model: type[BaseModel]) -> StreamingResponse:
    """Answer with the rows as a JSON array of the model."""
    return StreamingResponse(_pieces(rows, model), media_type="application/json")


async def _pieces(rows: Sequence[Row], model: type[BaseModel]) -> AsyncGenerator[bytes]:
    adapter, separator = _adapter(model), b"["
    for start in range(0, len(rows), _AT_ONCE):
        shown = adapter.validate_python(rows[start : start + _AT_ONCE])
        yield separator + adapter.dump_json(shown, by_alias=True)[1:-1]
        separator = b","
        await asyncio.sleep(0)
    yield b"]"


@cache
def _adapter(model: type[BaseModel]) -> TypeAdapter[list[BaseModel]]:
    return TypeAdapter(list[model])  # pyright: ignore[reportInvalidTypeForm]
