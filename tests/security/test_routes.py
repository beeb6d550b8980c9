"""Every page as every role: nobody enters where the policy does not let him, and nothing breaks where it does."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.security.policy import POLICY
from tests.furnished import ROLES, address, batches_of, furnish
from tests.house import House


def test_every_page_as_every_role_answers_as_the_policy_says(house: House) -> None:
    ids, people = furnish(house)
    batches = batches_of(house, people)
    wrong = []
    for rule in sorted(house.app.url_map.iter_rules(), key=str):
        if rule.endpoint == "static":
            continue
        need = house.app.view_functions[rule.endpoint].declared
        place = address(rule, ids, batches)
        for role in ROLES:
            if "GET" not in rule.methods:
                continue
            status = people[role].get(place).status
            allowed = need.permission is None or role in POLICY[need.permission, need.purpose]
            fits = status in {200, 302, 404} if allowed else status == 403
            if not fits:
                wrong.append((role.value, place, status))

    assert wrong == []


def test_every_change_as_every_role_that_may_not_make_it_is_denied(house: House) -> None:
    ids, people = furnish(house)
    batches = batches_of(house, people)
    wrong = []
    for rule in sorted(house.app.url_map.iter_rules(), key=str):
        changing = rule.methods - {"GET", "HEAD", "OPTIONS"}
        if not changing or rule.endpoint == "static":
            continue
        need = house.app.view_functions[rule.endpoint].declared
        if need.permission is None:
            continue
        place = address(rule, ids, batches)
        for role in ROLES:
            if role in POLICY[need.permission, need.purpose]:
                continue
            status = people[role].send(changing.pop() if len(changing) == 1 else "POST", place, {}).status
            changing = rule.methods - {"GET", "HEAD", "OPTIONS"}
            if status != 403:
                wrong.append((role.value, place, status))

    assert wrong == []


def test_without_signing_in_there_is_nothing_but_the_door(house: House) -> None:
    ids, people = furnish(house)
    batches = batches_of(house, people)
    browser = house.anonymous()
    wrong = []
    for rule in sorted(house.app.url_map.iter_rules(), key=str):
        if rule.endpoint == "static":
            continue
        need = house.app.view_functions[rule.endpoint].declared
        if need.permission is None:
            continue
        place = address(rule, ids, batches)
        for method in sorted(rule.methods & {"GET", "POST", "PUT"}):
            status = browser.open(place, method=method).status_code
            expected = {302} if method == "GET" else {400, 401}
            if status not in expected:
                wrong.append((place, method, status))

    assert wrong == []


@pytest.mark.parametrize("place", ["/students/{id}", "/students/{id}/talk", "/students/{id}/reveal"])
def test_a_foreign_student_and_a_missing_one_answer_alike(house: House, place: str) -> None:
    advisor = house.make.advisor(house.make.class_group())
    foreign = house.make.student(house.make.class_group())
    ask = (lambda path: advisor.send("POST", path, {})) if place.endswith("reveal") else advisor.get
    advisor.get("/worklist")  # so that neither answer sets the session cookie for the first time

    there, nowhere = ask(place.format(id=foreign.id)), ask(place.format(id=uuid4()))

    assert (there.status, nowhere.status) == (404, 404)
    assert there.settled.replace(str(foreign.id), "") == nowhere.settled
    assert list(there.response.headers) == list(nowhere.response.headers)


def test_a_colleagues_case_and_a_missing_one_answer_alike(house: House) -> None:
    _, psychologist, _ = house.make.team()
    colleague = house.make.psychologist()
    case = house.make.case(colleague, house.make.student())

    there, nowhere = psychologist.get(f"/cases/{case.id}"), psychologist.get(f"/cases/{uuid4()}")

    assert (there.status, nowhere.status) == (404, 404)
    assert there.settled == nowhere.settled
