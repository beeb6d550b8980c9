"""What an advisor sees: 关注要点 and advice, on no page an item, a score, a note, a reason or a case."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import select

from models.case import Case
from models.identity import Role
from models.risk import Alert, Duty
from tests.cases.work import act, advise, ask_to_close, note, sign, tasks
from tests.house import Client, House
from tests.risk.people import Staffed, staffed, talk, told
from tests.screening.files import Person, bring_in, enrol, gad, line, written

ANSWERS = [3, 2, 3, 1, 0, 3, 2, 3, 3]
SECRETS = (
    "会谈金丝雀",
    "评估金丝雀",
    "更正金丝雀",
    "任务金丝雀",
    "小结金丝雀",
    "依据金丝雀",
    "约谈金丝雀",
    "PHQ",
    "GAD",
)
_ID = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")


@pytest.fixture
def people(sqlite_house: House) -> Staffed:
    return staffed(sqlite_house)


@pytest.fixture
def person(sqlite_house: House, people: Staffed, tmp_path: Path) -> Person:
    """A student with everything the centre can know about him."""
    house = sqlite_house
    [found] = enrol(house, 1, people.group)
    bring_in(house, written(tmp_path, line(found, ANSWERS, gad(21))))
    people.psychologist.post(f"/students/{found.row.id}/case", level="red", text="评估金丝雀")
    [(case,)] = house.all(select(Case))
    note(house, people.psychologist, case, "会谈金丝雀")
    act(house, people.psychologist, case, "level", level="orange", basis="依据金丝雀：好转")
    sign(house, people.head)
    act(house, people.psychologist, case, "tasks", kind="retest", text="任务金丝雀", due_on="2026-11-30")
    advise(house, people.psychologist, case, "请每天见一面，建议如意", "sleep", "family")
    house.make.alert(found.row, rule="report.soon")
    return found


def pages_of(house: House, client: Client, person: Person) -> dict[str, str]:
    """Every page of the house this person can ask for about this student, whatever it answers."""
    ids = {
        "student_id": [person.row.id],
        "duty_id": [row.id for row in house.all(select(Duty.id))],
        "alert_id": [row.id for row in house.all(select(Alert.id))],
        "case_id": [row.id for row in house.all(select(Case.id))],
    }
    found = {}
    for rule in house.app.url_map.iter_rules():
        names = _ID.findall(rule.rule)
        if "GET" not in rule.methods or rule.endpoint == "static" or not set(names) <= set(ids) or len(names) > 1:
            continue
        for value in ids[names[0]] if names else [""]:
            address = _ID.sub(str(value), rule.rule)
            page = client.get(address)
            found[f"{address} {page.status}"] = page.html
    return found


@pytest.mark.parametrize("role", [Role.ADVISOR, Role.CLASS_TEACHER, Role.COLLEGE_LEAD])
def test_no_page_outside_the_centre_holds_a_canary(
    sqlite_house: House, people: Staffed, person: Person, role: Role
) -> None:
    client = {
        Role.ADVISOR: people.advisor,
        Role.COLLEGE_LEAD: people.lead,
        Role.CLASS_TEACHER: sqlite_house.make.person(Role.CLASS_TEACHER, classes=[people.group]),
    }[role]

    pages = pages_of(sqlite_house, client, person)

    opened = [address for address in pages if address.endswith(" 200")]
    assert len(opened) >= 7
    assert any(str(person.row.id) in address for address in opened)
    leaks = [(address, word) for address, html in pages.items() for word in SECRETS if word in html]
    assert leaks == []
    assert not [address for address in pages if address.endswith(" 500")]


def test_no_page_of_the_advisor_shows_a_total_or_the_answers(
    sqlite_house: House, people: Staffed, person: Person
) -> None:
    pages = pages_of(sqlite_house, people.advisor, person)

    for address, html in pages.items():
        text = re.sub(r"<[^>]+>", " ", html)
        assert "总分" not in text, address
        assert not re.search(r"\b3\D+2\D+3\D+1\D+0\D+3\b", text), address
        assert "个案 2026-" not in text, address


def test_the_advisor_reads_the_advice_in_words_and_points(sqlite_house: House, people: Staffed, person: Person) -> None:
    page = people.advisor.get(f"/students/{person.row.id}/talk")

    assert "请每天见一面，建议如意" in page
    for point in ("睡眠与作息", "家庭"):
        assert f"关注要点：{point}" in page
    assert "关注要点：安全" not in page
    assert people.advisor.id in told(sqlite_house, "advice_given")


def test_newer_advice_takes_the_place_of_the_older(sqlite_house: House, people: Staffed, person: Person) -> None:
    [(case,)] = sqlite_house.all(select(Case))

    advise(sqlite_house, people.psychologist, case, "改为每周联系", "study")

    page = people.advisor.get(f"/students/{person.row.id}/talk")
    assert "改为每周联系" in page
    assert "请每天见一面" not in page


@pytest.mark.parametrize(
    "fields",
    [
        {"focus": ["safety"], "text": "请联系"},
        {"focus": [], "text": "请联系", "no_content": "y"},
        {"focus": ["diagnosis"], "text": "请联系", "no_content": "y"},
        {"focus": ["safety"], "text": "", "no_content": "y"},
        {"focus": ["safety"], "text": "字" * 1001, "no_content": "y"},
    ],
)
def test_advice_needs_points_words_and_the_confirmation(
    sqlite_house: House, people: Staffed, fields: dict[str, object]
) -> None:
    case = sqlite_house.make.case(people.psychologist, people.student)

    page = act(sqlite_house, people.psychologist, case, "advice", **fields)

    assert page.status == 422
    assert sqlite_house.log(act="advice_given") == []
    assert told(sqlite_house, "advice_given") == set()


def test_without_advice_the_points_come_from_the_open_alert(sqlite_house: House, people: Staffed) -> None:
    raised = sqlite_house.make.alert(people.student, rule="report.urgent")

    page = people.advisor.get(f"/duties/{sqlite_house.make.duties(raised)['contact'].id}")

    assert "关注要点：安全" in page
    assert "老师紧急上报" not in page


def test_the_advisors_own_list_names_the_student_in_full_and_dials(sqlite_house: House, people: Staffed) -> None:
    sqlite_house.make.alert(people.student)

    page = people.advisor.get("/worklist")

    assert "林晓" in page
    assert "tel:13800001234" in page.html
    assert "林晓" not in people.lead.get("/overview")


def test_one_look_at_the_list_is_one_row_in_the_log(sqlite_house: House, people: Staffed) -> None:
    sqlite_house.make.alert(people.student)
    before = len(sqlite_house.log(act="duty_work"))

    people.advisor.get("/worklist")

    rows = sqlite_house.log(act="duty_work")[before:]
    assert len(rows) == 1
    assert people.student.id.hex in rows[0]["subjects"]


def test_a_student_nobody_worries_about_looks_the_same_before_and_after_a_closed_case(
    sqlite_house: House, people: Staffed
) -> None:
    calm = sqlite_house.make.student(people.group)
    case = sqlite_house.make.case(people.psychologist, calm)
    ask_to_close(sqlite_house, people.psychologist, case, "own_wish")
    sign(sqlite_house, people.head)

    page = people.advisor.get(f"/students/{calm.id}")

    assert tasks(sqlite_house, case) != []
    for words in ("个案", "结案", "随访", "主责"):
        assert words not in page, words


def test_the_advisor_reads_his_own_talk_and_the_class_teacher_does_not(sqlite_house: House, people: Staffed) -> None:
    teacher = sqlite_house.make.person(Role.CLASS_TEACHER, classes=[people.group])
    talk(people.advisor, f"/students/{people.student.id}", text="谈话金丝雀")

    path = f"/students/{people.student.id}"
    assert "谈话金丝雀" in people.advisor.get(path)
    assert "谈话金丝雀" not in teacher.get(path).html
    assert "谈话金丝雀" not in people.lead.get(path).html
