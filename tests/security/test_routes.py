"""Every page as every role: nobody enters where the policy does not let him, and nothing breaks where it does."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.security.policy import POLICY
from models.identity import Role
from models.intake import BatchKind, ImportBatch
from tests.furnished import ROLES, furnish
from tests.house import Client, House, xlsx

ARGUMENT = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")


def _address(rule: Any, ids: dict[str, str], batches: dict[str, str]) -> str:
    if "batch_id" in rule.arguments:
        kind = "screening" if rule.endpoint.startswith("screening.") else rule.endpoint.split(".")[0]
        ids = ids | {"batch_id": batches[kind]}
    if rule.endpoint == "vendor.static":
        ids = ids | {"name": "bootstrap.min.css"}
    return ARGUMENT.sub(lambda found: ids[found[1]], rule.rule)


def _batches(house: House, people: dict[Role, Client]) -> dict[str, str]:
    people[Role.REGISTRAR].post("/roster", kind="roster", upload=(xlsx(["学号"], ["1"]), "a.xlsx"))
    people[Role.SYSADMIN].post("/staff-import", kind="staff", upload=(xlsx(["工号"], ["1"]), "b.xlsx"))
    found = {row.kind: str(row.id) for row in house.all(select(ImportBatch.kind, ImportBatch.id))}
    return {"roster": found[BatchKind.ROSTER], "staff": found[BatchKind.STAFF], "screening": found[BatchKind.SCREENING]}


def test_every_page_as_every_role_answers_as_the_policy_says(house: House) -> None:
    ids, people = furnish(house)
    batches = _batches(house, people)
    wrong = []
    for rule in sorted(house.app.url_map.iter_rules(), key=str):
        if rule.endpoint == "static":
            continue
        need = house.app.view_functions[rule.endpoint].declared
        address = _address(rule, ids, batches)
        for role in ROLES:
            if "GET" not in rule.methods:
                continue
            status = people[role].get(address).status
            allowed = need.permission is None or role in POLICY[need.permission, need.purpose]
            fits = status in {200, 302, 404} if allowed else status == 403
            if not fits:
                wrong.append((role.value, address, status))

    assert wrong == []


def test_every_change_as_every_role_that_may_not_make_it_is_denied(house: House) -> None:
    ids, people = furnish(house)
    batches = _batches(house, people)
    wrong = []
    for rule in sorted(house.app.url_map.iter_rules(), key=str):
        changing = rule.methods - {"GET", "HEAD", "OPTIONS"}
        if not changing or rule.endpoint == "static":
            continue
        need = house.app.view_functions[rule.endpoint].declared
        if need.permission is None:
            continue
        address = _address(rule, ids, batches)
        for role in ROLES:
            if role in POLICY[need.permission, need.purpose]:
                continue
            status = people[role].send(changing.pop() if len(changing) == 1 else "POST", address, {}).status
            changing = rule.methods - {"GET", "HEAD", "OPTIONS"}
            if status != 403:
                wrong.append((role.value, address, status))

    assert wrong == []


def test_without_signing_in_there_is_nothing_but_the_door(house: House) -> None:
    ids, people = furnish(house)
    batches = _batches(house, people)
    browser = house.anonymous()
    wrong = []
    for rule in sorted(house.app.url_map.iter_rules(), key=str):
        if rule.endpoint == "static":
            continue
        need = house.app.view_functions[rule.endpoint].declared
        if need.permission is None:
            continue
        address = _address(rule, ids, batches)
        for method in sorted(rule.methods & {"GET", "POST", "PUT"}):
            status = browser.open(address, method=method).status_code
            expected = {302} if method == "GET" else {400, 401}
            if status not in expected:
                wrong.append((address, method, status))

    assert wrong == []


@pytest.mark.parametrize("place", ["/students/{id}", "/students/{id}/talk", "/students/{id}/reveal"])
def test_a_foreign_student_and_a_missing_one_answer_alike(house: House, place: str) -> None:
    advisor = house.make.advisor(house.make.class_group())
    foreign = house.make.student(house.make.class_group())
    ask = (lambda path: advisor.send("POST", path, {})) if place.endswith("reveal") else advisor.get
    advisor.get("/worklist")  # so that neither answer sets the session cookie for the first time

    there, nowhere = ask(place.format(id=foreign.id)), ask(place.format(id=uuid4()))

    assert (there.status, nowhere.status) == (404, 404)
    assert there.html.replace(str(foreign.id), "") == nowhere.html
    assert list(there.response.headers) == list(nowhere.response.headers)


def test_a_colleagues_case_and_a_missing_one_answer_alike(house: House) -> None:
    _, psychologist, _ = house.make.team()
    colleague = house.make.psychologist()
    case = house.make.case(colleague, house.make.student())

    there, nowhere = psychologist.get(f"/cases/{case.id}"), psychologist.get(f"/cases/{uuid4()}")

    assert (there.status, nowhere.status) == (404, 404)
    assert there.html == nowhere.html
