"""撤回: everything that holds is as it was before the delivery, and nobody loses attention by it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from app.risk import duty as duties
from app.security.policy import Permission, Purpose
from models.case import Case
from models.moment import now
from models.participation import AbsenceKind, Retest, RetestStage, RoundAbsence
from models.risk import Alert, AlertStage, Duty, Level
from models.screening import ResponseSet, ScreeningRound, UnplacedAnswer, UnplacedStage
from tests.house import Client, House
from tests.risk.people import staffed, talk, told
from tests.screening.corrections import attention_of, holding, last_delivery, roll_back
from tests.screening.files import COLUMNS, Person, bring_in, enrol, gad, line, phq, written


def alert_of(house: House, person: Person) -> Alert:
    """The last alert of a student."""
    row: Alert = house.all(select(Alert).where(Alert.student_id == person.row.id).order_by(Alert.id.desc()))[0][0]
    return row


def acknowledged(person: Client, alert: Alert) -> None:
    """签收 on every duty of an alert that is this person's."""
    with person.under(Permission.DUTY_WORK) as access:
        for (duty,) in person.house.all(select(Duty).where(Duty.alert_id == alert.id, Duty.owner_id == person.id)):
            duties.acknowledge(access, access.find(Duty, duty.id))


def test_a_delivery_that_came_first_leaves_nothing_that_holds(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    calm, moderate, ninth, often = enrol(house, 4)
    before = holding(house)
    file = written(
        tmp_path,
        line(calm),
        line(moderate, phq(12)),
        line(ninth, phq(3, 1)),
        line(often, phq(21, 2)),
        ["777", "路人", *phq(2, 2), *[0] * 7],
    )
    bring_in(house, file)

    came_to = roll_back(head, last_delivery(house))

    assert holding(house) == before
    assert came_to["sheets_voided"] == 8
    assert came_to["alerts_voided"] == 2
    assert came_to["interviews_voided"] == 1
    assert came_to["unplaced_voided"] == 1


def test_an_alert_nobody_has_seen_to_is_void_and_its_owners_are_told(house: House, tmp_path: Path) -> None:
    held = staffed(house)
    [person] = enrol(house, 1, held.group)
    bring_in(house, written(tmp_path, line(person, phq(12, 2))))

    came_to = roll_back(held.head, last_delivery(house))

    alert = alert_of(house, person)
    assert alert.stage is AlertStage.VOID
    assert came_to["alerts_acted_on"] == 0
    assert told(house, "alert_voided") == {held.head.id, held.advisor.id}
    assert told(house, "alert_voided_after_work") == set()
    assert house.make.duties(alert) == {}


def test_an_alert_that_was_acted_on_is_void_with_notice_to_everybody_it_was_shown_to(
    house: House, tmp_path: Path
) -> None:
    held = staffed(house)
    [person] = enrol(house, 1, held.group)
    bring_in(house, written(tmp_path, line(person, phq(12, 2))))
    alert = alert_of(house, person)
    talk(held.advisor, f"/duties/{house.make.duties(alert)['contact'].id}")
    acknowledged(held.head, alert)

    came_to = roll_back(held.head, last_delivery(house))

    assert came_to["alerts_acted_on"] == 1
    assert house.again(alert).stage is AlertStage.VOID
    assert told(house, "alert_voided_after_work") == {held.head.id, held.advisor.id}
    assert house.count(Duty, Duty.alert_id == alert.id) == 2


def test_a_case_that_came_of_it_stays_and_its_keeper_is_told(house: House, tmp_path: Path) -> None:
    held = staffed(house)
    [person] = enrol(house, 1, held.group)
    bring_in(house, written(tmp_path, line(person, phq(12, 2))))
    case = house.make.case(held.psychologist, person.row, level=Level.ORANGE)

    came_to = roll_back(held.head, last_delivery(house))

    assert came_to["cases_told"] == 1
    assert house.again(case).closed_at is None
    assert told(house, "case_ground_void") == {held.psychologist.id}
    assert house.count(Case) == 1


def test_an_alert_from_before_falls_back_to_its_own_reasons(house: House, tmp_path: Path) -> None:
    held = staffed(house)
    [person] = enrol(house, 1, held.group)
    alert = house.make.alert(person.row, rule="report.watch")
    before = holding(house)
    assert alert.level is Level.YELLOW
    bring_in(house, written(tmp_path, line(person, phq(12, 2))))
    assert house.again(alert).level is Level.ORANGE

    came_to = roll_back(held.head, last_delivery(house))

    assert came_to["alerts_lowered"] == 1
    assert holding(house) == before


def test_what_a_person_raised_an_alert_to_is_not_taken_back(house: House, tmp_path: Path) -> None:
    held = staffed(house)
    [person] = enrol(house, 1, held.group)
    bring_in(house, written(tmp_path, line(person, phq(3, 1))))
    alert = alert_of(house, person)
    held.psychologist.post(f"/alerts/{alert.id}/raise", level="orange", version=str(alert.version))

    roll_back(held.head, last_delivery(house))

    found = house.again(alert)
    assert (found.stage, found.level, found.reasons_void) == (AlertStage.RAISED, Level.ORANGE, True)
    assert held.head.id in told(house, "reasons_void")


def test_somebody_on_no_list_because_of_an_alert_is_listed_by_what_came_later(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    [person] = enrol(house, 1)
    bring_in(house, written(tmp_path, line(person, phq(12, 2), [""] * 7)))
    first = last_delivery(house)
    bring_in(house, written(tmp_path, line(person, [""] * 9, gad(15)), name="later.csv"))
    assert attention_of(house, [person])["listed"] == []

    roll_back(head, first)

    found = attention_of(house, [person])
    assert found["alerts"] == []
    assert len(found["listed"]) == 1


def test_what_another_file_says_as_well_stays(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    [person] = enrol(house, 1)
    unknown = ["777", "路人", *phq(2, 2), *gad(0)]
    bring_in(house, written(tmp_path, line(person, phq(12, 2)), unknown))
    first = last_delivery(house)
    before = attention_of(house, [person])
    bring_in(house, written(tmp_path, unknown, line(person, phq(12, 2)), name="again.csv"))
    second = last_delivery(house)

    came_to = roll_back(head, first)

    assert came_to["sheets_kept"] == 2
    assert attention_of(house, [person]) == before
    assert house.count(UnplacedAnswer, UnplacedAnswer.stage == UnplacedStage.OPEN) == 1
    assert house.count(ResponseSet, ResponseSet.batch_id == second.id) == 2
    roll_back(head, second)
    assert attention_of(house, [person])["alerts"] == []


def test_a_file_taken_back_and_brought_again_says_everything_again(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    [person] = enrol(house, 1)
    file = written(tmp_path, line(person, phq(12, 2)), ["777", "路人", *phq(2, 2), *gad(0)], line(person, phq(5, 3)))
    bring_in(house, file)
    before = attention_of(house, [person])
    roll_back(head, last_delivery(house))

    bring_in(house, file)

    assert attention_of(house, [person]) == before
    assert house.count(UnplacedAnswer, UnplacedAnswer.stage == UnplacedStage.OPEN) == 1


def test_an_alert_that_was_disproved_because_its_answers_were_replaced_is_raised_anew(
    house: House, tmp_path: Path
) -> None:
    head, _, _ = house.make.team()
    [person] = enrol(house, 1)
    bring_in(house, written(tmp_path, line(person, phq(12, 2))))
    alert = alert_of(house, person)
    bring_in(house, written(tmp_path, line(person, phq(0)), name="new.csv"), replace=True)
    page = head.post(
        f"/alerts/{alert.id}/disprove", basis="作答已被新结果替换", version=str(house.again(alert).version)
    )
    assert house.again(alert).stage is AlertStage.DISPROVED, page.text

    roll_back(head, last_delivery(house))

    assert alert_of(house, person).id != alert.id
    assert attention_of(house, [person])["alerts"] == [(0, Level.ORANGE)]


def test_re_tests_and_absences_are_as_before(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    careless, absent = enrol(house, 2)
    header = [*COLUMNS, "是否有效"]
    bring_in(house, written(tmp_path, [*line(careless, [3] * 9, [3] * 7), "无效"], header=header))
    assert house.count(Retest, Retest.stage == RetestStage.OPEN) == 1
    _write_absent(house, absent)
    before = holding(house)
    lines = [line(careless, phq(4)), line(absent, phq(2))]
    bring_in(house, written(tmp_path, *lines, name="again.csv"), replace=True)
    assert house.count(RoundAbsence, RoundAbsence.voided_at.is_(None)) == 0

    came_to = roll_back(head, last_delivery(house))

    assert (came_to["retests_reopened"], came_to["absences_restored"]) == (1, 1)
    assert holding(house) == before


def _write_absent(house: House, person: Person) -> None:
    with house.console(Permission.SCREENING_IMPORT, Purpose.CARE) as access:
        access.session.add(
            RoundAbsence(
                round_id=access.session.scalar(select(ScreeningRound.id)),
                student_id=person.row.id,
                kind=AbsenceKind.AWAY,
                recorded_at=now(),
            )
        )
