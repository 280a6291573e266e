"""Let an alert end: when its cause is gone, or when somebody has taken note of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; earlier alerts are open."""
    op.add_column("alerts", sa.Column("cleared_at", sa.Float(53), nullable=True))
    op.add_column("alerts", sa.Column("cleared_by", sa.String(16), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("alerts", "cleared_by")
    op.drop_column("alerts", "cleared_at")
