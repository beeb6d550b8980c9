"""What a results file means: alerts, the round's interview list, and critical answers nobody is known for.

Judged while the file is prepared, so that the preview can say "约谈 1,012 人";
written with the commit, in its transaction (decisions 11, 12).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from app.admin import rulebook
from app.admin.rule import Rulebook
from app.events import Event
from app.notices import post
from app.risk import alert, gives_way, unplaced_rows
from app.risk.alert import Concern, Reason, SealedReasons
from app.risk.capacity import weeks_for
from app.risk.rules import Hit, hits_of
from app.risk.unplaced_rows import Unplaced
from app.screening.importing import witness
from app.screening.tables.sheets import Bundle
from app.security.access import Access
from app.security.holders import first_holder
from models.base import new_ids
from models.bulk import Same, fetch_many
from models.correction import WitnessKind
from models.identity import Role
from models.intake import ImportBatch
from models.interview import EntryOrigin, InterviewEntry, InterviewStage
from models.moment import now
from models.risk import Alert, Level, Signal
from models.screening import ScreeningRound
from models.sealed import KeyClass, Sealed

_ALERTED = select(Alert.student_id).where(Alert.ended_at.is_(None))


class InterviewsListed(Event):
    """Students were put on a round's interview list."""


@dataclass(slots=True)
class _Listed:
    """Students for the interview list, column by column."""

    students: list[bytes] = field(default_factory=list)
    units: list[tuple[bytes, bytes]] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    reasons: list[bytes] = field(default_factory=list)
    ids: list[bytes] = field(default_factory=list)
    sealed: list[Sealed] = field(default_factory=list)

    def without(self, students: Collection[bytes]) -> _Listed:
        """The others, in their order."""
        kept = [place for place, student in enumerate(self.students) if student not in students]
        columns: list[list[Any]] = [self.students, self.units, self.weights, self.reasons, self.ids, self.sealed]
        return _Listed(*([column[place] for place in kept] if column else [] for column in columns))


@dataclass(slots=True)
class RiskFindings:
    """Alerts, list entries and unplaced answers of one file."""

    book: Rulebook
    concerns: list[Concern]
    reasons: SealedReasons
    listed: _Listed
    unplaced: list[Unplaced]
    counts: dict[str, Any]
    said_again: dict[WitnessKind, list[bytes]] = field(default_factory=dict)
    """Digests of what another delivery had said already, and that this one says as well."""

    def write(self, access: Access, screening_round: ScreeningRound, batch: ImportBatch) -> None:
        alert.raise_all(access, self.book, self.concerns, self.reasons, batch_id=batch.id)
        _write_list(access, self, screening_round, batch)
        unplaced_rows.write(access, self.book, self.unplaced, screening_round, batch)
        for kind, digests in self.said_again.items():
            witness.write(access, batch.id, kind, digests)


def judge(access: Access, bundle: Bundle, screening_round: ScreeningRound) -> RiskFindings:
    """Apply the rulebook to every row; writes nothing."""
    book = rulebook.current(access.session)
    concerns: dict[bytes, Concern] = {}
    calm: dict[bytes, tuple[tuple[bytes, bytes], list[Hit]]] = {}
    unplaced = []
    for place, hits in sorted(hits_of(book, bundle).items()):
        student, units = bundle.students[place], bundle.units[place]
        raising = [hit for hit in hits if hit.rule.level is not None]
        if student is None or units is None:
            if raising:
                unplaced.append(unplaced_rows.unplaced_of(access, bundle, place, raising))
        elif raising:
            reasons = tuple(_reason(access, bundle, place, hit) for hit in raising)
            earlier = concerns[student].reasons if student in concerns else ()
            concerns[student] = Concern(student, *units, earlier + reasons)
        else:
            calm.setdefault(student, (units, []))[1].extend(hits)
    raised = _new_only(access, list(concerns.values()))
    listed = _to_list(calm, without={concern.student_id for concern in raised})
    to_list = _not_yet_listed(access, listed, screening_round)
    people = [*to_list.students, *(concern.student_id for concern in raised)]
    access.vault.fetch_keys("student", people, KeyClass.CARE, make=False)
    _seal_list(access, to_list)
    asked = unplaced_rows.not_yet_asked(access, unplaced)
    found = RiskFindings(book, raised, alert.seal_reasons(access, book, raised), to_list, asked, {})
    found.said_again = {
        WitnessKind.ROW: sorted(_rejected(concerns.values()) - _rejected(raised)),
        WitnessKind.UNPLACED: sorted({item.digest for item in unplaced} - {item.digest for item in asked}),
    }
    found.counts = _counts(access, found)
    return found


def _reason(access: Access, bundle: Bundle, place: int, hit: Hit) -> Reason:
    """A stored sheet is named by its id; a rejected row by the digest of its answers."""
    held = bundle.scales[hit.rule.scale or ""]
    if held.ids[place] is not None:
        return Reason(hit.rule, "response_set", held.ids[place])
    return Reason(hit.rule, "rejected_row", access.digest("rejected", held.digests[place] + hit.rule.id.encode())[:16])


def _new_only(access: Access, concerns: list[Concern]) -> list[Concern]:
    """Leave out what rejected rows have already said in an earlier delivery of the same file."""
    if not _rejected(concerns):
        return concerns
    query = select(Signal.student_id, Signal.source_id).where(
        Signal.source_kind == "rejected_row", Signal.voided_at.is_(None)
    )
    known = set(fetch_many(access.session, query))
    kept = []
    for concern in concerns:
        reasons = tuple(reason for reason in concern.reasons if (concern.student_id, reason.source_id) not in known)
        if reasons:
            kept.append(Concern(concern.student_id, concern.college_id, concern.class_id, reasons))
    return kept


def _rejected(concerns: Iterable[Concern]) -> set[bytes]:
    """Digests of what rows that do not go in say."""
    return {
        reason.source_id
        for concern in concerns
        for reason in concern.reasons
        if reason.source_kind == "rejected_row" and reason.source_id is not None
    }


def _counts(access: Access, found: RiskFindings) -> dict[str, Any]:
    levels = Counter(concern.level for concern in found.concerns)
    alerted = {student_id for (student_id,) in fetch_many(access.session, _ALERTED)} if found.concerns else set()
    return {
        "alerts": {level.value: levels[level] for level in (Level.RED, Level.ORANGE, Level.YELLOW)},
        "alerts_open_already": sum(concern.student_id in alerted for concern in found.concerns),
        "interview_list": len(found.listed.students),
        "interview_weeks": weeks_for(access.session, len(found.listed.students)),
        "identify": len(found.unplaced),
    }


# --- the interview list ---------------------------------------------------------------------


def _to_list(calm: Mapping[bytes, tuple[tuple[bytes, bytes], list[Hit]]], *, without: set[bytes]) -> _Listed:
    """Each student once, whatever number of rows speaks of him; whom an alert is raised for needs no place."""
    listed = _Listed()
    for student, (units, hits) in calm.items():
        if student not in without:
            _list(listed, student, units, hits)
    return listed


def _list(listed: _Listed, student: bytes, units: tuple[bytes, bytes], hits: Sequence[Hit]) -> None:
    listed.students.append(student)
    listed.units.append(units)
    listed.weights.append(sum(hit.weight for hit in hits))
    reasons = [{"rule": hit.rule.id, "text": hit.rule.reason, "focus": hit.rule.focus} for hit in hits]
    listed.reasons.append(json.dumps(reasons, ensure_ascii=False).encode())


def _not_yet_listed(access: Access, listed: _Listed, screening_round: ScreeningRound) -> _Listed:
    """Whoever a rule has listed, or already has an open alert, is not put on it again; hints give way."""
    on_list = select(InterviewEntry.student_id).where(
        InterviewEntry.round_id == screening_round.id, gives_way.holds_the_place()
    )
    skip = {student_id for query in (on_list, _ALERTED) for (student_id,) in fetch_many(access.session, query)}
    return listed.without(skip) if skip else listed


def _seal_list(access: Access, listed: _Listed) -> None:
    listed.ids = new_ids(len(listed.students))
    listed.sealed = access.seal_many(InterviewEntry.body, listed.students, listed.ids, listed.reasons)


def _write_list(access: Access, found: RiskFindings, screening_round: ScreeningRound, batch: ImportBatch) -> None:
    if not found.listed.students:
        return
    access.session.execute(select(ScreeningRound.id).where(ScreeningRound.id == screening_round.id).with_for_update())
    room = gives_way.make_room(access, screening_round.id, found.listed.students, by=batch.id)
    listed = found.listed.without(room.kept) if room.kept else found.listed
    if not listed.students:
        return
    owner = screening_round.owner_id.bytes
    access.insert_many(
        InterviewEntry,
        {
            "id": listed.ids,
            "version": Same(1),
            "round_id": Same(screening_round.id),
            "student_id": listed.students,
            "college_id": [college_id for college_id, _ in listed.units],
            "class_id": [class_id for _, class_id in listed.units],
            "stage": Same(InterviewStage.LISTED),
            "owner_id": [room.owners.get(student, owner) for student in listed.students],
            "due_at": Same(screening_round.interviews_due_at),
            "weight": listed.weights,
            "origin": Same(EntryOrigin.RULES),
            "rule_version": Same(found.book.version),
            "listed_at": Same(now()),
            "batch_id": Same(batch.id),
            "body": listed.sealed,
        },
    )
    _tell_owner(access, screening_round, len(listed.students))


def _tell_owner(access: Access, screening_round: ScreeningRound, listed: int) -> None:
    role = (
        Role.CENTRE_HEAD
        if first_holder(access.session, Role.CENTRE_HEAD) == screening_round.owner_id
        else Role.PSYCHOLOGIST
    )
    post.tell(access, screening_round.owner_id, role, "interview_list", count=listed)
    access.record(InterviewsListed(object_id=screening_round.id, count=listed))
