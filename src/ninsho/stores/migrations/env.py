"""What alembic runs: the revisions, on the connection that schema.py hands over."""

from alembic import context

from ninsho.stores.tables import metadata

# SQLite can alter little: alembic then copies the table.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
