"""``kill -9`` anywhere in an import leaves nothing or everything; readers and writers never lock each other out."""

from __future__ import annotations

import fcntl
import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from models.audit import LedgerEntry
from models.base import Base
from models.intake import ImportBatch
from models.interview import InterviewEntry
from models.notice import Notice
from models.risk import Alert, Duty, Signal
from models.screening import ResponseSet, ScreeningRound, UnplacedAnswer
from tests.cli.program import Started, run, settings_for
from tests.house import House
from tests.screening.files import ROUND, Person, bring_in, enrol, gad, line, phq, written

STUDENTS = 300
TABLES: tuple[type[Base], ...] = (
    ResponseSet,
    ScreeningRound,
    ImportBatch,
    Alert,
    Signal,
    Duty,
    InterviewEntry,
    UnplacedAnswer,
    Notice,
)
MOMENTS = 8
"""Moments at which an import is killed, spread over what a whole one takes."""
LOCKED = text(
    "SELECT count(*) FROM pg_locks WHERE relation = 'response_set'::regclass AND mode = 'RowExclusiveLock' AND granted"
)


@pytest.fixture
def ready(house: House, tmp_path: Path) -> tuple[House, Path]:
    """Three hundred students, their advisor, the centre, and a results file that raises all there is to raise."""
    group = house.make.class_group()
    house.make.team()
    house.make.advisor(group)
    people = enrol(house, STUDENTS, group)
    chance = random.Random(7)
    rows = [line(person, phq(chance.randrange(3, 24), chance.choice((0, 0, 0, 1, 2))), gad(0)) for person in people]
    assert run(house.door.settings.home, "--help").status == 0  # the program is loaded when its time is taken
    return house, written(tmp_path, *rows, ["404404", "路人", *phq(9, 3), *gad(0)])


def start(house: House, file: Path, folder: Path, *, round_name: str = ROUND) -> Started:
    """The real command, in a process of its own."""
    words = ["screening", "import", file, "--round", round_name, "--scale", "phq9", "--scale", "gad7", "--json"]
    return Started(folder, words, settings_for(house.door.settings))


def counts(house: House) -> dict[str, int]:
    """How much of imports lies in the house, with the rows of the log that say so."""
    with house.session() as session:
        found = {kind.__tablename__: session.scalar(select(func.count()).select_from(kind)) or 0 for kind in TABLES}
        said = select(func.count()).where(LedgerEntry.act == "screening_committed")
        return found | {"said": session.scalar(said) or 0}


def is_whole(house: House, before: dict[str, int], *, opens_round: bool = True) -> bool:
    """Whether the import that just ended lies in the house as a whole; if not, nothing of it does."""
    wait_until(lambda: not is_writing(house))
    left = {name: count - before[name] for name, count in counts(house).items()}
    if not any(left.values()):
        return False
    assert left["response_set"] == 2 * STUDENTS, left
    assert (left["screening_round"], left["import_batch"], left["said"]) == (opens_round, 1, 1)
    assert left["signal"] > 0 < left["interview_entry"]
    return True


def is_writing(house: House) -> bool:
    """Whether some process is in the midst of its writing transaction."""
    if not house.door.database.is_sqlite:
        with house.session() as session:
            return bool(session.scalar(LOCKED))
    handle = os.open(f"{house.door.database.url.database}.queue", os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def wait_until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.001)


def test_an_import_killed_at_any_moment_leaves_nothing_or_everything(ready: tuple[House, Path], tmp_path: Path) -> None:
    house, file = ready
    before, began = counts(house), time.monotonic()
    assert start(house, file, tmp_path).end().status == 0
    span = time.monotonic() - began
    assert is_whole(house, before)

    for place in range(MOMENTS):
        before = counts(house)
        started = start(house, file, tmp_path, round_name=f"第 {place} 次")
        wait(span * place / MOMENTS)
        started.kill()
        started.end()
        is_whole(house, before)
        assert house.proof().holds


def wait(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.005)


def test_an_import_killed_while_it_writes_leaves_nothing_and_the_next_one_succeeds(
    ready: tuple[House, Path], tmp_path: Path
) -> None:
    house, file = ready
    whole = []
    for place in range(3):
        before = counts(house)
        started = start(house, file, tmp_path, round_name=f"第 {place} 次")
        wait_until(lambda: is_writing(house))
        started.kill()
        started.end()
        whole.append(is_whole(house, before))
    assert not all(whole)
    before = counts(house)

    ended = start(house, file, tmp_path).end()

    assert ended.status == 0, ended.err
    assert (ended.held["rows_accepted"], ended.held["rows_rejected"]) == (STUDENTS, 1)
    assert is_whole(house, before)
    assert house.proof().holds


def test_after_a_killed_import_the_same_round_takes_the_file_once(ready: tuple[House, Path], tmp_path: Path) -> None:
    house, file = ready
    started = start(house, file, tmp_path)
    wait_until(lambda: is_writing(house))
    started.kill()
    started.end()

    first, second = start(house, file, tmp_path).end(), start(house, file, tmp_path).end()

    assert (first.status, second.status) == (0, 0)
    assert second.held["already_known"] == STUDENTS
    assert house.count(ResponseSet) == 2 * STUDENTS
    assert house.count(ScreeningRound) == 1
    assert house.count(Alert) == len({row.student_id for row in house.all(select(Alert.student_id))})


def test_eight_readers_a_writer_and_another_process_do_not_lock_each_other_out(
    sqlite_house: House, tmp_path: Path
) -> None:
    house = sqlite_house
    house.make.team()
    readers = [house.make.psychologist() for _ in range(8)]
    people = enrol(house, 20)
    heard: list[object] = []
    over = threading.Event()

    def read(place: int) -> None:
        while not over.is_set():
            heard.append(readers[place].get(f"/students/{people[place].row.id}").status)

    def write() -> None:
        turn = 0
        while not over.is_set():
            turn += 1
            file = written(tmp_path, *answers(people, turn), name=f"{turn}.csv")
            heard.append(bring_in(house, file, replace=True)["rows_accepted"])

    threads = [threading.Thread(target=noting(read, heard), args=(place,)) for place in range(8)]
    threads.append(threading.Thread(target=noting(write, heard)))
    for thread in threads:
        thread.start()
    other = start(house, written(tmp_path, *answers(people, 1)), tmp_path, round_name="另一批次")
    heard.append(other.end().status)
    wait(2)
    over.set()
    for thread in threads:
        thread.join()

    assert {*heard} == {200, 20, 0}, {*heard}
    assert heard.count(200) > 8
    assert heard.count(20) > 1
    assert house.proof().holds


def answers(people: list[Person], turn: int) -> list[list[object]]:
    """Answers of everybody that differ from one turn to the next."""
    return [line(person, phq(turn % 8)) for person in people]


def noting(work: Callable[..., None], heard: list[object]) -> Callable[..., None]:
    """The same work; what it raises is heard of."""

    def attempt(*arguments: int) -> None:
        try:
            work(*arguments)
        except Exception as problem:  # noqa: BLE001 - the test says what it was
            heard.append(repr(problem))

    return attempt
