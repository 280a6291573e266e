"""Makes the credential that a test before saving works with, out of the members that a client sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import SecretStr

from moonwire.ports.directory import VendorCredential


def unsaved_credential(members: Mapping[str, Any], secrets: Collection[str]) -> VendorCredential:
    """Return a credential that no row holds; its addresses were not written by the operator.

    Args:
        members: of the request, with `vendor`.
        secrets: the names of those that are secret.
    """
    rest = {name: value for name, value in members.items() if name not in {"vendor", "label", *secrets}}
    return VendorCredential(
        vendor=members["vendor"],
        label=members.get("label"),
        secrets={name: SecretStr(members[name]) for name in secrets if members.get(name)},
        fields={name: value for name, value in rest.items() if isinstance(value, str)},
        listens=bool(members.get("use_for_stt", True)),
        speaks=bool(members.get("use_for_tts", True)),
        by_operator=False,
    )
