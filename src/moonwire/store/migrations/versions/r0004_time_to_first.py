"""Remember how long a service took to the first useful token or audio in its latest test."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES = ("llm_services", "speech_services")


def upgrade() -> None:
    """Add the column."""
    for table in _TABLES:
        op.add_column(table, sa.Column("first_ms", sa.Float(53), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    for table in _TABLES:
        op.drop_column(table, "first_ms")
