"""The shipped rules over every possible answer sheet of PHQ-9 and GAD-7 (decisions 12), complete and with gaps."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from app.admin import rulebook
from app.admin.rule import Rulebook
from app.risk.rules import fires, hits_of
from app.screening.quality.validity import Validity
from app.screening.scales.scale import all_scales
from app.screening.scales.scoring import MISSING, score
from app.screening.tables.sheets import Bundle, Fate, ScaleSheets
from models.risk import Level
from tests.house import House

YELLOW, ORANGE = Level.YELLOW.severity, Level.ORANGE.severity
EVERY_SEVENTH = 7
"""Where rules are named one by one: enough sheets for every total and every answer to item 9."""


@pytest.fixture
def book(sqlite_house: House) -> Rulebook:
    with sqlite_house.session() as session:
        return rulebook.current(session)


@cache
def every_sheet(items: int, *, with_gaps: bool = False) -> NDArray[np.int8]:
    """All answer patterns, one per row; with gaps, a fifth answer is none at all."""
    values = [MISSING, 0, 1, 2, 3] if with_gaps else [0, 1, 2, 3]
    grid = np.indices((len(values),) * items, dtype=np.int8).reshape(items, -1).T
    return np.array(values, dtype=np.int8)[grid]


def sheets_of(key: str, answers: NDArray[np.int8], *, fresh: bool = True, known: bool = False) -> ScaleSheets:
    scale = all_scales()[key]
    rows = len(answers)
    none = np.zeros(rows, dtype=bool)
    return ScaleSheets(
        scale=scale,
        answers=answers,
        scores=score(scale, answers),
        present=(answers != MISSING).any(axis=1),
        fresh=np.full(rows, fresh) & (answers != MISSING).any(axis=1),
        known=np.full(rows, known),
        stated=none,
        expected=~none,
        validity=Validity(none, {}),
        coding=[None] * rows,
    )


def bundle_of(held: ScaleSheets, fate: Fate) -> Bundle:
    rows = len(held.answers)
    return Bundle(
        row_numbers=list(range(rows)),
        files=[],
        taken_at=[None] * rows,
        students=[None] * rows,
        units=[None] * rows,
        fate=np.full(rows, fate, dtype=np.int8),
        scales={held.scale.key: held},
        identity=lambda _place: {},
    )


def raised(book: Rulebook, held: ScaleSheets) -> NDArray[np.int64]:
    """The severity that the alert rules raise on each sheet; 0 for no alert."""
    found = np.zeros(len(held.answers), dtype=np.int64)
    for rule in book.rules:
        if rule.scale == held.scale.key and rule.level is not None:
            found[fires(rule, held)] = np.maximum(found[fires(rule, held)], rule.level.severity)
    return found


def listed(book: Rulebook, held: ScaleSheets) -> NDArray[np.bool_]:
    """On which sheets a rule for the interview list fires."""
    found = np.zeros(len(held.answers), dtype=bool)
    for rule in book.rules:
        if rule.scale == held.scale.key and rule.level is None:
            found |= fires(rule, held)
    return found


def proven(answers: NDArray[np.int8]) -> NDArray[np.int64]:
    """Decisions 12 in our own words: what the answers that are there prove, whatever the missing ones are."""
    given = np.where(answers == MISSING, 0, answers).astype(np.int64)
    total, ninth = given.sum(axis=1), given[:, 8]
    orange = (ninth >= 2) | ((ninth >= 1) & (total >= 15)) | (total >= 20)
    return np.where(orange, ORANGE, np.where(ninth >= 1, YELLOW, 0))


def test_all_262144_phq9_sheets_raise_exactly_what_was_decided(book: Rulebook) -> None:
    answers = every_sheet(9)
    total, ninth = answers.sum(axis=1), answers[:, 8]

    found = raised(book, sheets_of("phq9", answers))

    assert len(answers) == 4**9
    assert (found[ninth >= 1] >= YELLOW).all()
    assert (found[ninth >= 2] >= ORANGE).all()
    assert (found[(ninth >= 1) & (total >= 15)] >= ORANGE).all()
    assert (found[total >= 20] >= ORANGE).all()
    assert (found[(ninth == 0) & (total < 20)] == 0).all()
    assert np.array_equal(found, proven(answers))
    assert found.max() < Level.RED.severity


def test_a_phq9_total_from_10_to_19_lists_and_nothing_else_does(book: Rulebook) -> None:
    answers = every_sheet(9)
    total = answers.sum(axis=1)

    found = listed(book, sheets_of("phq9", answers))

    assert np.array_equal(found, (total >= 10) & (total < 20))


def test_all_16384_gad7_sheets_list_from_10_on_and_never_raise(book: Rulebook) -> None:
    answers = every_sheet(7)
    held = sheets_of("gad7", answers)

    found = listed(book, held)

    assert np.array_equal(found, answers.sum(axis=1) >= 10)
    assert not raised(book, held).any()


def test_missing_answers_never_hide_what_the_given_ones_prove(book: Rulebook) -> None:
    answers = every_sheet(9, with_gaps=True)

    found = raised(book, sheets_of("phq9", answers))

    assert len(answers) == 5**9
    assert np.array_equal(found, proven(answers))


def test_an_incomplete_sheet_has_no_total_and_so_no_place_on_the_list(book: Rulebook) -> None:
    answers = every_sheet(7, with_gaps=True)
    incomplete = (answers == MISSING).any(axis=1)

    found = listed(book, sheets_of("gad7", answers))

    assert not found[incomplete].any()
    assert np.array_equal(found[~incomplete], answers[~incomplete].sum(axis=1) >= 10)


def test_a_rule_that_stands_for_a_weaker_one_never_lowers_the_level(book: Rulebook) -> None:
    held = sheets_of("phq9", every_sheet(9)[::EVERY_SEVENTH])

    hits = hits_of(book, bundle_of(held, Fate.ACCEPTED))

    named = np.zeros(len(held.answers), dtype=np.int64)
    for place, found in hits.items():
        named[place] = max(hit.rule.level.severity if hit.rule.level else 0 for hit in found)
    assert np.array_equal(named, proven(held.answers))


def test_a_rejected_sheet_meets_every_critical_rule_and_no_other(book: Rulebook) -> None:
    held = sheets_of("phq9", every_sheet(9)[::EVERY_SEVENTH], fresh=False)

    hits = hits_of(book, bundle_of(held, Fate.REJECTED))

    assert set(hits) == set(np.flatnonzero(proven(held.answers)).tolist())
    assert all(hit.rule.critical for found in hits.values() for hit in found)


@pytest.mark.parametrize("fate", [Fate.KNOWN, Fate.ACCEPTED, Fate.INCOMPLETE])
def test_a_sheet_that_was_there_already_is_not_judged_again(book: Rulebook, fate: Fate) -> None:
    held = sheets_of("phq9", every_sheet(9)[-1000:], fresh=False, known=True)

    assert hits_of(book, bundle_of(held, fate)) == {}


@pytest.mark.parametrize("more", range(1, 10))
def test_a_higher_answer_never_lowers_what_is_raised(book: Rulebook, more: int) -> None:
    answers = every_sheet(9)
    lower = answers[answers[:, more - 1] < 3]
    higher = lower.copy()
    higher[:, more - 1] += 1

    assert (raised(book, sheets_of("phq9", higher)) >= raised(book, sheets_of("phq9", lower))).all()


def test_only_a_person_raises_red_by_a_report_or_by_an_interview(book: Rulebook) -> None:
    red = [rule for rule in book.rules if rule.level is Level.RED]

    assert {rule.id for rule in red} == {"cssrs.4", "cssrs.5", "cssrs.6.recent", "cssrs.high", "report.urgent"}
    assert {all_scales()[rule.scale].kind for rule in red if rule.scale} == {"interview"}


def test_no_focus_point_tells_the_advisor_an_answer_or_a_score(book: Rulebook) -> None:
    told = {point for rule in book.rules for point in rule.focus}

    assert told <= {"safety", "mood", "anxiety", "sleep", "study", "relations", "family", "daily"}
