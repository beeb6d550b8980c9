"""A round from draft to report: what it asks, of whom, by when; each step checked, shown and refused in words."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.screening.rounds.closing import next_step, time_left
from app.screening.rounds.coverage import Line
from models.identity import Role
from models.interview import InterviewEntry
from models.moment import travel
from models.notice import Notice
from models.refusal import Refusal
from models.screening import RepeatRule, RoundStage, ScreeningRound
from models.source import ScreeningSource, SourceKind
from tests.house import House
from tests.risk.times import again, at
from tests.screening.files import enrol, line, phq
from tests.screening.rounds import TERMS, done, go, new_round, stored, take_part


def test_a_draft_asks_nobody_until_it_is_opened(house: House) -> None:
    head, _, _ = house.make.team()
    group = house.make.class_group()
    advisor = house.make.advisor(group)
    enrol(house, 2, group)

    row = new_round(house, head, save="draft", scales=["phq9"], repeat_rule="last", commits_clean_files="y")

    assert (row.stage, row.repeat_rule, row.commits_clean_files) == (RoundStage.DRAFT, RepeatRule.LAST, True)
    assert "现在没有进行中的测评" in advisor.get("/reminders")
    assert advisor.get(f"/rounds/{row.id}/coverage").status == 404
    assert "还是草稿，请先开放" in head.post(f"/rounds/{row.id}/import", upload=(b"x", "a.csv"), scales=["phq9"])
    assert "全体在校学生，现有 2 人" in head.get(f"/rounds/{row.id}/next/open")
    go(head, row, "open")
    assert stored(house).stage is RoundStage.OPEN
    assert "未完成 2 人" in advisor.get(f"/reminders/{row.id}/{group.id}")


def test_a_round_goes_through_its_stages_and_no_other_way(house: House) -> None:
    head, _, _ = house.make.team()
    row = new_round(house, head)

    assert "请填写补测截止日期" in go(head, row, "make_up")
    assert "补测截止日期不能早于今天" in go(head, row, "make_up", make_up_closes_on="2026-11-01")
    go(head, row, "make_up", make_up_closes_on="2026-12-04")
    assert (stored(house).stage, stored(house).make_up_closes_on) == (RoundStage.MAKE_UP, date(2026, 12, 4))
    go(head, row, "closed")
    assert "内容不能再修改" in head.post(f"/rounds/{row.id}/edit", name="秋季普查", **TERMS)
    go(head, row, "make_up")
    go(head, row, "closed")
    go(head, row, "reported")
    assert stored(house).stage is RoundStage.REPORTED
    page = head.post(f"/rounds/{row.id}", stage="open", version=str(stored(house).version))
    assert page.status == 422
    assert head.get(f"/rounds/{row.id}/next/open").status == 302
    assert stored(house).stage is RoundStage.REPORTED


@given(steps=st.lists(st.sampled_from(list(RoundStage)), max_size=8))
def test_whatever_is_asked_a_round_only_moves_along_its_table(steps: list[RoundStage]) -> None:
    row = ScreeningRound(name="批次", stage=RoundStage.DRAFT)
    for wanted in steps:
        before = row.stage
        try:
            row.move_to(wanted)
        except Refusal:
            assert row.stage is before
            assert wanted not in ScreeningRound.__moves__[before]
        else:
            assert wanted in ScreeningRound.__moves__[before]


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"closes_on": "2026-11-10"}, "测评截止日期不能早于开始日期"),
        ({"closes_on": "2026-11-15", "opens_on": "2026-11-01"}, "测评截止日期已过"),
        ({"make_up_closes_on": "2026-11-27"}, "补测截止日期应在测评截止日期之后"),
        ({"interviews_due": "2026-11-20"}, "约谈截止日期应在测评截止日期之后"),
        ({"interviews_due": "2026-11-10", "opens_on": "", "closes_on": ""}, "约谈截止日期不能早于今天"),
        ({"closes_on": "0202-11-27"}, "请核对年份"),
        ({"name": "  "}, "请填写批次名称"),
    ],
    ids=["order", "over", "make-up", "interviews", "past", "year", "name"],
)
def test_days_and_names_that_make_no_sense_are_refused(sqlite_house: House, terms: dict[str, Any], words: str) -> None:
    head, _, _ = sqlite_house.make.team()

    page = head.post("/rounds/new", **({"name": "秋季普查"} | TERMS | terms))

    assert page.status == 422
    assert words in page
    assert sqlite_house.count(ScreeningRound) == 0


def test_a_cohort_without_anybody_is_not_opened(house: House) -> None:
    head, _, _ = house.make.team()
    empty = house.make.class_group()

    page = head.post("/rounds/new", name="秋季普查", classes=[str(empty.id)], **TERMS)

    assert "所选范围内没有在校学生" in page
    assert house.count(ScreeningRound) == 0


def test_a_rule_that_results_rest_on_stays_and_everything_else_may_change(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    row = new_round(house, head)
    done(house, tmp_path, row, *enrol(house, 1))
    page = head.get(f"/rounds/{row.id}/edit")
    version = page.value("version")

    refused = head.post(f"/rounds/{row.id}/edit", name="秋季普查", repeat_rule="last", version=version, **TERMS)
    head.post(f"/rounds/{row.id}/edit", name="新名称", scales=["gad7"], version=version, **TERMS)

    assert "多次作答的规则不能再改" in refused
    assert stored(house, "新名称").scales == '["gad7"]'
    stale = head.post(f"/rounds/{row.id}/edit", name="再改", version=version, **TERMS)
    assert stale.status == 409


def test_whoever_waits_on_the_list_follows_a_new_deadline(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    row = new_round(house, head)
    [person] = enrol(house, 1)
    take_part(house, tmp_path, row, line(person, phq(12)))
    version = head.get(f"/rounds/{row.id}/edit").value("version")

    head.post(f"/rounds/{row.id}/edit", name=row.name, version=version, **(TERMS | {"interviews_due": "2026-12-28"}))

    [(due,)] = house.all(select(InterviewEntry.due_at))
    assert due == at("2026-12-28", "17:30")


def test_closing_shows_what_is_still_open_before_the_button(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    row = new_round(house, head)
    people = enrol(house, 4)
    take_part(
        house, tmp_path, row, line(people[0], phq(12)), line(people[1]), ["2099887766", "路无名", *phq(9, 3), *[0] * 7]
    )

    page = head.get(f"/rounds/{row.id}/next/closed")

    assert "1 关键提示还没有对应到学生" in page
    assert "1 约谈还没有完成" in page
    assert "0 建议重测还没有完成" in page
    assert "2 学生还没有完成" in page
    go(head, row, "closed")
    assert house.count(InterviewEntry, InterviewEntry.ended_at.is_(None)) == 1


def test_a_round_is_handed_to_somebody_of_the_centre_who_is_told(house: House) -> None:
    head, psychologist, affairs = house.make.team()
    row = new_round(house, head)
    version = head.get(f"/rounds/{row.id}/hand-over").value("version")

    foreign = head.post(f"/rounds/{row.id}/hand-over", to=str(affairs.id), version=version)
    head.post(f"/rounds/{row.id}/hand-over", to=str(psychologist.id), version=version)

    assert foreign.status == 422
    assert stored(house).owner_id == psychologist.id
    assert house.count(Notice, Notice.recipient_id == psychologist.id, Notice.kind == "round_handed_over") == 1
    assert len(house.log(act="round_handed_over")) == 1


def test_the_list_says_how_far_each_round_is_and_what_comes_next(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    row = new_round(house, head)
    people = enrol(house, 4)
    done(house, tmp_path, row, *people[:3])

    page = head.get("/rounds")

    assert "3 / 4 人 · 75.0%" in page
    assert "还有 11 天" in page
    assert "提醒未完成的 1 人" in page
    with travel(at("2026-11-29")):
        assert "已过截止日期 2 天" in again(head).get("/rounds")
        assert "转入补测或结束" in again(head).get("/rounds")


def test_the_next_step_of_every_stage_is_said(sqlite_house: House) -> None:
    line = Line("批次", 3, 3, 0, 0)
    said = {stage: next_step(ScreeningRound(stage=stage), line) for stage in RoundStage}

    assert all(said.values())
    assert len(set(said.values())) == 4  # open and make-up are alike
    assert time_left(ScreeningRound(stage=RoundStage.CLOSED)) == ""


def test_the_sources_that_feed_a_round_stand_on_its_page(sqlite_house: House) -> None:
    house = sqlite_house
    head, _, _ = house.make.team()
    row = new_round(house, head)
    source = ScreeningSource(
        name="平台甲", kind=SourceKind.FOLDER, owner_id=head.id, round_id=row.id, created_at=at("2026-11-16")
    )
    house.make._add(source)

    page = head.get(f"/rounds/{row.id}")

    assert "平台甲 共享文件夹 待确认" in page


@pytest.mark.parametrize("role", [Role.ADVISOR, Role.COLLEGE_LEAD, Role.AFFAIRS_HEAD, Role.AID_OFFICER])
def test_rounds_are_the_centres_to_make(sqlite_house: House, role: Role) -> None:
    house = sqlite_house
    head, _, _ = house.make.team()
    row = new_round(house, head)
    person = house.make.person(role)

    pages = [person.get(f"/rounds/{row.id}{part}") for part in ("", "/edit", "/hand-over", "/report", "/next/closed")]
    pages += [person.post(f"/rounds/{row.id}", stage="closed", version="1"), person.get("/rounds")]

    assert {page.status for page in pages} == {403}
    assert not any("秋季普查" in page for page in pages)
