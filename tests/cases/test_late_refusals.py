"""An act that fails in the middle leaves nothing: no row, no event, no notice, no moved clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.cases import care, care_talk, opening, triage
from app.risk import alert, duty
from app.security.access import Access
from app.security.policy import Permission
from models.case import CareTalk, Case, NoteKind, TalkWay, TaskKind
from models.moment import now
from models.refusal import Refusal
from models.risk import Alert, Duty, Level
from models.student import Student
from tests.house import House
from tests.risk.people import Staffed, staffed, talk
from tests.screening.files import live

Act = Callable[[Access, Staffed, Alert, Case], None]


def _take(access: Access, _people: Staffed, raised: Alert, _case: Case) -> None:
    triage.take(access, access.find(Alert, raised.id))


def _disprove(access: Access, people: Staffed, raised: Alert, case: Case) -> None:
    _take(access, people, raised, case)
    triage.disprove(access, access.find(Alert, raised.id), basis="与本人核实过")


def _raise(access: Access, _people: Staffed, raised: Alert, _case: Case) -> None:
    triage.raise_level(access, access.find(Alert, raised.id), level=Level.RED)


def _open(access: Access, people: Staffed, _raised: Alert, _case: Case) -> None:
    opening.open_case(access, access.find(Student, people.student.id), level=Level.RED, text="评估")


def _report(access: Access, people: Staffed, _raised: Alert, _case: Case) -> None:
    care_talk.record(
        access,
        access.find(Student, people.student.id),
        way=TalkWay.FACE,
        held_at=now(),
        reached=True,
        noticed=["safety"],
        text="谈过",
        urgency=care_talk.Urgency.URGENT,
    )


def _write(access: Access, _people: Staffed, _raised: Alert, case: Case) -> None:
    row = access.find(Case, case.id)
    care.write_note(access, row, kind=NoteKind.SESSION, text="记录", next_on=None)
    care.give_advice(access, row, focus=["safety"], text="请联系")
    care.add_task(access, row, kind=TaskKind.RETEST, text="复测", due_on=now().date())
    care.change_level(access, row, level=Level.YELLOW, basis="好转")


def _reassign(access: Access, people: Staffed, raised: Alert, _case: Case) -> None:
    row = next(item for item in duty.open_duties(access.session, raised.id) if item.kind == "assessment")
    duty.reassign(access, access.find(Duty, row.id), to=people.psychologist.id, role=people.psychologist.role)


ACTS: list[tuple[Permission, Act]] = [
    (Permission.ALERT_TRIAGE, _take),
    (Permission.ALERT_TRIAGE, _disprove),
    (Permission.ALERT_TRIAGE, _raise),
    (Permission.CASE_OPEN, _open),
    (Permission.CARE_TALK, _report),
    (Permission.CASE_WORK, _write),
    (Permission.DUTY_ASSIGN, _reassign),
]


@pytest.mark.parametrize(("permission", "act"), ACTS, ids=[act.__name__.strip("_") for _, act in ACTS])
def test_refused_at_the_last_moment_everything_is_as_it_was(house: House, permission: Permission, act: Act) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student)
    case = house.make.case(people.head, house.make.student(people.group), level=Level.ORANGE)
    before, logged = live(house), len(house.log(outcome="done"))

    with pytest.raises(Refusal), people.head.under(permission) as access:
        act(access, people, raised, case)
        access.session.flush()
        raise Refusal("到最后才发现不行。")

    after = live(house)
    assert {name for name in before if before[name] != after[name]} <= {"sign_in_session"}
    assert len(house.log(outcome="done")) == logged
    assert house.log()[-1]["outcome"] == "refused"
    assert house.proof().bad is None


def test_undone_on_a_form_the_page_answers_and_the_house_is_as_it_was(house: House) -> None:
    people = staffed(house)
    raised = house.make.alert(people.student)
    before = live(house)

    with people.head.under(Permission.ALERT_TRIAGE) as access:
        with pytest.raises(Refusal), access.attempt():
            _disprove(access, people, raised, Case())
            raise Refusal("不行。")
        kept = access.find(Alert, raised.id)
        assert (kept.stage, kept.ended_at) == ("raised", None)

    after = live(house)
    assert {name for name in before if before[name] != after[name]} <= {"sign_in_session"}
    assert house.log(act="alert_disproved") == house.log(act="duty_taken") == []


def test_an_urgent_report_that_nobody_could_own_is_not_half_recorded(house: House) -> None:
    group = house.make.class_group()
    advisor, student = house.make.advisor(group), house.make.student(group)
    before = live(house)

    page = talk(advisor, f"/students/{student.id}", urgency="urgent", text="半截金丝雀")

    after = live(house)
    assert page.status == 422
    assert "没有人可以负责" in page
    assert "半截金丝雀" in page.html
    assert {name for name in before if before[name] != after[name]} <= {"sign_in_session"}
    assert house.count(CareTalk) == 0
    assert house.log(act="talk_recorded") == []


def test_a_rule_nobody_knows_raises_nothing(sqlite_house: House) -> None:
    people = staffed(sqlite_house)

    with pytest.raises(StopIteration), people.head.under(Permission.CARE_TALK) as access:
        student = access.find(Student, people.student.id)
        alert.raise_one(access, student, rule_id="report.purple", source_kind="test", source_id=None)

    assert sqlite_house.count(Alert) == 0


BAD_TALKS = (
    ({"held_at": "2026-11-17T09:00"}, "谈话时间不能晚于现在"),
    ({"reached": "no"}, "没有联系上时"),
    ({"held_at": "昨天"}, ""),
    ({"way": "telepathy"}, ""),
    ({"urgency": ""}, ""),
    ({"text": ""}, "请写一两句"),
    ({"text": "字" * 2001}, ""),
    ({"noticed": ["diagnosis"]}, ""),
)


def test_a_talk_that_does_not_fit_is_refused_in_words(sqlite_house: House) -> None:
    people = staffed(sqlite_house)

    for fields, words in BAD_TALKS:
        page = talk(people.advisor, f"/students/{people.student.id}", **fields)
        assert page.status == 422, fields
        assert words in page

    assert sqlite_house.count(CareTalk) == sqlite_house.count(Alert) == 0
