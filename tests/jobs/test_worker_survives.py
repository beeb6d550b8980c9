"""What no job can do: kill the worker, or stop the clocks."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from app.jobs import queue
from app.security.access import Access
from models.identity import College
from models.job import Job, JobStage
from tests.house import House
from tests.jobs.table import found, found_college, kind, let_leases_expire, let_waiting_be_due, put, worker


class Broken(Exception):
    """What went wrong in a test's job."""


def test_a_job_that_kills_its_workers_is_dead_after_five(house: House) -> None:
    put(house, "once")
    for _ in range(queue.MOST_ATTEMPTS):
        with house.door.database.writing() as session:
            assert queue.claim(session, "killed") is not None
        let_leases_expire(house)

    worker(house, kind(found_college)).run_due()

    assert found(house, "once").stage is JobStage.FAILED
    assert house.count(College) == 0


@pytest.mark.parametrize("arguments", ['{"batch_id": "no uuid"}', "not json", "[]", "{}"])
def test_a_job_with_unreadable_arguments_dies_alone(sqlite_house: House, arguments: str) -> None:
    put(sqlite_house, "bad", kind="needs_id")
    with sqlite_house.door.database.writing() as session:
        session.execute(update(Job).values(arguments=arguments))
    put(sqlite_house, "good")

    worker(sqlite_house, kind(found_college), kind(lambda _access, batch_id: None, "needs_id")).run_due()

    assert found(sqlite_house, "bad").stage is JobStage.WAITING
    assert found(sqlite_house, "bad").error is not None
    assert found(sqlite_house, "good").stage is JobStage.DONE


def test_a_job_nobody_knows_dies_alone_and_the_clocks_go_on(house: House) -> None:
    house.make.head()
    put(house, "unknown", kind="no_such_kind")

    house.work()

    assert found(house, "unknown").stage is JobStage.WAITING
    assert house.count(Job, Job.kind == "ladder", Job.stage == JobStage.DONE) == 1
    for _ in range(queue.MOST_ATTEMPTS):
        let_waiting_be_due(house)
        house.work()
    assert found(house, "unknown").stage is JobStage.FAILED


def test_a_worker_survives_that_even_giving_up_fails(house: House) -> None:
    def fail(_access: Access) -> None:
        raise Broken

    def worse(_access: Access, *, why: str) -> None:
        raise Broken(why)

    put(house, "once")
    one = worker(house, kind(fail, gave_up=worse))
    for _ in range(queue.MOST_ATTEMPTS):
        let_waiting_be_due(house)
        one.run_due()
    assert found(house, "once").stage is JobStage.FAILED
    put(house, "good")

    worker(house, kind(found_college)).run_due()

    assert found(house, "good").stage is JobStage.DONE
