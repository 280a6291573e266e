"""Sets up the process's log: people read lines on a terminal, machines read JSON; secrets and conversations stay out.

Content of conversations is logged only under keys beginning with `pii_`, which are masked unless the operator wants
them. Whatever looks like a credential is masked wherever it stands, also inside texts of other libraries.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO, cast

import msgspec
import structlog
from structlog.typing import Processor

from moonwire.settings import Settings

MASK = "********"

_CREDENTIAL = re.compile(
    r"\b(?:sk|ak|rk|pk|org|wh_secret|xoxb|ghp|gsk)[-_][A-Za-z0-9_-]{6,}"
    r"|(?i:\b(?:bearer|basic|token)[ =:]+)[A-Za-z0-9._~+/=-]{8,}"
    r"|(?i:\b(?:api[-_]?key|apikey|access[-_]?token|password|secret|signature)[\"']?[ ]*[=:][ ]*[\"']?)[^\s\"'&,;}]+"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
_SECRET_KEY = re.compile(
    r"(?:^|_)(?:password|passwd|secret|api_?key|token|authorization|auth|private_key)$", re.IGNORECASE
)
_QUIET = ("aiosqlite", "asyncio", "sqlalchemy", "alembic", "aiohttp", "uvicorn", "uvicorn.access")


def configure_logging(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Send all log lines, ours and those of libraries, to `stream` (stderr) from `settings.log_level` on."""
    output = logging.StreamHandler(stream or sys.stderr)
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_personal(shown=settings.log_pii),
        mask_credentials,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(output.stream)],
    )
    output.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(level)
    for name in _QUIET:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def mask_personal(*, shown: bool) -> Processor:
    """Make the processor that masks every `pii_` key, or lets them through."""

    def mask(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if not shown:
            for key in line:
                if key.startswith("pii_"):
                    line[key] = MASK
        return line

    return mask


def mask_credentials(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask keys that name a secret, and whatever looks like a credential inside any text."""
    for key, value in line.items():
        line[key] = MASK if value and _SECRET_KEY.search(key) else _redacted(value)
    return line


def redact(text: str) -> str:
    """Return the text with everything that looks like a credential masked."""
    return _CREDENTIAL.sub(_kept_prefix, text)


def _kept_prefix(found: re.Match[str]) -> str:
    """Keep the words that say what was masked (`Bearer `, `api_key=`)."""
    text = found[0]
    for separator in (" ", "=", ":"):
        head, middle, tail = text.partition(separator)
        if middle and tail and head.isascii() and head.replace("_", "").replace("-", "").isalpha():
            return f"{head}{middle}{MASK}"
    return MASK


def _redacted(value: object) -> object:
    match value:
        case str():
            return redact(value)
        case dict():
            members = cast("Mapping[object, object]", value)
            return {
                key: MASK if item and _SECRET_KEY.search(str(key)) else _redacted(item) for key, item in members.items()
            }
        case list() | tuple():
            return [_redacted(item) for item in cast("list[object]", value)]
        case None | bool() | int() | float():
            return value
        case _:
            return redact(str(value))


def _renderer(stream: TextIO) -> Processor:
    if stream.isatty():
        return structlog.dev.ConsoleRenderer()
    return structlog.processors.JSONRenderer(serializer=_json)


def _json(line: object, **_options: object) -> str:
    return msgspec.json.encode(line, enc_hook=str).decode("utf-8", "replace")
