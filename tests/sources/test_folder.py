"""A watched folder: what is taken, when, how often, and what is left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import select

from models.intake import BatchStage, ImportBatch
from models.screening import ResponseSet
from models.source import ArrivalState, InboxFile, InboxRefusal
from tests.screening.files import line, phq
from tests.sources.delivering import Delivering, clean, table


def test_a_clean_file_goes_in_by_itself_and_its_plain_copy_is_removed(centre: Delivering) -> None:
    centre.source()
    path = centre.put(clean(centre.people))

    assert centre.look_twice() == 1
    centre.work()

    assert centre.states() == [ArrivalState.COMMITTED]
    assert centre.stages() == [BatchStage.COMMITTED]
    assert centre.house.count(ResponseSet) == 2 * len(centre.people)
    assert not path.exists()
    assert centre.house.count(InboxFile) == 0
    assert centre.told("delivery_waits") == {}


def test_a_delivery_belongs_to_nobody_of_the_staff_and_stands_in_the_log(centre: Delivering) -> None:
    source = centre.source()

    centre.deliver(clean(centre.people))

    [(owner,)] = centre.house.all(select(ImportBatch.owner_id).where(ImportBatch.round_id.is_not(None)))
    assert owner is None
    [arrived] = centre.house.log(act="delivery_arrived")
    assert arrived["object"] == source.id.hex
    assert centre.house.proof().holds


def test_a_file_that_grows_waits_until_it_has_been_still(centre: Delivering) -> None:
    centre.source()
    raw = clean(centre.people)
    path = centre.put(raw[:60])
    centre.look()
    path.write_bytes(raw)

    assert centre.look() == 0
    assert path.exists()
    assert centre.look_twice() == 1


def test_a_file_seen_twice_within_the_settling_time_is_not_taken(centre: Delivering) -> None:
    centre.source()
    path = centre.put(clean(centre.people))

    assert centre.look() + centre.look() == 0
    assert path.exists()


@pytest.mark.parametrize("name", ["结果.csv.part", ".结果.csv", "~$结果.xlsx", "a.TMP", "b.crdownload"])
def test_a_file_that_is_still_being_written_under_its_other_name_is_passed_over(centre: Delivering, name: str) -> None:
    centre.source()
    path = centre.put(clean(centre.people), name)

    assert centre.look_twice() == 0
    assert path.exists()
    assert centre.house.count(InboxFile) == 0


def test_an_empty_file_is_not_taken(centre: Delivering) -> None:
    centre.source()
    centre.put(b"")

    assert centre.look_twice() == 0


def _link(path: Path, target: Path) -> None:
    path.symlink_to(target)


def _hard_link(path: Path, target: Path) -> None:
    os.link(target, path)


def _folder(path: Path, _target: Path) -> None:
    path.mkdir()


def _pipe(path: Path, _target: Path) -> None:
    os.mkfifo(path)


def _long_name(path: Path, _target: Path) -> None:
    (path.parent / ("长" * 80)).write_bytes(b"x")


def _odd_name(path: Path, _target: Path) -> None:
    (path.parent / "a\u202ecsv.exe").write_bytes(b"x")


def _huge(path: Path, _target: Path) -> None:
    with path.open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (_link, InboxRefusal.LINK),
        (_hard_link, InboxRefusal.LINK),
        (_folder, InboxRefusal.KIND),
        (_pipe, InboxRefusal.KIND),
        (_long_name, InboxRefusal.NAME),
        (_odd_name, InboxRefusal.NAME),
        (_huge, InboxRefusal.SIZE),
    ],
)
def test_what_is_no_plain_file_is_left_alone_and_the_owner_told_once(
    centre: Delivering, tmp_path: Path, made: object, reason: InboxRefusal
) -> None:
    centre.source()
    target = tmp_path / "secret.csv"
    target.write_bytes(clean(centre.people))
    folder = centre.inbox / "测评平台"
    folder.mkdir(mode=0o700)
    made(folder / "x.csv", target)  # type: ignore[operator]

    assert centre.look_twice() + centre.look_twice() == 0

    assert [row.refused for row in centre.house.all(select(InboxFile.refused))] == [reason]
    assert centre.told("inbox_refused") == {centre.psychologist.id: 1}
    assert target.exists()
    assert list(folder.iterdir())
    assert centre.arrivals() == []


def test_a_linked_folder_is_not_entered(centre: Delivering, tmp_path: Path) -> None:
    centre.source()
    other = tmp_path / "other"
    other.mkdir()
    (other / "结果.csv").write_bytes(clean(centre.people))
    (centre.inbox / "测评平台").symlink_to(other)

    assert centre.look_twice() == 0
    assert (other / "结果.csv").exists()


def test_the_same_bytes_again_are_written_down_as_repeated_and_change_nothing(centre: Delivering) -> None:
    centre.source()
    raw = clean(centre.people)
    centre.deliver(raw)

    centre.deliver(raw, "再来一次.csv")

    assert centre.states() == [ArrivalState.COMMITTED, ArrivalState.REPEATED]
    assert len(centre.stages()) == 1
    assert centre.house.count(ResponseSet) == 2 * len(centre.people)
    assert list((centre.inbox / "测评平台").iterdir()) == []


def test_a_growing_export_brings_the_new_rows_and_knows_the_old(centre: Delivering) -> None:
    centre.source()
    centre.deliver(clean(centre.people[:5]))

    centre.deliver(clean(centre.people))

    assert centre.states() == [ArrivalState.COMMITTED, ArrivalState.COMMITTED]
    assert [row.is_partial for row in centre.arrivals()] == [False, False]
    assert centre.house.count(ResponseSet) == 2 * len(centre.people)


def test_a_file_with_far_fewer_rows_than_usual_waits(centre: Delivering) -> None:
    centre.source()
    for turn in (1, 2):
        centre.deliver(clean(centre.people[: 5 + turn]))

    last = centre.deliver(table(line(centre.people[7], phq(2))))

    assert (last.state, last.is_partial, last.waits_for) == (ArrivalState.WAITING, True, "partial")
    assert centre.told("delivery_waits") == {centre.psychologist.id: 1}


def test_several_files_of_one_look_are_several_deliveries(centre: Delivering) -> None:
    centre.source()
    centre.put(clean(centre.people[:4]), "一.csv")
    centre.put(clean(centre.people[4:]), "二.csv")

    assert centre.look_twice() == 2
    centre.work()

    assert centre.states() == [ArrivalState.COMMITTED] * 2
    assert centre.house.count(ResponseSet) == 2 * len(centre.people)
