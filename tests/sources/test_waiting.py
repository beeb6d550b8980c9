"""What a delivery waits for, with whom, and until when; nothing critical waits unseen (laws 2 and 3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.screening.sources import source as sources
from app.screening.sources import trial
from app.security.policy import Permission
from models import moment
from models.intake import BatchStage
from models.risk import Alert
from models.screening import ResponseSet, RoundStage, ScreeningRound, UnplacedAnswer
from models.source import ArrivalState, ScreeningSource
from tests.furnished import page_value
from tests.screening.files import COLUMNS, line, phq
from tests.sources.delivering import MAPPING, Delivering, calm, clean, table

STRANGER = ["404404", "路人", *phq(2), *([0] * 7)]


def test_without_a_confirmed_mapping_nothing_goes_in_and_the_owner_is_told(centre: Delivering) -> None:
    centre.source(mapped=False)

    row = centre.deliver(clean(centre.people))

    assert (row.state, row.waits_for, row.is_urgent) == (ArrivalState.WAITING, "mapping", False)
    assert (row.owner_id, row.rows) == (centre.psychologist.id, len(centre.people))
    assert row.due_at is not None
    assert row.due_at > moment.now() + timedelta(days=1)
    assert centre.stages() == [BatchStage.READ]
    assert centre.told("delivery_waits") == {centre.psychologist.id: 1}
    assert centre.house.count(ResponseSet) == 0


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ([STRANGER], "problems"),
        ([["404405", "路人", *phq(2)[:8], "很多", *([0] * 7)]], "problems"),
    ],
)
def test_a_file_with_anything_wrong_waits_previewed(centre: Delivering, more: list[list[object]], reason: str) -> None:
    centre.source()

    row = centre.deliver(table(*calm(centre.people), *more))

    assert row.state is ArrivalState.WAITING
    assert reason in row.waits_for.split()
    assert centre.stages() == [BatchStage.PREVIEWED]
    assert centre.house.count(ResponseSet) == 0


def test_a_list_of_names_is_asked_about_each_time_because_its_header_does_not_say_what_list_it_is(
    centre: Delivering,
) -> None:
    source = centre.source(mapped=False)
    names = {"complete": True, "list": "participants", "columns": {"student_number": "学号", "name": "姓名"}}
    with centre.psychologist.under(Permission.SOURCE_MANAGE) as access:
        row = access.find(ScreeningSource, source.id)
        sources.remember(access, row, [names], confirmed_by=centre.psychologist.id)

    arrived = centre.deliver(
        table(*([person.number, person.name] for person in centre.people), header=["学号", "姓名"])
    )

    assert arrived.state is ArrivalState.WAITING
    assert "mapping" in arrived.waits_for.split()
    assert centre.house.count(ResponseSet) == 0


def test_a_row_whose_owner_a_person_must_name_is_a_question(centre: Delivering) -> None:
    centre.source()
    first, second = centre.people[:2]
    swapped = [[first.number, second.name, *phq(1), *([0] * 7)], [second.number, first.name, *phq(2), *([0] * 7)]]

    row = centre.deliver(table(*swapped, *calm(centre.people[2:])))

    assert "question" in row.waits_for.split()


def test_a_clean_file_waits_where_the_round_wants_a_person(centre: Delivering) -> None:
    centre.source()
    centre.let_clean_files_in(allowed=False)

    row = centre.deliver(clean(centre.people))

    assert (row.state, row.waits_for) == (ArrivalState.WAITING, "person")
    assert centre.stages() == [BatchStage.PREVIEWED]


def test_a_file_for_a_round_that_has_ended_waits(centre: Delivering) -> None:
    centre.source()
    with centre.house.door.database.writing() as session:
        session.execute(update(ScreeningRound).values(stage=RoundStage.CLOSED))

    assert centre.deliver(clean(centre.people)).waits_for == "round"


def test_a_file_that_cannot_be_read_is_ended_with_the_reason_and_told(centre: Delivering) -> None:
    centre.source()

    row = centre.deliver(b"\x00\x01PK nonsense" * 40, "坏.xlsx")

    assert (row.state, row.due_at) == (ArrivalState.UNREADABLE, None)
    assert centre.stages() == [BatchStage.REFUSED]
    assert centre.told("delivery_unreadable") == {centre.psychologist.id: 1}


def test_a_refused_file_may_come_again(centre: Delivering) -> None:
    centre.source()
    centre.deliver(b"\x00\x01PK nonsense" * 40)

    centre.deliver(b"\x00\x01PK nonsense" * 40)

    assert centre.states() == [ArrivalState.UNREADABLE] * 2


def test_a_clean_file_with_a_critical_answer_goes_in_and_alerts(centre: Delivering) -> None:
    centre.source()

    row = centre.deliver(table(line(centre.people[0], phq(12, 3)), *calm(centre.people[1:])))

    assert row.state is ArrivalState.COMMITTED
    assert centre.house.count(Alert) == 1


def test_a_critical_answer_in_a_waiting_file_tells_head_and_owner_at_once_with_a_clock_of_hours(
    centre: Delivering,
) -> None:
    centre.source()

    row = centre.deliver(table(line(centre.people[0], phq(12, 3)), STRANGER, *calm(centre.people[1:])))

    assert (row.state, row.is_urgent, row.owner_id) == (ArrivalState.WAITING, True, centre.head.id)
    assert row.due_at is not None
    assert row.due_at <= moment.now() + timedelta(hours=9)
    assert centre.told("delivery_urgent") == {centre.head.id: 1, centre.psychologist.id: 1}
    assert centre.told("delivery_waits") == {}


def test_a_critical_answer_is_seen_even_before_anybody_confirmed_the_columns(centre: Delivering) -> None:
    centre.source(mapped=False)

    row = centre.deliver(table(line(centre.people[0], phq(12, 3)), *calm(centre.people[1:])))

    assert (row.waits_for, row.is_urgent) == ("mapping", True)
    assert centre.told("delivery_urgent") == {centre.head.id: 1, centre.psychologist.id: 1}


def test_a_critical_answer_of_nobody_known_is_urgent_too(centre: Delivering) -> None:
    centre.source()

    row = centre.deliver(table(["404", "路人", *phq(12, 3), *([0] * 7)], *calm(centre.people)))

    assert row.is_urgent
    assert centre.house.count(UnplacedAnswer) == 0


def test_an_export_that_has_grown_by_a_scale_with_red_flags_is_not_taken_for_confirmed(centre: Delivering) -> None:
    source = centre.source(mapped=False)
    only_gad = {"columns": MAPPING["columns"], "scales": {"gad7": MAPPING["scales"]["gad7"]}}
    with centre.psychologist.under(Permission.SOURCE_MANAGE) as access:
        row = access.find(ScreeningSource, source.id)
        sources.remember(access, row, [only_gad], confirmed_by=centre.psychologist.id)

    row = centre.deliver(table(line(centre.people[0], phq(12, 3)), *calm(centre.people[1:])))

    assert (row.waits_for, row.is_urgent) == ("mapping", True)


def test_what_cannot_be_worked_out_is_not_taken_for_calm(centre: Delivering) -> None:
    source = centre.source(mapped=False)
    grades = {"columns": {"student_number": "学号", "level": "等级"}, "levels": {"甲": 0}, "complete": True}
    with centre.psychologist.under(Permission.SOURCE_MANAGE) as access:
        held = access.find(ScreeningSource, source.id)
        sources.remember(access, held, [grades], confirmed_by=centre.psychologist.id)

    row = centre.deliver(table(*[[person.number, "甲"] for person in centre.people[:3]], header=["学号", "等级"]))
    other = centre.deliver(table(*[[person.number, "丙"] for person in centre.people[:3]], header=["学号", "等级"]))

    assert row.state is ArrivalState.COMMITTED
    assert (other.waits_for, other.is_urgent, other.owner_id) == ("question", True, centre.head.id)
    assert centre.stages()[-1] is BatchStage.READ


def test_confirming_the_columns_once_lets_the_next_file_in_by_itself(centre: Delivering) -> None:
    source = centre.source(mapped=False)
    waiting = centre.deliver(clean(centre.people[:5]))
    batch = centre.batch(waiting)
    page = centre.psychologist.get(f"/imports/{batch.id}/map")
    chosen = {f"column-{place}": page_value(page.html, place) for place in range(len(COLUMNS))}
    centre.psychologist.post(f"/imports/{batch.id}/map", version=str(batch.version), **chosen)
    centre.work()
    version = str(centre.batch(waiting).version)
    centre.psychologist.post(f"/imports/{batch.id}/commit", version=version)
    centre.work()

    assert centre.states() == [ArrivalState.COMMITTED]
    held = centre.house.again(source)
    assert (held.mapping_confirmed_by, bool(held.mapping)) == (centre.psychologist.id, True)

    centre.deliver(clean(centre.people))

    assert centre.states() == [ArrivalState.COMMITTED] * 2


def test_a_person_goes_on_with_a_waiting_file_as_with_an_upload(centre: Delivering) -> None:
    centre.source()
    row = centre.deliver(table(*calm(centre.people), STRANGER))
    batch = centre.batch(row)

    centre.psychologist.post(f"/imports/{batch.id}/commit", version=str(batch.version))
    centre.work()

    assert centre.states() == [ArrivalState.COMMITTED]
    assert centre.arrivals()[0].due_at is None
    assert centre.house.count(ResponseSet) == 2 * len(centre.people)


def test_a_waiting_file_that_is_put_aside_waits_no_more_and_may_come_again(centre: Delivering) -> None:
    centre.source()
    raw = table(*calm(centre.people), STRANGER)
    batch = centre.batch(centre.deliver(raw))

    centre.psychologist.post(f"/imports/{batch.id}/withdraw", version=str(batch.version))
    centre.deliver(raw)

    assert centre.states() == [ArrivalState.WITHDRAWN, ArrivalState.WAITING]


def test_a_file_that_the_house_overtook_is_looked_into_again_by_itself(centre: Delivering) -> None:
    centre.source()
    centre.put(clean(centre.people[:4]), "一.csv")
    centre.put(clean(centre.people[4:]), "二.csv")
    centre.look_twice()

    centre.work()

    assert centre.states() == [ArrivalState.COMMITTED] * 2
    assert centre.house.count(ResponseSet) == 2 * len(centre.people)


def test_what_the_worker_cannot_look_into_waits_for_a_person_with_the_file(centre: Delivering) -> None:
    centre.source()
    centre.put(clean(centre.people))
    centre.look_twice()
    [row] = centre.arrivals()

    with centre.house.door.enter(trial.WORKER, *trial.RIGHTS) as access:
        trial.gave_up(access, batch_id=row.batch_id, why="")  # type: ignore[arg-type]

    [row] = centre.arrivals()
    assert (row.waits_for, row.is_urgent) == ("failed", True)
    assert centre.stages() == [BatchStage.UPLOADED]
