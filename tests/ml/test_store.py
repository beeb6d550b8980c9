"""A stored model is the same model; anything that is not a whole, unharmed model of ours is refused."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import skops.io
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from ml.packed import as_plain
from ml.store import ALLOWED, DIGEST, MAGIC, BadModel, dump, load
from ml.train import train
from tests.ml.made import KEYS, college, gappy_model, model

SOUND = dump(model())


def sealed(body: bytes) -> bytes:
    """As an attacker would: a digest that fits."""
    return MAGIC + hashlib.sha256(body).digest() + body


def packed(held: Any) -> bytes:
    return sealed(skops.io.dumps(held))


@pytest.mark.parametrize("made", [model, gappy_model])
def test_a_stored_model_scores_to_the_last_bit_as_before(made: Callable[[], Any]) -> None:
    table, _ = college(3000, seed=6, gaps=0.2)

    again = load(dump(made()))

    before, after = made().score(table), again.score(table)
    assert np.array_equal(before.log_odds, after.log_odds, equal_nan=True)
    assert before.contributions.tobytes() == after.contributions.tobytes()
    assert (before.abstains == after.abstains).all()
    assert dump(again) == dump(made())
    assert again.parts.forest is None


def test_a_model_that_leans_on_rules_is_stored_whole() -> None:
    table, labels = college(220, seed=12)
    rules = table.column("phq9")
    own = train(table, labels, rules=rules)

    again = load(dump(own))

    assert again.needs_rules
    assert np.array_equal(again.score(table, rules=rules).log_odds, own.score(table, rules=rules).log_odds)


@given(st.integers(0, len(SOUND) - 1), st.integers(1, 255))
def test_any_flipped_byte_is_noticed(place: int, by: int) -> None:
    harmed = bytearray(SOUND)
    harmed[place] ^= by

    with pytest.raises(BadModel):
        load(bytes(harmed))


@given(st.integers(0, len(SOUND) - 1))
def test_a_part_of_a_model_is_no_model(length: int) -> None:
    with pytest.raises(BadModel):
        load(SOUND[:length])


@given(st.binary(max_size=200))
def test_other_bytes_are_no_model(raw: bytes) -> None:
    for own in (raw, sealed(raw), MAGIC + raw):
        with pytest.raises(BadModel):
            load(own)


@pytest.mark.parametrize(
    "stranger",
    [LogisticRegression(), np.float64, print, np.dtype("f8"), {1, 2}, (1, 2), slice(3), b"code", np.sin, np.float64(1)],
    ids=repr,
)
def test_a_type_that_is_not_on_the_list_is_refused_even_where_skops_trusts_it(stranger: Any) -> None:
    with pytest.raises(BadModel, match="does not hold"):
        load(packed({**as_plain(model()), "procedure": stranger}))


@pytest.mark.parametrize("place", ["__module__", "__class__", "__loader__"])
def test_a_type_swapped_in_the_file_is_refused(place: str) -> None:
    with zipfile.ZipFile(io.BytesIO(SOUND[len(MAGIC) + DIGEST :])) as file:
        held = {name: file.read(name) for name in file.namelist()}
    state = json.loads(held["schema.json"])
    state["content"]["base"][place] = "os" if place == "__module__" else "system"
    held["schema.json"] = json.dumps(state).encode()
    forged = io.BytesIO()
    with zipfile.ZipFile(forged, "w") as file:
        for name, body in held.items():
            file.writestr(name, body)

    with pytest.raises(BadModel, match="does not hold"):
        load(sealed(forged.getvalue()))


def against_its_direction(held: dict[str, Any]) -> None:
    held["shapes"][KEYS.index("phq9")]["levels"] = -held["shapes"][KEYS.index("phq9")]["levels"]


def broken(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    held = as_plain(load(SOUND))
    change(held)
    return held


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "turned": against_its_direction,
    "layout": lambda held: held.update(layout=2),
    "no base": lambda held: held.pop("base"),
    "nan base": lambda held: held.update(base=float("nan")),
    "base of words": lambda held: held.update(base="0.5"),
    "short": lambda held: held["shapes"].pop(),
    "kinds": lambda held: held["features"][0].update(nominal=True, direction="none"),
    "direction": lambda held: held["features"][0].update(direction="sideways"),
    "breaks": lambda held: held["shapes"][0].update(breaks=held["shapes"][0]["breaks"][::-1].copy()),
    "levels": lambda held: held["shapes"][0].update(levels=held["shapes"][0]["levels"][1:].copy()),
    "infinite": lambda held: held["shapes"][0].update(levels=held["shapes"][0]["levels"] + np.inf),
    "small floats": lambda held: held.update(importance=held["importance"].astype("f4")),
    "cuts": lambda held: held.update(cuts=np.zeros(3)),
    "list": lambda held: held.update(features={}),
    "objects": lambda held: held.update(importance=np.array([None], dtype=object)),
}


@pytest.mark.parametrize("what", list(CHANGES))
def test_plain_values_that_are_not_a_model_are_refused(what: str) -> None:
    """A directed curve that was turned round is among them: such a file could lower a risk for more burden."""
    with pytest.raises(BadModel):
        load(packed(broken(CHANGES[what])))


def test_a_compressed_file_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(BadModel, match="not compressed"):
        load(sealed(skops.io.dumps(as_plain(model()), compression=zipfile.ZIP_DEFLATED)))


def test_the_list_of_types_is_short() -> None:
    assert {(module, name) for module, name, _ in ALLOWED} == {
        ("builtins", "dict"), ("builtins", "list"), ("builtins", "str"), ("numpy", "ndarray"),
    }  # fmt: skip
