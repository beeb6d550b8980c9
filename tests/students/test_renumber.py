"""旧学号 → 新学号: the person stays, the number changes; nobody gets a number that somebody else holds."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.intake.sheet import Table
from app.security.policy import Permission
from app.students import renumber
from models.identity import Role
from models.intake import BatchKind, ImportBatch
from models.student import Student, StudentNumber
from tests.house import House, xlsx
from tests.students.people import HEADER, LI, WANG, ZHAO, codes, state

LIST = ["旧学号", "新学号", "姓名"]
A, B, C = WANG[0], LI[0], ZHAO[0]


def change(house: House, *rows: list[Any], header: list[str] = LIST) -> dict[str, Any]:
    """Bring in a list of changed numbers; returns its receipt."""
    table = Table("", ("",), 1, header, list(rows), range(2, len(rows) + 2))
    with house.console(Permission.ROSTER_IMPORT) as access:
        batch = ImportBatch(kind=BatchKind.RENUMBER)
        prepared = renumber.prepare(access, table, batch)
        renumber.commit(access, batch, prepared)
    return prepared.receipt


def bearers(house: House) -> dict[str, str]:
    """Number → name, of every number that holds."""
    with house.console(Permission.ROSTER_IMPORT) as access:
        rows = access.session.execute(
            select(
                StudentNumber.id.label("student_number_id"),
                StudentNumber.student_id,
                StudentNumber.number,
                Student.name,
            )
            .join(Student, Student.id == StudentNumber.student_id)
            .where(StudentNumber.until.is_(None))
        ).all()
        numbers = access.open_each(rows, StudentNumber.number)
        return dict(zip(numbers, access.open_each(rows, Student.name), strict=True))


@pytest.fixture
def three(house: House) -> House:
    house.make.roster(HEADER, [WANG, LI, ZHAO])
    return house


def test_the_student_stays_the_same_and_the_old_number_is_kept_as_a_former_one(three: House) -> None:
    before = {row.id for row in three.all(select(Student.id))}

    receipt = change(three, [A, "20269001", "王小涵"])

    assert (receipt["renumbered"], receipt["rows_rejected"]) == (1, 0)
    assert bearers(three) == {"20269001": "王小涵", B: "李雨", C: "赵一鸣"}
    assert {row.id for row in three.all(select(Student.id))} == before
    [(former,)] = three.all(select(StudentNumber).where(StudentNumber.until.is_not(None)))
    assert former.since <= former.until
    assert "找到 1 人" in three.make.head().post("/students", words=A)


def test_the_same_list_twice_changes_nothing(three: House) -> None:
    rows = [[A, "20269001", "王小涵"], [B, C, "李雨"], [C, B, "赵一鸣"]]
    change(three, *rows)
    before = state(three)

    receipt = change(three, *rows)

    assert (receipt["renumbered"], receipt["unchanged"], receipt["rows_rejected"]) == (0, 3, 0)
    assert state(three) == before


def test_two_who_exchange_their_numbers_go_in_together(three: House) -> None:
    receipt = change(three, [A, B, "王小涵"], [B, A, "李雨"])

    assert receipt["renumbered"] == 2
    assert bearers(three) == {B: "王小涵", A: "李雨", C: "赵一鸣"}


def test_a_chain_through_other_students_goes_in_whatever_the_order_of_its_rows(three: House) -> None:
    receipt = change(three, [A, B, "王小涵"], [C, "20269003", "赵一鸣"], [B, C, "李雨"])

    assert receipt["renumbered"] == 3
    assert bearers(three) == {B: "王小涵", C: "李雨", "20269003": "赵一鸣"}


def test_a_chain_of_one_student_ends_at_its_last_number_and_keeps_those_between(three: House) -> None:
    rows = [["20269001", "20269002", "王小涵"], [A, "20269001", "王小涵"]]

    receipt = change(three, *rows)

    assert (receipt["rows_accepted"], receipt["renumbered"]) == (2, 1)
    assert bearers(three) == {"20269002": "王小涵", B: "李雨", C: "赵一鸣"}
    assert "找到 1 人" in three.make.head().post("/students", words="20269001")
    assert change(three, *rows)["unchanged"] == 2


def test_whoever_waits_for_a_number_that_is_not_given_up_waits_with_it(three: House) -> None:
    before = state(three)

    receipt = change(three, [A, B, "王小涵"], [B, C, "李雨"], [C, "20269003", "王小涵"])

    assert codes(receipt) == [(2, "new_taken"), (3, "new_taken"), (4, "name_differs")]
    assert state(three) == before


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([["20260000000", "20269001", ""]], "old_unknown"),
        ([[A, B, "王小涵"]], "new_taken"),
        ([[A, "20269001", "李雨"]], "name_differs"),
        ([[A, "", "王小涵"]], "number_missing"),
        ([["", "20269001", "王小涵"]], "number_missing"),
        ([[A, "2.02601E+15", "王小涵"]], "number_damaged"),
        ([[A, "20269001", ""], [A, "20269002", ""]], "old_repeated"),
        ([[A, "20269001", ""], [B, "20269001", ""]], "new_repeated"),
        ([["X1", "X2", ""], ["X2", "X1", ""]], "old_unknown"),
    ],
)
def test_a_row_in_doubt_is_told_and_changes_nothing(three: House, rows: list[list[str]], code: str) -> None:
    before = state(three)

    receipt = change(three, *rows)

    assert {found for _, found in codes(receipt)} == {code}
    assert receipt["rows_rejected"] == len(rows)
    assert state(three) == before
    assert not any(number in str(receipt["problems"]) for number in (A, B, "20269001", "王小涵"))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    movers=st.lists(st.sampled_from(["王小涵", "李雨", "赵一鸣"]), unique=True),
    targets=st.permutations([A, B, C, "N1", "N2"]),
    order=st.randoms(use_true_random=False),
)
def test_everybody_gets_the_number_the_list_gives_him_in_whatever_order_it_stands(
    sqlite_house: House, movers: list[str], targets: list[str], order: Random
) -> None:
    if not sqlite_house.count(Student):
        sqlite_house.make.roster(HEADER, [WANG, LI, ZHAO])
    before = bearers(sqlite_house)
    borne = {name: number for number, name in before.items()}
    rows = [[borne[name], new, name] for name, new in zip(movers, targets, strict=False)]
    order.shuffle(rows)
    staying = {number: name for number, name in before.items() if name not in movers}

    receipt = change(sqlite_house, *rows)

    after = bearers(sqlite_house)
    assert sorted(after.values()) == ["李雨", "王小涵", "赵一鸣"]
    assert receipt["rows_accepted"] + receipt["rows_rejected"] == len(rows)
    if staying.keys().isdisjoint(new for _, new, _ in rows):
        assert after == staying | {new: name for _, new, name in rows}


def test_an_exchange_without_names_is_not_undone_by_bringing_it_again(three: House) -> None:
    rows = [[A, B], [B, A]]
    change(three, *rows, header=LIST[:2])
    before = bearers(three)

    receipt = change(three, *rows, header=LIST[:2])

    assert codes(receipt) == [(2, "name_needed"), (3, "name_needed")]
    assert bearers(three) == before == {B: "王小涵", A: "李雨", C: "赵一鸣"}


def test_with_names_an_exchange_can_be_taken_back(three: House) -> None:
    change(three, [A, B, "王小涵"], [B, A, "李雨"])

    change(three, [B, A, "王小涵"], [A, B, "李雨"])

    assert bearers(three) == {A: "王小涵", B: "李雨", C: "赵一鸣"}


def test_an_admission_number_stays_beside_the_student_number_that_follows_it(house: House) -> None:
    house.make.roster(["考生号", *HEADER[1:]], [["KS77", *WANG[1:]]])

    change(house, ["KS77", "20269001", "王小涵"], header=["考生号", "学号", "姓名"])

    assert bearers(house) == {"KS77": "王小涵", "20269001": "王小涵"}
    assert change(house, ["KS77", "20269001", ""], header=["考生号", "学号", "姓名"])["unchanged"] == 1


def test_a_second_student_number_is_a_question(three: House) -> None:
    three.make.roster(["临时号", *HEADER], [["LS1", *WANG]])

    receipt = change(three, ["LS1", "20269001", "王小涵"])

    assert codes(receipt) == [(2, "other_number")]


def test_a_roster_that_still_has_the_old_number_finds_the_same_student(three: House) -> None:
    change(three, [A, "20269001", "王小涵"])

    receipt = three.make.roster(HEADER, [WANG, LI, ZHAO], complete=True)

    assert (receipt["new"], receipt["unchanged"], receipt["leaving"]) == (0, 3, 0)
    assert "20269001" in bearers(three)
    assert A not in bearers(three)


def test_the_registrar_previews_and_commits_it_at_the_roster_desk(sqlite_house: House) -> None:
    sqlite_house.make.roster(HEADER, [WANG, LI])
    registrar = sqlite_house.make.person(Role.REGISTRAR)
    file = xlsx(LIST, [A, "20269001", "王小涵"], ["99", "20269002", "李雨"])

    registrar.post("/roster", kind="renumber", upload=(file, "换学号.xlsx"))
    sqlite_house.work()
    [(batch,)] = sqlite_house.all(select(ImportBatch).where(ImportBatch.kind == BatchKind.RENUMBER))
    page = registrar.get(f"/roster/{batch.id}")
    assert "更换学号" in page
    assert "名册里没有这个旧学号" in page
    assert A in bearers(sqlite_house)
    registrar.post(f"/roster/{batch.id}/commit", version=str(batch.version))
    sqlite_house.work()

    assert bearers(sqlite_house) == {"20269001": "王小涵", B: "李雨"}
    assert len(sqlite_house.log(act="students_renumbered")) == 1
