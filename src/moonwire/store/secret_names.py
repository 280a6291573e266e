"""Says which environment variables of an application are secrets: by name, by what the value looks like, or declared.

Such values are never exported, and an apply that leaves them out keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from moonwire.store.sealing import open_field
from moonwire.store.secrets import SecretBox
from moonwire.store.tables import ApplicationRow

DECLARED_SECRETS = "declared_secret_env_vars"
"""The sealed field of an application that keeps those names."""

_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|AUTH", re.IGNORECASE)
_VALUE = re.compile(
    r"\b(?:sk|ak|pk|rk|gsk|ghp|xoxb)[-_][A-Za-z0-9_-]{6,}|Bearer |://[^/\s:@]+:[^/\s@]+@", re.IGNORECASE
)


def looks_secret(name: str, value: object) -> bool:
    """Say whether an environment variable is better not shown."""
    return bool(_NAME.search(name) or _VALUE.search(str(value)))


def hidden_names(env_vars: Mapping[str, Any], declared: Collection[str]) -> set[str]:
    """Name the variables that are not shown: by their looks, or because the application declares them `obscure`."""
    return {name for name, value in env_vars.items() if name in declared or looks_secret(name, value)}


def declared_secrets(box: SecretBox, row: ApplicationRow) -> list[str]:
    """Return the variables that the application itself declared `obscure` when it was last asked."""
    text = open_field(box, row, DECLARED_SECRETS)
    return msgspec.json.decode(text, type=list[str]) if text else []


def with_kept_secrets(
    given: Mapping[str, Any], stored: Mapping[str, Any], declared: Collection[str] = ()
) -> dict[str, Any]:
    """Return the given variables plus stored secrets that were left out; a null removes one."""
    kept = {name: stored[name] for name in hidden_names(stored, declared) if name not in given}
    return {name: value for name, value in (kept | dict(given)).items() if value is not None}
