"""Migrations: up, down and up again on both databases, and equal to what the models say."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import LargeBinary, inspect, text

from app.cli import installation
from config.settings import Settings
from models.base import Base, Id
from models.registry import METADATA
from models.sealed import SealedType, sealed_fields
from tests.house import House
from tests.migrations.schema import owner, shape


def test_up_down_and_up_again_is_the_same_schema_with_the_same_guards(settings: Settings) -> None:
    with owner(settings) as connection:
        before = shape(connection)

    installation.downgrade(settings, "base")
    with owner(settings) as connection:
        between = shape(connection)
    installation.upgrade(settings)

    assert between == {"triggers": []}
    with owner(settings) as connection:
        assert shape(connection) == before


def test_going_down_leaves_no_function_behind_on_postgresql(settings: Settings) -> None:
    installation.downgrade(settings, "base")

    with owner(settings) as connection:
        held = (
            connection.scalars(
                text(
                    "SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
                    " WHERE n.nspname = 'public'"
                )
            ).all()
            if connection.dialect.name == "postgresql"
            else connection.scalars(
                text(
                    "SELECT name FROM sqlite_master WHERE name <> 'alembic_version'"
                    " AND name NOT LIKE 'sqlite_autoindex_alembic%'"
                )
            ).all()
        )
    assert held == []


def test_the_migrated_schema_is_what_the_models_say(settings: Settings) -> None:
    with owner(settings) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})

        assert compare_metadata(context, METADATA) == []


def test_nullable_columns_and_partial_indexes_are_what_the_models_say(settings: Settings) -> None:
    dialect = "sqlite" if settings.is_sqlite else "postgresql"
    with owner(settings) as connection:
        seen = inspect(connection)
        for table in METADATA.sorted_tables:
            columns = {column["name"]: column["nullable"] for column in seen.get_columns(table.name)}
            assert columns == {column.name: column.nullable for column in table.columns}, table.name
            partial = {i["name"] for i in seen.get_indexes(table.name) if f"{dialect}_where" in i["dialect_options"]}
            wanted = {i.name for i in table.indexes if i.dialect_options[dialect]["where"] is not None}
            assert partial == wanted, table.name


def test_every_sealed_column_holds_bytes_and_every_table_of_them_names_its_owner(settings: Settings) -> None:
    fields = list(sealed_fields(Base))
    assert len(fields) > 20
    with owner(settings) as connection:
        seen = inspect(connection)
        for field in fields:
            table = field.model.__table__  # type: ignore[attr-defined]
            columns = {column["name"]: column for column in seen.get_columns(table.name)}
            assert isinstance(columns[field.name]["type"], LargeBinary), field.tag
            assert columns[field.owner_column]["nullable"] is False, field.tag


def test_no_two_sealed_columns_share_a_tag() -> None:
    tags = [
        column.type.tag for table in METADATA.tables.values() for column in table.c if type(column.type) is SealedType
    ]

    assert len(tags) == len(set(tags))
    assert all(tag.rpartition("/")[2].isdecimal() for tag in tags)


def test_there_is_one_line_of_migrations_with_one_head(settings: Settings) -> None:
    line = ScriptDirectory.from_config(installation.script())

    assert len(line.get_heads()) == len(line.get_bases()) == 1
    assert installation.revision_of(settings) == (line.get_current_head(),) * 2


def test_upgrading_what_is_up_to_date_changes_nothing(house: House) -> None:
    house.make.student()
    with owner(house.door.settings) as connection:
        before = shape(connection)

    installation.upgrade(house.door.settings)

    with owner(house.door.settings) as connection:
        assert shape(connection) == before
    assert house.door.deployment.id == house.again(house.door.deployment).id
    assert house.proof().holds


def test_ids_are_sixteen_bytes_or_uuids_never_text(settings: Settings) -> None:
    names = [
        (table.name, column.name) for table in METADATA.tables.values() for column in table.c if type(column.type) is Id
    ]
    with owner(settings) as connection:
        seen = inspect(connection)
        kinds = {
            str(column["type"]) for table, name in names for column in seen.get_columns(table) if column["name"] == name
        }
    assert kinds == ({"BLOB"} if settings.is_sqlite else {"UUID"})
