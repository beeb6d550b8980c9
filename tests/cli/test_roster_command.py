"""``roster import`` and ``staff import``: files of colleagues, from the command line."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.cli.program import run, table
from tests.house import xlsx

HEADER = ["学号", "姓名", "学院", "班级", "手机号"]
ONE = ["20260001", "王晓安", "信息学院", "软件2601", "13800001111"]
TWO = ["20260002", "李明远", "信息学院", "软件2601", ""]
COUNTS = ("rows_read", "rows_accepted", "rows_rejected", "new", "unchanged")


def counts(receipt: dict[str, int]) -> tuple[int, ...]:
    return tuple(receipt[name] for name in COUNTS)


def students(home: Path) -> int:
    """How many there are, by what a backup counts."""
    ended = run(home, "backup", home / "count.backup", "--json")
    return int(ended.held["counts"]["student"])


def test_a_roster_goes_in_and_the_same_file_again_changes_nothing(empty_home: Path, tmp_path: Path) -> None:
    file = table(tmp_path / "名册.csv", HEADER, ONE, TWO)
    [first] = run(empty_home, "roster", "import", file, "--json").held["files"]

    [second] = run(empty_home, "roster", "import", file, "--json").held["files"]

    assert counts(first) == (2, 2, 0, 2, 0)
    assert counts(second) == (2, 2, 0, 0, 2)
    assert students(empty_home) == 2


def test_a_dry_run_of_a_roster_tells_and_writes_nothing(empty_home: Path, tmp_path: Path) -> None:
    file = table(tmp_path / "名册.csv", HEADER, ONE, TWO)

    ended = run(empty_home, "roster", "import", file, "--dry-run")

    assert ended.status == 0
    assert "预览，没有写入。" in ended.out
    assert students(empty_home) == 0


def test_a_sheet_of_explanations_does_not_keep_the_roster_out(empty_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "名册.xlsx"
    file.write_bytes(_two_sheets([HEADER, ONE], [["本表由教务处提供"]]))

    ended = run(empty_home, "roster", "import", file, "--json")

    [receipt] = ended.held["files"]
    assert (receipt["kind"], receipt["new"]) == ("roster", 1)


def _two_sheets(first: list[list[str]], second: list[list[str]]) -> bytes:
    from io import BytesIO  # noqa: PLC0415

    from openpyxl import load_workbook  # noqa: PLC0415

    book = load_workbook(BytesIO(xlsx(*first, sheet="名册")))
    page = book.create_sheet("说明")
    for row in second:
        page.append(row)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_refused_second_file_does_not_hide_that_the_first_went_in(empty_home: Path, tmp_path: Path) -> None:
    good = table(tmp_path / "好.csv", HEADER, ONE)
    bad = table(tmp_path / "坏.csv", HEADER, [" ", " ", " ", " ", " "])

    ended = run(empty_home, "roster", "import", good, bad, "--json")

    assert "坏.csv" in ended.refusal or "表头下面没有数据" in ended.refusal
    told = [receipt["file"] for receipt in ended.held.get("files", [])]
    assert len(told) == students(empty_home)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "文件是空的", id="empty"),
        pytest.param(b"PK\x03\x04 half a workbook", "文件不完整", id="half"),
        pytest.param("姓名\n王晓安\n".encode(), "没有认得的工作表", id="columns missing"),
        pytest.param(b"\x81\x00\xff\xfe\x00", "无法识别", id="noise"),
        pytest.param(b"<html><table></table></html>", "文件内容是网页", id="page"),
    ],
)
def test_an_unreadable_roster_is_refused_in_words_without_a_traceback(
    empty_home: Path, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "名册.xlsx"
    file.write_bytes(content)

    ended = run(empty_home, "roster", "import", file)

    assert words in ended.refusal


def test_a_file_that_is_not_there_and_a_missing_option_are_said_in_json(empty_home: Path) -> None:
    for words in (["roster", "import", "nowhere.csv"], ["screening", "import", "--round", "x", "--scale", "phq9"]):
        ended = run(empty_home, *words, "--json")

        assert ended.status == 2
        assert set(ended.held) == {"error"}


def test_staff_come_in_with_passwords_that_only_the_owner_of_the_file_reads(empty_home: Path, tmp_path: Path) -> None:
    file = table(
        tmp_path / "教职工.csv", ["工号", "姓名", "角色"], ["x1", "周宁", "心理咨询师"], ["x2", "吴越", "校医"]
    )
    passwords = tmp_path / "passwords.csv"

    ended = run(empty_home, "staff", "import", file, "--passwords", passwords, "--json")

    [receipt] = ended.held["files"]
    assert (receipt["new"], [problem["code"] for problem in receipt["problems"]]) == (1, ["role_unknown"])
    header, line = passwords.read_text(encoding="utf-8-sig").splitlines()
    assert line.startswith("x1,周宁,")
    assert line.rsplit(",", 1)[1] not in ended.out
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600


def test_passwords_are_not_written_into_a_file_that_others_may_read(empty_home: Path, tmp_path: Path) -> None:
    file = table(tmp_path / "教职工.csv", ["工号", "姓名", "角色"], ["x1", "周宁", "心理咨询师"])
    passwords = tmp_path / "passwords.csv"
    passwords.touch()
    passwords.chmod(0o644)

    run(empty_home, "staff", "import", file, "--passwords", passwords)

    assert not passwords.read_text() or stat.S_IMODE(passwords.stat().st_mode) == 0o600
