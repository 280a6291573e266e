"""Keeps what the simulated Moonshot was asked, for assertions and for the demo's display."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import msgspec


@dataclass(slots=True)
class RequestRecord:
    """One request; times are loop time in seconds."""

    region: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    arrived_s: float
    connection: int
    """Number of the TCP connection it came on, counted from 1."""
    json: Mapping[str, object] = field(default_factory=dict[str, object])
    key: str = ""
    status: int = 0
    request_id: str = ""
    chunks: int = 0
    """Content chunks sent."""
    finished_s: float | None = None
    """When the answer was complete."""
    disconnected_s: float | None = None
    """When the client went away before that."""

    @property
    def model(self) -> str:
        """The model asked for, empty when there is none."""
        return str(self.json.get("model", ""))

    @property
    def messages(self) -> list[Mapping[str, object]]:
        """The messages sent."""
        return cast("list[Mapping[str, object]]", self.json.get("messages", []))

    def to_json(self) -> dict[str, object]:
        """Return a JSON-ready copy; the key is masked."""
        return {
            "region": self.region,
            "method": self.method,
            "path": self.path,
            "model": self.model,
            "json": dict(self.json),
            "key": f"...{self.key[-4:]}" if self.key else "",
            "connection": self.connection,
            "status": self.status,
            "chunks": self.chunks,
            "arrived_s": self.arrived_s,
            "finished_s": self.finished_s,
            "disconnected_s": self.disconnected_s,
        }


def read_json(body: bytes) -> Mapping[str, object] | None:
    """Return a JSON object, or None when it is none."""
    try:
        document: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return cast("Mapping[str, object]", document) if isinstance(document, dict) else None
