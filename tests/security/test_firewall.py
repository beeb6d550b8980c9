"""Law 5: change any psychological datum, and every page of the aid office stays byte for byte the same; and law 4."""

from __future__ import annotations

import re

from app.cases import care, care_talk
from app.security.policy import Permission
from models.case import Case, NoteKind, TalkWay
from models.identity import Role
from models.moment import now
from models.risk import Level
from models.student import Student
from tests.furnished import furnish
from tests.house import Client, House

CHANGING = re.compile(r'<[^>]*csrf[_-]token"[^>]*>|\d{4}-\d\d-\d\d \d\d:\d\d')
OUTSIDERS = (
    Role.AID_OFFICER,
    Role.SCHOOL_LEADER,
    Role.OBSERVER,
    Role.TASK_PARTNER,
    Role.SUPERVISOR,
    Role.REGISTRAR,
    Role.SYSADMIN,
    Role.SECURITY_ADMIN,
)


def _everything_seen_by(house: House, client: Client) -> dict[str, str]:
    """Every page this person can reach without an id, with what changes by itself taken out."""
    seen = {}
    for rule in sorted(house.app.url_map.iter_rules(), key=str):
        if "GET" in rule.methods and not rule.arguments and rule.endpoint != "static":
            page = client.get(rule.rule)
            seen[rule.rule] = f"{page.status} " + CHANGING.sub("", page.html)
    return seen


def test_whatever_happens_in_care_nobody_outside_sees_a_byte_of_it(house: House) -> None:
    head, psychologist, _ = house.make.team()
    group = house.make.class_group()
    advisor = house.make.advisor(group)
    student = house.make.student(group)
    outsiders = {role: house.make.person(role) for role in OUTSIDERS}
    before = {role: _everything_seen_by(house, client) for role, client in outsiders.items()}

    alert = house.make.alert(student, rule="report.urgent")
    advisor.post(f"/duties/{house.make.duties(alert)['contact'].id}/acknowledge")
    with advisor.under(Permission.CARE_TALK) as access:
        care_talk.record(
            access,
            access.find(Student, student.id),
            way=TalkWay.PHONE,
            held_at=now(),
            reached=True,
            noticed=["mood"],
            text="谈过",
            urgency=care_talk.Urgency.SOON,
        )
    case = house.make.case(psychologist, student, level=Level.RED)
    with psychologist.under(Permission.CASE_WORK) as access:
        row = access.find(Case, case.id)
        care.write_note(access, row, kind=NoteKind.SESSION, text="记录", next_on=None)
        care.give_advice(access, row, focus=["safety"], text="请每天联系")
    head.get("/alerts")

    after = {role: _everything_seen_by(house, client) for role, client in outsiders.items()}
    differing = [
        (role.value, path) for role in OUTSIDERS for path in before[role] if before[role][path] != after[role][path]
    ]
    assert differing == []


def test_a_class_teacher_and_a_lead_do_not_learn_that_there_is_a_case(house: House) -> None:
    _, psychologist, _ = house.make.team()
    group = house.make.class_group()
    lead = house.make.person(Role.COLLEGE_LEAD)
    teacher = house.make.person(Role.CLASS_TEACHER, classes=[group])
    student = house.make.student(group)
    house.make.case(psychologist, student)

    for client in (lead, teacher):
        page = client.get(f"/students/{student.id}")
        assert page.status == 200
        for words in ("个案", "主责", "约谈", "PHQ", "GAD"):
            assert words not in page, (client.role, words)


def test_an_advisor_reads_level_points_and_talks_but_no_item_score_reason_or_case(house: House) -> None:
    _, psychologist, _ = house.make.team()
    group = house.make.class_group()
    advisor = house.make.advisor(group)
    student = house.make.student(group)
    alert = house.make.alert(student)
    house.make.case(psychologist, student, level=Level.ORANGE)
    duty = house.make.duties(alert)["contact"]

    pages = [
        advisor.get(path) for path in ("/worklist", f"/duties/{duty.id}", f"/students/{student.id}", "/my-students")
    ]

    for page in pages:
        assert page.status == 200
        for words in ("个案", "PHQ", "GAD", "总分", "第 9 题", "规则版本", "研判："):
            assert words not in page, words


def test_being_on_the_interview_list_shows_to_nobody_outside_the_centre(house: House) -> None:
    ids, people = furnish(house)
    listed = house.log(act="interviews_listed")
    assert listed

    for role in (Role.ADVISOR, Role.CLASS_TEACHER, Role.COLLEGE_LEAD):
        for path in ("/my-students", f"/students/{ids['student_id']}"):
            page = people[role].get(path)
            assert "约谈" not in page, (role, path)
            assert "建议面谈" not in page
