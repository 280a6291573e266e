"""Guesses which environment variables of an application are secrets: by their name, or by what the value looks like.

Such values are never exported, and an apply that leaves them out keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|AUTH", re.IGNORECASE)
_VALUE = re.compile(
    r"\b(?:sk|ak|pk|rk|gsk|ghp|xoxb)[-_][A-Za-z0-9_-]{6,}|Bearer |://[^/\s:@]+:[^/\s@]+@", re.IGNORECASE
)


def looks_secret(name: str, value: object) -> bool:
    """Say whether an environment variable is better not shown."""
    return bool(_NAME.search(name) or _VALUE.search(str(value)))


def with_kept_secrets(given: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given variables plus stored secrets that were left out; a null removes one."""
    kept = {name: value for name, value in stored.items() if name not in given and looks_secret(name, value)}
    return {name: value for name, value in (kept | dict(given)).items() if value is not None}
