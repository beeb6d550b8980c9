"""动态跟踪: what the model said over time, in words, for the centre only; never a number, never as a verdict."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from app.risk.model.said import Band
from app.risk.model.trend import Trend, trend_of
from app.security.policy import Permission
from models.base import new_id
from models.identity import Role
from models.moment import now, travel
from models.risk_model import ModelObjection, ModelStage, ObjectionStage, RiskModel, RiskScore
from models.sealed import Sealed
from models.student import Student
from tests.house import House
from tests.risk.model.trained import model_of, score_round, scores, shelve, the_round
from tests.risk.people import Staffed, staffed
from tests.screening.files import Person, bring_in, enrol, gad, line, phq, written
from tests.screening.test_reattribution import give

TITLE = "动态跟踪"


@pytest.fixture
def held(house: House) -> Staffed:
    return staffed(house)


@pytest.fixture
def person(house: House, held: Staffed) -> Person:
    return enrol(house, 1, held.group)[0]


def answered(house: House, folder: Path, person: Person, total: int, *, days: int = 0, anxious: int = 0) -> None:
    """The student has this PHQ-9 total, and the round is scored, so many days from now."""
    with travel(now() + timedelta(days=days)):
        file = written(folder, line(person, phq(total), gad(anxious)), name=f"{days}.csv")
        bring_in(house, file, replace=bool(days))
        score_round(house, the_round(house))


def trend(house: House, by: Staffed, person: Person) -> Trend:
    with by.psychologist.under(Permission.RISK_READ, writing=False) as access:
        return trend_of(access, access.find(Student, person.row.id))


def test_band_and_reasons_stand_on_the_file_in_words(
    house: House, held: Staffed, person: Person, tmp_path: Path
) -> None:
    shelve(house)
    answered(house, tmp_path, person, 18, anxious=12)

    page = held.psychologist.get(f"/students/{person.row.id}")

    assert TITLE in page
    assert "模型提示（供参考）" in page
    assert "建议优先面谈" in page
    assert "↑ PHQ-9 总分较高" in page
    assert "不是诊断" in page
    assert "首次提示" in page


def test_never_a_number_of_risk_on_the_file(house: House, held: Staffed, person: Person, tmp_path: Path) -> None:
    shelve(house)
    answered(house, tmp_path, person, 18)
    answered(house, tmp_path, person, 2, days=1)

    html = held.psychologist.get(f"/students/{person.row.id}").html

    card = html[html.index(f"<h2>{TITLE}") : html.index("不是诊断")]
    assert "<svg" in card
    shown = re.sub(r"<(?!text)[^>]*>", " ", card)
    assert not re.search(r"\d\.\d|%", re.sub(r"<[^>]*>", " ", shown))
    assert "chart-value" not in card


def test_what_changed_is_said_and_what_did_not_makes_no_line(
    house: House, held: Staffed, person: Person, tmp_path: Path
) -> None:
    shelve(house)
    answered(house, tmp_path, person, 0)
    answered(house, tmp_path, person, 18, days=1, anxious=18)

    first, second = trend(house, held, person).lines

    assert "改用" not in first.changed
    assert second.changed == "首次提示"
    assert second.void


def test_a_line_stands_for_as_long_as_nothing_changes(
    house: House, held: Staffed, person: Person, tmp_path: Path
) -> None:
    shelve(house)
    answered(house, tmp_path, person, 18)
    with house.door.database.writing() as session:
        session.execute(update(RiskScore).values(inputs=bytes(32)))
    score_round(house, the_round(house))

    assert len(scores(house)) == 2
    [only] = trend(house, held, person).lines
    assert (only.changed, only.ended) == ("首次提示", False)


def test_another_edition_is_named(house: House, held: Staffed, person: Person, tmp_path: Path) -> None:
    shelve(house)
    answered(house, tmp_path, person, 18)
    with house.door.database.writing() as session:
        session.execute(update(RiskModel).values(stage=ModelStage.RETIRED))
    shelve(house, model_of(8))
    score_round(house, the_round(house))

    newest, _ = trend(house, held, person).lines

    assert newest.edition == 2
    assert "改用第 2 版模型" in newest.changed


def test_outside_the_centre_nobody_learns_that_there_is_such_a_thing(
    house: House, held: Staffed, person: Person, tmp_path: Path
) -> None:
    shelve(house)
    answered(house, tmp_path, person, 18)

    for role in (held.advisor, held.lead, held.affairs, house.make.person(Role.CLASS_TEACHER, classes=[held.group])):
        page = role.get(f"/students/{person.row.id}")
        assert TITLE not in page
        assert "模型" not in page
    assert TITLE in held.head.get(f"/students/{person.row.id}")


def test_the_file_of_an_advisor_is_the_same_before_and_after_scoring(
    house: House, held: Staffed, person: Person, tmp_path: Path
) -> None:
    bring_in(house, written(tmp_path, line(person, phq(8))))
    before = held.advisor.get(f"/students/{person.row.id}")
    shelve(house)

    score_round(house, the_round(house))

    again = held.advisor.get(f"/students/{person.row.id}")
    assert before.status == again.status
    assert before.settled == again.settled


def test_what_a_shadow_said_is_not_shown(house: House, held: Staffed, person: Person, tmp_path: Path) -> None:
    shelve(house, stage=ModelStage.SHADOW)
    answered(house, tmp_path, person, 18)

    page = held.psychologist.get(f"/students/{person.row.id}")

    assert "目前没有使用中的模型" in page
    assert trend(house, held, person).lines == ()


def test_a_student_nothing_was_said_of_is_not_called_calm(house: House, held: Staffed, person: Person) -> None:
    shelve(house)

    page = held.psychologist.get(f"/students/{person.row.id}")

    assert "没有提示不代表没有困扰" in page


def test_a_student_the_model_does_not_know_is_unknown_and_not_low(
    house: House, held: Staffed, person: Person, tmp_path: Path
) -> None:
    shelve(house)
    bring_in(house, written(tmp_path, line(person, ["", *[1] * 8], ["", *[1] * 6])))
    score_round(house, the_round(house))

    page = held.psychologist.get(f"/students/{person.row.id}")

    [only] = trend(house, held, person).lines
    assert (only.band, only.raising, only.easing) == (Band.UNKNOWN, (), ())
    assert "信息不足，请人工判断" in page
    assert "缺少本次测评的主要结果" in page
    assert "按常规安排" not in page


def test_words_that_rested_on_another_persons_answers_are_void(
    house: House, held: Staffed, person: Person, tmp_path: Path
) -> None:
    shelve(house)
    answered(house, tmp_path, person, 18)
    [right] = enrol(house, 1, held.group)
    give(held.psychologist, person, right)
    score_round(house, the_round(house))

    page = held.psychologist.get(f"/students/{person.row.id}")

    [line_] = trend(house, held, person).lines
    assert (line_.void, line_.ended) == (True, True)
    assert "所依据的测评结果后来已更正" in page
    assert "↑" not in page.text.split("↑ 表示")[0]
    assert [found.void for found in trend(house, held, right).lines] == [False]


@pytest.mark.parametrize(
    ("stage", "words"),
    [(ObjectionStage.UPHELD, "模型不再对其给出提示"), (ObjectionStage.OPEN, "正在人工复核")],
)
def test_an_objection_is_said_on_top(
    house: House, held: Staffed, person: Person, tmp_path: Path, stage: ObjectionStage, words: str
) -> None:
    shelve(house)
    answered(house, tmp_path, person, 18)
    with held.psychologist.under(Permission.OBJECTION_WORK) as access:
        row = ModelObjection(
            id=new_id(),
            student_id=person.row.id,
            stage=stage,
            owner_id=held.head.id,
            due_at=now() + timedelta(days=15),
            raised_at=now(),
            raised_by=held.head.id,
        )
        access.seal(row, ModelObjection.body, "不希望由模型判断")
        access.session.add(row)

    assert words in held.psychologist.get(f"/students/{person.row.id}")


def test_the_level_of_that_time_stands_beside_the_hint(
    house: House, held: Staffed, person: Person, tmp_path: Path
) -> None:
    shelve(house)
    answered(house, tmp_path, person, 8)
    with travel(now() + timedelta(days=1)):
        house.make.alert(person.row)
    answered(house, tmp_path, person, 19, days=2, anxious=18)

    newest, oldest = trend(house, held, person).lines

    assert oldest.level is None
    assert newest.level is not None


def test_a_damaged_score_hides_no_other(house: House, held: Staffed, person: Person, tmp_path: Path) -> None:
    shelve(house)
    answered(house, tmp_path, person, 0)
    answered(house, tmp_path, person, 18, days=1)
    first = scores(house)[0]
    with house.session() as session:
        raw = bytearray(session.query(RiskScore.body).filter(RiskScore.id == first.id).scalar().ciphertext)
    raw[-1] ^= 1
    with house.door.database.writing() as session:
        session.execute(update(RiskScore).where(RiskScore.id == first.id).values(body=Sealed(bytes(raw))))

    assert len(trend(house, held, person).lines) == 1
    assert held.psychologist.get(f"/students/{person.row.id}").status == 200


def test_reading_it_is_in_the_log_with_what_was_opened(
    house: House, held: Staffed, person: Person, tmp_path: Path
) -> None:
    shelve(house)
    answered(house, tmp_path, person, 18)

    held.psychologist.get(f"/students/{person.row.id}")

    [read] = house.log(act="risk_read")
    assert read["subjects"] == [person.row.id.hex]
    assert read["fields"] == ["risk_score.body"]
