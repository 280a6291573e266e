"""What REST and portal ask of the operator's records: every question names the principal who asks.

Rows are JSON-ready dicts with the names of the REST API (jambonz contract section 5.6) and never hold a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from moonwire.ports.directory import VendorCredential

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks; without an account an administrator, who may see every account."""

    account_sid: str | None
    user_sid: str | None = None
    """None for an API key."""
    must_change_password: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether all accounts are open to this principal."""
        return self.account_sid is None

    def may_use(self, account_sid: str) -> bool:
        """Say whether an account is open to this principal."""
        return self.account_sid is None or self.account_sid == account_sid


@dataclass(frozen=True, slots=True)
class Login:
    """A successful login."""

    token: str
    user_sid: str
    account_sid: str | None
    force_change: bool


@dataclass(frozen=True, slots=True)
class PageOfRows:
    """One page of a list, and how many rows there are in all."""

    total: int
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Period:
    """Which part of a history is wanted; times are seconds since 1970, pages count from 1."""

    page: int
    count: int
    since: float | None = None
    until: float | None = None


class Resource(Protocol):
    """Records of one kind. Rows of other accounts do not exist for a principal.

    Raises (all methods):
        RecordError: unknown, taken, forbidden or not valid; the message is for the client.
    """

    async def find(self, principal: Principal, filters: Mapping[str, str | bool]) -> Sequence[Row]:
        """Return rows, oldest first.

        Args:
            principal: who asks.
            filters: REST members that must be equal; True or False: set, or not; SEARCH: part of the name or number.
        """
        ...

    async def page(
        self, principal: Principal, filters: Mapping[str, str | bool], page: int, page_size: int
    ) -> PageOfRows:
        """Return one page of what `find` returns, and how many rows there are; pages count from 1."""
        ...

    async def get(self, principal: Principal, sid: str) -> Row:
        """Return one row."""
        ...

    async def create(self, principal: Principal, members: Mapping[str, Any]) -> Row:
        """Make a row; returns at least its sid, and what is shown only once (an API key's token)."""
        ...

    async def update(self, principal: Principal, sid: str, members: Mapping[str, Any]) -> None:
        """Change the members that are given; others stay, secrets too."""
        ...

    async def delete(self, principal: Principal, sid: str) -> None:
        """Remove a row."""
        ...


SEARCH = "search"
"""The filter of `Resource.find` that is no member."""

ResourceName = Literal[
    "accounts",
    "applications",
    "phone_numbers",
    "carriers",
    "gateways",
    "speech_credentials",
    "llm_credentials",
    "api_keys",
    "users",
]


class Administration(Protocol):
    """Everything REST and portal manage."""

    def resource(self, name: ResourceName) -> Resource:
        """Return the records of one kind."""
        ...

    async def authenticate(self, token: str) -> Principal | None:
        """Return who a bearer token belongs to; None when it is unknown, expired or void."""
        ...

    async def log_in(self, username: str, password: str) -> Login | None:
        """Check a password; None whatever was wrong, after the same time."""
        ...

    async def change_password(self, principal: Principal, old: str, new: str) -> bool:
        """Set a user's own password; False when the old one is wrong. Earlier tokens become void."""
        ...

    async def webhook_secret(self, principal: Principal, account_sid: str, *, regenerate: bool) -> str:
        """Return the secret that signs an account's webhooks, a new one when asked for."""
        ...

    async def vendor_credential(
        self, principal: Principal, kind: Literal["llm_credentials", "speech_credentials"], sid: str
    ) -> VendorCredential:
        """Return a stored credential with its secret, for the test and the model list."""
        ...

    async def note_test(
        self,
        kind: Literal["llm_credentials", "speech_credentials"],
        sid: str,
        *,
        ok: bool,
        error: str,
        first_ms: float | None = None,
    ) -> None:
        """Remember how a credential's test went, and how long its first token or audio took."""
        ...

    async def alerts(
        self, principal: Principal, account_sid: str, period: Period, filters: Mapping[str, str]
    ) -> PageOfRows:
        """Return an account's alerts, latest first; filters: alert_type, state (`open`, `cleared`)."""
        ...

    async def clear_alert(self, principal: Principal, account_sid: str, alert_id: int, *, cleared: bool) -> None:
        """Note that somebody has seen to an alert, or open it again."""
        ...

    async def calls(
        self, principal: Principal, account_sid: str, period: Period, filters: Mapping[str, str]
    ) -> PageOfRows:
        """Return an account's finished calls, latest first; filters: direction, answered, trunk, filter."""
        ...

    async def call(self, principal: Principal, account_sid: str, call_sid: str) -> Row:
        """Return one finished call, by call sid or SIP Call-ID."""
        ...

    async def delete_call(self, principal: Principal, account_sid: str, call_sid: str) -> str | None:
        """Leave only a tombstone of a call; returns the path of its recording, which the caller removes."""
        ...
