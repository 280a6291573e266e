"""The database's tables, as SQLAlchemy maps them; the migrations make them.

Every row has a UUID v4 `sid`. Times are seconds since 1970. Secrets of a row lie encrypted in its `sealed` column, one
token per field (store/secrets.py), never in another column. An empty `label` means "no label", so that uniqueness
holds on every database.
"""

from __future__ import annotations

import time
import uuid
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


def new_sid() -> str:
    """Make a sid: a random UUID in its usual text form (RFC 9562 section 5.4)."""
    return str(uuid.uuid4())


def utc_now_s() -> float:
    """Return the seconds since 1970-01-01T00:00Z, for the columns that say when a row was written."""
    return time.time()


class Table(DeclarativeBase):
    """Base of all mapped rows; constraints get names, so that migrations can change them on SQLite too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dict[str, Any]: JSON,
        dict[str, str]: JSON,
        list[Any]: JSON,
        float: Float(53),
    }


class _Row:
    """What every managed row has."""

    sid: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_sid)
    created_at: Mapped[float] = mapped_column(default=utc_now_s)


class _Written:
    """Who wrote the addresses of a row."""

    by_operator: Mapped[bool] = mapped_column(Boolean, default=False, server_default=true())
    """The configuration file: private hosts are fine. False: REST or portal."""


class _Sealed:
    """Encrypted fields: name -> token."""

    sealed: Mapped[dict[str, str]] = mapped_column(default=dict)


def _account() -> Mapped[str]:
    return mapped_column(ForeignKey("accounts.sid", ondelete="CASCADE"), index=True)


class MetaRow(Table):
    """Facts about the database itself, for example the check value of the master key."""

    __tablename__ = "meta"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class AccountRow(_Row, _Sealed, Table):
    """One tenant; `sealed.webhook_secret` signs its webhooks."""

    __tablename__ = "accounts"

    name: Mapped[str] = mapped_column(String(255), unique=True)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    is_default: Mapped[bool] = mapped_column(Boolean, default=False)
    """Owns what the configuration file declares."""
    properties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Further REST members: sip_realm, plan_type, registration_hook ..."""


class UserRow(_Row, Table):
    """One person; without an account an administrator."""

    __tablename__ = "users"

    account_sid: Mapped[str | None] = mapped_column(ForeignKey("accounts.sid", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    email: Mapped[str] = mapped_column(String(255), default="")
    password_hash: Mapped[str] = mapped_column(String(255))
    """argon2id, with its parameters and salt."""
    force_change: Mapped[bool] = mapped_column(Boolean, default=False)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    token_epoch: Mapped[int] = mapped_column(Integer, default=0)
    """Raised when the password changes or the user logs out everywhere; older tokens are void."""


class ApiKeyRow(_Row, Table):
    """One bearer token; only its SHA-256 is kept (a token has full entropy)."""

    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("account_sid", "name"),)

    account_sid: Mapped[str | None] = mapped_column(ForeignKey("accounts.sid", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255), default="")
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(16), default="")
    """The token's last four characters."""
    expires_at: Mapped[float | None]
    last_used: Mapped[float | None]


class _Service(_Row, _Sealed, _Written):
    """One vendor account: what is plain in `fields`, what is secret in `sealed`, and how it is doing."""

    vendor: Mapped[str] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String(255), default="")
    is_default: Mapped[bool] = mapped_column(Boolean, default=False)
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[float] = mapped_column(default=utc_now_s, onupdate=utc_now_s)
    tested_at: Mapped[float | None]
    tested_ok: Mapped[bool | None]
    first_ms: Mapped[float | None]
    """How long the latest test that succeeded waited for the first useful token, or for the first audio."""
    last_used_at: Mapped[float | None]
    last_error_at: Mapped[float | None]
    last_error_code: Mapped[str] = mapped_column(String(64), default="")
    last_error: Mapped[str] = mapped_column(Text, default="")


class LlmServiceRow(_Service, Table):
    """One language-model account."""

    __tablename__ = "llm_services"
    __table_args__ = (UniqueConstraint("account_sid", "vendor", "label"),)

    account_sid: Mapped[str] = _account()
    fallback: Mapped[list[Any]] = mapped_column(default=list)
    """Ordered `{vendor, model, label}`."""


class SpeechServiceRow(_Service, Table):
    """One speech account."""

    __tablename__ = "speech_services"
    __table_args__ = (UniqueConstraint("account_sid", "vendor", "label"),)

    account_sid: Mapped[str] = _account()
    use_for_stt: Mapped[bool] = mapped_column(Boolean, default=True)
    use_for_tts: Mapped[bool] = mapped_column(Boolean, default=True)


class ApplicationRow(_Row, _Sealed, _Written, Table):
    """One application; env_vars and hook passwords are sealed."""

    __tablename__ = "applications"
    __table_args__ = (UniqueConstraint("account_sid", "name"),)

    account_sid: Mapped[str] = _account()
    name: Mapped[str] = mapped_column(String(255))
    hooks: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """`call_hook`, `call_status_hook`, `messaging_hook` -> {url, method, username}."""
    app_json: Mapped[str | None] = mapped_column(Text)
    """A JSON array of verbs, as REST gives it."""
    speech: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """REST's speech_synthesis_*, speech_recognizer_*, fallback_speech_* and use_for_fallback_speech members."""
    llm: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Empty, or `{vendor, model, label}`."""
    fallback: Mapped[list[Any]] = mapped_column(default=list)
    agent_messages: Mapped[str] = mapped_column(String(8), default="auto")
    record_all_calls: Mapped[bool] = mapped_column(Boolean, default=False)


class CarrierRow(_Row, _Sealed, Table):
    """One carrier; its addresses are gateways, its token and Twilio Auth Token are sealed."""

    __tablename__ = "voip_carriers"
    __table_args__ = (UniqueConstraint("account_sid", "name"),)

    account_sid: Mapped[str] = _account()
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    carrier_type: Mapped[str] = mapped_column(String(16), default="sip")
    """sip | twilio"""
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    application_sid: Mapped[str | None] = mapped_column(ForeignKey("applications.sid", ondelete="SET NULL"))
    properties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Further REST members: trunk_type, tech_prefix, register_username ..."""


class GatewayRow(_Row, _Written, Table):
    """One address or network of a carrier, as jambonz's SipGateway."""

    __tablename__ = "sip_gateways"

    carrier_sid: Mapped[str] = mapped_column(ForeignKey("voip_carriers.sid", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(String(255))
    """`ipv4` on the wire: an IP address of either version, or a name (outbound only)."""
    netmask: Mapped[int] = mapped_column(Integer, default=32)
    """Prefix length."""
    port: Mapped[int] = mapped_column(Integer, default=5060)
    inbound: Mapped[bool] = mapped_column(Boolean, default=True)
    outbound: Mapped[bool] = mapped_column(Boolean, default=False)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    protocol: Mapped[str] = mapped_column(String(16), default="udp")
    properties: Mapped[dict[str, Any]] = mapped_column(default=dict)


class PhoneNumberRow(_Row, Table):
    """One called number, without leading plus."""

    __tablename__ = "phone_numbers"

    account_sid: Mapped[str] = _account()
    number: Mapped[str] = mapped_column(String(132), unique=True)
    application_sid: Mapped[str | None] = mapped_column(ForeignKey("applications.sid", ondelete="SET NULL"), index=True)
    carrier_sid: Mapped[str | None] = mapped_column(ForeignKey("voip_carriers.sid", ondelete="SET NULL"), index=True)


class AlertRow(Table):
    """One cause, however often it struck in a row."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_cause", "account_sid", "cause"),
        Index("ix_alerts_last_seen", "account_sid", "last_seen"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    account_sid: Mapped[str] = mapped_column(String(36))
    """No foreign key: an alert outlives a race with the deletion of its account."""
    cause: Mapped[str] = mapped_column(String(64))
    """SHA-256 of type and message."""
    alert_type: Mapped[str] = mapped_column(String(64))
    message: Mapped[str] = mapped_column(Text)
    remedy: Mapped[str] = mapped_column(Text, default="")
    call_sid: Mapped[str] = mapped_column(String(64), default="")
    """The latest call that met it."""
    count: Mapped[int] = mapped_column(Integer, default=1)
    first_seen: Mapped[float]
    last_seen: Mapped[float]
    cleared_at: Mapped[float | None]
    """Its cause is gone, or somebody has taken note."""
    cleared_by: Mapped[str] = mapped_column(String(16), default="", server_default="")
    """recovery | operator"""


class CallRow(Table):
    """One finished call."""

    __tablename__ = "calls"
    __table_args__ = (Index("ix_calls_attempted", "account_sid", "attempted_at"),)

    call_sid: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_sid: Mapped[str] = mapped_column(String(36))
    application_sid: Mapped[str | None] = mapped_column(String(36))
    call_id: Mapped[str] = mapped_column(Text)
    from_: Mapped[str] = mapped_column("from", Text)
    to: Mapped[str] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(String(8))
    trunk: Mapped[str | None] = mapped_column(Text)
    transport: Mapped[str] = mapped_column(String(16))
    attempted_at: Mapped[float]
    answered_at: Mapped[float | None]
    terminated_at: Mapped[float]
    sip_status: Mapped[int]
    termination_by: Mapped[str] = mapped_column(String(32))
    termination_reason: Mapped[str] = mapped_column(Text)
    remote_host: Mapped[str] = mapped_column(Text)
    trace_id: Mapped[str] = mapped_column(Text)
    recording_path: Mapped[str | None] = mapped_column(Text)
    usage: Mapped[dict[str, int] | None] = mapped_column(JSON)
    """Tokens of the call's language models."""
    deleted_at: Mapped[float | None]
    """A tombstone: the content is gone, a late writer must not bring it back."""
