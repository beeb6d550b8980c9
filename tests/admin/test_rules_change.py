"""Rules and clocks: changed with a second person's signature, kept with a history, never below the floor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.admin import floor, rulebook, rules_change
from app.admin.floor import MOST, BelowFloor, refuse_below_floor
from app.admin.rule import Rulebook
from app.security.policy import Permission, Purpose
from models.approval import Approval, ApprovalStage
from models.identity import Role
from models.refusal import Refusal
from models.risk import RuleOverride
from tests.house import Client, House, Page
from tests.risk.times import at, near

NAME = "clock:orange.contact"


def ask(person: Client, value: object = 2, name: str = NAME, reason: str = "值班人手够，可以更快") -> Page:
    return person.post("/rules/change", name=name, value=str(value), reason=reason)


def sign(house: House, person: Client, decision: str = "approve") -> Page:
    [(row,)] = house.all(select(Approval).where(Approval.stage == ApprovalStage.WAITING))
    return person.post(f"/approvals/{row.id}", decision=decision, version=str(row.version))


def book_of(house: House) -> Rulebook:
    with house.session() as session:
        return rulebook.current(session)


@contextmanager
def proposing(house: House, person: Client) -> Iterator[Any]:
    with person.under(Permission.RULES_CHANGE, Purpose.ADMINISTRATION) as access:
        yield access


def test_a_change_holds_only_when_a_second_person_has_signed(house: House) -> None:
    head, _, affairs = house.make.team()

    ask(head)
    between = book_of(house).clock("orange.contact").amount
    sign(house, affairs)

    assert (between, book_of(house).clock("orange.contact").amount) == (4, 2)
    raised = house.make.alert(house.make.student())
    assert near(house.make.duties(raised)["contact"].due_at, at("2026-11-16", "11:00"))
    assert house.proof().bad is None


def test_each_duty_keeps_the_version_of_the_rules_that_timed_it(sqlite_house: House) -> None:
    head, _, affairs = sqlite_house.make.team()
    shipped = book_of(sqlite_house).version
    before = sqlite_house.make.duties(sqlite_house.make.alert(sqlite_house.make.student()))["contact"]
    ask(head)
    sign(sqlite_house, affairs)

    after = sqlite_house.make.duties(sqlite_house.make.alert(sqlite_house.make.student()))["contact"]

    assert before.rule_version == shipped
    assert after.rule_version == book_of(sqlite_house).version != before.rule_version
    assert sqlite_house.again(before).due_at == before.due_at


def test_nobody_signs_what_he_has_asked_for_in_whatever_role(sqlite_house: House) -> None:
    make = sqlite_house.make
    make.person(Role.AFFAIRS_HEAD)
    both = make.person(Role.CENTRE_HEAD, more=[Role.AFFAIRS_HEAD])
    both.post("/role", role="centre_head")
    ask(both)

    own = sign(sqlite_house, both)
    both.post("/role", role="affairs_head")
    other_role = sign(sqlite_house, both)

    assert (own.status, other_role.status) == (404, 404)
    assert sqlite_house.count(RuleOverride) == 0


def test_where_the_asker_is_the_only_affairs_head_nothing_is_asked(sqlite_house: House) -> None:
    both = sqlite_house.make.person(Role.CENTRE_HEAD, more=[Role.AFFAIRS_HEAD])
    both.post("/role", role="centre_head")

    page = ask(both)

    assert page.status == 422
    assert "找不到可以签字的第二人" in page
    assert sqlite_house.count(Approval) == 0
    assert sqlite_house.log(act="approval_asked") == []


def test_declined_the_old_value_stays_and_the_asker_is_told(sqlite_house: House) -> None:
    head, _, affairs = sqlite_house.make.team()
    ask(head)

    sign(sqlite_house, affairs, "decline")

    assert book_of(sqlite_house).clock("orange.contact").amount == 4
    assert sqlite_house.count(RuleOverride) == 0
    assert "已有结果" in head.get("/notices")


def test_a_change_is_signed_once(sqlite_house: House) -> None:
    head, _, affairs = sqlite_house.make.team()
    ask(head)
    [(row,)] = sqlite_house.all(select(Approval))
    sign(sqlite_house, affairs)

    stale = affairs.post(f"/approvals/{row.id}", decision="decline", version="1")
    fresh = affairs.post(f"/approvals/{row.id}", decision="decline", version="2")

    assert (stale.status, fresh.status) == (409, 422)
    assert sqlite_house.again(row).stage == "approved"
    assert len(sqlite_house.log(act="rules_changed")) == 1


def test_the_history_keeps_every_value_with_its_time(sqlite_house: House) -> None:
    head, _, affairs = sqlite_house.make.team()
    for value in (2, 3):
        ask(head, value)
        sign(sqlite_house, affairs)

    rows = [row for (row,) in sqlite_house.all(select(RuleOverride).order_by(RuleOverride.since))]
    assert [row.value for row in rows] == ["2", "3"]
    assert rows[0].until == rows[1].since
    assert rows[1].until is None
    assert rows[0].approval_id != rows[1].approval_id
    assert book_of(sqlite_house).clock("orange.contact").amount == 3


def test_one_value_has_one_request_at_a_time(sqlite_house: House) -> None:
    head, _, _ = sqlite_house.make.team()
    ask(head, 2)

    page = ask(head, 3)

    assert page.status == 422
    assert "已有一份修改申请在等签字" in page
    assert sqlite_house.count(Approval) == 1


def test_no_clock_runs_longer_than_the_floor_allows_and_none_stands_still(sqlite_house: House) -> None:
    head, _, _ = sqlite_house.make.team()

    with proposing(sqlite_house, head) as access:
        for name, most in MOST.items():
            for value in (0, -1, most.amount + 1, 10**9):
                with pytest.raises(Refusal):
                    rules_change.propose(access, name=f"clock:{name}", value=value, reason="x")

    assert sqlite_house.count(Approval) == 0


NOT_ON_THE_PAGE = (
    "list:phq9.9.present",
    "list:phq9.9.frequent",
    "list:report.urgent",
    "clock:ladder",
    "clock:red",
    "clock:red.contact.amount",
    "follow_up:green",
    "follow_up:after_care_months",
    "rule:phq9.9.present",
    "../secrets",
    "",
)


def test_what_is_not_on_the_page_cannot_be_changed(sqlite_house: House) -> None:
    head, _, _ = sqlite_house.make.team()

    for name in NOT_ON_THE_PAGE:
        page = ask(head, 1, name)
        with proposing(sqlite_house, head) as access, pytest.raises(Refusal, match="不能在页面上修改"):
            rules_change.propose(access, name=name, value=1, reason="x")
        assert page.status in {200, 422}, name

    assert sqlite_house.count(Approval) == 0


def test_a_value_that_does_not_fit_asks_nobody(sqlite_house: House) -> None:
    head, _, _ = sqlite_house.make.team()

    for value in ("", "abc", "1.5", "1e3", "0", "9", "-4", "99999999999999999999"):
        assert ask(head, value).status == 422, value

    assert sqlite_house.count(Approval) == 0


@pytest.mark.parametrize("role", [Role.PSYCHOLOGIST, Role.AFFAIRS_HEAD, Role.SYSADMIN])
def test_only_the_head_of_the_centre_asks(sqlite_house: House, role: Role) -> None:
    sqlite_house.make.team()

    assert ask(sqlite_house.make.person(role)).status == 403
    assert sqlite_house.count(Approval) == 0


def test_a_value_the_floor_forbids_is_refused_even_when_it_lies_in_the_database(sqlite_house: House) -> None:
    head, _, affairs = sqlite_house.make.team()
    ask(head)
    sign(sqlite_house, affairs)
    with sqlite_house.door.database.writing() as session:
        session.scalars(select(RuleOverride)).one().value = "80"

    with sqlite_house.session() as session, pytest.raises(BelowFloor):
        rulebook.current(session)


def test_the_page_says_what_holds_and_what_is_asked(sqlite_house: House) -> None:
    head, _, affairs = sqlite_house.make.team()
    ask(head)

    page = affairs.get("/approvals")
    assert page.status == 200
    [(row,)] = sqlite_house.all(select(Approval))
    asked = affairs.get(f"/approvals/{row.id}")
    assert "值班人手够，可以更快" in asked
    assert affairs.get("/rules").status == 200


# --- the floor itself ---------------------------------------------------------------------------


def changed(book: Rulebook, rule_id: str, **other: Any) -> Rulebook:
    from dataclasses import replace  # noqa: PLC0415

    rules = tuple(replace(rule, **other) if rule.id == rule_id else rule for rule in book.rules)
    return replace(book, rules=rules)


@pytest.mark.parametrize(
    ("rule_id", "other"),
    [
        ("phq9.9.present", {"level": None}),
        ("phq9.9.present", {"critical": False}),
        ("phq9.9.present", {"scale": "gad7"}),
        ("phq9.9.present", {"conditions": ()}),
        ("phq9.9.frequent", {"level": floor.Level.YELLOW}),
        ("phq9.total.severe", {"level": floor.Level.YELLOW}),
        ("report.urgent", {"level": floor.Level.ORANGE}),
        ("report.watch", {"level": None}),
        ("phq9.total.positive", {"supersedes": ("phq9.9.present",)}),
        ("gad7.total.positive", {"supersedes": ("phq9.9.present",)}),
    ],
)
def test_a_book_that_protects_less_is_refused(sqlite_house: House, rule_id: str, other: dict[str, Any]) -> None:
    with pytest.raises(BelowFloor):
        refuse_below_floor(changed(book_of(sqlite_house), rule_id, **other))


@pytest.mark.parametrize("rule_id", ["phq9.9.present", "phq9.9.frequent", "phq9.9.with_total", "phq9.total.severe"])
def test_a_book_without_one_of_the_shipped_patterns_or_at_a_higher_cut_is_refused(
    sqlite_house: House, rule_id: str
) -> None:
    from dataclasses import replace  # noqa: PLC0415

    book = book_of(sqlite_house)
    conditions = book.rule(rule_id).conditions
    higher = tuple(replace(part, value=part.value + 1) for part in conditions)

    without = replace(
        book,
        rules=tuple(replace(rule, supersedes=()) for rule in book.rules if rule.id != rule_id),
    )

    for weaker in (without, changed(book, rule_id, conditions=higher)):
        with pytest.raises(BelowFloor):
            refuse_below_floor(weaker)


@given(name=st.sampled_from(sorted(MOST)), amount=st.integers(-10, 10_000))
def test_a_clock_holds_exactly_up_to_its_longest(name: str, amount: int) -> None:
    overrides = ((f"clock:{name}", str(amount)),)
    allowed = 0 < amount <= MOST[name].amount

    if allowed:
        assert rulebook._build.__wrapped__(overrides, None).clock(name).amount == amount
        return
    with pytest.raises(BelowFloor):
        rulebook._build.__wrapped__(overrides, None)
