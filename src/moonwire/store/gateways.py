"""Reads a carrier's gateway as the configuration file writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_GATEWAY = re.compile(
    r"(?:sip:)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?(?:;transport=(?P<protocol>udp|tcp))?"
)


@dataclass(frozen=True, slots=True)
class Gateway:
    """One address that takes calls."""

    host: str
    port: int = 5060
    protocol: str = "udp"


def parse_gateway(text: str) -> Gateway | None:
    """Read `host[:port][;transport=udp|tcp]`; None when it is something else."""
    found = _GATEWAY.fullmatch(text.strip())
    if found is None:
        return None
    port = int(found["port"] or 5060)
    return Gateway(found["host"].strip("[]"), port, found["protocol"] or "udp") if 0 < port < 65536 else None
