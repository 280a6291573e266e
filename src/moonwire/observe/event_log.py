"""Keeps each call's event log as a file of JSON lines, written by one thread for the whole process.

`write` encodes at once (the facts may change later) and hands the line over; it never waits for the disk. Overflow
rule: a call with 20,000 lines waiting loses further ones, and a line `{"kind": "error", "lost_lines": n}` says so.
Files lie in `calls/<call_sid>.jsonl` of the data directory and belong to the server's user alone.
"""

from __future__ import annotations

import os
import queue
import re
import threading
from collections import deque
from pathlib import Path
from typing import Any

import msgspec
import structlog

from moonwire.errors import ConfigError

_WAITING_LINES = 20_000
_LINGER_S = 0.05
_FLUSH_S = 5.0
_CALL_SID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\Z")

_encoder = msgspec.json.Encoder(enc_hook=str)
_log = structlog.get_logger()


class FileCallEventLog:
    """One call's log; see ports.event_log.CallEventLog."""

    def __init__(self, path: Path, writer: _Writer) -> None:
        self.path = path
        self._writer = writer
        self._lines: deque[bytes] = deque()
        self._is_queued = False
        self._lost_lines = 0
        self._last_at_s = 0.0
        self._closed = False

    def write(self, kind: str, at_s: float, **fields: Any) -> None:
        """Append one line; lines after `close` are dropped."""
        if self._closed:
            return
        self._last_at_s = at_s
        if len(self._lines) >= _WAITING_LINES:
            self._lost_lines += 1
            return
        self._append({"kind": kind, "at_s": at_s, **fields})

    def close(self) -> None:
        """Hand over the last lines; nothing can be written any more."""
        if self._lost_lines and not self._closed:
            self._append({"kind": "error", "at_s": self._last_at_s, "lost_lines": self._lost_lines})
        self._closed = True

    def take_lines(self) -> bytes:
        """Give all waiting lines to the writer thread."""
        self._is_queued = False
        taken: list[bytes] = []
        while self._lines:
            taken.append(self._lines.popleft())
        return b"".join(taken)

    def _append(self, line: dict[str, Any]) -> None:
        self._lines.append(_encoded(line))
        if not self._is_queued:
            self._is_queued = True
            self._writer.queue.put(self)


class FileEventLogs:
    """All call logs of a data directory; see ports.event_log.EventLogs."""

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir / "calls"
        self._writer = _Writer()

    def open(self, call_sid: str) -> FileCallEventLog:
        """Open the log of a new call."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._writer.start()
        return FileCallEventLog(self._path(call_sid), self._writer)

    def read(self, call_sid: str) -> list[dict[str, Any]]:
        """Return a call's lines, those just written included; a line that a crash cut short is left out.

        Raises:
            ConfigError: there is no log of that call.
        """
        path = self._path(call_sid)
        self.flush()
        try:
            lines = path.read_bytes().splitlines()
        except OSError:
            raise ConfigError(f"There is no event log of call {call_sid} in {self._directory}.") from None
        return [line for text in lines if (line := _decoded(text)) is not None]

    def list(self) -> list[str]:
        """Return the sids of all calls that have a log, newest first."""
        self.flush()
        paths = list(self._directory.glob("*.jsonl")) if self._directory.is_dir() else []
        return [path.stem for path in sorted(paths, key=lambda one: one.stat().st_mtime_ns, reverse=True)]

    def delete(self, call_sid: str) -> bool:
        """Remove a call's log; say whether there was one."""
        path = self._path(call_sid)
        self.flush()
        try:
            path.unlink()
        except OSError:
            return False
        return True

    def flush(self) -> None:
        """Wait, bounded, until everything written so far is in the files; blocks the calling thread."""
        self._writer.flush()

    def close(self) -> None:
        """Write what waits and end the thread."""
        self._writer.close()

    def _path(self, call_sid: str) -> Path:
        if not _CALL_SID.match(call_sid):
            raise ConfigError(f"{call_sid!r} is no call sid.")
        return self._directory / f"{call_sid}.jsonl"


class _Writer:
    """The thread that appends lines to files."""

    def __init__(self) -> None:
        self.queue: queue.SimpleQueue[FileCallEventLog | threading.Event | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()

    def start(self) -> None:
        if self._thread is None:
            self._hurry.clear()
            self._thread = threading.Thread(target=self._run, name="event-log-writer", daemon=True)
            self._thread.start()

    def flush(self) -> None:
        if self._thread is None:
            return
        done = threading.Event()
        self._hurry.set()
        self.queue.put(done)
        done.wait(_FLUSH_S)

    def close(self) -> None:
        if self._thread is None:
            return
        self._hurry.set()
        self.queue.put(None)
        self._thread.join(_FLUSH_S)
        self._thread = None

    def _run(self) -> None:
        while True:
            match self.queue.get():
                case FileCallEventLog() as log:
                    self._hurry.wait(_LINGER_S)
                    _append_to_file(log)
                case None:
                    return
                case flushed:
                    self._hurry.clear()
                    flushed.set()


def _append_to_file(log: FileCallEventLog) -> None:
    text = log.take_lines()
    try:
        descriptor = os.open(log.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(text)
    except OSError as error:
        _log.error("event log not written", path=str(log.path), error=error.strerror, size_bytes=len(text))


def _encoded(line: dict[str, Any]) -> bytes:
    try:
        return _encoder.encode(line) + b"\n"
    except (TypeError, ValueError, RecursionError):
        plain = {key: str(value).encode("utf-8", "replace").decode() for key, value in line.items() if key != "at_s"}
        return _encoder.encode({"at_s": line["at_s"], **plain}) + b"\n"


def _decoded(text: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
