"""Scoring against bare ``predict_proba`` of the model's parts, and gathering against bare opening and parsing."""

from __future__ import annotations

import gc
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray
from scipy.special import expit
from sqlalchemy import select

from app.cli import bench_import
from app.cli.screening import import_results
from app.risk.gathering import features, gather
from app.security.actor import CONSOLE
from app.security.door import Door, open_door
from app.security.policy import Permission
from ml import train
from ml.features import FeatureTable, plain_table
from ml.model import Model
from models.base import new_id
from models.bulk import fetch_many, fetch_sealed
from models.keys import DataKey
from models.moment import now
from models.screening import ResponseSet
from models.sealed import HEADER, KeyClass
from models.student import Student

Summary = Callable[[list[float], list[float]], dict[str, Any]]
LEARNED_FROM = 3_000
SCALES = ("phq9", "gad7")
EARLIER_SHARE = 5
"""One student in so many has a wave before this one."""


# --- scoring -----------------------------------------------------------------------------------


def score(rows: int, rounds: int, seed: int, summary: Summary) -> dict[str, Any]:
    """The whole (contributions, sums, abstaining) against the parts as scikit-learn and numpy give them."""
    chance = np.random.default_rng(seed)
    model = _model(chance)
    table = _invented(chance, rows, model)
    whole, bare = [], []
    for _ in range(rounds):
        whole.append(_timed(lambda: model.score(table)))
        bare.append(_timed(lambda: _parts(model, table.values)))
    return {**summary(whole, bare), "rows": rows, "features": len(model.features)}


def _parts(model: Model, values: NDArray[np.float64]) -> None:
    """What stands behind the model: the trees' ``predict_proba`` and the probability of the bent lines."""
    trees = model.parts.forest
    trees.estimator.predict_proba(trees.inputs(values))
    expit(model.parts.ramps.log_odds(values))


def _model(chance: np.random.Generator) -> Model:
    """A model of every declared feature, learned from invented numbers that mean something."""
    table = _invented(chance, LEARNED_FROM, None)
    strain = np.nanmean(_standing(table), axis=1)
    labels = (strain + chance.normal(0, 0.1, len(table)) > np.quantile(strain, 0.7)).astype(np.int8)
    return train.train(table, labels)


def _standing(table: FeatureTable) -> NDArray[np.float64]:
    """Every value as where it lies between the lowest and the highest there can be."""
    bounds = np.array([(feature.lowest or 0.0, feature.highest or 1.0) for feature in table.features])
    standing: NDArray[np.float64] = (table.values - bounds[:, 0]) / (bounds[:, 1] - bounds[:, 0])
    return standing


def _invented(chance: np.random.Generator, rows: int, model: Model | None) -> FeatureTable:
    """Whole numbers within the bounds of each feature, leaning on one strain per person; a fifth is not known."""
    columns = model.features if model is not None else tuple(entry.feature for entry in features.declared())
    strain = chance.beta(2, 4, size=rows)
    values = np.empty((rows, len(columns)))
    for place, feature in enumerate(columns):
        low, high = feature.lowest or 0.0, feature.highest or 1.0
        lean = np.clip(strain + chance.normal(0, 0.15, rows), 0, 1)
        values[:, place] = np.round(low + (high - low) * (lean if feature.direction.sign >= 0 else 1 - lean))
    values[chance.random(values.shape) < 0.2] = np.nan
    return plain_table(columns, values)


# --- gathering ---------------------------------------------------------------------------------


def gathering(students: int, rounds: int, summary: Summary) -> dict[str, Any]:
    """A college in a folder of its own: seconds per 100,000 students, and the ratio to what cannot be saved."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "house"
        settings = bench_import.settings_in(home)
        bench_import.build(settings, students)
        door = open_door(settings)
        _screen(door, Path(folder), students)
        everybody = _everybody(door)
        whole, bare, told = [], [], {}
        for _ in range(rounds):
            started = time.perf_counter()
            told = _gather(door, everybody)
            whole.append(time.perf_counter() - started)
            bare.append(_timed(lambda: _floor(door)))
        door.database.dispose()
    per = [seconds * 100_000 / students for seconds in whole]
    return {**summary(whole, bare), **told, "students": students, "seconds_per_100000": round(min(per), 2)}


def _screen(door: Door, folder: Path, students: int) -> None:
    """Two sheets each in this wave, and for some of them in the wave before."""
    for name, count, seed in (("上一轮", students // EARLIER_SHARE, 11), ("本轮", students, 7)):
        file = folder / f"{seed}.xlsx"
        bench_import.write_results(file, count, seed=seed)
        import_results(door, file, round_name=name, scales=SCALES)


def _everybody(door: Door) -> list[UUID]:
    with door.database.reading() as session:
        return [UUID(bytes=row[0]) for row in fetch_many(session, select(Student.id).order_by(Student.id))]


def _gather(door: Door, everybody: list[UUID]) -> dict[str, Any]:
    """As the nightly work does it, through the door and with its entry in the log."""
    with door.enter(CONSOLE, Permission.RISK_SCORE, writing=False) as access:
        found = gather.gather(access, everybody, at=now(), domains=frozenset())
    known = int((~np.isnan(found.table.values)).sum())
    return {"facts": found.facts_read, "columns": len(found.table.features), "values": known}


def _floor(door: Door) -> None:
    """The same sheets, bare: read, one unwrap per student, one AES-GCM and one JSON per sheet."""
    with door.database.reading() as session:
        keys = fetch_many(session, select(DataKey.wrapped).where(DataKey.key_class == KeyClass.ANSWERS))
        query = select(ResponseSet.id, ResponseSet.body).order_by(ResponseSet.student_id)
        bodies = fetch_sealed(session, query)[-1]
    wrapper, key, nonce = AESGCM(bytes(32)), AESGCM(new_id().bytes * 2), bytes(12)
    wrapped, plain = (
        wrapper.encrypt(nonce, bytes(32), b"bound"),
        b'{"answers":[0,1,2,3,0,1,2,3,0],"total":12,"band":null}',
    )
    sealed = {len(plain): key.encrypt(nonce, plain, b"bound")}
    for _ in keys:
        AESGCM(wrapper.decrypt(nonce, wrapped, b"bound"))
    for body in bodies:
        size = len(body.ciphertext) - HEADER - 28
        if size not in sealed:
            sealed[size] = key.encrypt(nonce, _padded(plain, size), b"bound")
        json.loads(key.decrypt(nonce, sealed[size], b"bound"))


def _padded(plain: bytes, size: int) -> bytes:
    """JSON of that length."""
    return plain + b" " * (size - len(plain))


def _timed(work: Callable[[], Any]) -> float:
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run(rows: int, students: int, rounds: int, summary: Summary) -> dict[str, Any]:
    """Both."""
    return {"score": score(rows, rounds, 7, summary), "gather": gathering(students, rounds, summary)}
