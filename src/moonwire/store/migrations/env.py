"""Runs the migrations on the connection that store/database.py hands over; Alembic loads this file by its path."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from moonwire.store.tables import Table


def run(connection: Connection) -> None:
    """Run the migrations inside the connection's own transaction."""
    context.configure(
        connection=connection, target_metadata=Table.metadata, render_as_batch=connection.dialect.name == "sqlite"
    )
    context.run_migrations()


run(context.config.attributes["connection"])
