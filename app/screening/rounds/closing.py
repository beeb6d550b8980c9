"""What is still open in a round: shown before it is closed, and as its next step in lists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from app.screening.rounds.coverage import Line
from app.security.access import Access
from models.intake import BatchStage, ImportBatch
from models.interview import InterviewEntry
from models.moment import today
from models.participation import Retest
from models.screening import RoundStage, ScreeningRound, UnplacedAnswer

UNDECIDED = (BatchStage.UPLOADED, BatchStage.READ, BatchStage.MAPPED, BatchStage.PREVIEWED, BatchStage.STALE)


@dataclass(frozen=True, slots=True)
class StillOpen:
    """One kind of thing that waits, how many there are, and what happens to them."""

    key: str
    count: int
    words: str
    after: str


def still_open(access: Access, row: ScreeningRound, line: Line) -> list[StillOpen]:
    """Everything of a round that is not finished, nothing left out because it is none."""
    here = row.id
    interviews = _count(access, InterviewEntry, InterviewEntry.round_id == here, InterviewEntry.ended_at.is_(None))
    retests = _count(access, Retest, Retest.round_id == here, Retest.ended_at.is_(None))
    unplaced = _count(access, UnplacedAnswer, UnplacedAnswer.round_id == here, UnplacedAnswer.ended_at.is_(None))
    files = _count(access, ImportBatch, ImportBatch.round_id == here, ImportBatch.stage.in_(UNDECIDED))
    return [
        StillOpen("unplaced", unplaced, "关键提示还没有对应到学生", "时限照常，请尽快核实。"),
        StillOpen("interviews", interviews, "约谈还没有完成", "结束后约谈照常进行，负责人和时限不变。"),
        StillOpen("retests", retests, "建议重测还没有完成", "结束后不能再导入重测结果，需要时请先转入补测。"),
        StillOpen("files", files, "结果文件还没有导入", "结束后不能再写入，请先导入或放弃。"),
        StillOpen("missing", line.missing, "学生还没有完成，也没有登记原因", "结束后不再出现在辅导员的提醒里。"),
    ]


def _count(access: Access, model: type, *where: object) -> int:
    return access.session.scalar(select(func.count()).select_from(model).where(*where)) or 0  # type: ignore[arg-type]


def last_day(row: ScreeningRound) -> date | None:
    """The day by which the running stage ends."""
    return row.make_up_closes_on if row.stage is RoundStage.MAKE_UP else row.closes_on


def time_left(row: ScreeningRound) -> str:
    """How long the running stage still lasts, in words."""
    day = last_day(row)
    if row.stage not in {RoundStage.OPEN, RoundStage.MAKE_UP} or day is None:
        return ""
    left = (day - today()).days
    if left < 0:
        return f"已过截止日期 {-left} 天"
    return "今天截止" if left == 0 else f"还有 {left} 天"


def next_step(row: ScreeningRound, line: Line) -> str:
    """What the owner does next."""
    day = last_day(row)
    over = day is not None and day < today()
    if row.stage is RoundStage.DRAFT:
        return "核对范围和日期，然后开放"
    if row.stage is RoundStage.CLOSED:
        return "查看报告，完成后标为已报告"
    if row.stage is RoundStage.REPORTED:
        return "已完成"
    if over:
        return "转入补测或结束" if row.stage is RoundStage.OPEN else "结束批次"
    if not line.done:
        return "导入结果"
    return f"提醒未完成的 {line.missing} 人" if line.missing else "全部完成，可以结束"
