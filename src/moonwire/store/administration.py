"""Port Administration on the store: who is who, and everything REST and portal manage."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Literal

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from moonwire.errors import RecordError, StoreUnavailableError
from moonwire.ports.administration import Login, PageOfRows, Period, Principal, ResourceName, Row
from moonwire.ports.directory import VendorCredential
from moonwire.store.patching import Change
from moonwire.store.reports import call_row, page_of_alerts, page_of_calls
from moonwire.store.resources.accounts import ACCOUNTS, new_webhook_secret
from moonwire.store.resources.api_keys import API_KEYS
from moonwire.store.resources.applications import APPLICATIONS
from moonwire.store.resources.carriers import CARRIERS, GATEWAYS
from moonwire.store.resources.kind import Kind, TableResource, checked_sid
from moonwire.store.resources.phone_numbers import PHONE_NUMBERS
from moonwire.store.resources.services import LLM_CREDENTIALS, SPEECH_CREDENTIALS
from moonwire.store.resources.users import USERS
from moonwire.store.sealing import open_field
from moonwire.store.sessions import SessionTokens
from moonwire.store.snapshot import token_digest, vendor_credential
from moonwire.store.store import Store
from moonwire.store.tables import (
    AccountRow,
    AlertRow,
    ApiKeyRow,
    CallRow,
    LlmServiceRow,
    SpeechServiceRow,
    UserRow,
    utc_now_s,
)
from moonwire.store.users import hash_password, password_matches

_KINDS: Mapping[ResourceName, Kind] = {
    "accounts": ACCOUNTS,
    "applications": APPLICATIONS,
    "phone_numbers": PHONE_NUMBERS,
    "carriers": CARRIERS,
    "gateways": GATEWAYS,
    "speech_credentials": SPEECH_CREDENTIALS,
    "llm_credentials": LLM_CREDENTIALS,
    "api_keys": API_KEYS,
    "users": USERS,
}
_SERVICES = {"llm_credentials": LlmServiceRow, "speech_credentials": SpeechServiceRow}
_LAST_USED_S = 60.0
"""How exact an API key's `last_used` is; a request must not cost a write each time."""

ServiceKind = Literal["llm_credentials", "speech_credentials"]


class StoreAdministration:
    """Port Administration."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tokens = SessionTokens(store.session_key)
        self._resources = {name: TableResource(store, kind) for name, kind in _KINDS.items()}

    def resource(self, name: ResourceName) -> TableResource:
        """Return the records of one kind."""
        return self._resources[name]

    async def authenticate(self, token: str) -> Principal | None:
        """Return who a bearer token belongs to; None when it is unknown, expired or void."""
        now_s = utc_now_s()
        if claims := self._tokens.check(token, now_s):
            return await self._user(*claims)
        async with self._store.database.reading() as session:
            key = await session.scalar(select(ApiKeyRow).where(ApiKeyRow.token_sha256 == token_digest(token)))
            if key is None or (key.expires_at is not None and key.expires_at <= now_s):
                return None
            if not await _is_open(session, key.account_sid):
                return None
        if key.last_used is None or now_s - key.last_used > _LAST_USED_S:
            await self._note_used(key.sid, now_s)
        return Principal(key.account_sid)

    async def log_in(self, username: str, password: str) -> Login | None:
        """Check a password; None whatever was wrong, after the same time."""
        async with self._store.database.reading() as session:
            user = await session.scalar(select(UserRow).where(or_(UserRow.name == username, UserRow.email == username)))
            is_open = user is not None and user.is_active and await _is_open(session, user.account_sid)
        if user is None or not username:
            await hash_password(password)  # the same work as looking at a known user's
            return None
        if not await password_matches(user.password_hash, password) or not is_open:
            return None
        token = self._tokens.sign(user.sid, user.token_epoch, utc_now_s())
        return Login(token, user.sid, user.account_sid, user.force_change)

    async def change_password(self, principal: Principal, old: str, new: str) -> bool:
        """Set a user's own password; False when the old one is wrong. Earlier tokens become void."""
        async with self._store.transaction() as session:
            user = await session.get(UserRow, principal.user_sid) if principal.user_sid else None
            if user is None:
                raise RecordError("An API key has no password.", why="invalid")
            if not await password_matches(user.password_hash, old):
                return False
            user.password_hash = await hash_password(new)
            user.force_change = False
            user.token_epoch += 1
        return True

    async def webhook_secret(self, principal: Principal, account_sid: str, *, regenerate: bool) -> str:
        """Return the secret that signs an account's webhooks, a new one when asked for."""
        _own(principal, account_sid)
        async with self._store.transaction() as session:
            account = await session.get(AccountRow, checked_sid(account_sid))
            if account is None:
                raise RecordError("There is no such account.", why="not-found")
            secret = None if regenerate else open_field(self._store.box, account, "webhook_secret")
            return secret or new_webhook_secret(self._store.box, account)

    async def vendor_credential(self, principal: Principal, kind: ServiceKind, sid: str) -> VendorCredential:
        """Return a stored credential with its secret, for the test and the model list."""
        await self._resources[kind].get(principal, sid)
        async with self._store.database.reading() as session:
            row = await session.get_one(_SERVICES[kind], checked_sid(sid))
            return vendor_credential(row, self._store.box)

    async def note_test(
        self, kind: ServiceKind, sid: str, *, ok: bool, error: str, first_ms: float | None = None
    ) -> None:
        """Remember how a credential's test went, and how long its first token or audio took."""
        async with self._store.transaction([Change()]) as session:
            row = await session.get(_SERVICES[kind], checked_sid(sid))
            if row is not None:
                row.tested_at, row.tested_ok, row.last_error = utc_now_s(), ok, "" if ok else error
                row.last_error_at = row.last_error_at if ok else utc_now_s()
                row.first_ms = first_ms if ok else row.first_ms

    async def alerts(
        self, principal: Principal, account_sid: str, period: Period, filters: Mapping[str, str]
    ) -> PageOfRows:
        """Return an account's alerts, latest first; filters: alert_type, state (`open`, `cleared`)."""
        _own(principal, account_sid)
        async with self._store.database.reading() as session:
            return await page_of_alerts(session, account_sid, period, filters)

    async def clear_alert(self, principal: Principal, account_sid: str, alert_id: int, *, cleared: bool) -> None:
        """Note that somebody has seen to an alert, or open it again."""
        _own(principal, account_sid)
        async with self._store.database.transaction() as session:
            row = await session.get(AlertRow, alert_id)
            if row is None or row.account_sid != account_sid:
                raise RecordError("There is no such alert.", why="not-found")
            row.cleared_at, row.cleared_by = (utc_now_s(), "operator") if cleared else (None, "")

    async def calls(
        self, principal: Principal, account_sid: str, period: Period, filters: Mapping[str, str]
    ) -> PageOfRows:
        """Return an account's finished calls, latest first."""
        _own(principal, account_sid)
        async with self._store.database.reading() as session:
            return await page_of_calls(session, account_sid, period, filters)

    async def call(self, principal: Principal, account_sid: str, call_sid: str) -> Row:
        """Return one finished call, by call sid or SIP Call-ID."""
        _own(principal, account_sid)
        async with self._store.database.reading() as session:
            row = await _call(session, account_sid, call_sid)
        return call_row(row) | {"recording_path": row.recording_path}

    async def delete_call(self, principal: Principal, account_sid: str, call_sid: str) -> str | None:
        """Leave only a tombstone of a call; returns the path of its recording, which the caller removes."""
        _own(principal, account_sid)
        async with self._store.database.transaction() as session:
            row = await _call(session, account_sid, call_sid)
            path, row.recording_path = row.recording_path, None
            row.from_ = row.to = row.call_id = row.remote_host = row.trace_id = ""
            row.deleted_at = utc_now_s()
        return path

    async def _user(self, user_sid: str, epoch: int) -> Principal | None:
        async with self._store.database.reading() as session:
            user = await session.get(UserRow, user_sid)
            if user is None or not user.is_active or user.token_epoch != epoch:
                return None
            if not await _is_open(session, user.account_sid):
                return None
        return Principal(user.account_sid, user.sid, user.force_change)

    async def _note_used(self, key_sid: str, now_s: float) -> None:
        """Write when a key was used; a database that is full or read-only still shows what it holds."""
        with contextlib.suppress(StoreUnavailableError):
            async with self._store.database.transaction() as session:
                key = await session.get(ApiKeyRow, key_sid)
                if key is not None:
                    key.last_used = now_s


def _own(principal: Principal, account_sid: str) -> None:
    if not principal.may_use(account_sid):
        raise RecordError("This account is not yours.", why="forbidden")


async def _is_open(session: AsyncSession, account_sid: str | None) -> bool:
    account = await session.get(AccountRow, account_sid) if account_sid else None
    return account_sid is None or (account is not None and account.is_active)


async def _call(session: AsyncSession, account_sid: str, call_sid: str) -> CallRow:
    query = select(CallRow).where(
        CallRow.account_sid == account_sid,
        CallRow.deleted_at.is_(None),
        or_(CallRow.call_sid == call_sid, CallRow.call_id == call_sid),
    )
    row = await session.scalar(query.order_by(CallRow.attempted_at.desc()).limit(1))
    if row is None:
        raise RecordError("There is no such call.", why="not-found")
    return row
