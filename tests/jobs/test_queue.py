"""The table of jobs: one lease at a time, one effect per key, and nobody undoes what another finished."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.jobs import queue
from models.base import new_id
from models.job import Job, JobStage
from models.moment import now
from tests.house import House
from tests.jobs.table import claim, finish, found, give_back, let_leases_expire, let_waiting_be_due, put


def test_the_same_key_is_one_job_however_often_it_is_put_there(house: House) -> None:
    for _ in range(3):
        put(house, "once")

    assert house.count(Job) == 1


def test_a_key_that_ran_already_does_not_run_again(house: House) -> None:
    job = put(house, "once")
    claim(house, "one")
    finish(house, job, "one")

    put(house, "once")

    assert claim(house, "two") is None
    assert house.count(Job) == 1


def test_two_who_put_the_same_key_there_at_once_put_one_job(house: House) -> None:
    barrier = threading.Barrier(6)

    def race(_place: int) -> None:
        barrier.wait()
        put(house, "once")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(race, range(6)))

    assert house.count(Job) == 1


def test_a_job_put_there_in_a_transaction_that_fails_never_was(house: House) -> None:
    with pytest.raises(ZeroDivisionError), house.door.database.writing() as session:
        queue.enqueue(session, "found_college", effect_key="never")
        _ = 1 / 0

    assert house.count(Job) == 0


def test_a_job_is_taken_by_one_of_many(house: House) -> None:
    put(house, "once")
    barrier = threading.Barrier(8)

    def race(place: int) -> Job | None:
        barrier.wait()
        return claim(house, f"worker{place}")

    with ThreadPoolExecutor(8) as threads:
        taken = [job for job in threads.map(race, range(8)) if job is not None]

    assert len(taken) == 1
    job = found(house, "once")
    assert (job.stage, job.attempts, job.lease_by) == (JobStage.RUNNING, 1, taken[0].lease_by)


def test_many_workers_share_many_jobs_and_each_is_taken_once(house: House) -> None:
    for place in range(12):
        put(house, f"job{place}")

    def take(place: int) -> list[str]:
        taken = []
        while (job := claim(house, f"worker{place}")) is not None:
            taken.append(job.effect_key)
        return taken

    with ThreadPoolExecutor(4) as threads:
        taken = [key for keys in threads.map(take, range(4)) for key in keys]

    # On PostgreSQL a worker that meets only locked rows may stop early; another takes the rest.
    taken += take(9)
    assert sorted(taken) == sorted(f"job{place}" for place in range(12))


def test_jobs_are_taken_in_the_order_in_which_they_are_due(house: House) -> None:
    put(house, "second", run_at=now() - timedelta(minutes=1))
    put(house, "first", run_at=now() - timedelta(minutes=2))
    put(house, "later", run_at=now() + timedelta(minutes=1))

    keys = [job.effect_key for job in iter(lambda: claim(house, "one"), None)]

    assert keys == ["first", "second"]


def test_a_lease_that_holds_is_left_alone_and_one_that_ran_out_is_taken_over(house: House) -> None:
    put(house, "once")
    claim(house, "slow")
    assert claim(house, "quick") is None

    let_leases_expire(house)

    job = claim(house, "quick")
    assert job is not None
    assert (job.lease_by, job.attempts) == ("quick", 2)
    assert job.lease_until is not None
    assert timedelta(seconds=50) < job.lease_until - now() <= queue.LEASE


def test_whoever_says_that_he_is_alive_keeps_his_lease(house: House) -> None:
    job = put(house, "once")
    claim(house, "slow")
    let_leases_expire(house)

    with house.door.database.writing() as session:
        queue.extend_lease(session, job.id, "slow")

    assert claim(house, "quick") is None


def test_a_stranger_does_not_extend_finish_or_give_back_the_lease_of_another(house: House) -> None:
    job = put(house, "once")
    claim(house, "mine")
    before = found(house, "once").lease_until

    with house.door.database.writing() as session:
        queue.extend_lease(session, job.id, "stranger")
    assert finish(house, job, "stranger") is False
    assert give_back(house, job, "stranger") is False

    after = found(house, "once")
    assert (after.stage, after.lease_by, after.lease_until) == (JobStage.RUNNING, "mine", before)
    assert finish(house, job, "mine") is True


def test_whoever_lost_his_lease_can_no_longer_finish(house: House) -> None:
    job = put(house, "once")
    claim(house, "slow")
    let_leases_expire(house)
    claim(house, "quick")

    assert finish(house, job, "slow") is False
    assert finish(house, job, "quick") is True
    assert finish(house, job, "quick") is False


def test_a_late_failure_does_not_reopen_what_another_worker_finished(house: House) -> None:
    job = put(house, "once")
    claim(house, "slow")
    let_leases_expire(house)
    claim(house, "quick")
    finish(house, job, "quick")

    assert give_back(house, job, "slow") is False

    assert found(house, "once").stage is JobStage.DONE
    let_waiting_be_due(house)
    assert claim(house, "third") is None


def test_a_late_failure_does_not_take_the_lease_from_whoever_runs_it_now(house: House) -> None:
    job = put(house, "once")
    claim(house, "slow")
    let_leases_expire(house)
    claim(house, "quick")

    give_back(house, job, "slow")

    assert found(house, "once").lease_by == "quick"
    assert finish(house, job, "quick") is True


def test_each_failure_waits_longer_and_the_fifth_is_the_last(house: House) -> None:
    job, waits = put(house, "once"), []
    for attempt in range(1, queue.MOST_ATTEMPTS + 1):
        let_waiting_be_due(house)
        assert claim(house, "one") is not None
        gave_up = give_back(house, job, "one")
        held = found(house, "once")
        waits.append(round((held.run_at - now()).total_seconds()))
        assert gave_up is (attempt == queue.MOST_ATTEMPTS)
        assert (held.lease_by, held.lease_until, held.attempts) == (None, None, attempt)

    held = found(house, "once")
    assert waits == sorted(waits)
    assert waits[0] >= 1
    assert waits[-1] > waits[0]
    assert held.stage is JobStage.FAILED
    assert held.finished_at is not None
    assert held.error == "ValueError app/x.py:1"
    assert claim(house, "two") is None


def test_a_job_that_waits_after_a_failure_is_not_taken_early(house: House) -> None:
    job = put(house, "once")
    claim(house, "one")
    give_back(house, job, "one")

    assert claim(house, "two") is None
    with house.session() as session:
        assert queue.anything_due(session) is False
    let_waiting_be_due(house)
    with house.session() as session:
        assert queue.anything_due(session) is True


def test_a_job_keeps_ids_and_no_words(house: House) -> None:
    batch_id = new_id()

    put(house, "once", batch_id=batch_id)

    assert found(house, "once").arguments == f'{{"batch_id": "{batch_id.hex}"}}'
    with pytest.raises(AttributeError):
        put(house, "words", name="王小涵")
    assert [row.effect_key for row in house.all(select(Job.effect_key))] == ["once"]
