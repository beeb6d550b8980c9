"""Screening rounds (普查批次): drafted and opened by the centre, filled by files, closed when everybody was seen to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select

from app.events import Event
from app.notices import post
from app.screening.rounds import cohort
from app.screening.rounds.cohort import Cohort
from app.screening.scales.scale import all_scales
from app.security.access import Access
from app.security.holders import first_holder, holders_of
from config import catalogue
from models import moment
from models.identity import Role
from models.moment import now, today
from models.refusal import Refusal
from models.screening import RepeatRule, ResponseSet, RoundStage, ScreeningRound

RUNNING = frozenset({RoundStage.OPEN, RoundStage.MAKE_UP})
"""Stages in which results are taken, students reminded and absences written down."""


class RoundOpened(Event):
    """A screening round was made: as a draft, or open at once."""


class RoundMoved(Event):
    """A screening round went on to its next stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundChanged(Event):
    """What a round asks, whom, or by when was changed."""

    interviews_due: datetime | None = None
    """The new deadline of its interviews, if that changed."""


class RoundHandedOver(Event):
    """Another person answers for a round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a round asks of whom, and by when."""

    scales: Sequence[str] = ()
    cohort: Cohort = field(default_factory=Cohort)
    opens_on: date | None = None
    closes_on: date | None = None
    make_up_closes_on: date | None = None
    consent_id: UUID | None = None
    repeat_rule: RepeatRule = RepeatRule.FIRST
    commits_clean_files: bool = False


def draft(
    access: Access, *, name: str, owner_id: UUID | None = None, interviews_due: datetime | None = None
) -> ScreeningRound:
    """A round that is not in the house yet. It belongs to somebody, because its interview list does (law 3)."""
    return ScreeningRound(
        name=_name(name),
        stage=RoundStage.OPEN,
        owner_id=owner_id or _owner(access),
        opened_at=now(),
        interviews_due_at=interviews_due or default_deadline(),
        scales="[]",
        cohort="{}",
        repeat_rule=RepeatRule.FIRST,
        commits_clean_files=False,
    )


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Refusal("请填写批次名称。", field="name")
    return name


def add(access: Access, row: ScreeningRound) -> None:
    """Put a drafted round into the house."""
    _refuse_name_in_use(access, row.name)
    access.session.add(row)
    access.session.flush()
    access.record(RoundOpened(object_id=row.id))


def _refuse_name_in_use(access: Access, name: str) -> None:
    if access.session.scalar(select(ScreeningRound.id).where(ScreeningRound.name == name)) is not None:
        raise Refusal("已有同名的普查批次。", field="name")


def plan(access: Access, *, name: str, interviews_due: datetime, terms: Terms) -> ScreeningRound:
    """A round as a draft: nobody is reminded and nothing imported until it is opened."""
    row = draft(access, name=name, interviews_due=interviews_due)
    row.stage = RoundStage.DRAFT
    _set(row, terms)
    add(access, row)
    return row


def change(access: Access, row: ScreeningRound, *, name: str, interviews_due: datetime, terms: Terms) -> None:
    """Change what a round asks. Its interviews follow a new deadline; a rule that results rest on stays."""
    if row.stage not in {RoundStage.DRAFT, *RUNNING}:
        raise Refusal("这个批次已经结束，内容不能再修改。需要继续收集结果时，请先转入补测。")
    if _name(name) != row.name:
        _refuse_name_in_use(access, _name(name))
    if terms.repeat_rule is not row.repeat_rule and has_results(access, row):
        raise Refusal("已有结果按现在的规则计入，多次作答的规则不能再改。", field="repeat_rule")
    moved = interviews_due != row.interviews_due_at
    row.name, row.interviews_due_at = _name(name), interviews_due
    _set(row, terms)
    if row.stage in RUNNING:
        refuse_unfit(access, row)
    access.record(RoundChanged(object_id=row.id, interviews_due=interviews_due if moved else None))


def has_results(access: Access, row: ScreeningRound) -> bool:
    query = select(ResponseSet.id).where(ResponseSet.round_id == row.id).limit(1)
    return access.session.scalar(query) is not None


def _set(row: ScreeningRound, terms: Terms) -> None:
    _refuse_disorder(terms, row.interviews_due_at)
    row.scales = json.dumps(list(terms.scales))
    row.cohort = terms.cohort.as_text()
    row.opens_on, row.closes_on, row.make_up_closes_on = terms.opens_on, terms.closes_on, terms.make_up_closes_on
    row.consent_id, row.repeat_rule = terms.consent_id, terms.repeat_rule
    row.commits_clean_files = terms.commits_clean_files


def _refuse_disorder(terms: Terms, interviews_due: datetime) -> None:
    """Each day comes after the one before it."""
    if terms.opens_on and terms.closes_on and terms.closes_on < terms.opens_on:
        raise Refusal("测评截止日期不能早于开始日期。", field="closes_on")
    last = terms.closes_on or terms.opens_on
    if terms.make_up_closes_on and last and terms.make_up_closes_on <= last:
        raise Refusal("补测截止日期应在测评截止日期之后。", field="make_up_closes_on")
    if last and interviews_due.astimezone(moment.zone()).date() < last:
        raise Refusal("约谈截止日期应在测评截止日期之后，给约谈留出时间。", field="interviews_due")


def scales_of(row: ScreeningRound) -> list[str]:
    """The scales a round asks for, in the order in which they were chosen; those a college has removed are left out."""
    return [key for key in json.loads(row.scales or "[]") if key in all_scales()]


def default_deadline() -> datetime:
    """The end of the day on which interviews are usually done."""
    return end_of(today() + timedelta(days=catalogue.table("capacity")["deadline_days"]))


def end_of(day: date) -> datetime:
    """The end of a working day at the school."""
    return datetime.combine(day, time(17, 30), moment.zone())


def _owner(access: Access) -> UUID:
    """Whoever opens it in the centre; from the command line, the head of the centre."""
    me = access.actor
    if me.id is not None and me.role in {Role.CENTRE_HEAD, Role.PSYCHOLOGIST}:
        return me.id
    owner = first_holder(access.session, Role.CENTRE_HEAD) or first_holder(access.session, Role.PSYCHOLOGIST)
    if owner is None:
        raise Refusal("没有人可以负责这个批次：请先为心理中心的老师开通岗位角色。")
    return owner


def move(access: Access, row: ScreeningRound, *, stage: RoundStage, make_up_closes_on: date | None = None) -> None:
    """Go on to the next stage; a closed round takes no more files."""
    if stage is RoundStage.MAKE_UP:
        _ask_for_an_end(row, make_up_closes_on)
    row.move_to(stage)
    if stage is RoundStage.OPEN:
        refuse_unfit(access, row)
        row.opened_at = now()
    access.record(RoundMoved(object_id=row.id))


def _ask_for_an_end(row: ScreeningRound, last_day: date | None) -> None:
    """A make-up run without a last day would never end (law 3)."""
    last_day = last_day or row.make_up_closes_on
    if last_day is None:
        raise Refusal("请填写补测截止日期。", field="make_up_closes_on")
    if last_day < today():
        raise Refusal("补测截止日期不能早于今天。", field="make_up_closes_on")
    row.make_up_closes_on = last_day


def refuse_unfit(access: Access, row: ScreeningRound) -> None:
    """Whether a running round makes sense: somebody to ask, and an end that still lies ahead."""
    if not cohort.size(access.session, cohort.read(row.cohort)):
        chosen = not cohort.read(row.cohort).is_everybody
        if chosen:
            raise Refusal("所选范围内没有在校学生，请核对学院、班级、年级和标签。", field="colleges")
    if row.stage is RoundStage.OPEN and row.closes_on and row.closes_on < today():
        raise Refusal("测评截止日期已过，请改为以后的日期，或转入补测。", field="closes_on")


def hand_over(access: Access, row: ScreeningRound, *, to: UUID) -> None:
    """Another person answers for the round from now on."""
    held = [role for role in (Role.CENTRE_HEAD, Role.PSYCHOLOGIST) if to in holders_of(access.session, role)]
    if not held:
        raise Refusal("批次负责人应是心理中心的老师。", field="to")
    if to == row.owner_id:
        raise Refusal("这位老师已经是负责人。", field="to")
    row.owner_id = to
    post.tell(access, to, held[0], "round_handed_over")
    access.record(RoundHandedOver(object_id=row.id))


def refuse_unless_open(row: ScreeningRound) -> None:
    if row.stage is RoundStage.DRAFT:
        raise Refusal("这个批次还是草稿，请先开放批次，再导入结果。")
    if row.stage not in RUNNING:
        raise Refusal("这个批次已经结束，不能再导入结果。")


def find_or_draft(access: Access, name: str) -> tuple[ScreeningRound, bool]:
    """The round called so, or a draft of it; and whether it is new (command line)."""
    found = access.session.scalars(
        select(ScreeningRound).where(ScreeningRound.name == " ".join(name.split()))
    ).one_or_none()
    return (found, False) if found is not None else (draft(access, name=name), True)
