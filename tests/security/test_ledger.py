"""The log: a row for every look, no row no data, and every tampering named (laws 1 and 8)."""

from __future__ import annotations

import json
import sqlite3
import threading

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.admin import housekeeping
from app.security import heads, ledger
from app.security.actor import WORKER
from app.security.door import LogUnavailable
from app.security.policy import Permission
from models.audit import LedgerEntry, LedgerHead, LedgerSubject
from models.case import CaseNote
from models.database import migration_engine
from models.student import Student
from tests.house import House


def _as_owner(house: House, *statements: str) -> None:
    """What somebody with the owner's rights and no scruples would do: lift the guard, change, put it back."""
    engine = migration_engine(house.door.settings.owner_database_url)
    with engine.begin() as connection:
        if house.door.database.is_sqlite:
            guards = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
            for name, _ in guards:
                connection.execute(text(f"DROP TRIGGER {name}"))
            for statement in statements:
                connection.execute(text(statement))
            for _, sql in guards:
                connection.execute(text(sql))
        else:
            for table in ("ledger_entry", "ledger_subject", "ledger_head"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            for statement in statements:
                connection.execute(text(statement))
            for table in ("ledger_entry", "ledger_subject", "ledger_head"):
                connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    engine.dispose()


def _some_work(house: House) -> None:
    """A few looks and acts, so that there is a chain to attack; then a head."""
    _, psychologist, _ = house.make.team()
    group = house.make.class_group()
    advisor = house.make.advisor(group)
    students = house.make.students(3, group)
    for student in students:
        assert advisor.get(f"/students/{student.id}").status == 200
        assert psychologist.get(f"/students/{student.id}").status == 200
    assert housekeeping.take_head(house.door) is not None


def _writer(house: House) -> int:
    """The writer with the most rows."""
    rows = house.all(select(LedgerEntry.writer))
    writers = [row.writer for row in rows]
    return max(set(writers), key=writers.count)


# --- every look leaves a row ------------------------------------------------------------------------


def test_opening_a_file_leaves_who_why_whose_and_which_fields(house: House) -> None:
    group = house.make.class_group()
    advisor = house.make.advisor(group)
    student = house.make.student(group)

    advisor.get(f"/students/{student.id}")

    [row] = house.log(act="student_read")
    assert row["actor"] == advisor.id.hex
    assert (row["role"], row["purpose"], row["basis"]) == ("advisor", "care", "duty_of_care")
    assert row["subjects"] == [student.id.hex]
    assert {"student.name", "student.phone"} <= set(row["fields"])
    assert house.proof().holds


def test_a_list_leaves_one_row_naming_everybody_on_it(house: House) -> None:
    group = house.make.class_group()
    advisor = house.make.advisor(group)
    students = house.make.students(5, group)

    advisor.get("/my-students")

    [row] = house.log(act="student_search")
    assert sorted(row["subjects"]) == sorted(student.id.hex for student in students)
    assert row["count"] == 5


def test_refused_denied_and_not_found_attempts_are_rows_too(house: House) -> None:
    group = house.make.class_group()
    advisor = house.make.advisor(group)
    foreign = house.make.student(house.make.class_group())

    advisor.get(f"/students/{foreign.id}")
    advisor.get("/audit")

    assert [row["act"] for row in house.log(outcome="not_found")] == ["student_read"]
    assert [row["act"] for row in house.log(outcome="denied")] == ["audit_read"]


def test_the_log_names_people_by_id_and_holds_no_content(house: House) -> None:
    _, psychologist, _ = house.make.team()
    student = house.make.student(name="金丝雀名", number="2026887766", phone="13811112222")
    psychologist.post("/students", words="金丝雀名")
    house.make.case(psychologist, student, text="金丝雀记")
    psychologist.get(f"/students/{student.id}")

    held = b"".join(row.payload for row in house.all(select(LedgerEntry.payload)))

    for words in ("金丝雀", "2026887766", "13811112222"):
        assert words.encode() not in held
        assert words.encode("unicode_escape") not in held


# --- no row, no data -----------------------------------------------------------------------------------


def _break_log(house: House) -> None:
    """The log cannot be written: its table is gone."""
    engine = migration_engine(house.door.settings.owner_database_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE ledger_entry RENAME TO ledger_gone"))
    engine.dispose()


@pytest.mark.parametrize("path", ["/my-students", "/worklist", "/students/{student}", "/students/{student}/talk"])
def test_when_the_log_fails_a_page_is_503_and_shows_nothing(house: House, path: str) -> None:
    group = house.make.class_group()
    advisor = house.make.advisor(group)
    student = house.make.student(group, name="王晓涵", phone="13811112222")
    _break_log(house)

    page = advisor.get(path.format(student=student.id))

    assert page.status == 503
    assert "王" not in page.text.replace("王老师", "")
    assert "2222" not in page.html


def test_when_the_log_fails_an_act_never_happened(house: House) -> None:
    _, psychologist, _ = house.make.team()
    case = house.make.case(psychologist, house.make.student())
    _break_log(house)

    page = psychologist.post(f"/cases/{case.id}/notes", kind="session", text="新记录", version="1")

    assert page.status == 503
    assert house.count(CaseNote) == 1


def test_when_the_log_fails_a_job_leaves_nothing_and_comes_again(house: House) -> None:
    _break_log(house)

    with pytest.raises(LogUnavailable), house.door.enter(WORKER, Permission.CLOCKS_RUN) as access:
        access.about(access.session.scalar(select(LedgerHead.id)) or house.door.deployment.id)

    assert house.count(LedgerHead) == 0


# --- nobody may change it ------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_subject", "ledger_head"])
@pytest.mark.parametrize("change", ["DELETE FROM {table}", "UPDATE {table} SET {column} = {column}"])
def test_the_application_can_neither_change_nor_delete_the_log(house: House, table: str, change: str) -> None:
    _some_work(house)
    column = {"ledger_entry": "act", "ledger_subject": "entry_id", "ledger_head": "payload"}[table]

    with pytest.raises(DBAPIError), house.door.database.writing() as session:
        session.execute(text(change.format(table=table, column=column)))


def test_on_postgresql_the_owner_is_stopped_by_triggers_too(house: House, backend: str) -> None:
    if backend != "postgresql":
        return
    _some_work(house)
    engine = migration_engine(house.door.settings.owner_database_url)

    for statement in ("DELETE FROM ledger_entry", "TRUNCATE ledger_entry", "UPDATE ledger_head SET number = 9"):
        with pytest.raises(DBAPIError, match="only grows"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()


# --- tampering is named ---------------------------------------------------------------------------------


def test_an_untouched_log_is_proven(house: House) -> None:
    _some_work(house)

    proof = house.proof()

    assert proof.holds
    assert proof.rows == len(house.all(select(LedgerEntry.id)))
    assert (proof.heads, proof.anchors, proof.unheaded) == (1, 1, 0)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE ledger_entry SET payload = CAST(replace({text}, 'done', 'dine') AS BLOB) WHERE seq = {n}",
            "内容被改动",
        ),
        ("UPDATE ledger_entry SET act = 'sign_in' WHERE seq = {n}", "检索列 act"),
        ("UPDATE ledger_entry SET outcome = 'refused' WHERE seq = {n}", "检索列 outcome"),
        ("UPDATE ledger_entry SET role = 'auditor' WHERE seq = {n}", "检索列 role"),
        ("UPDATE ledger_entry SET payload = CAST(hash AS TEXT) WHERE seq = {n}", "内容被改动"),
        ("DELETE FROM ledger_entry WHERE seq = {n}", "缺少第 {n} 行"),
        ("UPDATE ledger_entry SET mac = hash WHERE seq = {n}", "校验码"),
        ("UPDATE ledger_entry SET previous = hash WHERE seq = {n}", "链接断开"),
    ],
)
def test_a_changed_or_deleted_row_is_named(house: House, backend: str, statement: str, words: str) -> None:
    _some_work(house)
    writer = _writer(house)
    if backend == "postgresql":
        statement = statement.replace(
            "CAST(replace({text}, 'done', 'dine') AS BLOB)",
            "convert_to(replace(convert_from(payload, 'UTF8'), 'done', 'dine'), 'UTF8')",
        ).replace("CAST(hash AS TEXT)", "hash")
    _as_owner(house, statement.format(n=2, text="CAST(payload AS TEXT)") + f" AND writer = {writer}")

    bad = house.proof().bad

    assert bad is not None
    assert words.format(n=2) in bad.what
    assert (bad.writer, bad.seq) in {(writer, 2), (writer, 3)}


def test_two_rows_that_changed_places_are_named(house: House) -> None:
    _some_work(house)
    writer = _writer(house)
    _as_owner(
        house,
        f"UPDATE ledger_entry SET seq = 1000 WHERE seq = 2 AND writer = {writer}",
        f"UPDATE ledger_entry SET seq = 2 WHERE seq = 3 AND writer = {writer}",
        f"UPDATE ledger_entry SET seq = 3 WHERE seq = 1000 AND writer = {writer}",
    )

    bad = house.proof().bad

    assert bad is not None
    assert (bad.writer, bad.seq) == (writer, 2)


def test_a_cut_off_end_is_named_from_the_newest_head(house: House) -> None:
    _some_work(house)
    writer = _writer(house)
    last = max(row.seq for row in house.all(select(LedgerEntry.seq).where(LedgerEntry.writer == writer)))
    _as_owner(house, f"DELETE FROM ledger_entry WHERE writer = {writer} AND seq = {last}")

    bad = house.proof().bad

    assert bad is not None
    assert "截断" in bad.what or "涉及学生" in bad.what
    assert bad.seq == last


def test_a_row_of_the_subject_index_that_was_taken_away_is_named(house: House) -> None:
    _some_work(house)
    [(student,)] = house.all(select(Student.id).limit(1))
    quoted = f"X'{student.hex}'" if house.door.database.is_sqlite else f"'{student}'"
    _as_owner(house, f"DELETE FROM ledger_subject WHERE subject_id = {quoted}")

    bad = house.proof().bad

    assert bad is not None
    assert "涉及学生" in bad.what


def test_a_forged_row_without_the_key_is_named(house: House) -> None:
    _some_work(house)
    writer = _writer(house)
    with house.session() as session:
        last = session.scalars(
            select(LedgerEntry).where(LedgerEntry.writer == writer).order_by(LedgerEntry.seq.desc()).limit(1)
        ).one()
    record = ledger.Record(
        actor_id=None,
        role="console",
        act="student_read",
        permission="student_read",
        purpose="care",
        basis="duty_of_care",
        outcome="done",
    )
    with house.door.database.writing() as session:
        ledger.append(session, b"not the key", [record])

    bad = house.proof().bad

    assert bad is not None
    assert "校验码" in bad.what
    assert bad.seq is not None
    assert bad.seq >= last.seq or bad.writer != last.writer


def test_a_restored_older_database_is_told_by_the_anchor_file(house: House) -> None:
    _some_work(house)
    number = _later_head(house)
    _as_owner(house, f"DELETE FROM ledger_head WHERE number = {number}")

    bad = house.proof().bad

    assert bad is not None
    assert f"回退到第 {number}" in bad.what


def _later_head(house: House) -> int:
    house.make.head()
    number = housekeeping.take_head(house.door)
    assert number is not None
    return number


def test_a_head_somebody_else_signed_is_named(house: House) -> None:
    _some_work(house)
    path = house.door.settings.anchor_dir / heads.ANCHORS
    held = json.loads(path.read_text())
    held["signature"] = "00" + held["signature"][2:]
    path.write_text(json.dumps(held) + "\n")

    bad = house.proof().bad

    assert bad is not None
    assert "签名不符" in bad.what


@pytest.mark.parametrize("line", ["{", "[]", '{"payload": "x", "signature": "zz"}', "\x00\x00"])
def test_a_mangled_anchor_file_is_named_and_not_a_crash(house: House, line: str) -> None:
    _some_work(house)
    (house.door.settings.anchor_dir / heads.ANCHORS).write_text(line + "\n")

    bad = house.proof().bad

    assert bad is not None
    assert "第 1 行" in bad.what


# --- writers -------------------------------------------------------------------------------------------


def test_many_connections_write_at_once_and_every_chain_holds(house: House) -> None:
    group = house.make.class_group()
    advisor = house.make.advisor(group)
    student = house.make.student(group)
    failures: list[Exception] = []

    def look() -> None:
        try:
            for _ in range(12):
                with advisor.under(Permission.STUDENT_READ, writing=False) as access:
                    access.open(access.find(Student, student.id), Student.name)
        except Exception as problem:  # noqa: BLE001 - any failure of a thread fails the test
            failures.append(problem)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert len(house.log(act="student_read")) == 72
    proof = house.proof()
    assert proof.holds, proof.bad
    assert proof.writers == (1 if house.door.database.is_sqlite else proof.writers)


def test_on_postgresql_each_connection_has_a_chain_of_its_own(house: House, backend: str) -> None:
    if backend != "postgresql":
        return
    record = ledger.Record(
        actor_id=None,
        role="console",
        act="x",
        permission="maintenance",
        purpose="administration",
        basis="public_task",
        outcome="done",
    )
    key = house.door.instance_keys.log_mac
    with house.door.database.writing() as one, house.door.database.writing() as other:
        ledger.append(one, key, [record])
        ledger.append(other, key, [record])

    writers = {row.writer for row in house.all(select(LedgerEntry.writer).where(LedgerEntry.act == "x"))}

    assert len(writers) == 2
    assert house.proof().holds


def test_after_a_rollback_the_chain_goes_on_without_a_gap(house: House) -> None:
    record = ledger.Record(
        actor_id=None,
        role="console",
        act="x",
        permission="maintenance",
        purpose="administration",
        basis="public_task",
        outcome="done",
    )
    key = house.door.instance_keys.log_mac
    for fails in (False, True, False, True, False):
        try:
            with house.door.database.writing() as session:
                ledger.append(session, key, [record])
                if fails:
                    raise sqlite3.OperationalError("no")
        except sqlite3.OperationalError:
            continue

    assert len(house.log(act="x")) == 3
    assert house.proof().holds


def test_reading_students_named_in_the_log_goes_by_an_index(house: House) -> None:
    _some_work(house)
    [(student,)] = house.all(select(Student.id).limit(1))

    found = house.all(select(LedgerSubject.entry_id).where(LedgerSubject.subject_id == student))

    assert len(found) >= 2
