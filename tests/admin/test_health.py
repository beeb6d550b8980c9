"""/health, /system, /policy: what a monitor and the administrators see of the house, and nothing about people."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from models.identity import Role
from models.job import Job, JobStage
from models.moment import travel
from tests.house import House, later
from tests.risk.people import staffed
from tests.risk.times import MONDAY, again


def health(house: House) -> tuple[int, dict[str, str]]:
    answer = house.anonymous().get("/health")
    return answer.status_code, answer.get_json()


def test_before_the_first_round_of_clocks_the_worker_is_silent(house: House) -> None:
    status, said = health(house)

    assert (status, said["status"], said["worker"]) == (200, "ok", "silent")


def test_after_a_round_of_clocks_all_is_well_and_only_for_five_minutes(house: House) -> None:
    house.work()

    assert health(house)[1] == {"status": "ok", "worker": "ok"}
    with travel(MONDAY + timedelta(minutes=4)):
        assert health(house)[1]["worker"] == "ok"
    with travel(MONDAY + timedelta(minutes=6)):
        assert health(house)[1]["worker"] == "silent"


def test_a_failed_round_of_clocks_is_no_round(sqlite_house: House) -> None:
    sqlite_house.work()
    with sqlite_house.door.database.writing() as session:
        session.execute(update(Job).where(Job.kind == "ladder").values(stage=JobStage.FAILED))

    assert health(sqlite_house)[1]["worker"] == "silent"


def test_without_content_keys_it_says_sealed_and_answers(sqlite_house: House) -> None:
    sqlite_house.work()
    sqlite_house.door.keyring = None

    status, said = health(sqlite_house)

    assert (status, said) == (200, {"status": "sealed", "worker": "ok"})


def test_a_database_that_is_gone_is_no_good_answer_and_tells_no_path(sqlite_house: House) -> None:
    app = sqlite_house.app
    sqlite_house.door.database.dispose()
    path = sqlite_house.door.settings.home / "xinyu.db"
    path.rename(path.with_suffix(".away"))
    for more in ("-wal", "-shm"):
        path.with_name(path.name + more).unlink(missing_ok=True)

    answer = app.test_client().get("/health")

    assert answer.status_code >= 500
    assert "xinyu.db" not in answer.get_data(as_text=True)


def test_health_needs_no_one_tells_nothing_about_anyone_and_sets_no_session(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    sqlite_house.make.alert(people.student)

    answer = sqlite_house.anonymous().get("/health")

    assert set(answer.get_json()) == {"status", "worker"}
    assert "Set-Cookie" not in answer.headers
    assert sqlite_house.log(act="system_read") == []


def failed_job(house: House) -> Job:
    house.work()
    with house.door.database.writing() as session:
        job = session.scalars(select(Job).where(Job.kind == "log_head")).first()
        assert job is not None
        job.stage, job.error, job.attempts = JobStage.FAILED, "OSError heads.py:9", 5
        return job


def test_a_failed_job_is_shown_and_tried_again_on_request(sqlite_house: House) -> None:
    sysadmin = sqlite_house.make.person(Role.SYSADMIN)
    job = failed_job(sqlite_house)
    page = sysadmin.get("/system")

    sysadmin.post(f"/system/jobs/{job.id}/retry")

    assert "OSError" in page
    assert (sqlite_house.again(job).stage, sqlite_house.again(job).attempts) == (JobStage.WAITING, 0)
    sqlite_house.work()
    assert sqlite_house.again(job).stage is JobStage.DONE
    assert len(sqlite_house.log(act="job_retried")) == 1


@pytest.mark.parametrize("role", [Role.ADVISOR, Role.AID_OFFICER])
def test_pages_of_the_house_are_closed_to_everybody_else(sqlite_house: House, role: Role) -> None:
    outsider = sqlite_house.make.person(role)

    statuses = {outsider.get(path).status for path in ("/system", "/policy", "/approvals", "/rules", "/accounts")}

    assert statuses == {403}


def test_the_policy_page_names_every_permission_and_no_person(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    guard = sqlite_house.make.person(Role.SECURITY_ADMIN)

    page = guard.get("/policy")

    assert page.status == 200
    for word in ("case_note.body", "signal.reason"):
        assert word in page
    for name in ("林晓", people.advisor.staff.name):
        assert name not in page


def test_old_jobs_are_cleared_away_and_failed_ones_stay(sqlite_house: House) -> None:
    job = failed_job(sqlite_house)
    done = sqlite_house.count(Job, Job.stage == JobStage.DONE)

    with travel(MONDAY + timedelta(days=9)):
        sqlite_house.work()

    assert done >= 2
    assert sqlite_house.count(Job, Job.created_at < later(days=1)) == 1
    assert sqlite_house.again(job).stage is JobStage.FAILED


def test_a_sysadmin_reads_accounts_and_nothing_of_what_they_work_on(sqlite_house: House) -> None:
    people = staffed(sqlite_house)
    sqlite_house.make.alert(people.student)
    sysadmin = sqlite_house.make.person(Role.SYSADMIN)

    page = again(sysadmin).get(f"/accounts/{people.advisor.id}")

    assert page.status == 200
    assert "方老师" in page
    assert "林晓" not in page.html
    there, nowhere = sysadmin.get(f"/accounts/{uuid4()}"), sysadmin.get(f"/students/{people.student.id}")
    assert (there.status, nowhere.status) == (404, 403)
