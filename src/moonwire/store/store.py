"""Opens everything that lives in the database and keeps the calls' picture of it fresh.

Every write raises a revision number in the database; each process looks at it every second or two, so that
`moonwire apply` and other processes reach a running server.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from moonwire.errors import ConfigError, StoreUnavailableError
from moonwire.settings import Settings
from moonwire.store.apply import Applied, apply_configuration
from moonwire.store.database import Database
from moonwire.store.declared import Configuration
from moonwire.store.directory import MemoryDirectory
from moonwire.store.export import export_configuration
from moonwire.store.key_rotation import KEY_CHECK
from moonwire.store.patching import Change, patched
from moonwire.store.recorder import Recorder
from moonwire.store.sealing import seal_field
from moonwire.store.secrets import FieldAddress, SecretBox, master_key
from moonwire.store.snapshot import load_snapshot
from moonwire.store.tables import AccountRow, MetaRow, UserRow, new_sid
from moonwire.store.users import hash_password, one_time_password, password_matches

ADMIN_NAME = "admin"
_ONE_TIME = FieldAddress("meta", "one_time_password", "value")
_REVISION = "revision"
_POLL_S = 1.5
_TIDY_S = 3600.0

_log = structlog.get_logger()


class Store:
    """The opened database, with the ports that calls use."""

    def __init__(self, database: Database, key: bytes, recorder: Recorder) -> None:
        self.database = database
        self.box = SecretBox(key)
        self.session_key = hmac.digest(key, b"moonwire session tokens", "sha256")
        """Signs the tokens of logged-in users; derived from the master key."""
        self.directory = MemoryDirectory()
        self.one_time_password: str | None = None
        """The administrator's first password, to be shown until it has been changed; None afterwards."""
        self._recorder = recorder
        self._revision = ""
        self._refreshing = asyncio.Lock()
        self._refreshes_wanted = self._refreshes_done = 0
        self._watcher: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, settings: Settings) -> Store:
        """Open and migrate the database, check the master key, load the directory, start the writer.

        Raises:
            ConfigError: database unreachable, of a newer version, or written with another master key.
        """
        key = master_key(settings)
        database = Database(settings.database)
        try:
            await database.migrate()
            store = cls(database, key, Recorder(database, settings.data_dir))
            await store._prepare(settings)
            await store.refresh()
        except BaseException:
            await database.close()
            raise
        store._recorder.start()
        store._watcher = asyncio.create_task(store._watch(), name="store-watcher")
        return store

    @property
    def alerts(self) -> Recorder:
        """Port Alerts."""
        return self._recorder

    @property
    def call_records(self) -> Recorder:
        """Port CallRecords."""
        return self._recorder

    @property
    def service_health(self) -> Recorder:
        """Port ServiceHealth."""
        return self._recorder

    async def apply(self, configuration: Configuration) -> Applied:
        """Bring a configuration into the default account, all or nothing, and use it at once.

        Raises:
            ConfigError: a reference, a number or a moved host is wrong; nothing was saved.
        """
        async with self.transaction() as session:
            account_sid = await _default_account(session)
            return await apply_configuration(session, self.box, account_sid, configuration)

    async def export(self, *, placeholders: bool = False) -> str:
        """Return the default account's configuration as a file's text, without its secrets."""
        async with self.database.reading() as session:
            account_sid = await _default_account(session)
            return await export_configuration(session, self.box, account_sid, placeholders=placeholders)

    @asynccontextmanager
    async def transaction(self, changes: Sequence[Change | None] = (None,)) -> AsyncGenerator[AsyncSession]:
        """Write something: commits, raises the revision and refreshes the directory.

        Args:
            changes: what the caller will have written at the end (patching.change_of); None: anything.
        """
        revision = secrets.token_hex(8)
        async with self.database.transaction(exclusive=True) as session:
            before = await session.scalar(select(MetaRow.value).where(MetaRow.key == _REVISION))
            yield session
            await _set_meta(session, _REVISION, revision)
        if not await self._patch(before or "", revision, changes):
            await self.refresh()

    async def _patch(self, before: str, revision: str, changes: Sequence[Change | None]) -> bool:
        """Bring small changes into the directory; False when others have been made since it was loaded."""
        known = [change for change in changes if change is not None]
        if len(known) < len(changes):
            return False
        async with self._refreshing:
            if self._revision != before:
                return self._revision == revision
            snapshot = self.directory.stored
            async with self.database.reading() as session:
                for change in known:
                    snapshot = await patched(session, self.box, snapshot, change)
            self._revision = revision
            if snapshot is not self.directory.stored:
                self.directory.replace_snapshot(snapshot)
        return True

    async def refresh(self, revision: str | None = None) -> None:
        """Load what calls read, unless it is of that revision by now; who asks during a load shares the next one."""
        self._refreshes_wanted += 1
        mine = self._refreshes_wanted
        async with self._refreshing:
            if self._refreshes_done >= mine or self._revision == revision:
                return
            covered = self._refreshes_wanted
            async with self.database.reading() as session:
                loaded = await session.get(MetaRow, _REVISION)
                snapshot = await load_snapshot(session, self.box)
            self._revision = loaded.value if loaded else ""
            self.directory.replace_snapshot(snapshot)
            self._refreshes_done = covered

    async def poll(self) -> None:
        """Refresh if another process has written something."""
        async with self.database.reading() as session:
            revision = await session.scalar(select(MetaRow.value).where(MetaRow.key == _REVISION))
        if revision is not None and revision != self._revision:
            await self.refresh(revision)

    async def is_ready(self) -> bool:
        """Ask the database something; False when it does not answer within two seconds."""
        try:
            async with asyncio.timeout(2), self.database.reading() as session:
                await session.get(MetaRow, _REVISION)
        except (SQLAlchemyError, StoreUnavailableError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Write what waits, and close the database."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        await self._recorder.close()
        await self.database.close()

    async def _watch(self) -> None:
        tidied_at = -_TIDY_S
        while True:
            await asyncio.sleep(_POLL_S)
            try:
                await self.poll()
                now_s = asyncio.get_running_loop().time()
                if now_s - tidied_at > _TIDY_S:
                    tidied_at = now_s
                    await self._recorder.forget_old()
            except (SQLAlchemyError, StoreUnavailableError) as error:
                _log.debug("configuration not refreshed", error=type(error).__name__)
            except ConfigError as error:
                _log.error("configuration not refreshed", reason=str(error))

    async def _prepare(self, settings: Settings) -> None:
        """Check the master key; make the default account and the administrator when they are missing."""
        async with self.database.transaction(exclusive=True) as session:
            check = await session.get(MetaRow, KEY_CHECK.sid)
            if check is None:
                await _set_meta(session, KEY_CHECK.sid, self.box.seal(KEY_CHECK, "moonwire"))
            else:
                self._check_key(check.value)
            if await session.scalar(select(AccountRow.sid).where(AccountRow.is_default)) is None:
                account = AccountRow(sid=new_sid(), name="default", is_default=True, sealed={}, properties={})
                seal_field(self.box, account, "webhook_secret", f"wh_secret_{secrets.token_urlsafe(24)}")
                session.add(account)
            await self._prepare_administrator(session, settings)

    def _check_key(self, token: str) -> None:
        try:
            self.box.open(KEY_CHECK, token)
        except ConfigError:
            raise ConfigError(
                f"The master key does not fit the database {self.database.name}: its secrets were stored with another "
                "key. Start with that key in MOONWIRE_MASTER_KEY (or its master.key in MOONWIRE_DATA_DIR); nothing was "
                "changed."
            ) from None

    async def _prepare_administrator(self, session: AsyncSession, settings: Settings) -> None:
        """Make the first administrator; a one-time password is kept, sealed, until it has been changed."""
        admin = await session.scalar(select(UserRow).where(UserRow.account_sid.is_(None)).limit(1))
        kept = await session.get(MetaRow, _ONE_TIME.sid)
        if admin is None:
            given = settings.admin_password.get_secret_value() if settings.admin_password else None
            password = given or one_time_password()
            admin = UserRow(sid=new_sid(), name=ADMIN_NAME, password_hash=await hash_password(password))
            admin.force_change = given is None
            session.add(admin)
            if given is None:
                self.one_time_password = password
                await _set_meta(session, _ONE_TIME.sid, self.box.seal(_ONE_TIME, f"{admin.sid} {password}"))
        elif kept is not None:
            sid, _, password = self.box.open(_ONE_TIME, kept.value).partition(" ")
            owner = await session.get(UserRow, sid)
            if owner is not None and owner.force_change and await password_matches(owner.password_hash, password):
                self.one_time_password = password
            else:
                await session.delete(kept)


async def _default_account(session: AsyncSession) -> str:
    account_sid = await session.scalar(select(AccountRow.sid).where(AccountRow.is_default))
    if account_sid is None:
        raise ConfigError("The database has no default account any more; restart the server, it makes one.")
    return account_sid


async def _set_meta(session: AsyncSession, key: str, value: str) -> None:
    await session.merge(MetaRow(key=key, value=value))
