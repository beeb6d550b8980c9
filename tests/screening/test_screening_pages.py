"""Results on the page: handed in, columns confirmed, previewed, committed by the worker, and the receipt."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from models.identity import Role
from models.intake import BatchChunk, BatchStage, ImportBatch
from models.interview import InterviewEntry
from models.job import Job, JobStage
from models.risk import Alert
from models.screening import ResponseSet, ScreeningRound
from tests.furnished import page_value
from tests.house import Client, House, Page, xlsx
from tests.screening.files import COLUMNS, Person, enrol, gad, line, live, phq

STRANGER = "2099887766"


def results(*lines: list[Any], header: list[str] = COLUMNS) -> tuple[bytes, str]:
    return xlsx(header, *lines), "结果.xlsx"


def opened(house: House, person: Client, name: str = "秋季普查") -> str:
    """A new round's address."""
    person.post("/rounds/new", name=name, interviews_due="2026-12-20")
    [(round_id,)] = house.all(select(ScreeningRound.id).where(ScreeningRound.name == name))
    return f"/rounds/{round_id}"


def upload(house: House, person: Client, round_path: str, file: tuple[bytes, str], **more: Any) -> str:
    """Hand a file in; returns the batch's address."""
    person.post(f"{round_path}/import", upload=file, **({"scales": ["phq9", "gad7"]} | more))
    rows = house.all(select(ImportBatch.id).order_by(ImportBatch.uploaded_at, ImportBatch.id))
    return f"/imports/{rows[-1].id}"


def confirm(person: Client, path: str, **chosen: str) -> Page:
    """Confirm the suggested meaning of each column, save those given as ``column_3="phq9.2"``."""
    html = person.get(f"{path}/map").html
    places = sorted({int(place) for place in re.findall(r'name="column-(\d+)"', html)})
    meanings = {f"column-{place}": page_value(html, place) for place in places}
    meanings |= {name.replace("_", "-"): value for name, value in chosen.items()}
    version = re.search(r'name="version" value="(\d+)"', html)
    assert version
    return person.post(f"{path}/map", version=version[1], **meanings)


def press(person: Client, path: str, act: str) -> Page:
    """Press a button of the batch's page, with the version it was built from."""
    version = re.search(rf'{path}/{act}.*?name="version" value="(\d+)"', person.get(path).html, re.DOTALL)
    assert version, f"no button {act}"
    return person.post(f"{path}/{act}", version=version[1])


def previewed(house: House, person: Client, *lines: list[Any], **more: Any) -> str:
    """A file handed in, confirmed and worked out; returns its address."""
    rounds = house.all(select(ScreeningRound.id).order_by(ScreeningRound.opened_at))
    path = upload(
        house, person, f"/rounds/{rounds[-1].id}" if rounds else opened(house, person), results(*lines), **more
    )
    confirm(person, path)
    house.work()
    return path


def stage(house: House, path: str) -> BatchStage:
    [row] = [row for row in house.all(select(ImportBatch.id, ImportBatch.stage)) if str(row.id) in path]
    return BatchStage(row.stage)


def stored(house: House) -> tuple[int, int, int]:
    return house.count(ResponseSet), house.count(Alert), house.count(InterviewEntry)


def dirty(people: list[Person]) -> list[list[Any]]:
    """A calm one, one for the list, a critical one, a bad cell, and a stranger with a critical answer."""
    calm, listed, critical, bad = people
    return [
        line(calm),
        line(listed, phq(12)),
        line(critical, phq(4, 2)),
        line(bad, gad=["好多天", *[0] * 6]),
        [STRANGER, "路无名", *phq(9, 3), *gad(0)],
    ]


def test_from_upload_to_receipt_nothing_is_written_before_the_worker_commits(house: House) -> None:
    _, psychologist, _ = house.make.team()
    people = enrol(house, 4)
    path = upload(house, psychologist, opened(house, psychologist), results(*dirty(people)))
    before = live(house)

    mapping = psychologist.get(f"{path}/map")
    waiting = confirm(psychologist, path)
    house.work()
    preview = psychologist.get(path)

    assert "需要的列都已找到" in mapping
    assert "在后台处理" in waiting
    assert "5 读到的行" in preview
    assert "第 1 题应为 0–3 的整数" in preview
    assert "以上是预览，还没有写入" in preview
    assert live(house) == before
    asked = press(psychologist, path, "commit")
    assert "在后台处理" in asked
    assert psychologist.post(f"{path}/commit").status == 409
    assert live(house) == before
    house.work()
    receipt = psychologist.get(path)
    assert "写入。" in receipt
    assert "已发出的预警" in receipt
    assert stored(house) == (8, 1, 1)
    assert stage(house, path) is BatchStage.COMMITTED
    assert house.proof().holds


def test_the_waiting_page_asks_how_far_it_is_and_learns_the_end(house: House) -> None:
    _, psychologist, _ = house.make.team()
    path = previewed(house, psychologist, *map(line, enrol(house, 3)))
    press(psychologist, path, "commit")
    state = psychologist.send("GET", f"{path}/state").response.json
    assert (state["stage"], state["working"]) == ("committing", True)

    house.work()

    state = psychologist.send("GET", f"{path}/state").response.json
    assert (state["stage"], state["working"]) == ("committed", False)
    assert state["done"] == state["total"] == 3
    assert set(state) == {"stage", "label", "working", "done", "total"}


def test_problems_name_row_and_column_but_neither_number_nor_name_nor_answer(sqlite_house: House) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    path = previewed(house, psychologist, *dirty(people := enrol(house, 4)))

    page = psychologist.get(path)

    assert "6 学号 名册里没有这个学号" in page
    assert "5 GAD7-1" in page
    secrets = [STRANGER, "路无名", "好多天", *(word for person in people for word in (person.number, person.name))]
    assert [word for word in secrets if word in page.html] == []


def test_the_page_where_columns_are_confirmed_shows_nobodys_number_or_name(sqlite_house: House) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    [person] = enrol(house, 1)
    file = results(["王晓", *line(person), "李明"], header=["姓名", "学号", "被试姓名", *COLUMNS[2:], "同伴"])

    page = psychologist.get(f"{upload(house, psychologist, opened(house, psychologist), file)}/map")

    assert [word for word in ("王晓", person.number, person.name, "李明") if word in page.html] == []


@pytest.mark.parametrize("role", [role for role in Role if role.value not in {"console", "worker", "student"}])
def test_only_the_centre_brings_results_in(sqlite_house: House, role: Role) -> None:
    house = sqlite_house
    head, _, _ = house.make.team()
    path = previewed(house, head, *map(line, enrol(house, 1)))
    [(round_id,)] = house.all(select(ScreeningRound.id))
    person = house.make.person(role)
    allowed = role in {Role.CENTRE_HEAD, Role.PSYCHOLOGIST}
    before = live(house)

    seen = [person.get(address) for address in (f"/rounds/{round_id}/import", path, f"{path}/map", f"{path}/state")]
    version = {"version": "1"}
    done = [person.post(f"{path}/{act}", **version) for act in ("commit", "withdraw", "preview", "map")]

    assert {page.status for page in seen} == ({200} if allowed else {403})
    assert {page.status for page in done} <= ({409, 422} if allowed else {403})
    assert live(house) == before
    assert stage(house, path) is BatchStage.PREVIEWED
    if not allowed:
        assert not any("秋季普查" in page or "结果.xlsx" in page for page in [*seen, *done])


def test_a_file_put_aside_leaves_no_copy_and_cannot_be_committed_any_more(house: House) -> None:
    _, psychologist, _ = house.make.team()
    path = previewed(house, psychologist, *map(line, enrol(house, 2)))
    before = live(house)

    page = press(psychologist, path, "withdraw")

    assert "已放弃这次导入，没有写入任何内容" in page
    assert psychologist.post(f"{path}/commit").status == 409
    house.work()
    assert live(house) == before
    assert house.count(BatchChunk) == 0
    assert stage(house, path) is BatchStage.WITHDRAWN


def test_a_file_put_aside_while_it_is_worked_out_stays_aside(sqlite_house: House) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    path = upload(house, psychologist, opened(house, psychologist), results(*map(line, enrol(house, 2))))
    confirm(psychologist, path)

    psychologist.post(f"{path}/withdraw")
    house.work()

    assert stage(house, path) is BatchStage.WITHDRAWN
    assert house.count(Job, Job.stage == JobStage.FAILED) == 0
    assert "已放弃" in psychologist.get(path)


def test_the_same_file_again_is_known_and_raises_nothing_anew(house: House) -> None:
    _, psychologist, _ = house.make.team()
    lines = dirty(enrol(house, 4))
    press(psychologist, previewed(house, psychologist, *lines), "commit")
    house.work()
    before = live(house)

    again = previewed(house, psychologist, *lines)

    page = psychologist.get(again)
    assert "4 其中已有" in page
    press(psychologist, again, "commit")
    house.work()
    after = live(house)
    assert {name for name in after if after[name] != before[name]} <= {"data_key"}


def test_another_file_in_between_makes_the_preview_stale_until_it_is_previewed_again(house: House) -> None:
    head, psychologist, _ = house.make.team()
    people = enrol(house, 2)
    mine = previewed(house, psychologist, *map(line, people))
    theirs = previewed(house, head, line(people[0], phq(12)))
    press(head, theirs, "commit")
    house.work()

    press(psychologist, mine, "commit")
    house.work()

    assert "请重新预览" in psychologist.get(mine)
    assert house.count(ResponseSet) == 2
    press(psychologist, mine, "preview")
    house.work()
    page = psychologist.get(mine)
    assert "本批次里已有这名学生不同的作答" in page


def test_what_was_confirmed_is_asked_again_when_the_columns_do_not_do(sqlite_house: House) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    path = upload(house, psychologist, opened(house, psychologist), results(*map(line, enrol(house, 1))))

    for wrong in (
        {"column_0": ""},
        {"column_2": "phq9.2"},
        {"column_2": ""},
        {"column_2": "phq9.99"},
        {"column_1": "x"},
    ):
        page = confirm(psychologist, path, **wrong)
        assert page.status == 422, wrong

    house.work()
    assert house.count(ResponseSet) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"PK\x03\x04 half", "文件不完整"), (b"   ", "文件是空的"), ("学号\n".encode(), "表头下面没有数据")],
    ids=["half", "blank", "header only"],
)
def test_a_file_nobody_can_read_is_said_to_be_so_and_can_be_put_aside(
    sqlite_house: House, content: bytes, words: str
) -> None:
    _, psychologist, _ = sqlite_house.make.team()
    path = upload(sqlite_house, psychologist, opened(sqlite_house, psychologist), (content, "坏.xlsx"))

    page = psychologist.get(f"{path}/map")

    assert page.status == 422
    assert words in page
    assert psychologist.post(f"{path}/map", version="1").status in {409, 422}
    assert psychologist.post(f"{path}/withdraw").status == 200
    assert sqlite_house.count(BatchChunk) == 0


def test_a_round_that_is_over_takes_no_file_even_one_that_was_previewed(house: House) -> None:
    head, _, _ = house.make.team()
    path = previewed(house, head, *map(line, enrol(house, 1)))
    [(round_id, version)] = house.all(select(ScreeningRound.id, ScreeningRound.version))
    head.post(f"/rounds/{round_id}", stage="closed", version=str(version))

    commit = head.post(f"{path}/commit")
    again = head.post(f"/rounds/{round_id}/import", upload=results(["1", "x", *[0] * 16]), scales=["phq9"])

    assert (commit.status, again.status) == (409, 422)
    assert "这个批次已经结束" in commit
    assert "这个批次已经结束" in again
    house.work()
    assert house.count(ResponseSet) == 0
