"""Writes alerts and finished calls behind the calls' back: a bounded queue, one writer, a spool file.

`raise_alert` and `add` never block and never fail. While the database is away the writer puts everything into
`spool/records.jsonl` of the data directory and tries again every few seconds; what was spooled when the process ended
is written after the next start. Overflow rule: when 10,000 entries wait, further ones are dropped and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from moonwire.errors import StoreUnavailableError
from moonwire.ports.directory import AlertType, CallRecord
from moonwire.store.alerts import RaisedAlert, forget_old_alerts, write_alerts
from moonwire.store.database import Database
from moonwire.store.records import ServiceOutcome, write_calls, write_outcomes
from moonwire.store.tables import utc_now_s

_QUEUE_ENTRIES = 10_000
_BATCH_ENTRIES = 200
_WRITE_S = 5.0
_RETRY_S = 3.0
_CLOSE_S = 5.0
_USED_EVERY_S = 10.0
_FAILURES_KEPT = 20

Entry = RaisedAlert | CallRecord | ServiceOutcome
_KINDS: dict[str, type[Entry]] = {"alert": RaisedAlert, "call": CallRecord, "service": ServiceOutcome}
_NAMES = {kind: name for name, kind in _KINDS.items()}

_log = structlog.get_logger()


class Recorder:
    """Ports Alerts, CallRecords and ServiceHealth on a database."""

    def __init__(self, database: Database, data_dir: Path, *, retry_s: float = _RETRY_S) -> None:
        self._database = database
        self._spool = data_dir / "spool" / "records.jsonl"
        self._retry_s = retry_s
        self._queue: asyncio.Queue[Entry] = asyncio.Queue(_QUEUE_ENTRIES)
        self._writer: asyncio.Task[None] | None = None
        self._dropped = 0
        self._used_at: dict[str, float] = {}
        self._failures: dict[str, set[str]] = {}
        """Texts of each service's failures since it worked last."""

    @property
    def dropped(self) -> int:
        """How many entries were lost because the queue was full."""
        return self._dropped

    def start(self) -> None:
        """Begin to write; `close` ends it."""
        self._writer = asyncio.create_task(self._write_forever(), name="store-recorder")

    def raise_alert(
        self, account_sid: str, alert_type: AlertType, message: str, *, remedy: str = "", call_sid: str = ""
    ) -> None:
        """Record an alert, repeated ones counted; never blocks; the text holds no secret."""
        _log.warning("alert", alert_type=alert_type, reason=message, remedy=remedy, call_sid=call_sid)
        self._put(RaisedAlert(account_sid, alert_type, message, remedy, call_sid, utc_now_s()))

    def add(self, record: CallRecord) -> None:
        """Queue a record for writing; never blocks; kept on disk when the database is away."""
        self._put(record)

    def service_used(self, credential_sid: str) -> None:
        """Note a success; never blocks; written at most once in ten seconds unless it follows a failure."""
        now_s = utc_now_s()
        if now_s - self._used_at.get(credential_sid, 0.0) >= _USED_EVERY_S:
            self._used_at[credential_sid] = now_s
            failures = tuple(self._failures.pop(credential_sid, ()))
            self._put(ServiceOutcome(credential_sid, "", "", now_s, failures))

    def service_failed(self, credential_sid: str, code: str, message: str) -> None:
        """Note a failure by its error's code and text, which hold no secret; never blocks."""
        self._used_at.pop(credential_sid, None)
        failures = self._failures.setdefault(credential_sid, set())
        if len(failures) < _FAILURES_KEPT:
            failures.add(message)
        self._put(ServiceOutcome(credential_sid, code, message, utc_now_s()))

    async def forget_old(self) -> None:
        """Delete alerts that are too old or too many; errors as Database.transaction."""
        async with self._database.transaction() as session:
            await forget_old_alerts(session, utc_now_s())

    async def flush(self) -> None:
        """Wait until everything queued so far is in the database or in the spool file."""
        await self._queue.join()

    async def close(self) -> None:
        """Write what waits, bounded by some seconds; the rest goes to the spool file."""
        if self._writer is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._queue.join()
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)
        self._writer = None
        if rest := self._take(_QUEUE_ENTRIES):
            await self._to_spool(rest)

    def _put(self, entry: Entry) -> None:
        try:
            self._queue.put_nowait(entry)
        except asyncio.QueueFull:
            self._dropped += 1

    async def _write_forever(self) -> None:
        await self._replay()
        while True:
            try:
                async with asyncio.timeout(self._retry_s if self._spool.exists() else None):
                    batch = [await self._queue.get()]
            except TimeoutError:
                await self._replay()
                continue
            batch += self._take(_BATCH_ENTRIES - 1)
            try:
                if not await self._to_database(batch):
                    await self._to_spool(batch)
            except asyncio.CancelledError:
                await asyncio.shield(self._to_spool(batch))
                raise
            finally:
                for _ in batch:
                    self._queue.task_done()

    def _take(self, most: int) -> list[Entry]:
        taken: list[Entry] = []
        while len(taken) < most and not self._queue.empty():
            taken.append(self._queue.get_nowait())
        return taken

    async def _to_database(self, entries: Sequence[Entry]) -> bool:
        try:
            # Exclusive, because other processes count the same alerts.
            async with asyncio.timeout(_WRITE_S), self._database.transaction(exclusive=True) as session:
                await write_alerts(session, [one for one in entries if isinstance(one, RaisedAlert)])
                await write_calls(session, [one for one in entries if isinstance(one, CallRecord)])
                await write_outcomes(session, [one for one in entries if isinstance(one, ServiceOutcome)])
        except (SQLAlchemyError, StoreUnavailableError, TimeoutError) as error:
            _log.warning("records not written", error=type(error).__name__, entries=len(entries))
            return False
        return True

    async def _to_spool(self, entries: Sequence[Entry]) -> None:
        text = b"".join(_encoded(entry) for entry in entries)
        try:
            await asyncio.to_thread(_append, self._spool, text)
        except OSError as error:
            self._dropped += len(entries)
            _log.error("records lost", error=error.strerror, entries=len(entries))

    async def _replay(self) -> None:
        """Write the spool file into the database; what cannot be written stays."""
        if not await asyncio.to_thread(self._spool.exists):
            return
        entries = await asyncio.to_thread(_read, self._spool)
        for start in range(0, len(entries), _BATCH_ENTRIES):
            if not await self._to_database(entries[start : start + _BATCH_ENTRIES]):
                await asyncio.to_thread(_rewrite, self._spool, b"".join(_encoded(entry) for entry in entries[start:]))
                return
        await asyncio.to_thread(self._spool.unlink, missing_ok=True)
        if entries:
            _log.info("spooled records written", entries=len(entries))


def _encoded(entry: Entry) -> bytes:
    return msgspec.json.encode({"kind": _NAMES[type(entry)], **asdict(entry)}) + b"\n"


def _decoded(line: bytes) -> Entry | None:
    """Read one line; a line that a crash cut short is skipped."""
    try:
        members = msgspec.json.decode(line, type=dict[str, object])
        return msgspec.convert(members, _KINDS[str(members.pop("kind", ""))])
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError):
        return None


def _append(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(text)


def _rewrite(path: Path, text: bytes) -> None:
    draft = path.with_suffix(".draft")
    draft.write_bytes(text)
    draft.replace(path)


def _read(path: Path) -> list[Entry]:
    return [entry for line in path.read_bytes().splitlines() if (entry := _decoded(line)) is not None]
