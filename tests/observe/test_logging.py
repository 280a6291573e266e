"""No credential and no conversation in the log, whoever writes it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from moonwire.observe.logging import MASK, configure_logging, redact
from moonwire.settings import Settings


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def configure(stream: io.StringIO, **values: Any) -> None:
    configure_logging(Settings(_env_file=None, **values), stream=stream)  # pyright: ignore[reportCallIssue]


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_lines(stream: io.StringIO) -> None:
    configure(stream)
    with structlog.contextvars.bound_contextvars(call_sid="c1"):
        structlog.get_logger().info("call ended", reason="bye", duration_s=1.5)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "call ended", "level": "info", "reason": "bye", "duration_s": 1.5, "call_sid": "c1"}


@pytest.mark.parametrize(("shown", "expected"), [(False, MASK), (True, "my card number is")])
def test_conversations(stream: io.StringIO, shown: bool, expected: str) -> None:
    configure(stream, log_pii=shown)
    structlog.get_logger().info("turn", pii_text="my card number is", words=4)
    (line,) = lines(stream)
    assert (line["pii_text"], line["words"]) == (expected, 4)


def test_level(stream: io.StringIO) -> None:
    configure(stream, log_level="warning")
    structlog.get_logger().info("no")
    logging.getLogger("someone").info("no")
    structlog.get_logger().warning("yes")
    assert [line["event"] for line in lines(stream)] == ["yes"]


def test_libraries_and_tracebacks(stream: io.StringIO) -> None:
    configure(stream)
    logging.getLogger("aiohttp").warning("request with %s failed", "Bearer sk-planted-secret-value")
    try:
        raise RuntimeError("api_key=sk-planted-secret-value")
    except RuntimeError:
        structlog.get_logger().exception("broken", object=object())
    text = stream.getvalue()
    assert "planted" not in text
    assert "RuntimeError" in text
    assert len(lines(stream)) == 2


@pytest.mark.parametrize(
    "facts",
    [
        {"api_key": "planted"},
        {"headers": {"Authorization": "planted", "x": 1}},
        {"error": "key sk-planted0123456789 was refused"},
        {"error": "Authorization: Token planted0123456789"},
        {"error": "Authorization: Bearer planted0123456789"},
        {"error": "organization org-planted0123456789 of ak-planted0123456789"},
        {"error": "https://user:planted@host/x"},
        {"error": '{"password": "planted"}'},
        {"error": ["nested", {"deep": "sk-planted0123456789"}]},
        {"url": "wss://h/x?api_key=planted&model=y"},
        {"remedy": ValueError("sk-planted0123456789")},
    ],
)
def test_planted_secrets(stream: io.StringIO, facts: dict[str, Any]) -> None:
    configure(stream)
    structlog.get_logger().info("x", **facts)
    assert "planted" not in stream.getvalue()
    assert MASK in stream.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "kimi-k2.6 answered in 0.3 s",
        "sip:100@127.0.0.1:5060;transport=udp",
        "token count 1234567890",
        "use a basic answer",
        "c0ffee00-1111-4222-8333-444455556666",
        "the task-runner and the risk-based approach",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


def test_what_was_masked_stays_recognisable() -> None:
    assert redact("Bearer abcdefghijkl") == f"Bearer {MASK}"
    assert redact("api_key=abcdefghijkl") == f"api_key={MASK}"


def test_terminal(stream: io.StringIO) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    configure(terminal)
    structlog.get_logger().info("call ended", reason="bye")
    assert "call ended" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
