"""A person decides on an entry: talk (take, invite), no talk for a hint, or somebody cares already.

Only what the model added may be dismissed: a rule's entry waits for a talk, for
the student's own no, or for somebody to say that he is cared for (law 2). A
decision has a reason from a list and a few words, because the list of reasons
is read: how often hints are overruled, and why, is what the centre head asks
(``yields``). Until the round's deadline it can be taken back.
"""

from __future__ import annotations

from enum import StrEnum

from app.events import Event
from app.risk import interview
from app.security.access import Access
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.moment import now
from models.refusal import Refusal


class HintBasis(StrEnum):
    """Why a hint needs no talk, or why an entry needs none because somebody cares already."""

    UNDERSTOOD = "understood"
    DATA_WRONG = "data_wrong"
    TOO_LITTLE = "too_little"
    OTHER = "other"
    IN_CASE = "in_case"
    COLLEGE_CARES = "college_cares"
    TALKED_LATELY = "talked_lately"
    KNOWN_OTHER = "known_other"


DISMISSING = (HintBasis.UNDERSTOOD, HintBasis.DATA_WRONG, HintBasis.TOO_LITTLE, HintBasis.OTHER)
KNOWING = (HintBasis.IN_CASE, HintBasis.COLLEGE_CARES, HintBasis.TALKED_LATELY, HintBasis.KNOWN_OTHER)


class HintDismissed(Event):
    """A person judged that a hint of the model needs no talk."""


class EntryKnown(Event):
    """A person said that somebody cares for the student already."""


class EntryReconsidered(Event):
    """Such a decision was taken back: the student waits for a talk again."""


def dismiss(access: Access, entry: InterviewEntry, *, basis: HintBasis, text: str) -> None:
    """人工判断暂不约谈. Refuses whatever a rule or the lot put on the list."""
    if entry.origin is not EntryOrigin.MODEL:
        raise Refusal("只有“模型提示”增加的人可以这样处理；按筛查规则或随机回访列入的，请约谈，或登记“已在关注”。")
    if basis not in DISMISSING:
        raise Refusal("请选择原因。", field="basis")
    _end(access, entry, InterviewStage.DISMISSED, basis, text)
    access.record(HintDismissed(object_id=entry.id, student_ids=(entry.student_id,)))


def known(access: Access, entry: InterviewEntry, *, basis: HintBasis, text: str) -> None:
    """已在关注: somebody cares for the student already, whoever put him on the list."""
    if basis not in KNOWING:
        raise Refusal("请选择原因。", field="basis")
    _end(access, entry, InterviewStage.KNOWN, basis, text)
    access.record(EntryKnown(object_id=entry.id, student_ids=(entry.student_id,)))


def _end(access: Access, entry: InterviewEntry, stage: InterviewStage, basis: HintBasis, text: str) -> None:
    entry.move_to(stage)
    entry.basis, entry.ended_at = basis.value, now()
    interview.write_outcome(access, entry, {"result": None, "basis": basis.value, "text": text})


def may_reconsider(entry: InterviewEntry) -> bool:
    """Whether the decision on this entry may still be taken back."""
    return entry.stage in {InterviewStage.DISMISSED, InterviewStage.KNOWN} and entry.due_at > now()


def reconsider(access: Access, entry: InterviewEntry, *, text: str) -> None:
    """Take the decision back: the entry waits again, with its owner and its deadline."""
    if entry.stage in {InterviewStage.DISMISSED, InterviewStage.KNOWN} and entry.due_at <= now():
        raise Refusal("本批次的约谈已经截止，不能再放回名单。仍需要面谈时，请直接约谈学生并记录谈心谈话，或建立个案。")
    entry.move_to(InterviewStage.LISTED)
    entry.basis = entry.ended_at = None
    interview.write_outcome(access, entry, {"result": None, "reconsidered": True, "text": text})
    access.record(EntryReconsidered(object_id=entry.id, student_ids=(entry.student_id,)))
