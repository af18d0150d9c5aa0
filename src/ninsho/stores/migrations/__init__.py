"""How the tables of the accounts database came to be what they are; alembic runs what stands here."""
