"""Whatever is wrong with a model's file is a word on a page; the rules go on as if nothing were."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import skops.io
from sqlalchemy import delete, update

from app.risk.scores import shelf
from app.risk.scores.said import said_of
from app.risk.scores.shelf import Shelf
from app.security.actor import WORKER
from app.security.ledger import Record, append
from app.security.policy import Permission
from app.web.words import label
from ml import store
from models.base import new_id
from models.interview import InterviewEntry
from models.risk import Alert, Duty, Signal
from models.risk_model import ModelStage, RiskModel, RiskScore
from models.sealed import Sealed
from tests.house import House
from tests.risk.scores.trained import live, model_of, score_round, shelve, the_round
from tests.screening.files import bring_in, enrol, line, phq, written


def taken(house: House) -> Shelf:
    with house.door.enter(WORKER, Permission.RISK_SCORE, writing=False) as access:
        return shelf.active(access)


def ciphertext(house: House) -> bytes:
    with house.session() as session:
        return session.query(RiskModel.file).scalar().ciphertext  # type: ignore[no-any-return]


def put(house: House, **columns: Any) -> None:
    with house.door.database.writing() as session:
        session.execute(update(RiskModel).values(**columns))


def reseal(house: House, raw: bytes, *, honest: bool = False) -> None:
    """Exchange the file as somebody could who holds the keys; ``honest``: with its hash."""
    with house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        row = access.session.query(RiskModel).one()
        row.file = access.sealed(row, RiskModel.file, raw)
        if honest:
            row.sha256 = sha256(raw).digest()


def flipped(house: House) -> None:
    raw = bytearray(ciphertext(house))
    raw[len(raw) // 2] ^= 1
    put(house, file=Sealed(bytes(raw)))


def truncated(house: House) -> None:
    put(house, file=Sealed(ciphertext(house)[:200]))


def as_text(house: House) -> None:
    """A shell that joins bytes with || leaves SQLite a text, and none that could be read as one."""
    with house.door.database.writing() as session:
        session.connection().exec_driver_sql("UPDATE risk_model SET file = file || x'ff00fe'")


def exchanged(house: House) -> None:
    reseal(house, store.dump(model_of(8)))


def of_another_row(house: House) -> None:
    other = shelve(house, model_of(8), stage=ModelStage.TRAINED)
    with house.session() as session:
        held = session.query(RiskModel.file).filter(RiskModel.id == other.id).scalar()
    with house.door.database.writing() as session:
        session.execute(update(RiskModel).where(RiskModel.stage == ModelStage.ACTIVE).values(file=held))


def no_model(house: House) -> None:
    reseal(house, b"not a model", honest=True)


def another_class(house: House) -> None:
    body = skops.io.dumps({"model": Path("somewhere")})
    reseal(house, store.MAGIC + sha256(body).digest() + body, honest=True)


def half_a_model(house: House) -> None:
    reseal(house, store.dump(model_of())[:2000], honest=True)


def later_format(house: House) -> None:
    reseal(house, b"XINYU-MODEL-9\n" + bytes(500), honest=True)


def deleted(house: House) -> None:
    with house.door.database.writing() as session:
        session.execute(delete(RiskScore))
        session.execute(delete(RiskModel))


TROUBLES = [
    (flipped, shelf.TAMPERED),
    (truncated, shelf.TAMPERED),
    (as_text, shelf.TAMPERED),
    (exchanged, shelf.TAMPERED),
    (of_another_row, shelf.TAMPERED),
    (no_model, shelf.UNREADABLE),
    (another_class, shelf.UNREADABLE),
    (half_a_model, shelf.UNREADABLE),
    (later_format, shelf.OTHER),
    (deleted, shelf.NONE),
]


def test_a_whole_model_is_taken_and_is_the_one_that_was_put_there(house: House) -> None:
    row = shelve(house)

    found = taken(house)

    assert found.trouble == ""
    assert found.shelved is not None
    assert (found.shelved.id, found.shelved.edition) == (row.id, 1)
    assert store.dump(found.shelved.model) == store.dump(model_of())


@pytest.mark.parametrize(("spoil", "trouble"), TROUBLES, ids=lambda held: getattr(held, "__name__", ""))
def test_a_spoiled_model_is_a_word_and_never_an_error(sqlite_house: House, spoil: Any, trouble: str) -> None:
    shelve(sqlite_house)
    assert taken(sqlite_house).trouble == ""

    spoil(sqlite_house)

    assert taken(sqlite_house) == Shelf(None, trouble)
    assert label(trouble, "model_trouble")


@pytest.mark.parametrize(("spoil", "trouble"), TROUBLES, ids=lambda held: getattr(held, "__name__", ""))
def test_without_a_readable_model_import_alerts_and_lists_are_what_they_are_without_one(
    sqlite_house: House, tmp_path: Path, spoil: Any, trouble: str
) -> None:
    sqlite_house.make.team()
    people = enrol(sqlite_house, 4)
    shelve(sqlite_house)
    spoil(sqlite_house)

    bring_in(sqlite_house, written(tmp_path, *_answers(people)))
    sqlite_house.work()

    assert _ruled(sqlite_house) == {"alert": 1, "duty": 2, "signal": 2, "interview_entry": 1}
    assert live(sqlite_house) == []
    assert sqlite_house.log(act="round_scored")[-1]["count"] == 0


def test_with_a_model_the_same_import_raises_the_same(sqlite_house: House, tmp_path: Path) -> None:
    sqlite_house.make.team()
    people = enrol(sqlite_house, 4)
    shelve(sqlite_house)

    bring_in(sqlite_house, written(tmp_path, *_answers(people)))
    sqlite_house.work()

    assert _ruled(sqlite_house) == {"alert": 1, "duty": 2, "signal": 2, "interview_entry": 1}
    assert len(live(sqlite_house)) == 4


def test_scores_of_the_day_before_stay_but_order_nothing_when_the_file_is_spoiled(
    sqlite_house: House, tmp_path: Path
) -> None:
    sqlite_house.make.team()
    bring_in(sqlite_house, written(tmp_path, *_answers(enrol(sqlite_house, 4))))
    shelve(sqlite_house)
    score_round(sqlite_house, the_round(sqlite_house))

    flipped(sqlite_house)
    score_round(sqlite_house, the_round(sqlite_house))

    assert len(live(sqlite_house)) == 4
    with sqlite_house.door.enter(WORKER, Permission.RISK_SCORE) as access:
        assert said_of(access, the_round(sqlite_house).id) == {}


def test_a_row_whose_hash_is_not_the_one_in_the_log_is_not_believed(house: House) -> None:
    row = shelve(house)
    _log(house, row, row.sha256)
    assert taken(house).trouble == ""

    raw = store.dump(model_of(8))
    reseal(house, raw, honest=True)

    assert taken(house) == Shelf(None, shelf.TAMPERED)


def test_a_model_that_is_asked_for_by_a_wrong_id_is_missing(house: House) -> None:
    with house.door.enter(WORKER, Permission.RISK_SCORE, writing=False) as access:
        assert shelf.one(access, new_id()) == Shelf(None, shelf.MISSING)


def test_a_second_look_opens_nothing_and_still_sees_an_exchange(house: House) -> None:
    shelve(house)
    taken(house)
    opened = len(house.log(act="risk_score"))

    assert taken(house).trouble == ""
    assert len(house.log(act="risk_score")) == opened
    flipped(house)

    assert taken(house).trouble == shelf.TAMPERED


def _answers(people: Any) -> list[list[Any]]:
    """One with a critical answer, one for the list, two calm."""
    return [
        line(people[0], phq(16, ninth=2)),
        line(people[1], phq(12)),
        line(people[2]),
        line(people[3], phq(3)),
    ]


def _ruled(house: House) -> dict[str, int]:
    """What the rules alone put there."""
    return {kind.__tablename__: house.count(kind) for kind in (Alert, Duty, Signal, InterviewEntry)}


def _log(house: House, row: RiskModel, digest: bytes) -> None:
    record = Record(
        actor_id=None,
        role="worker",
        act="risk_model_trained",
        permission="model_manage",
        purpose="administration",
        basis="",
        outcome="done",
        object_id=row.id,
        fields=(f"sha256:{digest.hex()}",),
    )
    with house.door.database.writing() as session:
        append(session, house.door.instance_keys.log_mac, [record])
