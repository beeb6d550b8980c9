"""The guards of the log in the database itself: by triggers for everybody, by rights for the application's role."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.admin import housekeeping
from app.cli import installation
from models.audit import LEDGER_TABLES, LedgerSubject
from models.base import new_id
from models.registry import METADATA
from tests.house import House
from tests.migrations.schema import owner, triggers

TABLES = [table.name for table in LEDGER_TABLES]
KEYS = {"ledger_entry": "seq", "ledger_head": "number", "ledger_subject": "entry_id"}


def changes(table: str) -> dict[str, str]:
    return {"UPDATE": f"UPDATE {table} SET {KEYS[table]} = {KEYS[table]}", "DELETE": f"DELETE FROM {table}"}


def fill(house: House) -> None:
    """Something in each of the three tables."""
    _, psychologist, _ = house.make.team()
    psychologist.get(f"/students/{house.make.student().id}")
    assert housekeeping.take_head(house.door) == 1
    with house.session() as session:
        assert all(session.scalar(text(f"SELECT count(*) FROM {table}")) for table in TABLES)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", ["UPDATE", "DELETE"])
def test_the_application_cannot_change_the_log(house: House, table: str, change: str) -> None:
    fill(house)

    with (
        pytest.raises(DBAPIError, match=r"the log only grows|permission denied"),
        house.door.database.writing() as session,
    ):
        session.execute(text(changes(table)[change]))

    assert house.proof().holds


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", ["UPDATE", "DELETE"])
def test_not_even_the_owner_of_the_tables_can_change_the_log_while_the_guards_stand(
    house: House, table: str, change: str
) -> None:
    fill(house)

    with owner(house.door.settings) as connection, pytest.raises(DBAPIError, match="the log only grows"):
        connection.execute(text(changes(table)[change]))


@pytest.mark.parametrize("table", TABLES)
def test_a_row_of_the_log_is_not_replaced_by_inserting_it_again(sqlite_house: House, table: str) -> None:
    fill(sqlite_house)

    with (
        pytest.raises(DBAPIError, match="the log only grows"),
        sqlite_house.door.database.writing() as session,
    ):
        session.execute(text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"))

    assert sqlite_house.proof().holds


def test_emptying_dropping_and_disarming_are_not_for_the_application_on_postgresql(house: House) -> None:
    if house.door.database.is_sqlite:
        assert len(triggers_of(house)) == 3 * len(TABLES)
        return
    for table in TABLES:
        for statement in (
            f"TRUNCATE {table}",
            f"DROP TABLE {table}",
            f"ALTER TABLE {table} DISABLE TRIGGER ALL",
            f"DROP TRIGGER {table}_only_grows ON {table}",
            f"ALTER TABLE {table} RENAME TO elsewhere",
            "SET session_replication_role = replica",
            "CREATE OR REPLACE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
        ):
            with (
                pytest.raises(DBAPIError, match=r"permission denied|must be owner|the log only grows"),
                house.door.database.writing() as session,
            ):
                session.execute(text(statement))


def triggers_of(house: House) -> list[str]:
    with owner(house.door.settings) as connection:
        return [name for table, name, _ in triggers(connection) if table in TABLES]


def test_the_applications_role_holds_exactly_the_rights_it_needs(house: House) -> None:
    """On SQLite there are no rights: the guards are all there is, and stand on each table."""
    if house.door.database.is_sqlite:
        assert set(triggers_of(house)) >= {
            f"{table}_no_{change}" for table in TABLES for change in ("update", "delete", "replace")
        }
        return
    query = text(
        "SELECT table_name, string_agg(privilege_type, ',' ORDER BY privilege_type) FROM"
        " information_schema.role_table_grants WHERE grantee = current_user AND table_schema = 'public' GROUP BY 1"
    )
    with house.session() as session:
        held = {name: rights for name, rights in session.execute(query)}
    wanted = dict.fromkeys(METADATA.tables, "DELETE,INSERT,SELECT,UPDATE") | dict.fromkeys(TABLES, "INSERT,SELECT")
    assert held == wanted | {"alembic_version": "SELECT"}


def test_rights_are_given_again_after_going_down_and_up(house: House) -> None:
    settings = house.door.settings
    house.door.database.dispose()
    installation.downgrade(settings, "base")

    installation.upgrade(settings)

    with (
        pytest.raises(DBAPIError, match=r"the log only grows|permission denied"),
        house.door.database.writing() as session,
    ):
        session.add(LedgerSubject(subject_id=new_id(), entry_id=new_id()))
        session.flush()
        session.execute(text("DELETE FROM ledger_subject"))
