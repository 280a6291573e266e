"""One call's event log: every turn event and command and everything else worth seeing, one JSON line each.

It is the debugger, the portal's timeline, the regression test (`moonwire replay`) and the benchmark's data.
"""

from __future__ import annotations

from typing import Any, Protocol


class CallEventLog(Protocol):
    """One call's log; lines are written in order, off the event loop."""

    def write(self, kind: str, at_s: float, **fields: Any) -> None:
        """Append one line.

        Args:
            kind: `turn.event` | `turn.command` | `call` | `stt` | `llm` | `tts` | `hook` | `sip` | `error` ...
            at_s: seconds since the call was offered, on its media clock.
            fields: JSON-ready facts; content of the conversation only under names beginning with `pii_`.
        """
        ...

    def close(self) -> None:
        """Flush and close."""
        ...


class EventLogs(Protocol):
    """Opens and reads call event logs."""

    def open(self, call_sid: str) -> CallEventLog:
        """Open the log of a new call."""
        ...

    def read(self, call_sid: str) -> list[dict[str, Any]]:
        """Return a call's lines.

        Raises:
            ConfigError: there is no log of that call.
        """
        ...


class EventLogArchive(EventLogs, Protocol):
    """What REST needs beyond that."""

    def delete(self, call_sid: str) -> bool:
        """Remove a call's log; say whether there was one."""
        ...
