"""Labels of some speak for everybody when each stands for those like him, and only then."""

from __future__ import annotations

import numpy as np
import pytest

from ml.simulate import interviewed, simulate, world
from ml.weights import Counted, NoShare, both, by_stratum, effective_size, inclusion, inverse, of_strata


def test_a_flagged_student_stands_for_one_and_an_audited_for_fifty() -> None:
    assert inclusion(np.array([True, False])).tolist() == [1.0, 50.0]
    assert inverse(np.array([0.25, 1.0])).tolist() == [4.0, 1.0]


@pytest.mark.parametrize("share", [0.0, -0.1, 1.2, np.nan])
def test_who_could_not_be_interviewed_stands_for_nobody(share: float) -> None:
    with pytest.raises(NoShare, match="row 1"):
        inverse(np.array([0.5, share]))


def test_the_realised_share_counts_everybody_once() -> None:
    strata = np.array(["flagged"] * 4 + ["others"] * 6)
    labelled = np.array([1, 1, 0, 0, 1, 1, 1, 0, 0, 0], dtype=bool)

    held = by_stratum(strata, labelled)

    assert held.tolist() == [2, 2, 0, 0, 2, 2, 2, 0, 0, 0]
    assert held.sum() == 10


def test_a_stratum_without_an_interview_is_not_left_out_in_silence() -> None:
    with pytest.raises(NoShare, match="others"):
        by_stratum(np.array(["flagged", "others"]), np.array([True, False]))


def test_unequal_weights_know_less() -> None:
    assert effective_size(np.ones(40)) == pytest.approx(40)
    assert effective_size(np.array([1.0, 1.0, 50.0])) == pytest.approx(52**2 / 2502)
    assert effective_size(np.zeros(3)) == 0


def test_shares_of_strata_are_honest_about_an_audit_that_found_nobody() -> None:
    found = of_strata(Counted(1000, 900, 300), Counted(10_000, 200, 0))

    assert found.prevalence.value == pytest.approx(1000 / 3 / 11_000)
    assert found.reached_by_flags.value == 1
    assert (found.reached_by_flags.low or 1) < 0.8
    assert of_strata(Counted(100, 100, 10), Counted(900, 0, 0)).prevalence.value is None


def test_events_are_among_the_labelled() -> None:
    with pytest.raises(ValueError, match="among the labelled"):
        of_strata(Counted(10, 5, 6), Counted(10, 5, 1))


def test_the_interviews_alone_are_wrong_and_the_weighted_hold_the_truth() -> None:
    held = simulate(students=6000, repeats=40, share=0.05, draws=120, seed=4)

    wrong = held.figures
    assert wrong["prevalence"].naive > 2 * wrong["prevalence"].truth
    assert wrong["reached_by_flags"].naive > wrong["reached_by_flags"].truth + 0.2
    assert wrong["auc"].naive < wrong["auc"].truth - 0.05
    assert wrong["recall@0.1"].naive < wrong["recall@0.1"].truth - 0.1
    for name in ("prevalence", "reached_by_flags", "auc", "recall@0.1"):
        assert wrong[name].naive_coverage < 0.2, name
    for name, told in wrong.items():
        assert told.weighted_coverage >= 0.85, name
        assert abs(told.weighted - told.truth) < 0.25 * told.weighted_width, name
    assert np.mean([told.weighted_coverage for told in wrong.values()]) >= 0.92


def test_the_interval_of_a_share_holds_it_as_often_as_it_says() -> None:
    held = []
    for turn in range(200):
        rng = np.random.default_rng([7, turn])
        flagged, others = rng.binomial(1000, 0.15), rng.binomial(5000, 0.02)
        seen = rng.hypergeometric(flagged, 1000 - flagged, 850), rng.hypergeometric(others, 5000 - others, 250)
        found = of_strata(Counted(1000, 850, seen[0]), Counted(5000, 250, seen[1]), seed=turn)
        truth = (flagged + others) / 6000, flagged / (flagged + others)
        held.append((found.prevalence.covers(truth[0]), found.reached_by_flags.covers(truth[1])))

    assert min(np.mean(held, axis=0)) >= 0.9


def test_without_an_audit_share_nothing_is_claimed_of_the_others() -> None:
    rng = np.random.default_rng(1)
    held = world(2000, rng)
    seen = interviewed(held, share=0.0, reached=1.0, rng=rng)
    labels = np.where(seen, held.events, np.nan)

    with pytest.raises(NoShare):
        both(labels, held.score, held.flagged)


def test_both_readings_of_one_round_stand_side_by_side() -> None:
    rng = np.random.default_rng(2)
    held = world(8000, rng)
    seen = interviewed(held, share=0.1, reached=0.9, rng=rng)
    labels = np.where(seen, held.events, np.nan)

    found = both(labels, 0.24 * held.score - 5.2, held.flagged)

    assert found.naive.rows == found.weighted.rows == seen.sum()
    assert found.weighted.prevalence.covers(held.events.mean())
    assert not found.naive.prevalence.covers(held.events.mean())
    assert found.effective_size < seen.sum()


def test_the_same_seed_tells_the_same_story() -> None:
    assert simulate(students=1500, repeats=2, draws=10, share=0.2) == simulate(
        students=1500, repeats=2, draws=10, share=0.2
    )
