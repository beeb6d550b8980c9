"""Rows: born with an id, versioned at the root, moved by their table of stages, alike however they are inserted."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm.exc import StaleDataError

from app.security.vault import Vault
from models.base import Base, Versioned, new_id
from models.bulk import Same, fetch_many, insert_many
from models.case import CaseStage
from models.identity import College, RoleGrant, Staff
from models.moment import now
from models.refusal import Refusal
from models.registry import METADATA
from models.sealed import field_of
from models.state import HasStages
from models.student import NumberKind, Student, StudentNumber
from tests.house import House

MAPPERS = sorted(Base.registry.mappers, key=lambda mapper: mapper.local_table.name)
ROOTS = [mapper.class_ for mapper in MAPPERS if issubclass(mapper.class_, Versioned)]
STAGED = [mapper.class_ for mapper in MAPPERS if issubclass(mapper.class_, HasStages)]


def test_an_id_exists_before_the_row_is_stored_and_a_wrong_field_is_refused() -> None:
    assert College(name="学院").id is not None

    with pytest.raises(TypeError, match="has no nmae"):
        College(nmae="学院")


def test_two_who_change_the_same_root_do_not_overwrite_each_other(house: House) -> None:
    student = house.make.student()
    mine, theirs = house.again(student), house.again(student)
    theirs.has_phone = False
    with house.door.database.writing() as session:
        session.add(theirs)

    mine.status = "left"
    with pytest.raises(StaleDataError), house.door.database.writing() as session:
        session.add(mine)

    found = house.again(student)
    assert (found.has_phone, found.status, found.version) == (False, "enrolled", student.version + 1)


@pytest.mark.parametrize("root", ROOTS, ids=lambda kind: kind.__tablename__)
def test_every_root_counts_its_versions_from_one(root: type[Base]) -> None:
    column = root.__table__.c.version

    assert root.__mapper__.version_id_col is column
    assert column.default is not None
    assert column.default.arg == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", STAGED, ids=lambda kind: kind.__tablename__)
def test_a_stage_is_left_only_by_the_moves_of_its_table(kind: Any) -> None:
    stages = list(kind.__moves__)
    assert set().union(*kind.__moves__.values()) <= set(stages)
    for stage in stages:
        row = kind(stage=stage)
        assert row.has_ended is (not kind.__moves__[stage] or stage in kind.__taken_back__)
        for target in stages:
            row.stage = stage
            if target in kind.__moves__[stage]:
                row.move_to(target)
                assert row.stage is target
                continue
            with pytest.raises(Refusal, match="这一步现在不能做"):
                row.move_to(target)
            assert row.stage is stage


@pytest.mark.parametrize("kind", STAGED, ids=lambda kind: kind.__tablename__)
def test_from_every_stage_an_end_is_reached(kind: Any) -> None:
    """A case may be opened again from its end, and some decisions may be taken back (states.md)."""
    ended = {stage for stage, targets in kind.__moves__.items() if not targets} | kind.__taken_back__
    ended = ended or {CaseStage.ENDED}
    while more := {stage for stage, targets in kind.__moves__.items() if targets & ended} - ended:
        ended |= more

    assert ended == set(kind.__moves__)


def numbers_of(house: House, student: Student, *, bulk: bool) -> dict[str, Any]:
    """A number stored one way or the other, as the database holds it, without id and ciphertext."""
    with house.door.database.writing() as session:
        vault = Vault(session, house.door.keyring, house.door.deployment.id)
        row_id, index = new_id(), vault.index("number", f"bulk {bulk}")
        sealed = vault.seal(field_of(StudentNumber.number), student.id, row_id, b"2026")
        values = {"id": row_id, "student_id": student.id, "kind": NumberKind.EXAM, "index": index, "number": sealed}
        if bulk:
            columns: dict[str, Any] = {name: [value] for name, value in values.items()}
            insert_many(session, StudentNumber.__table__, columns | {"since": Same(now().date())})  # type: ignore[arg-type]
        else:
            session.add(StudentNumber(**values, since=now().date()))
    with house.session() as session:
        plain = select(text("*")).select_from(StudentNumber.__table__).where(StudentNumber.id == row_id)
        held = dict(session.execute(plain).mappings().one())
        opened = house.all(select(StudentNumber.number).where(StudentNumber.id == row_id))[0].number
        assert vault_of(house, session).open(field_of(StudentNumber.number), student.id, row_id, opened) == b"2026"
    return {
        name: (type(value), len(value) if isinstance(value, bytes) else value)
        for name, value in held.items()
        if name != "id"
    }


def vault_of(house: House, session: Any) -> Vault:
    return Vault(session, house.door.keyring, house.door.deployment.id)


def test_the_bulk_insert_stores_what_the_orm_stores(house: House) -> None:
    student = house.make.student()

    assert numbers_of(house, student, bulk=True) == numbers_of(house, student, bulk=False)


def test_the_bulk_insert_fills_defaults_and_leaves_the_rest_empty(house: House) -> None:
    with house.door.database.writing() as session:
        columns = {
            "id": [new_id().bytes, new_id().bytes],
            "login": ["a", "b"],
            "name": Same("同名"),
            "created_at": Same(now()),
        }
        assert insert_many(session, Staff.__table__, columns) == 2  # type: ignore[arg-type]

    rows = [row for (row,) in house.all(select(Staff).order_by(Staff.login))]
    orm = Staff(login="c", name="同名", created_at=now())
    with house.door.database.writing() as session:
        session.add(orm)
    third = house.again(orm)
    for name in ("must_change_password", "staff_number", "password_hash", "retired_at", "version"):
        assert {getattr(row, name) for row in rows} == {getattr(third, name)}, name


@pytest.mark.parametrize(
    "columns",
    [{"id": [b"x" * 16], "name": ["a", "b"]}, {"id": [b"x" * 16], "nmae": ["a"]}, {"id": [b"x" * 16]}],
    ids=["unequal", "unknown", "missing"],
)
def test_the_bulk_insert_refuses_columns_that_do_not_fit(house: House, columns: dict[str, Any]) -> None:
    with pytest.raises(ValueError), house.door.database.writing() as session:  # noqa: PT011 - three sentences
        insert_many(session, College.__table__, columns)  # type: ignore[arg-type]

    assert house.count(College) == 0


def test_a_bulk_insert_is_undone_with_its_transaction_and_bound_by_its_constraints(house: House) -> None:
    with pytest.raises(ZeroDivisionError), house.door.database.writing() as session:
        insert_many(session, College.__table__, {"id": [new_id().bytes], "name": ["学院"]})  # type: ignore[arg-type]
        _ = 1 / 0
    for columns in (
        {"id": [new_id().bytes] * 2, "name": ["甲", "乙"]},
        {"id": [new_id().bytes, new_id().bytes], "name": ["丙"] * 2},
    ):
        with pytest.raises(Exception, match=r"(?i)unique"), house.door.database.writing() as session:
            insert_many(session, College.__table__, columns)  # type: ignore[arg-type]

    assert house.count(College) == 0


def test_a_bulk_insert_of_nothing_is_nothing(house: House) -> None:
    with house.door.database.writing() as session:
        assert insert_many(session, College.__table__, {"id": [], "name": []}) == 0  # type: ignore[arg-type]


def test_a_bulk_read_gives_ids_as_bytes_on_both_databases(house: House) -> None:
    student = house.make.student()

    with house.session() as session:
        [(found, college)] = fetch_many(session, select(Student.id, Student.college_id))

    assert (found, college) == (student.id.bytes, student.college_id.bytes)


def test_a_row_of_nobody_is_refused_by_the_database(house: House) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key"), house.door.database.writing() as session:
        session.add(RoleGrant(staff_id=new_id(), role="advisor", since=now().date()))
        session.flush()


def test_no_foreign_key_deletes_along() -> None:
    keys = [key for table in METADATA.tables.values() for key in table.foreign_keys]

    assert len(keys) > 30
    assert {key.ondelete for key in keys} == {None}
