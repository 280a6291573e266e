"""Hooks in a record's columns: URL, method and user name plain, the password sealed beside them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from moonwire.ports.administration import Row
from moonwire.store.resources.kind import merged
from moonwire.store.sealing import seal_field
from moonwire.store.secrets import SecretBox
from moonwire.store.tables import AccountRow, ApplicationRow

Hooks = Mapping[str, Any]
"""Name -> `{url, method, username}`."""


def with_hook(
    box: SecretBox, row: AccountRow | ApplicationRow, hooks: Hooks, name: str, hook: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the hooks with one set, or removed by None; a password left out stays while its URL stays."""
    field = f"{name}.password"
    before: Mapping[str, Any] = hooks.get(name) or {}
    rest = {other: value for other, value in hooks.items() if other != name}
    if hook is None:
        seal_field(box, row, field, None)
        return rest
    if hook.get("password"):
        seal_field(box, row, field, hook["password"])
    elif not hook.get("username") or hook["url"] != before.get("url"):
        seal_field(box, row, field, None)
    return rest | {name: merged({}, {member: hook.get(member) for member in ("url", "method", "username")})}


def shown_hook(row_sid: str, hooks: Hooks, name: str) -> Row | None:
    """Return a hook as REST shows it, without its password."""
    hook = hooks.get(name)
    if hook is None:
        return None
    return {
        "webhook_sid": str(uuid.uuid5(uuid.UUID(row_sid), name)),
        "url": hook["url"],
        "method": hook.get("method", "POST"),
        "username": hook.get("username"),
    }
