"""The schema as a database has it, for comparing before and after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, inspect, text

from app.cli import installation
from config.settings import Settings

TRIGGERS = {
    "sqlite": "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t"
    " JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal ORDER BY t.tgname",
}


@contextmanager
def owner(settings: Settings) -> Iterator[Connection]:
    """A connection of whoever owns the tables."""
    with installation.owner_engine(settings) as engine, engine.connect() as connection:
        yield connection


def triggers(connection: Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(TRIGGERS[connection.dialect.name]))]


def shape(connection: Connection) -> dict[str, Any]:
    """Tables with columns, keys and indexes, and the triggers, in a comparable form."""
    seen = inspect(connection)
    found: dict[str, Any] = {"triggers": triggers(connection)}
    for table in sorted(set(seen.get_table_names()) - {"alembic_version"}):
        found[table] = {
            "columns": sorted(
                (c["name"], str(c["type"]), c["nullable"], c["default"]) for c in seen.get_columns(table)
            ),
            "primary": seen.get_pk_constraint(table)["constrained_columns"],
            "foreign": sorted(
                (str(f["name"]), f["constrained_columns"], f["referred_table"]) for f in seen.get_foreign_keys(table)
            ),
            "unique": sorted(str(u["name"]) for u in seen.get_unique_constraints(table)),
            "indexes": sorted((str(i["name"]), i["column_names"], i["unique"]) for i in seen.get_indexes(table)),
        }
    return found
