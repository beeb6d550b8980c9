"""The queue under any order of events: whoever comes, dies, fails or comes back late, each effect happens once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, select, update

from app.jobs import queue
from app.security.policy import Permission
from models.identity import College
from models.job import Job, JobStage
from models.moment import now
from tests.house import House
from tests.jobs.table import claim, give_back, put

WORKERS = st.sampled_from(["甲", "乙", "丙"])
KEYS = st.sampled_from(["a", "b", "c"])


class Queue(RuleBasedStateMachine):
    """Three workers, three keys. What each worker believes to hold is remembered, right or wrong."""

    house: House

    @initialize()
    def empty(self) -> None:
        with self.house.door.database.writing() as session:
            session.execute(delete(Job))
            session.execute(delete(College))
        self.believed: dict[str, Job] = {}
        self.finished: set[str] = set()

    @rule(key=KEYS)
    def somebody_puts_a_job_there(self, key: str) -> None:
        put(self.house, key)

    @rule(worker=WORKERS)
    def a_worker_takes_a_job(self, worker: str) -> None:
        job = claim(self.house, worker)
        if job is not None:
            assert job.effect_key not in self.finished
            assert job.attempts <= queue.MOST_ATTEMPTS + 1
            self.believed[worker] = job

    @rule(worker=WORKERS)
    def a_worker_finishes_what_he_believes_to_hold(self, worker: str) -> None:
        job = self.believed.pop(worker, None)
        if job is None:
            return
        held = self._stored(job)
        with self.house.console(Permission.MAINTENANCE) as access:
            done = queue.finish(access, job.id, worker)
            if done:
                access.session.add(College(name=job.effect_key))
        assert done is (held.stage is JobStage.RUNNING and held.lease_by == worker)
        if done:
            assert job.effect_key not in self.finished
            self.finished.add(job.effect_key)

    @rule(worker=WORKERS)
    def a_worker_fails_at_what_he_believes_to_hold(self, worker: str) -> None:
        job = self.believed.pop(worker, None)
        if job is None:
            return
        held = self._stored(job)
        mine = held.stage is JobStage.RUNNING and held.lease_by == worker
        gave_up = give_back(self.house, job, worker)
        assert gave_up is (mine and held.attempts >= queue.MOST_ATTEMPTS)
        after = self._stored(job)
        assert after.stage is ((JobStage.FAILED if gave_up else JobStage.WAITING) if mine else held.stage)

    @rule(worker=WORKERS)
    def a_worker_is_killed(self, worker: str) -> None:
        self.believed.pop(worker, None)

    @rule(worker=WORKERS)
    def a_worker_says_that_he_is_alive(self, worker: str) -> None:
        if worker in self.believed:
            with self.house.door.database.writing() as session:
                queue.extend_lease(session, self.believed[worker].id, worker)

    @rule()
    def leases_run_out(self) -> None:
        self._set(JobStage.RUNNING, lease_until=now() - timedelta(seconds=1))

    @rule()
    def waiting_is_over(self) -> None:
        self._set(JobStage.WAITING, run_at=now() - timedelta(seconds=1))

    @invariant()
    def each_effect_happened_once_and_no_key_stands_twice(self) -> None:
        keys = [row.effect_key for row in self.house.all(select(Job.effect_key))]
        assert len(keys) == len(set(keys))
        assert {row.name for row in self.house.all(select(College.name))} == self.finished
        done = {row.effect_key for row in self.house.all(select(Job.effect_key).where(Job.stage == JobStage.DONE))}
        assert done == self.finished

    @invariant()
    def whatever_runs_has_a_holder_and_an_end_and_nothing_else_has(self) -> None:
        for (job,) in self.house.all(select(Job)):
            runs = job.stage is JobStage.RUNNING
            assert (job.lease_until is not None) is runs, job.stage
            assert not runs or job.lease_by is not None
            assert (job.finished_at is not None) is (job.stage in {JobStage.DONE, JobStage.FAILED})

    def _stored(self, job: Job) -> Job:
        found: Any = self.house.again(job)
        return found  # type: ignore[no-any-return]

    def _set(self, stage: JobStage, **values: Any) -> None:
        with self.house.door.database.writing() as session:
            session.execute(update(Job).where(Job.stage == stage).values(**values))


def _machine(house: House) -> Callable[[], Queue]:
    return type("QueueOfThisHouse", (Queue,), {"house": house})


def test_no_order_of_events_loses_a_job_or_has_its_effect_twice(house: House) -> None:
    run_state_machine_as_test(
        _machine(house),
        settings=settings(
            max_examples=40, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow], database=None
        ),
    )
