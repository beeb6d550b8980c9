"""Training in the real house: from interviews to an edition, the same each time, and without what may not be used."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app.risk.editions import life, training, training_job
from app.security.policy import Permission, Purpose
from config import catalogue
from ml import store
from models.base import new_id
from models.model_life import ModelTraining, TrainingStage
from models.moment import now, travel
from models.notice import Notice
from models.risk_model import DataUse, DataUseStage, RiskModel
from models.screening import ScreeningRound
from tests.house import Client, House
from tests.risk.gathering.known import AUTUMN, college, talked, wave
from tests.risk.times import again
from tests.screening.files import gad, line, phq

SMALL = {"least_labels": 30, "least_positives": 8, "full_labels": 40, "card_repeats": 1, "card_draws": 20}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty interviews are enough here: what is tested is the way, not the figures."""
    for name, value in SMALL.items():
        monkeypatch.setitem(catalogue.table("risk_model"), name, value)


def interviewed(house: House, folder: Path, count: int = 44) -> Client:
    """A round whose list was talked through: the higher, the more often there was need."""
    head, people = college(house, count)
    wave(house, folder, AUTUMN, *[line(one, phq(10 + at % 9), gad(at % 10)) for at, one in enumerate(people)])
    with travel(now() + timedelta(days=7)):
        for at, person in enumerate(people):
            talked(house, head, person, "A" if at % 9 + at % 10 + at * 13 % 17 > 15 else "C")
    return head


def _train(house: House, head: Client) -> Any:
    again(head).post("/models/train")
    house.work()
    with house.session() as session:
        return session.scalars(select(RiskModel).order_by(RiskModel.edition.desc())).first()


def test_interviews_become_an_edition_with_a_card_and_whoever_asked_is_told(house: House, tmp_path: Path) -> None:
    head = interviewed(house, tmp_path)
    with travel(now() + timedelta(days=21)):
        model = _train(house, head)

        assert model.labels == 44
        assert json.loads(model.card)["data"]["rows"] == 44
        assert {"phq9_total", "gad7_total"} <= set(json.loads(model.features))
        [row] = house.all(select(ModelTraining))
        assert (row[0].stage, row[0].model_id) == (TrainingStage.MADE, model.id)
        assert house.count(Notice, Notice.kind == "model_trained", Notice.recipient_id == head.id) == 1
        assert "第 1 版" in again(head).get("/models")
        assert again(head).get(f"/models/{model.id}").status == 200


def test_the_same_facts_give_the_same_edition(sqlite_house: House, tmp_path: Path) -> None:
    interviewed(sqlite_house, tmp_path)
    with travel(now() + timedelta(days=21)):
        once = training.prepare_training(sqlite_house.door, lambda _done, _total: None)
        twice = training.prepare_training(sqlite_house.door, lambda _done, _total: None)

    assert once.raw == twice.raw
    assert once.card == twice.card
    assert store.load(once.raw).labels == 44


def test_progress_only_grows_and_ends_at_the_whole(sqlite_house: House, tmp_path: Path) -> None:
    interviewed(sqlite_house, tmp_path)
    seen: list[int] = []
    with travel(now() + timedelta(days=21)):
        training.prepare_training(sqlite_house.door, lambda done, _total: seen.append(done))

    assert seen == sorted(seen)
    assert seen[-1] == 100


def test_while_it_is_watched_the_page_tells_in_counts_how_its_order_would_differ(
    sqlite_house: House, tmp_path: Path
) -> None:
    head = interviewed(sqlite_house, tmp_path)
    with travel(now() + timedelta(days=21)):
        model = _train(sqlite_house, head)
        before = again(head).get("/interviews").text
        with again(head).under(Permission.MODEL_MANAGE, Purpose.ADMINISTRATION) as access:
            found = access.find(RiskModel, model.id)
            life.start_shadow(access, found, round_id=access.session.scalars(select(ScreeningRound.id)).one())
        sqlite_house.work()

        order = json.loads(sqlite_house.again(model).watched)["order"]
        assert order["listed"] == 44
        assert [top for top, _ in order["tops"]] == [20]
        assert f"其中 {order['tops'][0][1]} 名会换成别人" in again(head).get("/models")
        assert again(head).get("/interviews").text == before


def _use(house: House, head: Client, stage: DataUseStage) -> None:
    """The register says so; how it comes to say so is told in ``test_data_use``."""
    with house.door.database.writing() as session:
        session.add(
            DataUse(
                id=new_id(),
                domain="registry",
                stage=stage,
                purpose="复学适应期",
                legal_basis="consent",
                assessment="评估 01 号",
                asked_by=head.id,
                asked_at=now(),
                since=now(),
            )
        )


def test_data_that_are_switched_off_are_learned_without_and_the_cost_is_shown(house: House, tmp_path: Path) -> None:
    head = interviewed(house, tmp_path)
    with travel(now() + timedelta(days=21)):
        _use(house, head, DataUseStage.IN_FORCE)
        first = _train(house, head)
        assert json.loads(first.without) == []
        _in_use(house, first)
        use = house.all(select(DataUse.id, DataUse.version))[0]

        again(head).post(f"/data-use/{use.id}/off", reason="评估到期，先停用", because="评估到期，先停用", version="1")
        waiting = again(head).get("/models")
        house.work()
        page = again(head).get("/models")

    second = house.all(select(RiskModel).order_by(RiskModel.edition.desc()))[0][0]
    assert "不再使用它重新训练" in waiting
    assert "当作“不知道”，不加也不减" in waiting
    assert second.edition == 2
    assert json.loads(second.without) == ["registry"]
    assert not {"returned_recently", "internship"} & set(json.loads(second.features))
    assert "不再使用这些数据的代价" in page


def _in_use(house: House, model: RiskModel) -> None:
    """By hand: how it comes into use is told in ``test_life``."""
    with house.door.database.writing() as session:
        session.execute(
            update(RiskModel)
            .where(RiskModel.id == model.id)
            .values(stage="active", active_since=now(), owner_id=None, due_at=None)
        )


def test_what_changes_in_the_register_during_a_training_is_not_kept(house: House, tmp_path: Path) -> None:
    head = interviewed(house, tmp_path)
    with travel(now() + timedelta(days=21)):
        trained = training.prepare_training(house.door, lambda _done, _total: None)
        again(head).post("/models/train")
        _use(house, head, DataUseStage.IN_FORCE)
        [[asked]] = house.all(select(ModelTraining.id))
        with house.console(*training.RIGHTS) as access:
            from_job(access, asked, trained)

    assert house.count(RiskModel) == 0
    said = [row.said for row in house.all(select(ModelTraining.said)) if row.said]
    assert "数据使用登记有变化" in said[0]


def from_job(access: Any, training_id: Any, trained: Any) -> None:
    """The short part of the job, with what was prepared before the register changed."""
    training_job.run(access, training_id=training_id, prepared=trained)
