"""``kill -9`` while a folder is looked at, and two workers at the same file: taken exactly once, never lost."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app.screening.sources import inbox as folders
from app.security.actor import CONSOLE, WORKER
from models import moment
from models.intake import BatchKind, ImportBatch
from models.moment import now
from models.screening import ResponseSet
from models.source import Arrival, ArrivalState, InboxFile, ScreeningSource
from tests.cli.program import Started, run, settings_for
from tests.sources.delivering import Delivering, clean

MOMENTS = 10


@pytest.fixture
def real(centre: Delivering) -> Delivering:
    """The same centre, in the real time that other processes live in."""
    centre.source()
    centre.put(clean(centre.people))
    return centre


def ripe(centre: Delivering) -> None:
    """Whatever has been seen was seen long ago."""
    with centre.house.door.database.writing() as session:
        session.execute(update(InboxFile).values(seen_at=now() - timedelta(days=300)))


def settings(centre: Delivering) -> dict[str, str]:
    return settings_for(centre.house.door.settings) | {"XINYU_INBOX": str(centre.inbox)}


def looking(centre: Delivering, folder: Path) -> Started:
    folder.mkdir(exist_ok=True)
    for name in ("out", "err"):  # a process that is killed at once has opened neither
        (folder / name).touch()
    return Started(folder, ["source", "look", "--json"], settings(centre))


def deliveries(centre: Delivering) -> int:
    return centre.house.count(ImportBatch, ImportBatch.kind == BatchKind.SCREENING)


def test_a_look_killed_at_any_moment_takes_each_file_exactly_once(real: Delivering, tmp_path: Path) -> None:
    assert run(real.house.door.settings.home, "--help").status == 0  # the program is loaded when its time is taken
    path = real.inbox / "测评平台" / "结果.csv"
    began = time.monotonic()
    assert looking(real, tmp_path / "whole").end().held == {"files": 0, "collected": 0}
    span = (time.monotonic() - began) * 1.5
    for place in range(MOMENTS):
        raw = clean(real.people, place)
        path.write_bytes(raw)
        real.look()
        ripe(real)
        before = deliveries(real)
        started = looking(real, tmp_path / "killed")
        time.sleep(span * place / MOMENTS)
        started.kill()
        started.end()
        assert path.exists() or deliveries(real) == before + 1, "a file was lost"

        ripe(real)
        real.look()
        ripe(real)
        real.look()

        assert deliveries(real) == before + 1
        assert not path.exists()
        assert real.house.count(InboxFile) == 0
    assert set(real.states()) == {ArrivalState.WAITING}
    assert real.house.proof().holds


def sealed_only(centre: Delivering) -> None:
    """As far as a look comes that is killed between the commit and the removal."""
    centre.look()
    path = centre.inbox / "测评平台" / "结果.csv"
    facts = path.stat()
    item = folders.Seen(path.name, facts.st_size, facts.st_mtime_ns, None)
    [(source_id,)] = centre.house.all(select(ScreeningSource.id))
    with centre.house.door.enter(WORKER, *folders.RIGHTS) as access:
        assert folders.seal(access, source_id, item, path.read_bytes())
    ripe(centre)


def test_a_file_sealed_but_not_yet_removed_is_only_removed(real: Delivering) -> None:
    sealed_only(real)
    path = real.inbox / "测评平台" / "结果.csv"
    assert path.exists()
    assert deliveries(real) == 1

    assert real.look() == 0

    assert not path.exists()
    assert (deliveries(real), real.states()) == (1, [ArrivalState.WAITING])
    assert real.house.count(InboxFile) == 0


def test_another_file_of_the_same_size_and_time_is_not_removed_unread(real: Delivering) -> None:
    sealed_only(real)
    path = real.inbox / "测评平台" / "结果.csv"
    facts, raw = path.stat(), path.read_bytes()
    path.write_bytes(raw[:-3] + b"9" + raw[-2:])
    os.utime(path, ns=(facts.st_mtime_ns, facts.st_mtime_ns))

    assert real.look() == 0
    assert path.exists()
    ripe(real)

    assert real.look() == 1
    assert not path.exists()
    assert deliveries(real) == 2


def test_workers_at_the_same_file_take_it_once(real: Delivering) -> None:
    real.look()
    ripe(real)
    start = threading.Barrier(4)
    taken: list[Any] = []

    def work(actor: Any) -> None:
        start.wait()
        try:
            taken.append(folders.look(real.house.door, actor))
        except Exception as problem:  # noqa: BLE001 - the test says what it was
            taken.append(repr(problem))

    threads = [threading.Thread(target=work, args=(actor,)) for actor in (WORKER, CONSOLE, WORKER, CONSOLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, taken)) == ["0", "0", "0", "1"]
    assert (deliveries(real), real.house.count(Arrival)) == (1, 1)


def test_two_processes_and_the_job_take_it_once_and_it_goes_in_once(real: Delivering, tmp_path: Path) -> None:
    real.look()
    ripe(real)
    here = looking(real, tmp_path / "one")
    there = real.look()
    ended = here.end()

    assert there + ended.held["files"] == 1
    with moment.travel(moment.now() + timedelta(days=400)):
        real.house.work()
    assert real.house.count(ResponseSet) == 2 * len(real.people)


def test_a_folder_that_cannot_be_emptied_is_told_and_the_file_goes_in_once(
    real: Delivering, monkeypatch: pytest.MonkeyPatch
) -> None:
    real.look()
    ripe(real)
    with monkeypatch.context() as closed:
        closed.setattr(os, "unlink", _forbidden)
        assert real.look() == 1
        ripe(real)
        assert real.look() == 0
    assert real.told("inbox_not_removed") == {real.psychologist.id: 2}

    ripe(real)
    assert real.look() == 0
    assert not list((real.inbox / "测评平台").iterdir())
    assert deliveries(real) == 1


def _forbidden(*_arguments: object, **_named: object) -> None:
    raise PermissionError(13, "no")


def test_in_sealed_mode_nothing_is_taken_and_nothing_lost(real: Delivering) -> None:
    real.look()
    ripe(real)
    door = replace(real.house.door, keyring=None)

    assert folders.look(door, WORKER) == 0
    assert [row.state for (row,) in real.house.all(select(Arrival))] == []
    assert real.look() == 1
