"""Remember which gateways the operator wrote: only those may lead to private hosts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; gateways that are there keep what they could reach."""
    op.add_column("sip_gateways", sa.Column("by_operator", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("sip_gateways", "by_operator")
