"""``user``: accounts from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import run


def accounts(home: Path) -> dict[str, Any]:
    held = run(home, "user", "list", "--json").held["accounts"]
    return {item["login"]: item for item in held}


def test_a_new_account_gets_a_password_that_is_shown_once(empty_home: Path) -> None:
    ended = run(
        empty_home, "user", "create", "LiuMin", "刘敏", "--role", "centre_head", "--role", "psychologist", "--json"
    )

    assert ended.status == 0
    password = ended.held["password"]
    assert len(password) >= 12
    assert accounts(empty_home) == {
        "liumin": {"login": "liumin", "name": "刘敏", "roles": ["centre_head", "psychologist"]}
    }
    kept = b"".join(path.read_bytes() for path in empty_home.rglob("*") if path.is_file())
    assert password.encode() not in kept


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["zhou", "周宁", "--role", "auditor", "--role", "sysadmin"], "审计员不能同时担任其他岗位"),
        (["zhou", "周宁", "--role", "college_lead"], "院系角色要选择所属学院"),
        (["zhou", "周宁", "--role", "college_lead", "--college", "没有学院"], "没有学院“没有学院”"),
        (["  ", "周宁", "--role", "advisor"], "账号"),
        (["zhou", "  ", "--role", "advisor"], "姓名"),
        (["LIUMIN", "刘敏", "--role", "advisor"], "这个账号已经有人使用"),
    ],
    ids=["auditor joined", "no college", "unknown college", "no login", "no name", "taken"],
)
def test_an_account_that_must_not_be_is_refused_whole(empty_home: Path, words: list[str], sentence: str) -> None:
    run(empty_home, "user", "create", "liumin", "刘敏", "--role", "centre_head")

    assert sentence in run(empty_home, "user", "create", *words, "--json").refusal

    assert list(accounts(empty_home)) == ["liumin"]


@pytest.mark.parametrize("role", ["console", "worker", "student", "god"])
def test_roles_of_the_system_are_not_for_people(empty_home: Path, role: str) -> None:
    ended = run(empty_home, "user", "create", "zhou", "周宁", "--role", role)

    assert ended.status == 2
    assert "Traceback" not in ended.err


def test_a_retired_person_is_listed_no_more_and_cannot_be_retired_twice(empty_home: Path) -> None:
    run(empty_home, "user", "create", "zhou", "周宁", "--role", "psychologist")

    first, second = run(empty_home, "user", "retire", "zhou"), run(empty_home, "user", "retire", "zhou", "--json")

    assert first.status == 0
    assert "这个账号已经停用" in second.refusal
    assert accounts(empty_home) == {}


def test_somebody_with_open_work_is_not_retired(home: Path) -> None:
    refused = [run(home, "user", "retire", login, "--json") for login in ("zhuren",)]

    assert all("还有工作事项在这位老师名下" in ended.refusal for ended in refused)
    assert "zhuren" in accounts(home)


def test_a_password_of_nobody_is_refused(empty_home: Path) -> None:
    assert "没有账号 zhou" in run(empty_home, "user", "password", "zhou", "--json").refusal


def test_every_command_of_the_shell_is_in_the_log(empty_home: Path) -> None:
    rows = run(empty_home, "audit", "verify", "--json").held["rows"]

    run(empty_home, "user", "create", "zhou", "周宁", "--role", "psychologist")
    run(empty_home, "user", "retire", "nobody")

    assert run(empty_home, "audit", "verify", "--json").held["rows"] > rows + 2
