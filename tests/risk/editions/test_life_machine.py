"""Any order of steps by any people: at most one in use, never without two names, never unseen, never tampered with."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select, update

from models.approval import Approval, ApprovalStage
from models.model_life import ModelMove
from models.moment import now, travel
from models.refusal import Refusal
from models.risk_model import ModelStage, RiskModel
from tests.house import Client, House
from tests.risk.editions.editions import Models, models_of

EDITIONS = st.integers(0, 5)
MOST = 6


def _machine(house: House, reached: set[UUID]) -> type[RuleBasedStateMachine]:
    """A machine over one house; each run begins with the editions that came before already retired.

    ``reached``: which editions came into use at all.
    """

    class Life(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.models = _cleared(models_of(house))
            self.ids: list[UUID] = []
            self.spoiled: set[UUID] = set()
            self.days = 0

        def attempt(self, step: str, place: int, **more: Any) -> None:
            """Take a step as it is taken on the page; whether it is allowed is not the machine's to say."""
            if not self.ids:
                return
            model_id = self.ids[place % len(self.ids)]
            with travel(now() + timedelta(days=self.days)):
                people = {name: _anew(getattr(self.models, name)) for name in ("head", "psychologist", "affairs")}
                then = Models(**{**self.models.__dict__, **people})
                try:
                    getattr(then, step)(model_id, **more)
                except Refusal:
                    return

        @precondition(lambda self: len(self.ids) < MOST)
        @rule(leak=st.booleans())
        def train(self, leak: bool) -> None:
            self.ids.append(self.models.keep(1 + len(self.ids) % 2, leak=leak and len(self.ids) % 3 == 2))

        @rule(place=EDITIONS)
        def watch(self, place: int) -> None:
            self.attempt("shadow", place)

        @rule(place=EDITIONS)
        def score(self, place: int) -> None:
            if self.ids and self.models.model(self.ids[place % len(self.ids)]).stage is ModelStage.SHADOW:
                self.models.score(self.ids[place % len(self.ids)])

        @rule(days=st.sampled_from([1, 15]))
        def wait(self, days: int) -> None:
            self.days += days

        @rule(place=EDITIONS)
        def ask(self, place: int) -> None:
            self.attempt("ask", place)

        @rule(place=EDITIONS, approve=st.booleans(), who=st.sampled_from(["head", "psychologist", "affairs"]))
        def decide(self, place: int, approve: bool, who: str) -> None:
            if self.ids and self.models.waiting(self.ids[place % len(self.ids)]):
                self.attempt("decide_as", place, who=who, approve=approve)

        @rule(place=EDITIONS)
        def activate(self, place: int) -> None:
            self.attempt("activate", place)

        @rule(place=EDITIONS)
        def retire(self, place: int) -> None:
            self.attempt("retire", place)

        @rule(place=EDITIONS)
        def roll_back(self, place: int) -> None:
            self.attempt("roll_back", place)

        @precondition(lambda self: len(self.ids) < MOST)
        @rule(who=st.sampled_from(["psychologist", "psychologist", "psychologist", "head"]))
        def bring_into_use(self, who: str) -> None:
            """A new edition through all the steps in their order; whoever asked cannot sign."""
            for model_id in self.ids:
                if self.models.model(model_id).stage is ModelStage.SHADOW:
                    self.models.retire(model_id)
            place = len(self.ids)
            self.ids.append(self.models.keep(1 + place % 2))
            self.watch(place)
            self.score(place)
            self.wait(15)
            self.ask(place)
            self.decide(place, approve=True, who=who)
            self.activate(place)
            reached.update(self.models.active())

        @precondition(lambda self: any(self.models.model(one).stage is not ModelStage.ACTIVE for one in self.ids))
        @rule(place=EDITIONS)
        def tamper(self, place: int) -> None:
            model_id = self.ids[place % len(self.ids)]
            if self.models.model(model_id).stage is ModelStage.ACTIVE:
                return
            self.spoiled.add(model_id)
            with house.door.database.writing() as session:
                session.execute(update(RiskModel).where(RiskModel.id == model_id).values(sha256=bytes(32)))

        @invariant()
        def at_most_one_is_in_use(self) -> None:
            assert len(self.models.active()) <= 1

        @invariant()
        def what_is_in_use_was_watched_and_signed_by_two(self) -> None:
            for model_id in self.models.active():
                model = self.models.model(model_id)
                assert model_id not in self.spoiled
                assert not json.loads(model.card)["leak"]
                signed = self.models.house.all(select(Approval).where(Approval.id == model.approval_id))[0][0]
                assert signed.stage is ApprovalStage.APPROVED
                assert signed.decided_by not in {None, signed.asked_by}
                assert _walked(house, model_id)[:4] == ["trained", "shadow", "asked", "signed"] or (
                    "declined" in _walked(house, model_id)
                )

        @invariant()
        def whoever_owes_the_next_step_is_known(self) -> None:
            for model_id in self.ids:
                model = self.models.model(model_id)
                is_open = model.stage in {ModelStage.TRAINED, ModelStage.SHADOW, ModelStage.APPROVED}
                assert (model.owner_id is not None) == is_open
                assert (model.due_at is not None) == is_open

        @invariant()
        def an_earlier_edition_that_is_sound_can_always_come_back(self) -> None:
            used = [one for one in self.ids if self.models.model(one).active_since and one not in self.spoiled]
            away = [one for one in used if self.models.model(one).stage is ModelStage.RETIRED]
            if len(used) < 2 or not away or not self.models.active():
                return
            present = self.models.active()[0]
            self.models.roll_back(away[0])
            assert self.models.active() == [away[0]]
            if present not in self.spoiled:
                self.models.roll_back(present)

    return Life


def _anew(person: Client) -> Client:
    return Client(person.house, person.staff, person.role)


def _walked(house: House, model_id: UUID) -> list[str]:
    rows = house.all(select(ModelMove.cause).where(ModelMove.model_id == model_id).order_by(ModelMove.id))
    return [row.cause for row in rows]


def _cleared(models: Models) -> Models:
    """Earlier runs' editions out of the way."""
    open_ = select(RiskModel.id).where(RiskModel.stage != ModelStage.RETIRED)
    for row in models.house.all(open_):
        models.retire(row.id)
    return models


@pytest.mark.parametrize("examples", [12])
def test_no_order_of_steps_breaks_the_rules_of_a_life(sqlite_house: House, examples: int) -> None:
    reached: set[UUID] = set()
    run_state_machine_as_test(
        _machine(sqlite_house, reached),
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert len(reached) >= examples, "the walks hardly ever reach an edition in use: they prove nothing"
