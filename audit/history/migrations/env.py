"""What Alembic runs: the steps, on the connection and in the transaction that it is given."""

from alembic import context

from audit.history.schema import EDITION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=EDITION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
