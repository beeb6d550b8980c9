"""日志校验: the page proves the log, or names the first bad row."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from app.admin import housekeeping
from models.audit import LedgerEntry
from models.database import migration_engine
from models.identity import Role
from tests.house import Client, House

TABLES = ("ledger_entry", "ledger_subject", "ledger_head")


def as_owner(house: House, statement: str) -> None:
    """What somebody does who owns the database: lift the guard, change, put it back."""
    engine = migration_engine(house.door.settings.owner_database_url)
    with engine.begin() as connection:
        if house.door.database.is_sqlite:
            guards = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
            for name, _ in guards:
                connection.execute(text(f"DROP TRIGGER {name}"))
            connection.execute(text(statement))
            for _, sql in guards:
                connection.execute(text(sql))
        else:
            for table in TABLES:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            connection.execute(text(statement))
            for table in TABLES:
                connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    engine.dispose()


@pytest.fixture
def auditor(house: House) -> Client:
    """An auditor of a log with some looks in it."""
    auditor, head = house.make.person(Role.AUDITOR), house.make.head()
    for student in house.make.students(3):
        head.get(f"/students/{student.id}")
    return auditor


def chain(house: House) -> tuple[int, int]:
    """The longest chain and its length."""
    rows = house.all(select(LedgerEntry.writer))
    writers = [row.writer for row in rows]
    longest = max(set(writers), key=writers.count)
    return longest, writers.count(longest)


def test_the_page_asks_before_it_proves(house: House, auditor: Client) -> None:
    page = auditor.get("/audit/verify")

    assert page.status == 200
    assert "日志完整" not in page
    assert "/audit/verify?run=1" in page.links(r"/audit/verify\?run=1")


def test_an_untouched_log_is_whole_and_counted(house: House, auditor: Client) -> None:
    housekeeping.take_head(house.door)
    rows = house.count(LedgerEntry)

    page = auditor.get("/audit/verify?run=1")

    assert "日志完整" in page
    assert f"核对行数 {rows}" in page
    assert "尚未被日志头覆盖的行 0" in page
    assert "发现问题" not in page


def test_rows_without_a_head_yet_are_counted_openly(house: House, auditor: Client) -> None:
    housekeeping.take_head(house.door)
    auditor.get("/audit")

    assert "尚未被日志头覆盖的行 1" in auditor.get("/audit/verify?run=1")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_entry SET outcome = 'refused' WHERE writer = {writer} AND seq = {seq}",
        "UPDATE ledger_entry SET actor_id = NULL WHERE writer = {writer} AND seq = {seq}",
        "UPDATE ledger_entry SET mac = hash WHERE writer = {writer} AND seq = {seq}",
    ],
    ids=["outcome", "actor", "mac"],
)
def test_a_changed_row_is_named_on_the_page(house: House, auditor: Client, change: str) -> None:
    housekeeping.take_head(house.door)
    writer, length = chain(house)
    seq = next(
        row.seq
        for row in house.all(
            select(LedgerEntry.seq)
            .where(LedgerEntry.writer == writer, LedgerEntry.actor_id.is_not(None), LedgerEntry.outcome == "done")
            .order_by(LedgerEntry.seq)
        )
    )
    assert seq <= length

    as_owner(house, change.format(writer=writer, seq=seq))

    page = auditor.get("/audit/verify?run=1")
    assert "发现问题" in page
    assert f"第一处在 {writer}-{seq}" in page
    assert "日志完整" not in page


def test_a_row_taken_out_is_named_by_its_place(house: House, auditor: Client) -> None:
    housekeeping.take_head(house.door)
    writer, _ = chain(house)

    as_owner(house, f"DELETE FROM ledger_entry WHERE writer = {writer} AND seq = 2")

    page = auditor.get("/audit/verify?run=1")
    assert "缺少第 2 行" in page
    assert f"第一处在 {writer}-" in page


def test_the_first_of_several_bad_rows_is_the_one_named(house: House, auditor: Client) -> None:
    housekeeping.take_head(house.door)
    writer, length = chain(house)
    assert length >= 4

    as_owner(house, f"UPDATE ledger_entry SET role = 'nobody' WHERE writer = {writer} AND seq IN (2, 4)")

    assert f"第一处在 {writer}-2" in auditor.get("/audit/verify?run=1")


def test_a_students_reader_taken_from_the_index_is_noticed(house: House, auditor: Client) -> None:
    as_owner(house, "DELETE FROM ledger_subject")

    assert "涉及学生的索引被改动" in auditor.get("/audit/verify?run=1")


def test_proving_a_bad_log_is_itself_written_down(house: House, auditor: Client) -> None:
    as_owner(house, "DELETE FROM ledger_subject")

    auditor.get("/audit/verify?run=1")

    assert house.log(act="audit_read", actor=auditor.id.hex)
