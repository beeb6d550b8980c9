"""The life of an edition: watched before it is signed, signed by two before it is used, taken back in one act."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.risk.editions import life
from app.risk.scores import shelf
from models.model_life import ModelMove
from models.moment import now, travel
from models.notice import Notice
from models.refusal import Refusal
from models.risk_model import ModelStage, RiskModel
from models.sealed import Sealed
from tests.house import House
from tests.risk.editions.editions import MANAGE, Models, card, measured_card, models_of, trained


@pytest.fixture
def models(house: House) -> Models:
    return models_of(house)


def test_an_edition_is_watched_signed_by_a_second_person_and_used(models: Models) -> None:
    first = models.keep()

    models.use(first)

    assert models.active() == [first]
    assert [move.cause for move in _life(models, first)] == ["trained", "shadow", "asked", "signed", "activated"]
    acts = {row["act"] for row in models.house.log(object=first.hex)}
    assert acts >= {"risk_model_trained", "shadow_started", "model_use_asked", "model_use_approved", "model_activated"}
    assert models.house.proof().holds


def _life(models: Models, model_id: UUID) -> list[ModelMove]:
    rows = models.house.all(
        select(ModelMove).where(ModelMove.model_id == model_id).order_by(ModelMove.at, ModelMove.id)
    )
    return [row[0] for row in rows]


def test_the_digest_of_the_file_stands_in_the_log(models: Models) -> None:
    first = models.keep()

    [entry] = models.house.log(act="risk_model_trained")

    assert entry["digest"] == models.model(first).sha256.hex()


def test_no_edition_skips_its_shadow_round(models: Models) -> None:
    first = models.keep()

    with pytest.raises(Refusal):
        models.ask(first)
    with pytest.raises(Refusal):
        models.activate(first)

    assert models.model(first).stage is ModelStage.TRAINED


def test_a_signature_is_asked_for_only_after_the_days_and_after_scores(models: Models) -> None:
    first = models.keep()
    models.shadow(first)

    with pytest.raises(Refusal, match="至少试运行"):
        models.ask(first)
    with models.later() as then, pytest.raises(Refusal, match="还没有在试运行的批次上给出过提示"):
        then.ask(first)


def test_who_asked_cannot_sign(house: House) -> None:
    models = models_of(house)
    first = models.keep()
    models.shadow(first)
    models.score(first)
    with models.later() as later:
        later.ask(first)

        page = later.decide(first, person=later.head)

        assert page.status == 404
        with pytest.raises(Refusal):
            later.activate(first)


def test_declined_it_goes_on_being_watched(models: Models) -> None:
    first = models.keep()
    models.shadow(first)
    models.score(first)
    with models.later() as later:
        later.ask(first)
        later.decide(first, approve=False)

        assert models.model(first).stage is ModelStage.SHADOW
        assert _life(models, first)[-1].cause == "declined"
        later.ask(first)


def test_at_most_one_is_watched_at_a_time(models: Models) -> None:
    first, second = models.keep(1), models.keep(2)
    models.shadow(first)

    with pytest.raises(Refusal, match="一次只试运行一版"):
        models.shadow(second)


def test_figures_too_good_to_be_true_are_not_watched(models: Models) -> None:
    first = models.keep(leak=True)

    with pytest.raises(Refusal, match="泄漏"):
        models.shadow(first)


def test_a_new_edition_replaces_the_one_in_use_and_one_act_takes_it_back(models: Models) -> None:
    first, second = models.keep(1), models.keep(2)
    models.use(first)
    models.use(second)
    assert models.active() == [second]
    assert models.model(first).retired_because == "replaced"

    with models.later(30) as later:
        later.roll_back(first)

    assert models.active() == [first]
    assert models.model(second).retired_because == "rolled_back"
    assert _life(models, first)[-1].reason == "新版把名单排乱了"


def test_an_edition_that_was_never_used_is_not_brought_back(models: Models) -> None:
    first = models.keep()
    models.retire(first)

    with pytest.raises(Refusal, match="以前使用过"):
        models.roll_back(first)


def test_retired_the_rules_go_on_and_the_reason_is_kept(models: Models) -> None:
    first = models.keep()
    models.use(first)

    with models.later(30) as later:
        later.retire(first, "约谈口径变了")

    assert models.active() == []
    assert _life(models, first)[-1].reason == "约谈口径变了"


def test_retiring_withdraws_the_request_that_waits(models: Models) -> None:
    first = models.keep()
    models.shadow(first)
    models.score(first)
    with models.later() as later:
        later.ask(first)
        later.retire(first)

    assert models.waiting(first) is None


@pytest.mark.parametrize("harm", ["cut", "flipped", "exchanged", "rehashed"])
def test_a_file_that_was_tampered_with_never_becomes_active(models: Models, harm: str) -> None:
    first, second = models.keep(1), models.keep(2)
    models.use(first)
    models.use(second)
    spoil(models, first, second, harm)

    with pytest.raises(Refusal, match="不能使用"):
        models.roll_back(first)

    assert models.active() == [second]
    with models.head.under(*MANAGE) as access:
        assert shelf.one(access, first).trouble in {"tampered", "unreadable"}


def spoil(models: Models, model_id: UUID, other: UUID, harm: str) -> None:
    """What somebody at the database could do to a file."""
    files = {
        row.id: row for row in models.house.all(select(RiskModel.id, RiskModel.file, RiskModel.sha256.label("sha256")))
    }
    beside, raw = files[other], files[model_id].file.ciphertext
    changed = {
        "cut": {"file": Sealed(raw[:-40])},
        "flipped": {"file": Sealed(raw[:200] + bytes([raw[200] ^ 1]) + raw[201:])},
        "exchanged": {"file": beside.file, "sha256": beside.sha256},
        "rehashed": {"sha256": beside.sha256},
    }[harm]
    with models.house.door.database.writing() as session:
        session.execute(update(RiskModel).where(RiskModel.id == model_id).values(**changed))


def test_a_late_step_is_told_once_to_whoever_owes_it(models: Models) -> None:
    models.keep()
    with travel(now() + timedelta(days=20)):
        models.house.work()
        models.house.work()

    rows = models.house.all(select(Notice.recipient_id).where(Notice.kind == "model_step_overdue"))
    assert [row.recipient_id for row in rows] == [models.head.id]


def test_somebody_else_takes_over_the_next_step(models: Models) -> None:
    first, other = models.keep(), models.house.make.head()

    with models.acting(first, other) as (access, model):
        life.take(access, model)

    assert models.model(first).owner_id == other.id


def test_the_same_facts_give_the_same_file() -> None:
    once = trained(3).raw
    trained.cache_clear()

    assert trained(3).raw == once


def test_the_card_that_tests_stand_on_is_what_measuring_gives() -> None:
    now_measured = json.loads(json.dumps(measured_card()))

    assert _keys(now_measured) == _keys(card())
    assert now_measured["data"] == card()["data"]
    assert not now_measured["leak"]
    assert now_measured["shuffled"]["shows_nothing"]


def _keys(held: Any) -> Any:
    """The shape of a card, without its numbers."""
    if isinstance(held, dict):
        return {name: _keys(value) for name, value in held.items() if name not in {"baselines", "versions"}}
    return [_keys(held[0])] if isinstance(held, list) and held and isinstance(held[0], dict) else None


def test_the_second_name_must_be_another_one(models: Models) -> None:
    """Even if somebody wrote a signature of one person into the database, the file does not come into use."""
    first = models.keep()
    models.use(first)
    models.retire(first)
    model = models.model(first)
    with models.house.door.database.writing() as session:
        session.execute(
            update(life.Approval).where(life.Approval.id == model.approval_id).values(decided_by=models.head.id)
        )

    with pytest.raises(Refusal, match="两位老师"):
        models.roll_back(first)
