"""Digits in SIP INFO bodies: `application/dtmf-relay` and `application/dtmf`.

Source: the INFO usage of Cisco gateways, as jambonz and FreeSWITCH accept it; there is no RFC.
"""

from __future__ import annotations

import re

DIGITS = "0123456789*#ABCD"
DEFAULT_DURATION_MS = 160
_EVENT_NUMBERS = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}


def read_info_digit(media_type: str, body: bytes) -> tuple[str, int] | None:
    """Return digit and duration in ms, None when the body holds none."""
    text = body[:256].decode("ascii", "replace").strip()
    duration_ms = DEFAULT_DURATION_MS
    if media_type == "application/dtmf-relay":
        signal = re.search(r"^\s*signal\s*[=:]\s*(\S+)", text, re.IGNORECASE | re.MULTILINE)
        duration = re.search(r"^\s*duration\s*[=:]\s*([0-9]{1,5})\b", text, re.IGNORECASE | re.MULTILINE)
        if signal is None:
            return None
        duration_ms = int(duration.group(1)) if duration else duration_ms
        text = signal.group(1)
    digit = _EVENT_NUMBERS.get(text, text).upper()
    return (digit, duration_ms) if len(digit) == 1 and digit in DIGITS else None
