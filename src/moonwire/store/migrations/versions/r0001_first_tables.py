"""First tables: accounts, users, keys, services, applications, carriers, numbers, alerts, calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, referred ones first."""
    _accounts()
    _alerts()
    _calls()
    _meta()
    _api_keys()
    _applications()
    _llm_services()
    _speech_services()
    _users()
    _voip_carriers()
    _phone_numbers()
    _sip_gateways()


def downgrade() -> None:
    """Drop the tables, referring ones first."""
    for table in (
        "sip_gateways",
        "phone_numbers",
        "voip_carriers",
        "users",
        "speech_services",
        "llm_services",
        "applications",
        "api_keys",
        "meta",
        "calls",
        "alerts",
        "accounts",
    ):
        op.drop_table(table)


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("sid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        sa.Column("sealed", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("account_sid", sa.String(length=36), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("alert_type", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("call_sid", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_seen", sa.Float(precision=53), nullable=False),
        sa.Column("last_seen", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    op.create_index("ix_alerts_cause", "alerts", ["account_sid", "cause"], unique=False)
    op.create_index("ix_alerts_last_seen", "alerts", ["account_sid", "last_seen"], unique=False)


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("call_sid", sa.String(length=64), nullable=False),
        sa.Column("account_sid", sa.String(length=36), nullable=False),
        sa.Column("application_sid", sa.String(length=36), nullable=True),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("from", sa.Text(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("trunk", sa.Text(), nullable=True),
        sa.Column("transport", sa.String(length=16), nullable=False),
        sa.Column("attempted_at", sa.Float(precision=53), nullable=False),
        sa.Column("answered_at", sa.Float(precision=53), nullable=True),
        sa.Column("terminated_at", sa.Float(precision=53), nullable=False),
        sa.Column("sip_status", sa.Integer(), nullable=False),
        sa.Column("termination_by", sa.String(length=32), nullable=False),
        sa.Column("termination_reason", sa.Text(), nullable=False),
        sa.Column("remote_host", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("recording_path", sa.Text(), nullable=True),
        sa.Column("deleted_at", sa.Float(precision=53), nullable=True),
        sa.PrimaryKeyConstraint("call_sid", name=op.f("pk_calls")),
    )
    op.create_index("ix_calls_attempted", "calls", ["account_sid", "attempted_at"], unique=False)


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("account_sid", sa.String(length=36), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=16), nullable=False),
        sa.Column("expires_at", sa.Float(precision=53), nullable=True),
        sa.Column("last_used", sa.Float(precision=53), nullable=True),
        sa.Column("sid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_sid"], ["accounts.sid"], name=op.f("fk_api_keys_account_sid"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("account_sid", "name", name=op.f("uq_api_keys_account_sid_name")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_api_keys_token_sha256")),
    )
    op.create_index(op.f("ix_api_keys_account_sid"), "api_keys", ["account_sid"], unique=False)


def _applications() -> None:
    op.create_table(
        "applications",
        sa.Column("account_sid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("hooks", sa.JSON(), nullable=False),
        sa.Column("app_json", sa.Text(), nullable=True),
        sa.Column("speech", sa.JSON(), nullable=False),
        sa.Column("llm", sa.JSON(), nullable=False),
        sa.Column("fallback", sa.JSON(), nullable=False),
        sa.Column("agent_messages", sa.String(length=8), nullable=False),
        sa.Column("record_all_calls", sa.Boolean(), nullable=False),
        sa.Column("sid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        sa.Column("sealed", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_sid"], ["accounts.sid"], name=op.f("fk_applications_account_sid"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_applications")),
        sa.UniqueConstraint("account_sid", "name", name=op.f("uq_applications_account_sid_name")),
    )
    op.create_index(op.f("ix_applications_account_sid"), "applications", ["account_sid"], unique=False)


def _llm_services() -> None:
    op.create_table(
        "llm_services",
        sa.Column("account_sid", sa.String(length=36), nullable=False),
        sa.Column("fallback", sa.JSON(), nullable=False),
        sa.Column("vendor", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.Float(precision=53), nullable=False),
        sa.Column("tested_at", sa.Float(precision=53), nullable=True),
        sa.Column("tested_ok", sa.Boolean(), nullable=True),
        sa.Column("last_used_at", sa.Float(precision=53), nullable=True),
        sa.Column("last_error_at", sa.Float(precision=53), nullable=True),
        sa.Column("last_error_code", sa.String(length=64), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("sid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        sa.Column("sealed", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_sid"], ["accounts.sid"], name=op.f("fk_llm_services_account_sid"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_llm_services")),
        sa.UniqueConstraint("account_sid", "vendor", "label", name=op.f("uq_llm_services_account_sid_vendor_label")),
    )
    op.create_index(op.f("ix_llm_services_account_sid"), "llm_services", ["account_sid"], unique=False)


def _speech_services() -> None:
    op.create_table(
        "speech_services",
        sa.Column("account_sid", sa.String(length=36), nullable=False),
        sa.Column("use_for_stt", sa.Boolean(), nullable=False),
        sa.Column("use_for_tts", sa.Boolean(), nullable=False),
        sa.Column("vendor", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.Float(precision=53), nullable=False),
        sa.Column("tested_at", sa.Float(precision=53), nullable=True),
        sa.Column("tested_ok", sa.Boolean(), nullable=True),
        sa.Column("last_used_at", sa.Float(precision=53), nullable=True),
        sa.Column("last_error_at", sa.Float(precision=53), nullable=True),
        sa.Column("last_error_code", sa.String(length=64), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("sid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        sa.Column("sealed", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_sid"], ["accounts.sid"], name=op.f("fk_speech_services_account_sid"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_speech_services")),
        sa.UniqueConstraint("account_sid", "vendor", "label", name=op.f("uq_speech_services_account_sid_vendor_label")),
    )
    op.create_index(op.f("ix_speech_services_account_sid"), "speech_services", ["account_sid"], unique=False)


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("account_sid", sa.String(length=36), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("force_change", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("token_epoch", sa.Integer(), nullable=False),
        sa.Column("sid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_sid"], ["accounts.sid"], name=op.f("fk_users_account_sid"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_index(op.f("ix_users_account_sid"), "users", ["account_sid"], unique=False)


def _voip_carriers() -> None:
    op.create_table(
        "voip_carriers",
        sa.Column("account_sid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("carrier_type", sa.String(length=16), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("application_sid", sa.String(length=36), nullable=True),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("sid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        sa.Column("sealed", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_sid"], ["accounts.sid"], name=op.f("fk_voip_carriers_account_sid"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["application_sid"],
            ["applications.sid"],
            name=op.f("fk_voip_carriers_application_sid"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_voip_carriers")),
        sa.UniqueConstraint("account_sid", "name", name=op.f("uq_voip_carriers_account_sid_name")),
    )
    op.create_index(op.f("ix_voip_carriers_account_sid"), "voip_carriers", ["account_sid"], unique=False)


def _phone_numbers() -> None:
    op.create_table(
        "phone_numbers",
        sa.Column("account_sid", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=132), nullable=False),
        sa.Column("application_sid", sa.String(length=36), nullable=True),
        sa.Column("carrier_sid", sa.String(length=36), nullable=True),
        sa.Column("sid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_sid"], ["accounts.sid"], name=op.f("fk_phone_numbers_account_sid"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["application_sid"],
            ["applications.sid"],
            name=op.f("fk_phone_numbers_application_sid"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["carrier_sid"], ["voip_carriers.sid"], name=op.f("fk_phone_numbers_carrier_sid"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_phone_numbers")),
        sa.UniqueConstraint("number", name=op.f("uq_phone_numbers_number")),
    )
    op.create_index(op.f("ix_phone_numbers_account_sid"), "phone_numbers", ["account_sid"], unique=False)
    op.create_index(op.f("ix_phone_numbers_application_sid"), "phone_numbers", ["application_sid"], unique=False)
    op.create_index(op.f("ix_phone_numbers_carrier_sid"), "phone_numbers", ["carrier_sid"], unique=False)


def _sip_gateways() -> None:
    op.create_table(
        "sip_gateways",
        sa.Column("carrier_sid", sa.String(length=36), nullable=False),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("netmask", sa.Integer(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("inbound", sa.Boolean(), nullable=False),
        sa.Column("outbound", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("protocol", sa.String(length=16), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("sid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(
            ["carrier_sid"], ["voip_carriers.sid"], name=op.f("fk_sip_gateways_carrier_sid"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_sip_gateways")),
    )
    op.create_index(op.f("ix_sip_gateways_carrier_sid"), "sip_gateways", ["carrier_sid"], unique=False)
