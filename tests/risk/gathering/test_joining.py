"""A feature is one declared entry: a new one over facts there are, or with a new room's source, needs no other code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.risk.gathering import features, gather
from app.risk.gathering.facts import Asked, Facts, moments
from app.risk.gathering.gather import UnknownFeature
from app.screening.scales.scale import all_scales
from app.security.access import Access
from config import catalogue
from config.catalogue import CatalogueError
from ml.features import Direction
from models.moment import now
from tests.house import House
from tests.risk.gathering.known import AUTUMN, college, gathered, value, wave
from tests.screening.files import line, phq

ENTRY = {
    "meaning": "晴雨表近两周最低",
    "direction": "increasing",
    "sensitivity": "sensitive",
    "source": "心理晴雨表",
    "fact": "weather.cloud",
    "how": "highest",
    "window_days": 14,
    "lowest": 0,
    "highest": 5,
    "higher": "近两周有过阴雨",
    "lower": "近两周晴",
}


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> object:
    """Write one more entry into the file."""
    table = catalogue.table("features")

    def write(key: str, **entry: object) -> None:
        monkeypatch.setitem(table["feature"], key, entry)

    return write


def _weather(_access: Access, asked: Asked) -> Iterator[Facts]:
    """The source of an invented room: everybody saw clouds, as many as his place."""
    size = len(asked.students)
    yield Facts(
        kind="weather.cloud",
        places=np.arange(size),
        values=np.arange(size, dtype=np.float64),
        known_at=moments([asked.until] * size),
    )


def test_a_new_entry_over_facts_there_are_is_a_new_column(house: House, tmp_path: Path, declare: object) -> None:
    _, [person] = college(house, 1)
    wave(house, tmp_path, AUTUMN, line(person, phq(7)))
    declare("phq9_count", **(ENTRY | {"fact": "sheet.phq9.total", "how": "count", "window_days": 400}))  # type: ignore[operator]

    assert value(gathered(house, [person]), "phq9_count") == 1


def test_a_new_room_joins_with_one_source_and_its_entries(
    house: House, declare: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, people = college(house, 3)
    declare("cloud", **ENTRY)  # type: ignore[operator]
    monkeypatch.setitem(gather.sources, "weather", _weather)

    assert gathered(house, people).column("cloud").tolist() == [0, 1, 2]


def test_an_entry_without_a_source_is_said_and_not_passed_over(sqlite_house: House, declare: object) -> None:
    _, [person] = college(sqlite_house, 1)
    declare("cloud", **ENTRY)  # type: ignore[operator]

    with pytest.raises(UnknownFeature, match="weather"):
        gathered(sqlite_house, [person])


def test_data_of_another_domain_are_neither_asked_for_nor_shown_without_the_register(
    house: House, declare: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, [person] = college(house, 1)
    asked_for: list[frozenset[str]] = []

    def source(access: Access, asked: Asked) -> Iterator[Facts]:
        asked_for.append(asked.kinds)
        return _weather(access, asked)

    declare("cloud", **(ENTRY | {"sensitivity": "cross_domain", "data_use": "registry"}))  # type: ignore[operator]
    monkeypatch.setitem(gather.sources, "weather", source)

    without = gathered(house, [person], domains=frozenset())
    of_a_model = gathered(house, [person], domains=frozenset(), only=["cloud", "talks"])
    assert "cloud" not in without.keys
    assert of_a_model.keys == ("cloud", "talks")
    assert np.isnan(of_a_model.column("cloud")).all()
    assert asked_for == []

    assert value(gathered(house, [person], domains=frozenset({"registry"})), "cloud") == 0
    assert asked_for


def test_a_model_whose_feature_is_declared_no_more_is_told_so(sqlite_house: House) -> None:
    _, [person] = college(sqlite_house, 1)

    with pytest.raises(UnknownFeature, match="horoscope"):
        gathered(sqlite_house, [person], only=["phq9_total", "horoscope"])


def test_nobody_is_a_table_without_rows(sqlite_house: House) -> None:
    assert len(gathered(sqlite_house, [])) == 0
    assert now()


@pytest.mark.parametrize(
    "wrong",
    [
        {"direction": "sideways"},
        {"how": "guess"},
        {"colour": "red"},
        {"data_use": "registry"},
        {"sensitivity": "cross_domain"},
        {"sensitivity": "cross_domain", "data_use": "horoscopes"},
        {"lowest": "low"},
    ],
)
def test_an_entry_that_says_something_impossible_is_refused_by_its_name(declare: object, wrong: dict[str, str]) -> None:
    declare("cloud", **(ENTRY | wrong))  # type: ignore[operator]

    with pytest.raises(CatalogueError, match="cloud"):
        features.declared()


# --- the file as it is shipped ---------------------------------------------------------------------


def test_every_entry_has_a_source_and_words_for_both_ways() -> None:
    for entry in gather.declared():
        assert entry.source in gather.sources, entry.key
        assert entry.feature.meaning, entry.key
        assert entry.feature.higher, entry.key
        assert entry.feature.lower, entry.key
        assert entry.feature.lowest is not None, entry.key
        assert entry.feature.highest is not None, entry.key


def test_every_domain_of_the_register_has_something_that_rests_on_it() -> None:
    for domain in features.domains():
        assert features.resting_on(domain.key), domain.key


def test_totals_can_be_what_their_scales_say_and_point_where_trouble_is() -> None:
    totals = [entry for entry in gather.declared() if entry.fact.startswith("sheet.") and entry.how == "last"]
    assert totals
    for entry in totals:
        _, key, what, *more = entry.fact.split(".")
        scale, feature = all_scales()[key], entry.feature
        assert feature.direction is (Direction.DECREASING if key == "who5" else Direction.INCREASING), entry.key
        if what == "total":
            assert (feature.lowest, feature.highest) == (scale.lowest, scale.highest), entry.key
        if what == "sub":
            [subscale] = [held for held in scale.subscales if held.key == more[0]]
            assert (feature.lowest, feature.highest) == (subscale.lowest, subscale.highest), entry.key
