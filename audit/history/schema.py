"""The tables of a history; how they came about is in `migrations`."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

# Every edition of the tables, oldest first: `migrations/versions` has a step to each.
EDITIONS = ("0001", "0002")
# Where Alembic notes which one a database has; by a name of our own, for it may be shared.
EDITION_TABLE = "mailseal_schema"

metadata = MetaData()
runs = Table(
    "mailseal_run",
    metadata,
    # SQLite counts only in its own kind of integer, and PostgreSQL shall not end at 2^31.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("run", Text, nullable=False, unique=True),
    Column("inventory", Text, nullable=False),
    Column("limited", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("policies", Text, nullable=False),
    Column("editions", Text, nullable=False),
    Column("started", Text, nullable=False),
    Column("finished", Text),
    Column("version", Text, nullable=False),
    Column("planned", Integer, nullable=False),
    Column("passed", Integer),
    Column("failed", Integer),
    Column("inconclusive", Integer),
    Column("not_applicable", Integer),
    Column("waived", Integer),
    # Last, so that a list of runs is read without it.
    Column("content", LargeBinary),
    # The letter about it that somebody has not got yet.
    Column("untold", LargeBinary),
    # A number is never given twice, however much was deleted.
    sqlite_autoincrement=True,
)
