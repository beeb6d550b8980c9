"""``source`` as a command: setting one up, looking at folders, and the client of a school's script."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from app.screening.tables import mapping_file
from tests.cli.program import Ended, run, settings_for
from tests.house import House
from tests.sources.delivering import MAPPING, Delivering, clean


@pytest.fixture
def centre(sqlite_house: House, tmp_path: Path) -> Delivering:
    (tmp_path / "inbox").mkdir(mode=0o700)
    return Delivering(sqlite_house, tmp_path / "inbox")


@pytest.fixture
def server(centre: Delivering) -> Iterator[str]:
    """The application behind a real port."""
    running = make_server("127.0.0.1", 0, centre.house.app, threaded=True)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()


def command(centre: Delivering, *words: object, inbox: bool = True) -> Ended:
    told = settings_for(centre.house.door.settings)
    more = {"XINYU_INBOX": str(centre.inbox)} if inbox else {}
    return run(centre.house.door.settings.home, "source", *words, **{**told, **more})


def added(centre: Delivering, *more: object) -> Ended:
    words = ["add", "平台", "--round", "春季普查", "--owner", centre.psychologist.staff.login, *more, "--json"]
    return command(centre, *words)


def test_a_source_is_added_with_a_reviewed_mapping_and_listed(centre: Delivering, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(mapping_file.written([MAPPING]))

    ended = added(centre, "--kind", "folder", "--folder", "平台", "--mapping", mapping, "--every-days", 7)

    assert ended.status == 0, ended.err
    [row] = command(centre, "list", "--json").held["sources"]
    assert (row["id"], row["name"], row["state"], row["kind"]) == (ended.held["id"], "平台", "normal", "folder")
    assert row["expected_on"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--kind", "folder", "--folder", "../x"], "文件夹名称"),
        (["--kind", "folder", "--folder", "x", "--round", "没有"], "没有名为"),
        (["--kind", "upload", "--owner", "nobody"], "没有账号"),
    ],
)
def test_a_source_that_cannot_be_is_refused_in_words(centre: Delivering, more: list[str], said: str) -> None:
    assert said in added(centre, *more).refusal


def test_looking_takes_what_has_been_still_and_says_how_much(centre: Delivering) -> None:
    added(centre, "--kind", "folder", "--folder", "平台")
    centre.put(clean(centre.people), folder="平台")

    assert command(centre, "look", "--json").held == {"files": 0, "collected": 0}


def test_looking_without_a_watched_folder_says_which_setting_is_missing(centre: Delivering) -> None:
    assert "XINYU_INBOX" in command(centre, "look", inbox=False).refusal


@pytest.mark.parametrize("where", ["home", "project"])
def test_a_watched_folder_inside_the_installation_is_refused(centre: Delivering, where: str) -> None:
    home = centre.house.door.settings.home
    inside = home / "inbox" if where == "home" else Path(__file__).parent

    ended = run(home, "source", "list", XINYU_INBOX=str(inside))

    assert "XINYU_INBOX" in ended.refusal


def test_the_doctor_looks_at_the_watched_folder(centre: Delivering) -> None:
    home, told = centre.house.door.settings.home, settings_for(centre.house.door.settings)
    centre.inbox.chmod(0o755)
    wide = run(home, "doctor", **{**told, "XINYU_INBOX": str(centre.inbox)})
    missing = run(home, "doctor", **{**told, "XINYU_INBOX": str(centre.inbox / "nowhere")})

    assert "chmod 700" in wide.out
    assert "不是文件夹" in missing.out


def test_a_script_pushes_a_file_once(centre: Delivering, server: str, tmp_path: Path) -> None:
    held = added(centre, "--kind", "push").held
    file, key = tmp_path / "结果.csv", tmp_path / "key"
    file.write_bytes(clean(centre.people))
    key.write_text(held["key"] + "\n")
    words = ["push", file, "--url", server + held["path"], "--key-file", key, "--json"]

    first, second = command(centre, *words), command(centre, *words)

    assert (first.status, first.held) == (0, {"result": "accepted"})
    assert (second.status, second.held) == (0, {"result": "repeated"})
    assert len(centre.arrivals()) >= 1


def test_a_script_with_a_wrong_key_ends_with_a_status(centre: Delivering, server: str, tmp_path: Path) -> None:
    held = added(centre, "--kind", "push").held
    file, key = tmp_path / "结果.csv", tmp_path / "key"
    file.write_bytes(clean(centre.people))
    key.write_text("wrong")

    ended = command(centre, "push", file, "--url", server + held["path"], "--key-file", key)

    assert "没有被接受" in ended.refusal
    assert centre.arrivals() == []


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://example.org/push/1", "https://"), ("ftp://x/y", "https://"), ("http://127.0.0.1:9/", "连不上")],
)
def test_a_script_does_not_send_answers_in_the_clear_nor_into_nothing(
    centre: Delivering, tmp_path: Path, url: str, said: str
) -> None:
    file, key = tmp_path / "结果.csv", tmp_path / "key"
    file.write_bytes(clean(centre.people))
    key.write_text("k")

    assert said in command(centre, "push", file, "--url", url, "--key-file", key).refusal
