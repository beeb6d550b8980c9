"""动态跟踪 after corrections, objections and damage: what no longer holds is shown as such, and hides nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from app.security.policy import Permission
from models.base import new_id
from models.moment import now
from models.risk_model import ModelObjection, ObjectionStage, RiskScore
from models.sealed import Sealed
from tests.house import House
from tests.risk.people import Staffed
from tests.risk.scores.followed import answered, trend
from tests.risk.scores.trained import score_round, scores, shelve, the_round
from tests.screening.files import Person, enrol
from tests.screening.test_reattribution import give


def test_what_was_corrected_is_void_and_nothing_is_compared_with_it(
    house: House, held: Staffed, person: Person, tmp_path: Path
) -> None:
    shelve(house)
    answered(house, tmp_path, person, 18, anxious=18)
    answered(house, tmp_path, person, 0, days=1)

    newest, oldest = trend(house, held, person).lines

    assert (oldest.void, newest.void) == (True, False)
    assert newest.changed == "数据更正后重新提示"
    page = held.psychologist.get(f"/students/{person.row.id}")
    assert "建议优先面谈" not in page.html.split("<table", 1)[1].split("</table>", 1)[0]


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
