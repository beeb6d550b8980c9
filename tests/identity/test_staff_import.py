"""教职工名单 again and again: accounts and roles for many, every doubtful row named, nobody changed by accident."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.identity import staff_import
from app.intake.sheet import Table
from app.security import sign_in
from app.security.policy import Permission, Purpose
from models.identity import Role, RoleGrant, Staff
from models.intake import ImportBatch
from models.refusal import Refusal
from tests.house import House, Page, xlsx
from tests.intake.delivery import bring_in, hand_in

HEADER = ["工号", "姓名", "角色", "学院", "手机"]
LI = ["1001", "李老师", "辅导员", "信息学院", "13800000001"]
ZHOU = ["1002", "周老师", "心理咨询师", "", ""]


def deliver(house: House, header: list[str], *rows: list[str]) -> Page:
    admin = house.make.person(Role.SYSADMIN)
    return bring_in(admin, xlsx(header, *rows), name="名单.xlsx", kind="staff", desk="/staff-import")


def enter(house: House, *rows: list[str]) -> dict[str, Any]:
    """The same without the desk; returns the receipt."""
    table = Table("", ("",), 1, HEADER, list(rows), range(2, len(rows) + 2))
    with house.console(Permission.STAFF_IMPORT) as access:
        batch = ImportBatch()
        prepared = staff_import.prepare(access, table, batch)
        staff_import.commit(access, batch, prepared)
    return prepared.receipt


def person(house: House, login: str) -> Staff | None:
    rows = house.all(select(Staff).where(Staff.login == login))
    return rows[0][0] if rows else None


def roles(house: House, login: str) -> set[Role]:
    found = person(house, login)
    assert found is not None
    return {row.role for row in house.all(select(RoleGrant.role).where(RoleGrant.staff_id == found.id))}


def test_a_list_opens_accounts_with_their_roles(sqlite_house: House) -> None:
    sqlite_house.make.college("信息学院")

    page = deliver(sqlite_house, HEADER, LI, ZHOU, ["1003", "吴老师", "辅导员、班主任", "", ""])

    assert "3 新增" in page
    assert (roles(sqlite_house, "1001"), roles(sqlite_house, "1002")) == ({Role.ADVISOR}, {Role.PSYCHOLOGIST})
    assert roles(sqlite_house, "1003") == {Role.ADVISOR, Role.CLASS_TEACHER}


def test_nobody_comes_in_before_a_first_password_is_set(sqlite_house: House) -> None:
    enter(sqlite_house, ZHOU)

    for words in ("", "1002"):
        with pytest.raises(Refusal, match="账号或密码不正确"):
            sign_in.sign_in(sqlite_house.door, login="1002", password=words, address="10.0.0.1")
    found = person(sqlite_house, "1002")
    assert found is not None
    assert found.must_change_password is True


def test_the_same_list_twice_changes_nothing(house: House) -> None:
    house.make.college("信息学院")
    enter(house, LI, ZHOU)
    before = house.all(select(RoleGrant.__table__).order_by(RoleGrant.id))

    receipt = enter(house, LI, ZHOU)

    assert (receipt["new"], receipt["roles_added"]) == (0, 0)
    after = house.all(select(RoleGrant.__table__).order_by(RoleGrant.id))
    assert [row for row in after if row in before] == before
    assert roles(house, "1001") == {Role.ADVISOR}


def test_a_later_list_adds_a_role_and_takes_none_away(sqlite_house: House) -> None:
    enter(sqlite_house, ZHOU)

    enter(sqlite_house, [*ZHOU[:2], "心理中心主任", "", ""])

    assert roles(sqlite_house, "1002") == {Role.PSYCHOLOGIST, Role.CENTRE_HEAD}


def test_somebody_known_by_staff_number_is_recognised_without_his_login(house: House) -> None:
    deliver(house, ["账号", *HEADER], ["zhang", "1001", "张老师", "辅导员", "", ""])

    page = deliver(house, HEADER, ["1001", "张老师", "班主任", "", ""], ZHOU)

    assert "已导入" in page
    assert roles(house, "zhang") == {Role.ADVISOR, Role.CLASS_TEACHER}
    assert person(house, "1001") is None
    assert roles(house, "1002") == {Role.PSYCHOLOGIST}


def test_a_phone_that_comes_later_is_kept(house: House) -> None:
    enter(house, ZHOU)
    enter(house, [*ZHOU[:4], "13900000007"])
    enter(house, ZHOU)

    found = person(house, "1002")
    assert found is not None
    admin = house.make.person(Role.SYSADMIN)
    with admin.under(Permission.ACCOUNTS_MANAGE, Purpose.ADMINISTRATION, writing=False) as access:
        assert access.open(access.find(Staff, found.id), Staff.phone) == "13900000007"


BAD = [
    (["", "无号", "辅导员", "", ""], "账号（或工号）为空"),
    (["10 01号", "王老师", "辅导员", "", ""], "以外的字符"),
    (["2001", "", "辅导员", "", ""], "姓名为空"),
    (["2002", "王" * 61, "辅导员", "", ""], "过长"),
    (["2003", "王老师", "校医院大夫", "", ""], "不认识的角色"),
    (["2004", "王老师", "", "", ""], "不认识的角色"),
    (["2005", "王老师", "console", "", ""], "不认识的角色"),
    (["2006", "王老师", "student", "", ""], "不认识的角色"),
    (["2007", "王老师", "college_lead", "没有的学院", ""], "已有的学院名称"),
    (["2008", "王老师", "college_lead", "", ""], "已有的学院名称"),
    (["2009", "王老师", "auditor、advisor", "", ""], "三员分立"),
    ([*ZHOU[:2], "psychologist", "", ""], "重复"),
]


def test_every_bad_row_is_named_and_the_good_one_goes_in(sqlite_house: House) -> None:
    receipt = enter(sqlite_house, ZHOU, *(row for row, _ in BAD))

    assert [problem["row"] for problem in receipt["problems"]] == list(range(3, len(BAD) + 3))
    for problem, (row, words) in zip(receipt["problems"], BAD, strict=True):
        assert words in problem["message"], row
    assert (receipt["new"], receipt["rows_accepted"], receipt["rows_rejected"]) == (1, 1, len(BAD))


def test_a_list_with_bad_rows_brings_in_the_good_one_only(sqlite_house: House) -> None:
    before = sqlite_house.count(Staff)

    page = deliver(sqlite_house, HEADER, ZHOU, *(row for row, _ in BAD))

    assert f"{len(BAD)} 未采用" in page
    assert "1 新增" in page
    assert sqlite_house.count(Staff) == before + 2  # the administrator who brought it, and 周老师


def test_somebody_retired_is_not_brought_back_by_a_list(sqlite_house: House) -> None:
    deliver(sqlite_house, HEADER, [*LI[:3], "", ""])
    gone = person(sqlite_house, "1001")
    assert gone is not None
    sqlite_house.make.person(Role.SYSADMIN).post(f"/accounts/{gone.id}/retire")

    page = deliver(sqlite_house, HEADER, [*LI[:2], "班主任", "", ""], ZHOU)

    assert "已停用" in page
    assert sqlite_house.again(gone).retired_at is not None
    assert roles(sqlite_house, "1001") == {Role.ADVISOR}
    assert roles(sqlite_house, "1002") == {Role.PSYCHOLOGIST}


def test_an_auditor_on_a_later_list_stays_an_auditor_only(sqlite_house: House) -> None:
    enter(sqlite_house, ["1005", "审老师", "审计员", "", ""])

    receipt = enter(sqlite_house, ["1005", "审老师", "系统管理员", "", ""], ZHOU)

    assert [item["code"] for item in receipt["problems"]] == ["auditor_joined"]
    assert roles(sqlite_house, "1005") == {Role.AUDITOR}
    assert roles(sqlite_house, "1002") == {Role.PSYCHOLOGIST}


def test_a_number_with_another_name_is_a_question_and_gives_no_role(sqlite_house: House) -> None:
    enter(sqlite_house, ZHOU)

    receipt = enter(sqlite_house, ["1002", "赵老师", "心理中心主任", "", ""])

    assert (receipt["rows_rejected"], receipt["rows_accepted"]) == (1, 0)
    assert roles(sqlite_house, "1002") == {Role.PSYCHOLOGIST}
    found = person(sqlite_house, "1002")
    assert found is not None
    assert found.name == "周老师"


def test_a_list_without_a_needed_column_is_refused_in_words(sqlite_house: House) -> None:
    admin = sqlite_house.make.person(Role.SYSADMIN)

    for header in (["姓名", "角色"], ["工号", "角色"], ["工号", "姓名"]):
        path = hand_in(admin, xlsx(header, ["1001", "李老师"]), "名单.xlsx", kind="staff", desk="/staff-import")
        assert "教职工名单要有" in admin.get(path), header

    assert person(sqlite_house, "1001") is None


def test_nobody_but_the_system_administrator_brings_in_staff(sqlite_house: House) -> None:
    for role in (Role.REGISTRAR, Role.CENTRE_HEAD, Role.SECURITY_ADMIN, Role.AUDITOR):
        assert sqlite_house.make.person(role).get("/staff-import").status == 403
