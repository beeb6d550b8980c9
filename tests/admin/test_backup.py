"""Backup and restore: opens only with the recovery key, comes back whole, and a damaged file says so in words."""

from __future__ import annotations

import dataclasses
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from app.admin import backup
from app.admin.backup import BadBackup
from app.security import keyring
from app.security.door import Door, open_door
from app.security.policy import Permission
from config.settings import Settings
from models.case import Case, CaseNote
from models.student import Student
from tests.cases.work import note
from tests.house import Client, House
from tests.postgres import Postgres
from tests.risk.people import Staffed, staffed

CANARY = "备份金丝雀"


def lived_in(house: House) -> tuple[Staffed, Case]:
    """A house with a student, an alert and a case with a note."""
    people = staffed(house)
    house.make.alert(house.make.student(people.group))
    case = house.make.case(people.psychologist, people.student)
    note(house, people.psychologist, case, CANARY)
    return people, case


def saved(house: House, folder: Path) -> Path:
    target = folder / "xinyu.backup"
    backup.make(house.door, target)
    return target


def recovery_key(door: Door) -> bytes:
    assert door.keyring is not None
    return door.keyring.recovery_key


@pytest.fixture(autouse=True)
def tools_of_the_servers_version(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """``pg_dump`` must be as new as the server; the machine's own is older."""
    if "house" in request.fixturenames and request.getfixturevalue("backend") == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        monkeypatch.setenv("PATH", f"{server.bin}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def elsewhere(house: House, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """An empty place on the same kind of database."""
    home = tmp_path / "elsewhere"
    if house.door.database.is_sqlite:
        yield empty(house, tmp_path)
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"restored_{os.urandom(4).hex()}"
    server.create(name)
    owner, app = server.urls(name)
    yield dataclasses.replace(
        house.door.settings, home=home, key_dir=home / "keys", database_url=app, owner_database_url=owner
    )
    server.drop(name)


def empty(house: House, folder: Path) -> Settings:
    home = folder / "elsewhere"
    url = f"sqlite:///{home / 'xinyu.db'}"
    return dataclasses.replace(
        house.door.settings, home=home, key_dir=home / "keys", database_url=url, owner_database_url=url
    )


def test_a_restored_house_verifies_counts_the_same_and_opens_its_files(
    house: House, elsewhere: Settings, tmp_path: Path
) -> None:
    people, case = lived_in(house)
    file = saved(house, tmp_path)

    header = backup.restore(file, elsewhere, recovery_key(house.door))

    again = House(open_door(elsewhere))
    assert backup.compare(again.door, header) == []
    assert again.proof().bad is None
    with Client(again, people.psychologist.staff, people.psychologist.role).under(Permission.CASE_WORK) as access:
        access.find(Case, case.id)
        rows = access.session.scalars(select(CaseNote).order_by(CaseNote.id)).all()
        assert [access.open(row, CaseNote.body) for row in rows] == ["初次评估", CANARY]
    again.door.database.dispose()


def test_neither_content_nor_keys_can_be_read_in_the_file(sqlite_house: House, tmp_path: Path) -> None:
    lived_in(sqlite_house)

    raw = saved(sqlite_house, tmp_path).read_bytes()

    keys = sqlite_house.door.settings.key_dir
    for words in (CANARY.encode(), "林晓".encode(), "刘主任".encode(), b"CREATE TABLE", b"SQLite format"):
        assert words not in raw
    for path in keys.iterdir():
        for word in path.read_text().split('"'):
            assert len(word) < 20 or word.encode() not in raw


def test_the_file_is_its_owners_alone_and_nothing_lies_beside_it(sqlite_house: House, tmp_path: Path) -> None:
    lived_in(sqlite_house)
    before = set(sqlite_house.door.settings.home.rglob("*"))

    file = saved(sqlite_house, tmp_path / ".")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.with_name(file.name + ".partial").exists()
    assert {path for path in set(sqlite_house.door.settings.home.rglob("*")) - before if "dump" in path.name} == set()


def test_shares_bring_it_back_and_two_of_them_do_not(sqlite_house: House, tmp_path: Path) -> None:
    lived_in(sqlite_house)
    file = saved(sqlite_house, tmp_path)
    shares = keyring.split(recovery_key(sqlite_house.door))

    with pytest.raises(keyring.KeyProblem):
        keyring.combine(shares[:2])
    backup.restore(file, empty(sqlite_house, tmp_path), keyring.combine(shares[2:]))

    assert (tmp_path / "elsewhere" / "xinyu.db").exists()


def test_another_installations_key_opens_nothing_and_leaves_nothing(sqlite_house: House, tmp_path: Path) -> None:
    lived_in(sqlite_house)
    file = saved(sqlite_house, tmp_path)

    with pytest.raises(BadBackup, match="恢复份额不是这份备份的"):
        backup.restore(file, empty(sqlite_house, tmp_path), os.urandom(16))

    assert not (tmp_path / "elsewhere" / "xinyu.db").exists()
    assert not (tmp_path / "elsewhere" / "keys").exists()


@pytest.mark.parametrize("part", ["magic", "header", "body start", "body middle", "last"])
def test_one_flipped_bit_is_found_and_nothing_is_restored(sqlite_house: House, tmp_path: Path, part: str) -> None:
    lived_in(sqlite_house)
    file = saved(sqlite_house, tmp_path)
    raw = bytearray(file.read_bytes())
    body = len(backup.MAGIC) + 4 + int.from_bytes(raw[len(backup.MAGIC) : len(backup.MAGIC) + 4], "big")
    middle = (body + len(raw)) // 2
    places = {"magic": 3, "header": body - 60, "body start": body + 12, "body middle": middle, "last": len(raw) - 1}
    raw[places[part]] ^= 1
    file.write_bytes(raw)

    with pytest.raises(BadBackup):
        backup.restore(file, empty(sqlite_house, tmp_path), recovery_key(sqlite_house.door))

    assert not (tmp_path / "elsewhere" / "xinyu.db").exists()


@pytest.mark.parametrize("kept", [0, 17, 200, 0.9, -1])
def test_a_file_that_was_cut_off_is_found(sqlite_house: House, tmp_path: Path, kept: float) -> None:
    lived_in(sqlite_house)
    file = saved(sqlite_house, tmp_path)
    raw = file.read_bytes()
    file.write_bytes(raw[: int(len(raw) * kept) if isinstance(kept, float) else kept])

    with pytest.raises(BadBackup):
        backup.restore(file, empty(sqlite_house, tmp_path), recovery_key(sqlite_house.door))

    assert not (tmp_path / "elsewhere" / "xinyu.db").exists()


def test_chunks_that_were_swapped_or_repeated_or_added_are_found(sqlite_house: House, tmp_path: Path) -> None:
    with sqlite_house.door.database.writing() as session:
        session.execute(text("CREATE TABLE filler AS SELECT randomblob(2500000) AS body"))
    file = saved(sqlite_house, tmp_path)
    raw = file.read_bytes()
    with file.open("rb") as source:
        backup.read_header(source)
        source.read(7)
        start = source.tell()
        sizes = []
        while head := source.read(4):
            sizes.append(4 + int.from_bytes(head, "big"))
            source.seek(sizes[-1] - 4, os.SEEK_CUR)
    first, rest = raw[start : start + sizes[0]], raw[start + sizes[0] :]
    assert len(sizes) >= 3

    for tampered in (rest + first, first + first + rest, first + rest + first, rest, first):
        file.write_bytes(raw[:start] + tampered)
        with pytest.raises(BadBackup):
            backup.restore(file, empty(sqlite_house, tmp_path), recovery_key(sqlite_house.door))


def test_a_place_that_is_not_empty_is_not_written_over(sqlite_house: House, tmp_path: Path) -> None:
    lived_in(sqlite_house)
    file = saved(sqlite_house, tmp_path)
    count = sqlite_house.count(Student)

    with pytest.raises(BadBackup, match="已存在"):
        backup.restore(file, sqlite_house.door.settings, recovery_key(sqlite_house.door))

    assert sqlite_house.count(Student) == count


def test_a_backup_taken_while_people_work_is_one_moment_of_the_house(sqlite_house: House, tmp_path: Path) -> None:
    people, case = lived_in(sqlite_house)
    stop = threading.Event()

    def works() -> None:
        while not stop.is_set():
            note(sqlite_house, people.psychologist, case, "同时在写")

    thread = threading.Thread(target=works)
    thread.start()
    try:
        file = saved(sqlite_house, tmp_path)
    finally:
        stop.set()
        thread.join()
    settings = empty(sqlite_house, tmp_path)
    backup.restore(file, settings, recovery_key(sqlite_house.door))

    again = House(open_door(settings))
    written, logged = again.count(CaseNote), len(again.log(act="case_note_written")) + 1
    assert again.proof().bad is None
    assert written == logged
    again.door.database.dispose()


def test_a_house_without_content_keys_is_not_backed_up_without_them(sqlite_house: House, tmp_path: Path) -> None:
    lived_in(sqlite_house)
    sqlite_house.door.keyring = None

    with pytest.raises(BadBackup, match="内容密钥不可用"):
        saved(sqlite_house, tmp_path)

    assert not list(tmp_path.glob("xinyu.backup*"))


def test_a_backup_of_one_kind_of_database_does_not_go_into_another(house: House, tmp_path: Path) -> None:
    file = saved(house, tmp_path)
    other = "sqlite:///" + str(tmp_path / "x.db")
    wrong = "postgresql+psycopg://nobody@localhost:1/none" if house.door.database.is_sqlite else other
    settings = dataclasses.replace(house.door.settings, database_url=wrong, owner_database_url=wrong)

    with pytest.raises(BadBackup, match="请用同一种数据库恢复"):
        backup.restore(file, settings, recovery_key(house.door))


def test_rows_that_went_missing_after_the_restore_are_named(sqlite_house: House, tmp_path: Path) -> None:
    lived_in(sqlite_house)
    file = saved(sqlite_house, tmp_path)
    settings = empty(sqlite_house, tmp_path)
    header = backup.restore(file, settings, recovery_key(sqlite_house.door))
    other = dataclasses.replace(header, counts={**header.counts, "student": 99}, deployment="another")

    door = open_door(settings)
    wrong = backup.compare(door, other)

    assert wrong == ["student: 2 行，备份时 99 行", "部署标识与备份不一致"]
    door.database.dispose()
    shutil.rmtree(settings.home)
