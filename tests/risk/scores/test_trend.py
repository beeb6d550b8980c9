"""动态跟踪: what the model said over time, in words, for the centre only; never a number, never as a verdict."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from sqlalchemy import update

from app.risk.scores.said import Band
from app.web.words import label
from models.identity import Role
from models.moment import now, travel
from models.risk_model import ModelStage, RiskModel, RiskScore
from tests.house import House
from tests.risk.people import Staffed
from tests.risk.scores.followed import answered, trend
from tests.risk.scores.trained import model_of, score_round, scores, shelve, the_round
from tests.screening.files import Person, bring_in, gad, line, phq, written

TITLE = "动态跟踪"


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


def test_what_changed_is_said_from_round_to_round(house: House, held: Staffed, person: Person, tmp_path: Path) -> None:
    shelve(house)
    answered(house, tmp_path, person, 0)
    with travel(now() + timedelta(days=150)):
        file = written(tmp_path, line(person, phq(18), gad(18)), name="spring.csv")
        bring_in(house, file, round_name="春季普查")
        score_round(house, the_round(house, "春季普查"))

    newest, oldest = trend(house, held, person).lines

    assert oldest.changed == "首次提示"
    assert "新的批次" in newest.changed
    assert "由“按常规安排”变为“建议优先面谈”" in newest.changed
    assert "新出现：PHQ-9 总分较高" in newest.changed
    assert not newest.void
    assert not oldest.void


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
        assert not any(label(band) in page for band in Band)
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


def test_reading_it_is_in_the_log_with_what_was_opened(
    house: House, held: Staffed, person: Person, tmp_path: Path
) -> None:
    shelve(house)
    answered(house, tmp_path, person, 18)

    held.psychologist.get(f"/students/{person.row.id}")

    [read] = house.log(act="risk_read")
    assert read["subjects"] == [person.row.id.hex]
    assert read["fields"] == ["risk_score.body"]
