"""The fate of each sheet and row: stored, already known, left out by the round's rule, incomplete, or rejected."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.intake.problem import Problem
from app.screening.matching.match import Match
from app.screening.scales.scoring import MISSING, score
from app.screening.tables import stated, totals
from app.screening.tables.reading import Reading
from app.screening.tables.sheets import Fate, Flags, ScaleSheets
from app.security.access import Access
from models.bulk import fetch_many
from models.intake import ImportBatch
from models.screening import RepeatRule, ResponseSet, SheetStatus, SheetValidity

Fates = NDArray[np.int8]
SMALL = 250
"""Scales whose answers are below this pack into a byte; larger ones (minutes of PSQI) into two."""
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class Held(NamedTuple):
    """A live sheet of the round."""

    sheet_id: bytes
    digest: bytes
    taken_at: datetime | None
    is_complete: bool
    is_doubtful: bool


Stored = dict[bytes, Held]
"""Live sheets of one scale in a round, by student."""


def decide(
    access: Access, batch: ImportBatch, rule: RepeatRule, reading: Reading, students: list[Match | None]
) -> Fates:
    """Decide about every sheet, then about every row; marks the fresh sheets of each scale.

    Whole columns first: a sheet of a known student is fresh. Then, one by one,
    those for which that is not the whole truth: the same student twice, or
    sheets that the round holds already.
    """
    known = np.array([student is not None for student in students], dtype=bool)
    said = _said(reading)
    everything = _stored(access, batch, list(reading.scales))
    for key, held in reading.scales.items():
        stored = everything.get(key, {})
        if key == stated.STATEMENT:
            owners = [student.student_id if student else None for student in students]
            held.present &= ~stated.merge(held.answers, owners, held.present)
            _combine_with_stored(access, held, students, stored)
            held.scores = score(held.scale, held.answers)
        held.fresh = held.present & known
        held.digests = digests_of(access, held, [student.student_id if student else b"" for student in students])
        _settle_repeated(reading, held, students, rule)
        _settle_stored(reading, batch, held, students, stored, rule)
        reading.problems += totals.differences(held, reading.row_numbers, reading.files)
    reading.problems += [
        _problem(reading, place, code, f"{'、'.join(names)}：{words}")
        for (place, code, words), names in reading.left_out.items()
    ]
    return _rows(reading, known, said)


def _said(reading: Reading) -> Flags:
    """Rows that say anything at all."""
    said: Flags = np.logical_or.reduce([held.present for held in reading.scales.values()])
    return said


def _rows(reading: Reading, known: Flags, said: Flags) -> Fates:
    """A row is accepted if anything in it is stored, known, or joined to another row of the same person."""
    none = np.zeros(len(known), dtype=bool)
    fresh = np.logical_or.reduce([none, *(held.fresh for held in reading.scales.values())])
    stored = np.logical_or.reduce([none, *(held.known for held in reading.scales.values())])
    left_out = np.logical_or.reduce([none, *(held.left_out for held in reading.scales.values())])
    joined = known & said & ~_said(reading)
    fate: Fates = np.where(fresh, Fate.ACCEPTED, np.where(stored | joined, Fate.KNOWN, Fate.REJECTED)).astype(np.int8)
    fate[~known] = Fate.REJECTED
    fate[(fate == Fate.KNOWN) & left_out] = Fate.REJECTED
    lacking = [held.lacking & held.fresh | held.blank for held in reading.scales.values()]
    fate[(fate == Fate.ACCEPTED) & np.logical_or.reduce([none, *lacking])] = Fate.INCOMPLETE
    reading.problems += [
        _problem(reading, place, "no_answers", "本行没有任何作答，按未完成处理。")
        for place in np.flatnonzero(known & ~said).tolist()
    ]
    for held in reading.scales.values():
        reading.problems += _gaps(reading, held, fate)
    return fate


# --- what is known already ----------------------------------------------------------------------


def digests_of(access: Access, held: ScaleSheets, owners: Sequence[bytes]) -> list[bytes]:
    """Keyed digests of student and answers: the same sheet is recognised, equal answers of two people are not.

    Keyed BLAKE2s (RFC 7693): three times as fast as HMAC, and nothing is looked up by it.
    """
    key = access.vault.index_key(f"digest sheet {held.scale.key}")
    size, digest = held.scale.size, hashlib.blake2s
    if max((item.maximum for item in held.scale.items), default=0) < SMALL:
        packed, width = (held.answers + 1).astype(np.uint8).tobytes(), size
    else:
        packed, width = (held.answers + 1).astype("<u2").tobytes(), 2 * size
    extra = _stated_bytes(held)
    return [
        digest(
            owner + packed[place * width : (place + 1) * width] + extra.get(place, b""),
            key=key,
            digest_size=16,
        ).digest()
        for place, owner in enumerate(owners)
    ]


def _stated_bytes(held: ScaleSheets) -> dict[int, bytes]:
    """What stands for the answers of rows that have none."""
    scores = held.scores
    return {
        place: np.array([scores.totals[place], scores.bands[place], *scores.subscales[place]], dtype="<f8").tobytes()
        for place in np.flatnonzero(held.stated).tolist()
    }


def _stored(access: Access, batch: ImportBatch, scales: list[str]) -> dict[str, Stored]:
    query = select(
        ResponseSet.scale,
        ResponseSet.student_id,
        ResponseSet.id,
        ResponseSet.digest,
        ResponseSet.taken_at,
        ResponseSet.status,
        ResponseSet.validity,
    ).where(ResponseSet.round_id == batch.round_id, ResponseSet.voided_at.is_(None), ResponseSet.scale.in_(scales))
    found: dict[str, Stored] = defaultdict(dict)
    for scale, student_id, sheet_id, digest, taken_at, status, validity in fetch_many(access.session, query):
        found[scale][student_id] = Held(
            sheet_id,
            digest,
            _moment(taken_at),
            status != SheetStatus.INCOMPLETE.value,
            validity == SheetValidity.DOUBTFUL.value,
        )
    return found


def _moment(value: datetime | str | None) -> datetime | None:
    """A time as the driver gives it: SQLite as text in UTC."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found is None or found.tzinfo is not None else found.replace(tzinfo=UTC)


def _combine_with_stored(access: Access, held: ScaleSheets, students: list[Match | None], stored: Stored) -> None:
    """What a source said of somebody earlier in this round still holds beside what it says now."""
    places = {}
    for place in np.flatnonzero(held.present).tolist():
        student = students[place]
        if student is not None and student.student_id in stored:
            places[UUID(bytes=stored[student.student_id].sheet_id)] = place
    ids = list(places)
    for start in range(0, len(ids), 500):
        rows = access.session.execute(
            select(ResponseSet.id.label("response_set_id"), ResponseSet.student_id, ResponseSet.body).where(
                ResponseSet.id.in_(ids[start : start + 500])
            )
        ).all()
        for row, body in zip(rows, access.open_each(rows, ResponseSet.body), strict=True):
            place = places[row.response_set_id]
            earlier = [MISSING if value is None else value for value in json.loads(body)["answers"]]
            held.answers[place] = np.maximum(held.answers[place], np.array(earlier, dtype=np.int16))
            held.replaces.add(place)


# --- the same person twice ----------------------------------------------------------------------


def _settle_repeated(reading: Reading, held: ScaleSheets, students: list[Match | None], rule: RepeatRule) -> None:
    """Several tries in one delivery: the round's rule says which counts, and equal ones change nothing."""
    tries: dict[bytes, list[int]] = defaultdict(list)
    for place in np.flatnonzero(held.fresh).tolist():
        tries[students[place][0]].append(place)  # type: ignore[index]
    for places in tries.values():
        if len(places) == 1:
            continue
        chosen = _chosen(reading, held, places, rule)
        for place in places:
            if place == chosen:
                continue
            held.fresh[place] = False
            if held.digests[place] == held.digests[chosen]:
                held.known[place] = True
                continue
            words = f"同一学生有多次作答，按批次规则采用了{_row(reading, chosen)}；关键题照常检查。"
            reading.left_out[place, "repeated", words].append(held.scale.name)


def _row(reading: Reading, place: int) -> str:
    """A row in words, with its file where there are several."""
    row = f"第 {reading.row_numbers[place]} 行"
    return f"“{reading.files[place]}”{row}" if reading.files else row


def _chosen(reading: Reading, held: ScaleSheets, places: list[int], rule: RepeatRule) -> int:
    taken = reading.taken_at
    order = sorted(places, key=lambda place: (taken[place] or LONG_AGO, place))
    if rule is RepeatRule.FIRST:
        return order[0]
    if rule is RepeatRule.LAST:
        return order[-1]
    return max(order, key=lambda place: int((held.answers[place] != MISSING).sum()))


def _settle_stored(
    reading: Reading,
    batch: ImportBatch,
    held: ScaleSheets,
    students: list[Match | None],
    stored: Stored,
    rule: RepeatRule,
) -> None:
    """Sheets that the round holds: equal ones are known; others take their place only where something says so."""
    if not stored:
        return
    for place in np.flatnonzero(held.fresh).tolist():
        earlier = stored.get(students[place][0])  # type: ignore[index]
        if earlier is None:
            continue
        if earlier.digest == held.digests[place]:
            held.fresh[place], held.known[place] = False, True
            held.replaces.discard(place)
        elif batch.replace or place in held.replaces or _is_retest(held, place, earlier):
            held.replaces.add(place)
        else:
            _by_rule(reading, held, place, earlier, rule)


def _is_retest(held: ScaleSheets, place: int, earlier: Held) -> bool:
    """Believable answers after doubtful ones. A bare total answers nothing again."""
    return earlier.is_doubtful and not held.validity.doubtful[place] and not held.stated[place]


def _by_rule(reading: Reading, held: ScaleSheets, place: int, earlier: Held, rule: RepeatRule) -> None:
    taken = reading.taken_at[place]
    if rule is RepeatRule.MOST_COMPLETE and earlier.is_complete != (not held.lacking[place]):
        if not earlier.is_complete:
            held.replaces.add(place)
            return
        code, words = "repeated", "本批次已有这名学生更完整的作答，按批次规则未改动；关键题照常检查。"
    elif rule is not RepeatRule.MOST_COMPLETE and taken and earlier.taken_at and taken != earlier.taken_at:
        if (taken > earlier.taken_at) == (rule is RepeatRule.LAST):
            held.replaces.add(place)
            return
        code, words = "repeated", "本批次已有这名学生另一次作答，按批次规则未改动；关键题照常检查。"
    else:
        code = "differs"
        words = "本批次里已有这名学生不同的作答，未改动；如要以本文件为准，请选择“以新结果替换”。关键题照常检查。"
    held.fresh[place] = False
    reading.left_out[place, code, words].append(held.scale.name)


# --- what is missing ----------------------------------------------------------------------------


def _gaps(reading: Reading, held: ScaleSheets, fate: Fates) -> list[Problem]:
    """What is missing from the sheets that are taken: some answers, or a whole scale."""
    lacking = np.flatnonzero(held.lacking & held.fresh).tolist()
    counts = (held.answers == MISSING).sum(axis=1) if lacking else None
    found = [
        _problem(
            reading,
            place,
            "items_missing",
            f"{held.scale.name} 缺 {int(counts[place])} 题，不计总分；关键题照常检查。",  # type: ignore[index]
        )
        for place in lacking
    ]
    skipped = np.flatnonzero(held.blank & (fate == Fate.INCOMPLETE)).tolist()
    found += [_problem(reading, place, "scale_blank", f"{held.scale.name} 没有作答，未计入。") for place in skipped]
    return found


def _problem(reading: Reading, place: int, code: str, words: str) -> Problem:
    return Problem(reading.row_numbers[place], None, code, words, reading.files[place] if reading.files else "")
