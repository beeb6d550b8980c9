"""数据使用登记: other data only with purpose, basis, assessment and two people; one person switches off at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.risk.gathering import data_use
from app.security.access import Denied
from app.security.actor import Actor
from app.security.policy import Permission, Purpose
from models.approval import Approval
from models.identity import Role
from models.risk_model import DataUse, DataUseStage
from tests.house import Client, House
from tests.risk.gathering.known import AUTUMN, college, gathered, wave
from tests.screening.files import line, phq

ASKED: dict[str, Any] = {
    "domain": "registry",
    "purpose": "复学后的适应期需要多看一眼",
    "legal_basis": "consent",
    "assessment": "影响评估 2026-03 号，2026-10-09，风险可控",
}
PERSON = re.compile(r'<[^>]*csrf[_-]token"[^>]*>|\d{4}-\d\d-\d\d \d\d:\d\d')


def _asked(head: Client, house: House) -> tuple[DataUse, Approval]:
    page = head.post("/data-use/ask", **ASKED)
    assert page.status == 200, page.text
    [(row,)] = house.all(select(DataUse).order_by(DataUse.asked_at.desc()).limit(1))
    return row, house.all(select(Approval).where(Approval.id == row.approval_id))[0][0]


def _decide(by: Client, request: Approval, decision: str) -> str:
    version = by.get(f"/approvals/{request.id}").value("version")
    return by.post(f"/approvals/{request.id}", decision=decision, version=version).text


def _off(by: Client, row: DataUse, because: str = "不再需要") -> str:
    version = by.get(f"/data-use/{row.id}/off").value("version")
    return by.post(f"/data-use/{row.id}/off", because=because, version=version).text


def _in_force(house: House) -> frozenset[str]:
    with house.session() as session:
        return data_use.in_force(session)


def test_data_are_used_when_a_second_person_has_signed_and_not_before(house: House) -> None:
    head, _, affairs = house.make.team()
    row, request = _asked(head, house)
    assert _in_force(house) == frozenset()
    assert "等待签字" in head.get(f"/data-use/{row.id}")

    page = affairs.get(f"/approvals/{request.id}")
    for words in ("学籍变动", ASKED["purpose"], "本人单独同意", ASKED["assessment"], "近两年休学后复学、校外实习"):
        assert words in page
    _decide(affairs, request, "approve")

    assert _in_force(house) == {"registry"}
    assert house.again(row).since == house.again(request).decided_at
    assert [entry["act"] for entry in house.log() if entry["act"].startswith("data_use_")][-1] == "data_use_began"


def test_declined_is_never_used_and_may_be_asked_again(house: House) -> None:
    head, _, affairs = house.make.team()
    row, request = _asked(head, house)

    _decide(affairs, request, "decline")

    assert (house.again(row).stage, _in_force(house)) == (DataUseStage.DECLINED, frozenset())
    again, _ = _asked(head, house)
    assert again.id != row.id


def test_who_asked_cannot_sign_in_another_role(house: House) -> None:
    both = house.make.person(Role.CENTRE_HEAD, more=[Role.AFFAIRS_HEAD])
    house.make.person(Role.AFFAIRS_HEAD)
    as_head = Actor(role=Role.CENTRE_HEAD, id=both.id)
    with house.door.enter(as_head, Permission.DATA_USE_CHANGE, Purpose.ADMINISTRATION) as access:
        row = data_use.ask(access, **ASKED)

    assert both.actor.role is Role.AFFAIRS_HEAD
    assert both.get(f"/approvals/{row.approval_id}").status == 404


def test_a_domain_has_one_entry_that_waits_or_holds(house: House) -> None:
    head, _, affairs = house.make.team()
    _, request = _asked(head, house)

    assert "没有可以申请的数据" in head.get("/data-use/ask")
    assert head.post("/data-use/ask", **ASKED).status == 422
    _decide(affairs, request, "approve")
    assert head.post("/data-use/ask", **ASKED).status == 422
    assert house.count(DataUse) == 1


@pytest.mark.parametrize("missing", ["domain", "purpose", "legal_basis", "assessment"])
def test_nothing_may_be_left_out(sqlite_house: House, missing: str) -> None:
    head, _, _ = sqlite_house.make.team()

    page = head.post("/data-use/ask", **(ASKED | {missing: ""}))

    assert page.status == 422
    assert sqlite_house.count(DataUse) == 0


def test_one_person_switches_off_at_once_with_a_reason_and_sees_before_what_follows(house: House) -> None:
    head, _, affairs = house.make.team()
    row, request = _asked(head, house)
    _decide(affairs, request, "approve")
    form = head.get(f"/data-use/{row.id}/off")
    for words in ("不再收集：近两年休学后复学、校外实习", "重新训练一版", "预警、规则名单和个案不受影响"):
        assert words in form

    refused = head.post(f"/data-use/{row.id}/off", because="", version=form.value("version"))
    assert refused.status == 422
    assert _in_force(house) == {"registry"}
    _off(head, row, "评估到期")

    assert _in_force(house) == frozenset()
    stored = house.again(row)
    assert (stored.stage, stored.off_because, stored.switched_off_by) == (DataUseStage.OFF, "评估到期", head.id)
    assert "评估到期" in affairs.get(f"/data-use/{row.id}")
    assert len(house.log(act="data_use_switched_off")) == 1
    assert "没有在使用" in _off(head, row)


def test_reading_is_for_those_who_look_after_the_model_and_changing_for_the_head(house: House) -> None:
    head, psychologist, affairs = house.make.team()
    row, _ = _asked(head, house)
    readers = [psychologist, affairs, house.make.person(Role.SECURITY_ADMIN), house.make.person(Role.AUDITOR)]

    for person in readers:
        assert person.get(f"/data-use/{row.id}").status == 200
        assert "申请登记" not in person.get("/data-use")
        with pytest.raises(Denied), person.under(Permission.DATA_USE_CHANGE, Purpose.ADMINISTRATION):
            pass
    for role in (Role.ADVISOR, Role.AID_OFFICER, Role.SCHOOL_LEADER, Role.REGISTRAR, Role.SYSADMIN):
        assert house.make.person(role).get("/data-use").status == 403


def test_whatever_students_answer_the_register_shows_the_same_bytes(house: House, tmp_path: Path) -> None:
    head, people = college(house, 3)
    auditor = house.make.person(Role.AUDITOR)
    row, _ = _asked(head, house)
    addresses = ("/data-use", f"/data-use/{row.id}")
    before = [PERSON.sub("", auditor.get(address).html) for address in addresses]

    wave(house, tmp_path, AUTUMN, line(people[0], phq(24, 3)), line(people[1], phq(14)))
    gathered(house, people)

    assert [PERSON.sub("", auditor.get(address).html) for address in addresses] == before


def test_whatever_the_register_says_the_aid_office_sees_the_same_bytes(house: House) -> None:
    head, _, affairs = house.make.team()
    officer = house.make.person(Role.AID_OFFICER)

    def seen() -> list[str]:
        rules = sorted(str(rule) for rule in house.app.url_map.iter_rules() if "GET" in (rule.methods or ()))
        pages = [officer.get(rule) for rule in rules if "<" not in rule]
        return [f"{page.status}" + PERSON.sub("", page.html) for page in pages]

    before = seen()
    row, request = _asked(head, house)
    _decide(affairs, request, "approve")
    _off(head, row)

    assert seen() == before
