"""``demo``: built in one command, warm the second time, never over a real roster."""

from __future__ import annotations

import stat
import time
from pathlib import Path

from tests.cli.program import Ended, Started, run


def test_a_demo_is_built_by_one_command_and_tells_what_came_in(built: tuple[Path, Ended]) -> None:
    ended = built[1]

    assert (ended.status, ended.err) == (0, "")
    held = ended.held
    assert (held["built"], held["students"], held["rows"]) == (True, 60, 60)
    assert set(held["alerts"]) == {"red", "orange", "yellow"}
    assert held["problems"] == {"roster": 0, "staff": 0, "posts": 0, "screening": 5}


def test_keys_database_and_invented_files_are_for_their_owner_only(built: tuple[Path, Ended]) -> None:
    home = built[0]

    paths = [home, *home.rglob("*")]
    modes = {path.relative_to(home).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in paths}
    assert {modes["keys/content.key.json"], modes["keys/instance.key.json"], modes["xinyu.db"]} == {0o600}
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}


def test_a_second_demo_is_a_warm_start_of_the_same_college(home: Path) -> None:
    before = run(home, "user", "list", "--json").held

    again = run(home, "demo", "--no-serve", "--students", "100", "--json")

    assert again.status == 0
    assert (again.held["built"], again.held["students"]) == (False, 60)
    assert again.held["seconds"] < 3
    assert run(home, "user", "list", "--json").held == before


def test_a_fresh_demo_is_built_anew_under_the_same_keys(home: Path) -> None:
    keys = {path.name: path.read_bytes() for path in (home / "keys").iterdir()}
    run(home, "audit", "head")

    ended = run(home, "demo", "--no-serve", "--students", "61", "--fresh", "--json")

    assert (ended.status, ended.held["built"], ended.held["students"]) == (0, True, 61)
    assert {path.name: path.read_bytes() for path in (home / "keys").iterdir()} == keys
    assert run(home, "audit", "verify", "--json").held["holds"] is True


def test_a_demo_whose_first_build_was_cut_off_is_built_anew(tmp_path: Path) -> None:
    home = tmp_path / "home"
    started = Started(tmp_path, ["demo", "--no-serve", "--students", "60"], {"XINYU_HOME": str(home)})
    deadline = time.monotonic() + 20
    while not (home / "demo").exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    started.kill()
    assert started.end().status == -9

    ended = run(home, "demo", "--no-serve", "--students", "60", "--json")

    assert (ended.held["built"], ended.held["students"]) == (True, 60)
    assert len(run(home, "user", "list", "--json").held["accounts"]) == 36


def test_a_demo_is_refused_over_a_real_installation_even_an_empty_one(empty_home: Path) -> None:
    database = (empty_home / "xinyu.db").read_bytes()

    for words in (["demo"], ["demo", "--fresh"], ["demo", "--json"]):
        assert "这里已有真实的数据库，不能在上面开启演示" in run(empty_home, *words, "--no-serve").refusal

    assert (empty_home / "xinyu.db").read_bytes() == database
    assert not (empty_home / "demo").exists()


def test_a_demo_of_too_few_students_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    ended = run(tmp_path / "none", "demo", "--no-serve", "--students", "59")

    assert ended.status == 2
    assert "Traceback" not in ended.err
    assert not (tmp_path / "none").exists()


def test_the_first_start_prints_five_recovery_shares_and_keeps_none(born: tuple[Path, Ended]) -> None:
    home, ended = born

    shares = [
        line.split(". ", 1)[1] for line in ended.out.splitlines() if line.strip()[:2] in {f"{n}." for n in range(1, 6)}
    ]

    assert len({len(share.split()) for share in shares}) == 1
    assert len(set(shares)) == 5
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert not any(share.encode() in kept for share in shares)


def test_the_story_of_the_morning_can_be_told_of_a_college_of_another_size(tmp_path: Path) -> None:
    ended = run(tmp_path / "home", "demo", "--no-serve", "--students", "1000", "--json")

    assert ended.status == 0, ended.out
    assert ended.held["students"] == 1000
