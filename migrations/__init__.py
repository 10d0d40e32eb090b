"""How the tables came to be, step by step. `bot.migrate` runs these; `docs` of Alembic explain their words."""
