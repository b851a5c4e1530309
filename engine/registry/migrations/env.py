"""Alembic's entry: the connection comes from `engine.registry.migrate`, which holds the transaction."""

from __future__ import annotations

from alembic import context

from engine.registry.tables import Table

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Table.metadata,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
