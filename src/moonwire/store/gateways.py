"""Reads and writes a carrier's gateway as the configuration file has it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_GATEWAY = re.compile(
    r"(?:sip:)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?(?:;transport=(?P<protocol>udp|tcp))?"
)

_PORT, _PROTOCOL = 5060, "udp"


@dataclass(frozen=True, slots=True)
class Gateway:
    """One address that takes calls."""

    host: str
    port: int = _PORT
    protocol: str = _PROTOCOL


def parse_gateway(text: str) -> Gateway | None:
    """Read `host[:port][;transport=udp|tcp]`; None when it is something else."""
    found = _GATEWAY.fullmatch(text.strip())
    if found is None:
        return None
    port = int(found["port"] or _PORT)
    return Gateway(found["host"].strip("[]"), port, found["protocol"] or _PROTOCOL) if 0 < port < 65536 else None


def gateway_text(gateway: Gateway) -> str | None:
    """Write a gateway so that parse_gateway reads it again; None for what the file cannot say (TLS)."""
    host = f"[{gateway.host}]" if ":" in gateway.host else gateway.host
    port = "" if gateway.port == _PORT else f":{gateway.port}"
    protocol = "" if gateway.protocol == _PROTOCOL else f";transport={gateway.protocol}"
    text = host + port + protocol
    return text if parse_gateway(text) == gateway else None
