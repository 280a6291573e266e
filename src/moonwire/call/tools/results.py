"""Writes what a tool gave back, or why it gave nothing, as the text that the model reads."""

from __future__ import annotations

import json
from typing import Final

MOST_BYTES: Final = 64 * 1024
"""Longer results are cut: they would fill the model's context and make every later turn slow."""


def result_text(value: object) -> str:
    """Return a result as text: strings as they are, everything else as JSON, both cut at 64 kB with a note."""
    text = (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    )
    raw = text.encode("utf-8", "replace")
    if len(raw) <= MOST_BYTES:
        return raw.decode()
    kept = raw[:MOST_BYTES].decode("utf-8", "ignore")
    return f"{kept}\n[The result was cut here: it has {len(raw)} bytes, only the first {MOST_BYTES} are shown.]"


def error_text(message: str) -> str:
    """Return what the model reads in place of a result."""
    return json.dumps({"error": message}, ensure_ascii=False)
