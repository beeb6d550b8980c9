"""Neutral groups: they come with the roster, no empty cell erases them, and they say nothing about a mind."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.security.policy import Permission
from app.students import tags
from config import catalogue
from models.student import Student, StudentTag
from tests.house import House
from tests.students.people import HEADER, LI, WANG, codes

TAGGED = [*HEADER, "标签"]
NEVER = re.compile(
    "抑郁|焦虑|心理|精神|自杀|自伤|危机|预警|关注|重点|高危|诊断|服药|残疾|病|"
    "同性|性取向|信教|宗教|民族|党|政治|怀孕|单亲|离异|孤儿|留守|贫困|困难|贷款"
)
"""Words of a person's mind and health, and of what practice §3 never offers."""


def held(house: House) -> dict[str, set[str]]:
    """Tag → names of those who bear it today, by the condition a cohort uses."""
    found: dict[str, set[str]] = {}
    with house.make.head().under(Permission.SCREENING_IMPORT) as access:
        for tag in tags.all_tags():
            rows = access.session.execute(
                select(Student.id.label("student_id"), Student.name).where(tags.students_tagged(tag))
            ).all()
            if rows:
                found[tag] = set(access.open_each(rows, Student.name))
    return found


@pytest.mark.parametrize(
    "cell", ["新生、五年制", "新生/五年一贯制", "五年制；新生", " 新生 , 五年制 ", "五年制|新生\n新生"]
)
def test_a_cell_may_give_several_tags_in_their_usual_words(sqlite_house: House, cell: str) -> None:
    receipt = sqlite_house.make.roster(TAGGED, [[*WANG, cell], [*LI, ""]])

    assert receipt["tagged"] == 2
    assert codes(receipt) == []
    assert held(sqlite_house) == {"freshman": {"王小涵"}, "five_year": {"王小涵"}}


def test_an_empty_cell_and_a_roster_without_the_column_erase_nothing(house: House) -> None:
    house.make.roster(TAGGED, [[*WANG, "新生"]])

    for header, row in ((TAGGED, [*WANG, ""]), (HEADER, WANG), (TAGGED, [*WANG, "新生"])):
        assert house.make.roster(header, [row])["unchanged"] == 1

    assert held(house) == {"freshman": {"王小涵"}}
    assert house.count(StudentTag) == 1


def test_a_tag_ends_when_the_cell_says_so_and_is_kept_from_to(house: House) -> None:
    house.make.roster(TAGGED, [[*WANG, "新生"], [*LI, "新生"]])

    receipt = house.make.roster(TAGGED, [[*WANG, "-新生、毕业班"]])

    assert (receipt["changed"], receipt["tagged"]) == (1, 2)
    assert held(house) == {"freshman": {"李雨"}, "graduating": {"王小涵"}}
    assert house.count(StudentTag, StudentTag.until.is_not(None)) == 1


def test_an_unknown_tag_is_told_without_being_repeated_and_the_rest_of_the_row_goes_in(sqlite_house: House) -> None:
    receipt = sqlite_house.make.roster(TAGGED, [[*WANG, "新生、抑郁倾向"]])

    assert codes(receipt) == [(2, "tag_unknown")]
    assert receipt["problems"][0]["column"] == "标签"
    assert "抑郁" not in str(receipt["problems"])
    assert (receipt["new"], receipt["tagged"]) == (1, 1)


def test_no_tag_says_anything_about_mind_health_belief_origin_family_or_money() -> None:
    words = [word for tag in catalogue.table("tags").values() for word in (tag["label"], *tag["words"])]

    assert [word for word in words if NEVER.search(word)] == []
