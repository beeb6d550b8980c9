"""The rounds of one student on his file: scores and changes for the centre, participation for everybody else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, update

from app.screening import sheet_words
from app.security.policy import Permission, Purpose
from models.identity import ClassGroup, Role
from models.moment import now, travel
from models.participation import AbsenceKind, RoundAbsence
from models.screening import ResponseSet, ScreeningRound, SheetStatus, SheetValidity
from tests.house import Client, House
from tests.screening.files import Person, bring_in, enrol, gad, line, phq, written

AUTUMN, WINTER, SPRING = "2026 秋季", "2026 冬季", "2027 春季"


@pytest.fixture
def head(sqlite_house: House) -> Client:
    return sqlite_house.make.head()


@pytest.fixture
def person(sqlite_house: House, head: Client) -> Person:
    return enrol(sqlite_house, 1)[0]


def answer(house: House, folder: Path, person: Person, name: str, total: int, later: int) -> None:
    """One round in which this student answered PHQ-9 with ``total``; rounds lie days apart."""
    with travel(now() + timedelta(days=later)):
        bring_in(house, written(folder, line(person, phq(total), gad(3)), name=f"{later}.csv"), round_name=name)


def open_round(house: House, name: str, later: int, **more: Any) -> ScreeningRound:
    with travel(now() + timedelta(days=later)):
        row = house.make.round(name)
    if more:
        with house.door.database.writing() as session:
            session.execute(update(ScreeningRound).where(ScreeningRound.id == row.id).values(**more))
    return row


def test_every_round_of_a_scale_is_one_row_with_the_change_as_a_hint(
    sqlite_house: House, head: Client, person: Person, tmp_path: Path
) -> None:
    answer(sqlite_house, tmp_path, person, AUTUMN, 4, 0)
    answer(sqlite_house, tmp_path, person, SPRING, 14, 1)

    page = head.get(f"/students/{person.row.id}")

    assert "测评变化" in page
    assert page.html.count('role="img"') == 2
    assert "与上一次相比，提示：" in page
    assert AUTUMN in page
    assert SPRING in page
    assert "不是诊断" in page


def test_a_missing_round_is_shown_as_missing_and_declining_as_declining(
    sqlite_house: House, head: Client, person: Person, tmp_path: Path
) -> None:
    answer(sqlite_house, tmp_path, person, AUTUMN, 4, 0)
    open_round(sqlite_house, WINTER, 1)
    declined = open_round(sqlite_house, SPRING, 2)
    with sqlite_house.console(Permission.SCREENING_IMPORT, Purpose.CARE) as access:
        access.session.add(
            RoundAbsence(round_id=declined.id, student_id=person.row.id, kind=AbsenceKind.DECLINED, recorded_at=now())
        )

    page = head.get(f"/students/{person.row.id}")

    assert page.text.count("未参加/无结果") >= 2
    assert "本人选择不参加" in page


@pytest.mark.parametrize(
    "more",
    [
        {"cohort": '{"colleges": ["00000000000000000000000000000001"]}'},
        {"cohort": '{"grades": ["1999"]}'},
        {"scales": '["sds"]'},
    ],
    ids=["another college", "another grade", "other scales"],
)
def test_a_round_that_was_not_his_or_not_of_this_scale_is_not_missing(
    sqlite_house: House, head: Client, person: Person, tmp_path: Path, more: dict[str, str]
) -> None:
    answer(sqlite_house, tmp_path, person, AUTUMN, 4, 0)
    open_round(sqlite_house, WINTER, 1, **more)

    assert WINTER not in head.get(f"/students/{person.row.id}")


def test_a_doubtful_result_says_so_and_is_compared_with_nothing(
    sqlite_house: House, head: Client, person: Person, tmp_path: Path
) -> None:
    answer(sqlite_house, tmp_path, person, AUTUMN, 4, 0)
    answer(sqlite_house, tmp_path, person, SPRING, 14, 1)
    latest = select(ScreeningRound.id).where(ScreeningRound.name == SPRING).scalar_subquery()
    with sqlite_house.door.database.writing() as session:
        session.execute(
            update(ResponseSet).where(ResponseSet.round_id == latest).values(validity=SheetValidity.DOUBTFUL)
        )

    page = head.get(f"/students/{person.row.id}")

    assert "作答质量存疑，建议重测" in page
    assert "提示：无法判断（作答质量存疑）" in page
    assert "chart-doubt" in page.html


@pytest.mark.parametrize("role", [Role.ADVISOR, Role.COLLEGE_LEAD])
def test_outside_the_centre_only_that_somebody_took_part_is_known(
    sqlite_house: House, person: Person, tmp_path: Path, role: Role
) -> None:
    group = sqlite_house.again(person.row).class_id
    answer(sqlite_house, tmp_path, person, AUTUMN, 14, 0)
    make = sqlite_house.make
    reader = make.person(role, classes=[_group(sqlite_house, group)]) if role is Role.ADVISOR else make.person(role)

    page = reader.get(f"/students/{person.row.id}")

    assert "参加测评" in page.html or AUTUMN in page
    for never in ("总分", "测评变化", "筛查提示", "chart", "存疑"):
        assert never not in page.html.split("</head>")[1]


def _group(house: House, group_id: Any) -> Any:
    return house.all(select(ClassGroup).where(ClassGroup.id == group_id))[0][0]


def row(scale: str, version: str = "2026.11", **more: Any) -> Any:
    """A sheet as a query gives it."""
    held = {"status": SheetStatus.SCORED, "validity": SheetValidity.UNCHECKED} | more
    return SimpleNamespace(scale=scale, scale_version=version, **held)


def test_a_total_that_the_source_gave_is_called_the_sources() -> None:
    held = {"answers": None, "total": 12, "band": "moderate", "label": "中度"}

    assert sheet_words.result_lines(row("phq9", status=SheetStatus.STATED), held) == (
        "来源给出总分 12，筛查提示：中度",
    )


def test_a_sheet_of_an_older_version_is_read_without_its_scales_file() -> None:
    held = {"answers": None, "total": 53, "band": "mild", "label": "轻度", "subscales": {"mood": 1.5}}

    lines = sheet_words.result_lines(row("gone", "2019.1"), held)

    assert lines == ("总分 53，筛查提示：轻度", "mood 1.5")
    assert sheet_words.title_of("gone") == "gone"


def test_an_older_version_of_a_scale_that_is_still_there_says_so() -> None:
    held = {"answers": [0] * 8 + [2], "total": 2, "band": "minimal"}

    [words] = sheet_words.result_lines(row("phq9", "2019.1"), held)

    assert words == "总分 2，筛查提示：无或极轻（2019.1 版量表）；关键题提示：第 9 题 2 分"


def test_what_a_source_only_stated_is_called_so() -> None:
    held = {"answers": None, "total": None, "band": None, "stated": {"等级": "二级"}}

    assert sheet_words.result_lines(row("phq9"), held) == ("来源给出：等级 二级",)


def test_doubt_is_said_with_its_reasons_beside_the_critical_answer() -> None:
    held = {"answers": [0] * 8 + [3], "total": 3, "band": "minimal", "doubtful": ["too_fast"]}

    result, doubt = sheet_words.result_lines(row("phq9", validity=SheetValidity.DOUBTFUL), held)

    assert "关键题提示：第 9 题 3 分" in result
    assert doubt == "作答质量存疑，建议重测：作答过快"
