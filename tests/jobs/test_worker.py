"""The worker: an effect and its mark in one transaction, failures that leave nothing, and no job that kills it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.jobs import queue
from app.jobs.worker import Worker
from app.security.access import Access
from app.security.door import Door
from models.base import new_id
from models.identity import College, Role
from models.job import Job, JobStage
from models.moment import now
from models.refusal import Refusal
from tests.house import House
from tests.jobs.table import found, found_college, kind, let_leases_expire, let_waiting_be_due, put, worker


class Broken(Exception):
    """What went wrong in a test's job; its words must stay nowhere."""


def half_done(access: Access) -> None:
    access.session.add(College(name="半截学院"))
    access.session.flush()
    raise Broken("金丝雀 20268887766")


def exhaust(house: House, one: Worker, key: str) -> None:
    """Let a job fail as often as it may."""
    for _ in range(queue.MOST_ATTEMPTS):
        let_waiting_be_due(house)
        one.run_due()
    assert found(house, key).stage is JobStage.FAILED


def test_a_job_has_its_effect_once_and_is_done(house: House) -> None:
    put(house, "once")
    one = worker(house, kind(found_college))

    assert one.run_due() == 1
    assert one.run_due() == 0

    assert house.count(College) == 1
    job = found(house, "once")
    assert (job.stage, job.attempts, job.error, job.lease_until) == (JobStage.DONE, 1, None, None)
    assert job.finished_at is not None


def test_a_job_gets_the_ids_it_was_put_there_with(house: House) -> None:
    told: list[UUID] = []
    wanted = new_id()
    put(house, "once", batch_id=wanted)

    worker(house, kind(lambda _access, batch_id: told.append(batch_id))).run_due()

    assert told == [wanted]


def test_a_job_that_fails_leaves_nothing_behind_and_comes_again_later(house: House) -> None:
    put(house, "once")

    worker(house, kind(half_done)).run_due()

    assert house.count(College) == 0
    job = found(house, "once")
    assert (job.stage, job.attempts, job.lease_by) == (JobStage.WAITING, 1, None)
    assert job.run_at > now()


def test_a_job_that_failed_succeeds_at_its_next_turn(house: House) -> None:
    put(house, "once")
    worker(house, kind(half_done)).run_due()
    let_waiting_be_due(house)

    worker(house, kind(found_college)).run_due()

    assert found(house, "once").stage is JobStage.DONE
    assert house.count(College) == 1


def test_after_the_last_attempt_a_job_is_dead_and_the_administrator_sees_it(house: House) -> None:
    put(house, "once")
    exhaust(house, worker(house, kind(half_done)), "once")

    page = house.make.person(Role.SYSADMIN).get("/system")

    assert "found_college" in page
    assert "Broken" in page
    assert house.count(College) == 0


def test_a_dead_job_is_put_back_by_the_administrator_and_then_runs(house: House) -> None:
    job = put(house, "once")
    exhaust(house, worker(house, kind(half_done)), "once")

    house.make.person(Role.SYSADMIN).post(f"/system/jobs/{job.id}/retry")
    worker(house, kind(found_college)).run_due()

    assert found(house, "once").stage is JobStage.DONE
    assert house.log(act="job_retried", object=job.id.hex)


def test_a_job_that_is_done_or_waits_is_not_put_back(house: House) -> None:
    done, admin = put(house, "done"), house.make.person(Role.SYSADMIN)
    worker(house, kind(found_college)).run_due()

    admin.post(f"/system/jobs/{done.id}/retry")

    assert found(house, "done").stage is JobStage.DONE
    assert house.count(College) == 1


def test_the_words_of_a_failure_are_kept_nowhere(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    put(house, "once")

    worker(house, kind(half_done)).run_due()

    error = found(house, "once").error
    assert error is not None
    assert "Broken" in error
    told = capfd.readouterr()
    for secret in ("金丝雀", "20268887766"):
        assert secret not in error
        assert secret not in told.err + told.out


def test_preparation_happens_before_and_its_result_arrives(house: House) -> None:
    steps: list[str] = []

    def prepare(_door: Door, beat: object) -> str:
        steps.append("prepare")
        assert found(house, "once").stage is JobStage.RUNNING
        beat()  # type: ignore[operator]
        return "ready"

    def run(_access: Access, *, prepared: str) -> None:
        steps.append(prepared)

    put(house, "once")
    worker(house, kind(run, prepare=prepare)).run_due()

    assert steps == ["prepare", "ready"]


def test_a_job_taken_over_during_a_long_preparation_has_its_effect_once(house: House) -> None:
    quick = worker(house, kind(found_college, prepare=lambda _door, _beat: None))

    def slow(_door: Door, _beat: object) -> None:
        let_leases_expire(house)
        quick.run_due()

    def run(access: Access, *, prepared: object) -> None:
        assert prepared is None
        found_college(access)

    quick = worker(house, kind(run, prepare=lambda _door, _beat: None))
    put(house, "once")
    worker(house, kind(run, prepare=slow)).run_due()

    assert house.count(College) == 1
    assert found(house, "once").stage is JobStage.DONE


def test_a_failure_after_being_taken_over_does_not_run_the_job_again(house: House) -> None:
    quick = worker(house, kind(found_college))

    def slow(_door: Door, _beat: object) -> None:
        let_leases_expire(house)
        quick.run_due()
        raise Broken

    put(house, "once")
    worker(house, kind(found_college, prepare=slow)).run_due()
    let_waiting_be_due(house)
    quick.run_due()

    assert house.count(College) == 1
    assert found(house, "once").stage is JobStage.DONE


def test_whoever_waits_for_a_job_is_told_when_it_is_dead_and_not_before(house: House) -> None:
    told: list[str] = []
    put(house, "once")
    one = worker(house, kind(half_done, gave_up=lambda _access, why: told.append(why)))

    for attempt in range(1, queue.MOST_ATTEMPTS + 1):
        let_waiting_be_due(house)
        one.run_due()
        assert len(told) == (attempt == queue.MOST_ATTEMPTS)

    assert "没有写入任何内容" in told[0]


def test_a_refusal_is_told_at_once_in_its_own_words_and_not_tried_again(house: House) -> None:
    told: list[str] = []

    def refuse(access: Access) -> None:
        access.session.add(College(name="半截学院"))
        raise Refusal("第 3 行的工号已属于另一个账号。")

    put(house, "once")
    worker(house, kind(refuse, gave_up=lambda _access, why: told.append(why))).run_due()

    assert told == ["第 3 行的工号已属于另一个账号。"]
    assert found(house, "once").stage is JobStage.DONE
    assert house.count(College) == 0


def test_workers_side_by_side_have_each_effect_once(house: House) -> None:
    for place in range(10):
        put(house, f"job{place}")
    workers = [worker(house, kind(found_college)) for _ in range(3)]

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda one: one.run_due(), workers))
    workers[0].run_due()

    assert house.count(College) == 10
    rows = house.all(select(Job.stage, Job.attempts))
    assert {(row.stage, row.attempts) for row in rows} == {(JobStage.DONE, 1)}


def test_a_job_acts_as_the_worker_and_stands_so_in_the_log(house: House) -> None:
    put(house, "once")

    def look(access: Access) -> None:
        access.about(house.door.deployment.id)

    worker(house, kind(look)).run_due()

    [row] = house.log(role="worker")
    assert (row["actor"], row["act"], row["request"]) == (None, "maintenance", found(house, "once").id.hex)


def test_done_jobs_are_cleared_after_a_week_and_dead_ones_stay_visible(house: House) -> None:
    for key, stage in (("done", JobStage.DONE), ("dead", JobStage.FAILED), ("young", JobStage.DONE)):
        job = put(house, key)
        with house.door.database.writing() as session:
            age = timedelta(days=1 if key == "young" else 8)
            session.execute(update(Job).where(Job.id == job.id).values(stage=stage, finished_at=now() - age))

    house.work()

    keys = {row.effect_key for row in house.all(select(Job.effect_key).where(Job.kind == "found_college"))}
    assert keys == {"dead", "young"}
    assert json.loads(found(house, "dead").arguments) == {}
