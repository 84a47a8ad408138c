"""How the tables of a history came about, one step a file (Alembic)."""
