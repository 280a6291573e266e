"""Remember which services and applications the operator wrote into the configuration file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = ("llm_services", "speech_services", "applications")


def upgrade() -> None:
    """Add the column; what is there came from a file, because nothing else could write yet."""
    for table in _TABLES:
        op.add_column(table, sa.Column("by_operator", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    """Drop the column."""
    for table in _TABLES:
        op.drop_column(table, "by_operator")
