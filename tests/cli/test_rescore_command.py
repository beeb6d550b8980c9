"""``scale rescore`` as a command: it stands under ``scale``, and says that there is nothing to do."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import run


def test_nothing_is_scored_anew_where_everything_is_in_force(home: Path) -> None:
    ended = run(home, "scale", "rescore", "--dry-run", "--json")

    assert ended.status == 0
    assert ended.held == {"dry_run": True, "differences": []}


def test_an_unknown_round_is_refused_in_words(home: Path) -> None:
    assert "没有叫“没有的批次”的批次" in run(home, "scale", "rescore", "--round", "没有的批次").refusal
