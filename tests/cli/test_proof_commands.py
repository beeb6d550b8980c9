"""``audit verify`` and ``doctor``: what is well, and what is not, with a status."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.cli.program import run


def change(home: Path, *statements: str) -> None:
    """Somebody with the database in hands, who takes the guards away first."""
    with closing(sqlite3.connect(home / "xinyu.db", isolation_level=None)) as connection:
        for name in ("update", "delete", "replace"):
            connection.execute(f"DROP TRIGGER ledger_entry_no_{name}")
        for statement in statements:
            assert connection.execute(statement).rowcount == 1


def findings(home: Path, **settings: str) -> dict[str, str]:
    """What the doctor found, by what was looked at."""
    ended = run(home, "doctor", "--json", **settings)
    held: dict[str, Any] = ended.held
    found = {item["name"]: item["todo"] for item in held["findings"]}
    assert held["ok"] is (not any(found.values()))
    assert ended.status == (0 if held["ok"] else 1)
    return found


def test_a_log_nobody_touched_holds(home: Path) -> None:
    run(home, "audit", "head")

    ended = run(home, "audit", "verify", "--json")

    assert ended.status == 0
    assert (ended.held["holds"], ended.held["bad"], ended.held["heads"]) == (True, None, 1)
    assert ended.held["rows"] > 100


def test_a_changed_row_is_named_with_its_place_and_a_status(home: Path) -> None:
    change(home, "UPDATE ledger_entry SET outcome = 'denied' WHERE seq = 50")

    ended = run(home, "audit", "verify", "--json")

    assert (ended.status, ended.held["holds"], ended.held["bad"]["seq"]) == (1, False, 50)
    assert "发现问题" in run(home, "audit", "verify").out


def test_a_row_that_was_cut_from_the_end_is_missed_once_a_head_was_taken(home: Path) -> None:
    run(home, "audit", "head")
    change(home, "DELETE FROM ledger_entry WHERE seq = (SELECT max(seq) FROM ledger_entry)")

    ended = run(home, "audit", "verify", "--json")

    assert (ended.status, ended.held["holds"]) == (1, False)


def test_the_doctor_sees_one_guard_of_three_that_was_taken_away(home: Path) -> None:
    with closing(sqlite3.connect(home / "xinyu.db", isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER ledger_entry_no_update")

    assert "ledger_entry_no_update" in findings(home)["日志只能追加"]


def test_the_doctor_finds_the_demo_well_but_for_the_worker_that_does_not_run(home: Path) -> None:
    found = findings(home)

    found.pop("工作日历")  # depends on the day on which this runs
    assert [name for name, todo in found.items() if todo] == ["后台任务"]
    assert "manage.py worker" in found["后台任务"]


def test_the_doctor_sees_guards_that_were_taken_away(home: Path) -> None:
    change(home)

    assert "ledger_entry_no_delete" in findings(home)["日志只能追加"]


def test_the_doctor_sees_keys_that_others_may_read(home: Path) -> None:
    (home / "keys" / "content.key.json").chmod(0o644)

    found = findings(home)

    assert "chmod 600" in found["密钥文件"]
    assert "封存状态" in found["内容密钥"]


def test_without_content_keys_an_import_is_refused_in_words(home: Path, tmp_path: Path) -> None:
    (home / "keys" / "content.key.json").unlink()
    file = tmp_path / "r.csv"
    file.write_text("学号,姓名,学院,班级\n1,王晓安,信息学院,软件2601\n")

    ended = run(home, "roster", "import", file, "--json")

    assert "内容密钥不可用" in ended.refusal
    assert run(home, "audit", "verify", "--json").held["holds"] is True


def test_the_doctor_of_a_bare_machine_says_what_to_do_and_makes_nothing(tmp_path: Path) -> None:
    bare = tmp_path / "not" / "there"
    there = tmp_path / "there"
    there.mkdir()

    for home in (bare, there):
        assert "manage.py db upgrade" in findings(home)["数据库"]

    assert not bare.exists()
    assert list(there.iterdir()) == []


def test_a_database_that_does_not_answer_is_said_in_words(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://nobody@/nothing?host={tmp_path}"
    told = {"XINYU_DATABASE_URL": url, "XINYU_OWNER_DATABASE_URL": url, "XINYU_KEY_DIR": str(tmp_path / "keys")}

    assert "连不上" in findings(tmp_path, **told)["数据库"]
    assert "数据库" in run(tmp_path, "db", "upgrade", "--json", **told).refusal


def test_an_installation_whose_keys_were_lost_is_not_given_new_ones(home: Path) -> None:
    (home / "keys").rename(home / "lost")

    ended = run(home, "db", "upgrade", "--json")

    assert "找不到密钥" in ended.refusal
    assert not (home / "keys").exists()
