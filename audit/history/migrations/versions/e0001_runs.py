"""The first edition: one table of runs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "mailseal_run",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
        ),
        sa.Column("run", sa.Text, nullable=False, unique=True),
        sa.Column("inventory", sa.Text, nullable=False),
        sa.Column("limited", sa.Text, nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("policies", sa.Text, nullable=False),
        sa.Column("editions", sa.Text, nullable=False),
        sa.Column("started", sa.Text, nullable=False),
        sa.Column("finished", sa.Text),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("planned", sa.Integer, nullable=False),
        sa.Column("passed", sa.Integer),
        sa.Column("failed", sa.Integer),
        sa.Column("inconclusive", sa.Integer),
        sa.Column("not_applicable", sa.Integer),
        sa.Column("waived", sa.Integer),
        sa.Column("content", sa.LargeBinary),
        sqlite_autoincrement=True,
    )
