"""Sealed columns: they take and yield ciphertext and nothing else, on every way into a statement."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from sqlalchemy import insert, literal, select, update
from sqlalchemy.exc import CompileError, InvalidRequestError, StatementError

from app.security.policy import Permission
from models.base import Base, new_id
from models.bulk import Same, fetch_many, insert_many
from models.identity import Staff
from models.sealed import LEAST, Sealed, SealedType, sealed_fields
from models.student import Student, StudentNumber
from tests.house import House

SECRET = "不可外泄"


def test_a_sealed_value_shows_nothing_of_itself() -> None:
    value = Sealed(SECRET.encode())

    shown = [repr(value), str(value), f"{value}", f"{value!r:>40}", "%s" % value, f"{[value]}"]  # noqa: UP031

    assert all("<sealed>" in words for words in shown)
    assert not any(SECRET in words for words in shown)
    with pytest.raises(TypeError):
        json.dumps({"value": value})


@pytest.mark.parametrize("travel", [pickle.dumps, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
def test_a_sealed_value_does_not_travel(travel: object) -> None:
    with pytest.raises(TypeError, match="does not travel"):
        travel(Sealed(bytes(LEAST)))  # type: ignore[operator]


@pytest.mark.parametrize("value", [SECRET, SECRET.encode(), bytes(LEAST), Sealed(b"short"), 7], ids=repr)
def test_plain_values_never_reach_a_statement(house: House, value: object) -> None:
    student = house.make.student()

    for statement in (
        update(Student).where(Student.id == student.id).values(name=value),
        select(Student.id).where(Student.name == value),
    ):
        with pytest.raises((StatementError, TypeError)) as problem, house.door.database.writing() as session:
            session.execute(statement)
        assert SECRET not in str(problem.value)

    assert bytes(house.all(select(Student.name))[0].name.ciphertext)[:1] == b"\x01"


def test_a_sealed_value_is_never_written_into_a_statement_as_text() -> None:
    statement = select(literal(Sealed(bytes(LEAST)), Student.__table__.c.name.type))

    with pytest.raises(CompileError) as problem:
        str(statement.compile(compile_kwargs={"literal_binds": True}))
    assert "never written into a statement" in str(problem.value.__cause__)


def test_reading_a_row_brings_no_ciphertext_along_unless_it_is_asked_for(house: House) -> None:
    student = house.make.student()

    with house.session() as session:
        again = session.get(Student, student.id)

        for field in ("name", "phone", "details"):
            with pytest.raises(InvalidRequestError, match="raiseload"):
                getattr(again, field)


def test_the_bulk_insert_takes_sealed_values_only(house: House) -> None:
    staff = {"login": ["t-a"], "name": ["a"], "created_at": Same(house.door.deployment.created_at)}

    for value in (SECRET, SECRET.encode(), bytes(LEAST), Sealed(b"short")):
        with pytest.raises((TypeError, ValueError)) as problem, house.door.database.writing() as session:
            insert_many(session, Staff.__table__, staff | {"id": [new_id().bytes], "phone": [value]})  # type: ignore[arg-type]
        assert SECRET not in str(problem.value)

    assert house.count(Staff) == 0


def test_the_bulk_read_gives_no_sealed_column_away(house: House) -> None:
    house.make.student()

    with house.session() as session, pytest.raises(TypeError, match="read through an access"):
        fetch_many(session, select(StudentNumber.id, StudentNumber.number))


def test_an_insert_past_the_session_is_checked_like_any_other(house: House) -> None:
    with pytest.raises(StatementError), house.door.database.writing() as session:
        session.execute(insert(Staff), [{"login": "t", "name": "n", "phone": SECRET}])


def test_every_sealed_field_is_kept_back_until_it_is_opened() -> None:
    for field in sealed_fields(Base):
        attribute = field.model.__mapper__.attrs[field.name]  # type: ignore[attr-defined]
        assert isinstance(attribute.columns[0].type, SealedType)
        assert attribute.deferred, field.tag
        assert attribute.raiseload, field.tag


def test_an_error_of_the_database_repeats_no_parameter(house: House) -> None:
    first = house.make.student(number="20261234")
    second = house.make.student()

    with house.console(Permission.ROSTER_IMPORT) as access:
        index = access.index("number", "20261234")
    with pytest.raises(StatementError) as problem, house.door.database.writing() as session:
        session.execute(update(StudentNumber).where(StudentNumber.student_id == second.id).values(index=index))
        session.flush()
    assert "20261234" not in str(problem.value)
    assert repr(index) not in str(problem.value)
    assert first.id != second.id
