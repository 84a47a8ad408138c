"""The second edition: what nobody could be told yet."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Give every run room for a letter."""
    op.add_column("mailseal_run", sa.Column("untold", sa.LargeBinary))
