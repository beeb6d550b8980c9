"""``risk`` as a command: what it refuses in words, and what it does with an edition on the shelf."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.security.door import open_door
from models.risk_model import RiskScore
from tests.cli.program import run
from tests.conftest import settings_in
from tests.house import House
from tests.risk.editions.editions import card
from tests.risk.scores import trained

ROUND = "2026 年秋季普查（演示）"


@pytest.fixture
def shelved(home: Path) -> Iterator[tuple[Path, House]]:
    """The invented college with an edition in use."""
    door = open_door(settings_in(home))
    house = House(door)
    trained.shelve(house, card=card())
    yield home, house
    door.database.dispose()


def test_without_an_edition_each_command_says_so(home: Path) -> None:
    assert "面谈结果还不够，没有训练" in run(home, "risk", "train").refusal
    assert "还没有这一版模型" in run(home, "risk", "card").refusal
    assert run(home, "risk", "replay", "--json").held == {"count": 0, "same": 0, "different": []}
    assert "没有名为“没有的批次”的普查批次" in run(home, "risk", "drift", "--round", "没有的批次").refusal


def test_rounds_are_scored_and_every_score_replays_to_the_last_bit(shelved: tuple[Path, House]) -> None:
    home, _ = shelved

    scored = run(home, "risk", "score", "--json").held["rounds"]
    again = run(home, "risk", "score", "--round", ROUND, "--json").held["rounds"]
    replayed = run(home, "risk", "replay", "--json").held

    assert scored[ROUND] > 30
    assert again == {ROUND: 0}, "nothing had changed"
    assert replayed["count"] == replayed["same"] == sum(scored.values())


def test_a_score_that_was_changed_is_named_and_the_status_says_so(shelved: tuple[Path, House]) -> None:
    home, house = shelved
    run(home, "risk", "score", "--json")
    changed = trained.live(house)[0].id
    with house.door.database.writing() as session:
        session.get_one(RiskScore, changed).inputs = bytes(32)

    ended = run(home, "risk", "replay", "--json")

    assert ended.status == 1
    assert ended.held["different"] == [{"score": str(changed), "differs": ["inputs"]}]


def test_the_card_is_told_and_saved_for_its_owner_only(shelved: tuple[Path, House], tmp_path: Path) -> None:
    home, _ = shelved
    paper = tmp_path / "模型卡.pdf"

    ended = run(home, "risk", "card", "--pdf", str(paper))

    assert ended.status == 0
    assert "第 1 版（使用中）" in ended.out
    assert "排序能力（AUC）" in ended.out
    assert paper.read_bytes().startswith(b"%PDF-")
    assert paper.stat().st_mode & 0o077 == 0


def test_drift_is_told_in_sentences_with_its_false_alarm_rate(shelved: tuple[Path, House]) -> None:
    home, _ = shelved

    ended = run(home, "risk", "drift", "--round", ROUND, "--json")

    assert ended.status == 0, ended.out + ended.err
    assert ended.held["false_alarm_rate"] == 0.05
    assert ended.held["words"]
