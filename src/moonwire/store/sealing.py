"""Puts secrets into a row's `sealed` column and takes them out again."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from moonwire.store.secrets import FieldAddress, SecretBox
from moonwire.store.tables import AccountRow, ApplicationRow, CarrierRow, LlmServiceRow, SpeechServiceRow

SealedRow = AccountRow | ApplicationRow | CarrierRow | LlmServiceRow | SpeechServiceRow
SEALED_TABLES = (AccountRow, ApplicationRow, CarrierRow, LlmServiceRow, SpeechServiceRow)


def seal_field(box: SecretBox, row: SealedRow, field: str, text: str | None) -> bool:
    """Store one secret of a row, or forget it when `text` is None; say whether that changed anything."""
    if text == open_field(box, row, field):
        return False
    rest = {name: token for name, token in row.sealed.items() if name != field}
    row.sealed = rest if text is None else rest | {field: box.seal(_address(row, field), text)}
    return True


def open_field(box: SecretBox, row: SealedRow, field: str) -> str | None:
    """Return one secret of a row in clear text, None when there is none.

    Raises:
        ConfigError: stored with another master key, or damaged.
    """
    token = row.sealed.get(field)
    return None if token is None else box.open(_address(row, field), token)


def open_fields(box: SecretBox, row: SealedRow) -> Mapping[str, SecretStr]:
    """Return all secrets of a row, masked by type."""
    return {field: SecretStr(box.open(_address(row, field), token)) for field, token in row.sealed.items()}


def reseal(box: SecretBox, row: SealedRow) -> bool:
    """Seal a row's secrets with the current key; say whether any had another one."""
    old = [field for field, token in row.sealed.items() if token.split(".")[1] != box.current_key_id]
    for field in old:
        text = box.open(_address(row, field), row.sealed[field])
        row.sealed = row.sealed | {field: box.seal(_address(row, field), text)}
    return bool(old)


def _address(row: SealedRow, field: str) -> FieldAddress:
    return FieldAddress(row.__tablename__, row.sid, field)
