"""``backup`` and ``restore``: whole, proven, closed to whoever has neither keys nor shares."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.cli.program import Ended, run, table
from tests.cli.test_roster_command import HEADER, ONE


@pytest.fixture(scope="module")
def saved(folder: Path) -> tuple[Path, Path, list[str]]:
    """An installation with one student, its backup, and its recovery shares."""
    home = folder / "saved"
    born = run(home, "db", "upgrade", "--school", "测试学院")
    shares = [line.split(". ", 1)[1] for line in born.out.splitlines() if line[:4].strip().endswith(".")]
    run(home, "roster", "import", table(folder / "saved.csv", HEADER, ONE))
    run(home, "audit", "head")
    run(home, "backup", home / "x.backup")
    return home, home / "x.backup", shares


def restored(saved: tuple[Path, Path, list[str]], home: Path, *more: object) -> Ended:
    """Restore with three of the shares, given in another order."""
    words = [word for share in (saved[2][4], saved[2][0], saved[2][2]) for word in ("--share", share)]
    return run(home, "restore", saved[1], *words, *more, "--json")


def test_three_shares_bring_everything_back_into_an_empty_home(
    saved: tuple[Path, Path, list[str]], tmp_path: Path
) -> None:
    home = tmp_path / "new"

    ended = restored(saved, home)

    assert (ended.status, ended.held["whole"], ended.held["wrong"]) == (0, True, [])
    assert ended.held["counts"]["student"] == 1
    assert run(home, "audit", "verify", "--json").held["holds"] is True
    again = run(home, "roster", "import", table(tmp_path / "r.csv", HEADER, ONE), "--json")
    assert again.held["files"][0]["unchanged"] == 1
    for name in ("content.key.json", "instance.key.json"):
        assert (home / "keys" / name).read_bytes() == (saved[0] / "keys" / name).read_bytes()
        assert stat.S_IMODE((home / "keys" / name).stat().st_mode) == 0o600


def test_a_backup_shows_neither_names_nor_keys(saved: tuple[Path, Path, list[str]]) -> None:
    raw = saved[1].read_bytes()

    assert stat.S_IMODE(saved[1].stat().st_mode) == 0o600
    assert not any(word.encode() in raw for word in (*ONE[:2], ONE[4], "SQLite format"))
    assert [path.name for path in saved[0].iterdir() if "partial" in path.name or "tmp" in path.name] == []


def test_a_drill_proves_the_backup_and_leaves_nothing(saved: tuple[Path, Path, list[str]], tmp_path: Path) -> None:
    home = tmp_path / "new"

    ended = restored(saved, home, "--drill")

    assert (ended.status, ended.held["whole"]) == (0, True)
    assert not (home / "xinyu.db").exists()


def test_a_restore_never_goes_over_a_database(saved: tuple[Path, Path, list[str]], empty_home: Path) -> None:
    before = (empty_home / "xinyu.db").read_bytes()

    ended = restored(saved, empty_home)

    assert "已存在，请恢复到空的位置" in ended.refusal
    assert (empty_home / "xinyu.db").read_bytes() == before


def test_two_shares_do_not_open_a_backup(saved: tuple[Path, Path, list[str]], tmp_path: Path) -> None:
    ended = run(tmp_path / "new", "restore", saved[1], "--share", saved[2][0], "--share", saved[2][1], "--json")

    assert "恢复份额无法合成" in ended.refusal
    assert not (tmp_path / "new").exists()


def test_the_keys_of_another_installation_do_not_open_a_backup(
    saved: tuple[Path, Path, list[str]], born: tuple[Path, Ended], tmp_path: Path
) -> None:
    ended = run(tmp_path / "new", "restore", saved[1], "--json", XINYU_KEY_DIR=str(born[0] / "keys"))

    assert "恢复份额不是这份备份的" in ended.refusal
    assert not (tmp_path / "new" / "xinyu.db").exists()


@pytest.mark.parametrize("place", ["magic", '"backend"', '"salt": "', '"keys": "', "middle", "end"])
def test_a_backup_with_one_changed_byte_is_refused_in_words(
    saved: tuple[Path, Path, list[str]], tmp_path: Path, place: str
) -> None:
    raw = bytearray(saved[1].read_bytes())
    spots = {"magic": 3, "middle": len(raw) // 2, "end": len(raw) - 1}
    spot = spots[place] if place in spots else raw.index(place.encode()) + len(place)
    raw[spot] ^= 0x20 if place != "magic" else 1
    bad = tmp_path / "bad.backup"
    bad.write_bytes(raw)

    ended = restored((saved[0], bad, saved[2]), tmp_path / "new")

    assert "备份" in ended.refusal
    assert not (tmp_path / "new" / "xinyu.db").exists()


@pytest.mark.parametrize("kept", [0, 17, 700, -1, -100_000])
def test_a_backup_that_was_cut_off_is_refused_in_words(
    saved: tuple[Path, Path, list[str]], tmp_path: Path, kept: int
) -> None:
    bad = tmp_path / "bad.backup"
    bad.write_bytes(saved[1].read_bytes()[:kept])

    ended = restored((saved[0], bad, saved[2]), tmp_path / "new")

    assert "备份" in ended.refusal
    assert not (tmp_path / "new" / "xinyu.db").exists()


def test_a_backup_into_a_folder_that_is_not_there_is_said_in_words(empty_home: Path, tmp_path: Path) -> None:
    assert run(empty_home, "backup", tmp_path / "no" / "x.backup", "--json").refusal
