"""未导入的行: a workbook that says why and where, opens nothing, names its reader, and comes back mended."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from app.screening.corrections import rejected_book
from app.security.actor import WORKER
from app.security.policy import Permission, Purpose
from models.intake import BatchStage
from models.moment import now, travel
from tests.house import Client, House
from tests.screening.corrections import last_delivery
from tests.screening.files import COLUMNS, bring_in, enrol, fates, gad, line, phq, written


@pytest.fixture
def brought(sqlite_house: House, tmp_path: Path) -> tuple[House, Client, list[Any]]:
    """A file with one good row and two that did not go in, one of them with a formula for a name."""
    head, _, _ = sqlite_house.make.team()
    good, late = enrol(sqlite_house, 2)
    file = written(
        tmp_path,
        line(good),
        ["404", "=HYPERLINK(1)", *phq(4), *gad(0)],
        [f"{late.number}9", late.name, *phq(5), *gad(2)],
    )
    bring_in(sqlite_house, file)
    return sqlite_house, head, [good, late]


def book_of(person: Client) -> Any:
    """The workbook as it is fetched, opened."""
    page = person.get(f"/imports/{last_delivery(person.house).id}/rejected.xlsx")
    assert page.status == 200
    return load_workbook(BytesIO(page.response.get_data()))


def test_each_row_stands_under_the_files_own_headers_with_reason_and_number(brought: Any) -> None:
    _, head, _ = brought

    [page] = book_of(head).worksheets

    rows = list(page.iter_rows(values_only=True))
    assert rows[0][0].startswith("内部资料 · 含学生信息，请勿外传 · ")
    assert head.staff.name in rows[0][0]
    assert rows[1] == ("错误原因", "行号", *COLUMNS)
    assert [row[1] for row in rows[2:]] == ["3", "4"]
    assert all(row[0] for row in rows[2:])
    assert rows[2][2:4] == ("404", "=HYPERLINK(1)")


def test_no_cell_is_a_formula(brought: Any) -> None:
    _, head, _ = brought

    [page] = book_of(head).worksheets

    assert {cell.data_type for row in page.iter_rows() for cell in row} <= {"s", "n"}
    assert page["D3"].data_type == "s"


def test_mended_it_is_brought_in_and_the_two_columns_are_not_in_the_way(brought: Any, tmp_path: Path) -> None:
    house, head, (_, late) = brought
    book = book_of(head)
    [page] = book.worksheets
    page.delete_rows(3)
    page["C3"] = late.number
    book.save(tmp_path / "mended.xlsx")

    receipt = bring_in(house, tmp_path / "mended.xlsx")

    assert fates(receipt) == (1, 1, 0, 0, 0)
    assert receipt["scored"] == {"gad7": 1, "phq9": 1}


def test_fetching_it_is_one_entry_in_the_log(brought: Any) -> None:
    house, head, _ = brought
    head.get("/help")
    before = len(house.log())

    book_of(head)

    assert len(house.log()) == before + 1


def test_it_is_the_centres_alone(brought: Any) -> None:
    house, _, _ = brought
    advisor = house.make.advisor()

    assert advisor.get(f"/imports/{last_delivery(house).id}/rejected.xlsx").status in {403, 404}


def test_after_some_weeks_nobody_mends_it_any_more(brought: Any) -> None:
    house, head, _ = brought

    with (
        travel(now() + timedelta(days=89)),
        house.door.enter(WORKER, Permission.MAINTENANCE, Purpose.ADMINISTRATION) as access,
    ):
        rejected_book.clear_away(access)
    assert book_of(head)
    with (
        travel(now() + timedelta(days=91)),
        house.door.enter(WORKER, Permission.MAINTENANCE, Purpose.ADMINISTRATION) as access,
    ):
        rejected_book.clear_away(access)

    page = head.get(f"/imports/{last_delivery(house).id}/rejected.xlsx")
    assert "保存期已过" in page.text
    assert last_delivery(house).stage is BatchStage.COMMITTED


def test_sheets_have_names_that_a_workbook_takes() -> None:
    table = {"header": ["学号"], "rows": [["原因", "2", "1"]]}
    held = {
        "tables": [
            {**table, "file": "软件[2301]/甲.xlsx"},
            {**table, "file": "软件 2301  甲.xlsx"},
            {**table, "file": ""},
        ],
        "total": 3,
    }

    names = load_workbook(BytesIO(rejected_book.written(held, "周老师"))).sheetnames

    assert len({name.lower() for name in names}) == 3
    assert all(len(name) <= 31 and not set(name) & set("[]/\\*?:") for name in names)
