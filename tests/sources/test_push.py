"""Signed pushes of files: who may push, how often it counts, and that the answer tells nothing (law 4)."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from app.screening.sources import source as sources
from app.security.policy import Permission
from models import moment
from models.intake import BatchKind, ImportBatch
from models.refusal import Refusal
from models.screening import ResponseSet
from models.source import ArrivalState, ScreeningSource, SourceKind
from tests.sources.delivering import Delivering, clean
from tests.sources.pushing import ACCEPTED, CSV, REFUSED, REPEATED, Pushing, signature


def test_a_signed_file_goes_in_by_itself(centre: Delivering) -> None:
    pushing = Pushing(centre)

    assert pushing.send(clean(centre.people)) == ACCEPTED
    centre.work()

    assert centre.states() == [ArrivalState.COMMITTED]
    assert centre.house.count(ResponseSet) == 2 * len(centre.people)
    assert centre.house.proof().holds


def test_the_same_push_again_is_repeated_and_the_same_file_with_a_new_signature_too(centre: Delivering) -> None:
    pushing = Pushing(centre)
    raw, stamp = clean(centre.people), int(moment.now().timestamp())

    first, replayed = pushing.send(raw, at=stamp), pushing.send(raw, at=stamp)
    signed_anew = pushing.send(raw, at=stamp + 1)

    assert (first, replayed, signed_anew) == (ACCEPTED, REPEATED, REPEATED)
    assert centre.states() == [ArrivalState.WAITING, ArrivalState.REPEATED]
    assert centre.house.count(ImportBatch, ImportBatch.kind == BatchKind.SCREENING) == 1


@pytest.mark.parametrize("away", [-301, 301, -3600])
def test_a_signature_of_another_time_is_refused(centre: Delivering, away: int) -> None:
    pushing = Pushing(centre)

    assert pushing.send(clean(centre.people), at=int(moment.now().timestamp()) + away) == REFUSED
    assert centre.arrivals() == []


def test_a_captured_push_is_worth_nothing_later(centre: Delivering) -> None:
    pushing = Pushing(centre)
    raw, stamp = clean(centre.people), int(moment.now().timestamp())
    pushing.send(raw, at=stamp)

    with moment.travel(moment.now() + timedelta(minutes=6)):
        assert pushing.send(raw, at=stamp) == REFUSED


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Xinyu-Time": "1", "X-Xinyu-Signature": "ab" * 32},
        {"X-Xinyu-Time": "²", "X-Xinyu-Signature": "ab" * 32},
        {"X-Xinyu-Time": "9" * 400, "X-Xinyu-Signature": "x" * 4000},
        {"X-Xinyu-Signature": ""},
    ],
)
def test_whoever_does_not_sign_rightly_is_refused(centre: Delivering, headers: dict[str, str]) -> None:
    pushing = Pushing(centre)

    assert pushing.send(clean(centre.people), headers=headers) == REFUSED
    assert centre.arrivals() == []


def test_a_changed_body_is_refused(centre: Delivering) -> None:
    pushing = Pushing(centre)
    stamp = str(int(moment.now().timestamp()))
    held = {"X-Xinyu-Time": stamp, "X-Xinyu-Signature": signature(pushing.key, stamp, clean(centre.people))}

    assert pushing.send(clean(centre.people, 1), headers=held) == REFUSED


def test_unknown_retired_and_other_sources_and_a_wrong_key_answer_alike(centre: Delivering) -> None:
    pushing = Pushing(centre)
    folder = centre.source(name="文件夹来源")
    retired, key = centre.source_with_key(name="旧平台")
    with centre.head.under(Permission.SOURCE_MANAGE) as access:
        sources.retire(access, access.find(ScreeningSource, retired.id))
    raw = clean(centre.people)
    browser = centre.house.anonymous()
    answers = []
    for to, held in [(pushing.source.id, "wrong"), (uuid4(), "wrong"), (folder.id, "wrong"), (retired.id, key)]:
        stamp = str(int(moment.now().timestamp()))
        headers = {"X-Xinyu-Time": stamp, "X-Xinyu-Signature": signature(held, stamp, raw)}
        answer = browser.post(f"/push/{to}", data=raw, content_type=CSV, headers=headers)
        answers.append((answer.status_code, answer.get_data(), sorted(answer.headers)))
    odd = browser.post("/push/nobody", data=raw, content_type=CSV)
    answers.append((odd.status_code, odd.get_data(), sorted(odd.headers)))

    assert answers == [answers[0]] * 5
    assert answers[0][0] == 403
    assert centre.arrivals() == []


def test_an_old_key_opens_nothing_once_there_is_a_new_one(centre: Delivering) -> None:
    pushing = Pushing(centre)
    with centre.head.under(Permission.SOURCE_MANAGE) as access:
        key = sources.renew_key(access, access.find(ScreeningSource, pushing.source.id))

    assert pushing.send(clean(centre.people)) == REFUSED
    assert pushing.send(clean(centre.people), key=key) == ACCEPTED


def test_whoever_tries_keys_has_to_wait_even_with_the_right_one(centre: Delivering) -> None:
    pushing = Pushing(centre)
    for _ in range(5):
        assert pushing.send(clean(centre.people), key="guess") == REFUSED

    assert pushing.send(clean(centre.people)) == REFUSED
    with moment.travel(moment.now() + timedelta(minutes=16)):
        assert pushing.send(clean(centre.people)) == ACCEPTED


@pytest.mark.parametrize("kind", ["text/html", "multipart/form-data", "application/x-www-form-urlencoded", ""])
def test_only_tables_and_json_are_taken(centre: Delivering, kind: str) -> None:
    assert Pushing(centre).send(clean(centre.people), kind=kind) == REFUSED


def test_a_hostile_file_is_taken_in_sealed_and_ended_with_a_reason_in_the_worker(centre: Delivering) -> None:
    pushing = Pushing(centre)

    answer = pushing.send(b"PK\x03\x04" + b"\xff" * 5000, kind="application/zip")
    centre.work()

    assert answer == ACCEPTED
    assert centre.states() == [ArrivalState.UNREADABLE]


def test_a_push_that_is_too_large_is_refused_before_it_is_read(centre: Delivering) -> None:
    pushing = Pushing(centre)
    stamp = str(int(moment.now().timestamp()))
    answer = centre.house.anonymous().post(
        f"/push/{pushing.source.id}",
        data=b"x",
        content_type=CSV,
        headers={"X-Xinyu-Time": stamp, "X-Xinyu-Signature": "0" * 64},
        environ_overrides={"CONTENT_LENGTH": str(64 * 1024 * 1024 + 1)},
    )

    assert answer.status_code == 413


def test_a_source_of_another_kind_has_no_key(centre: Delivering) -> None:
    source = centre.source(kind=SourceKind.UPLOAD)

    with centre.head.under(Permission.SOURCE_MANAGE) as access, pytest.raises(Refusal):
        sources.renew_key(access, access.find(ScreeningSource, source.id))
