"""Who may come to which desk, and what a wrong or late hand does there."""

from __future__ import annotations

import pytest

from models.identity import Role
from models.intake import ImportBatch
from models.student import Student
from tests.house import House
from tests.intake.delivery import LI, WANG, bring_in, hand_in, press, roster

STAFF = roster(["t900", "周老师", "辅导员"], header=["工号", "姓名", "角色"])


@pytest.mark.parametrize("role", [Role.ADVISOR, Role.PSYCHOLOGIST, Role.CENTRE_HEAD, Role.SYSADMIN, Role.AUDITOR])
def test_only_the_registrar_finds_the_roster_desk(sqlite_house: House, role: Role) -> None:
    somebody = sqlite_house.make.person(role)

    page = somebody.get("/roster")

    assert page.status == 403


def test_a_delivery_of_another_desk_is_not_found(sqlite_house: House) -> None:
    clerk, administrator = sqlite_house.make.person(Role.REGISTRAR), sqlite_house.make.person(Role.SYSADMIN)
    path = hand_in(administrator, STAFF, "教职工.xlsx", desk="/staff-import", kind="staff")

    page = clerk.get(path.replace("/staff-import", "/roster"))

    assert page.status == 404
    assert "教职工.xlsx" not in page
    assert "教职工.xlsx" in administrator.get(path)


@pytest.mark.parametrize("button", ["commit", "preview", "withdraw"])
def test_a_button_of_an_old_page_is_refused_naming_who_was_faster(sqlite_house: House, button: str) -> None:
    clerk, colleague = sqlite_house.make.person(Role.REGISTRAR), sqlite_house.make.person(Role.REGISTRAR, name="何老师")
    path = hand_in(clerk, roster(WANG))
    seen = clerk.get(path).value("version")
    press(colleague, path, "preview")

    page = clerk.post(f"{path}/{button}", version=seen)

    assert page.status == 409
    assert "何老师刚刚更新了这条记录" in page
    assert sqlite_house.count(Student) == 0


@pytest.mark.parametrize("button", ["commit", "preview", "withdraw"])
def test_what_is_in_cannot_be_put_aside_or_brought_in_again(sqlite_house: House, button: str) -> None:
    clerk = sqlite_house.make.person(Role.REGISTRAR)
    path = hand_in(clerk, roster(WANG))
    press(clerk, path, "commit")

    page = clerk.post(f"{path}/{button}")

    assert page.status == 409
    assert "状态已经变化" in page


def test_a_confirmation_pressed_twice_brings_the_file_in_once(house: House) -> None:
    clerk = house.make.person(Role.REGISTRAR)
    path = hand_in(clerk, roster(WANG))
    seen = clerk.get(path).value("version")

    pages = [clerk.post(f"{path}/commit", version=seen) for _ in range(2)]
    house.work()

    assert [page.status for page in pages] == [200, 409]
    assert house.count(Student) == 1
    assert len(house.log(act="roster_committed")) == 1


def test_the_waiting_page_learns_how_far_its_file_is(sqlite_house: House) -> None:
    clerk = sqlite_house.make.person(Role.REGISTRAR)
    page = clerk.post("/roster", kind="roster", upload=(roster(WANG), "名册.xlsx"))
    path = page.response.request.path

    before = clerk.get(f"{path}/state").response.get_json()
    sqlite_house.work()
    after = clerk.get(f"{path}/state").response.get_json()

    assert (before["working"], after["working"], after["stage"]) == (True, False, "previewed")


def test_an_upload_without_a_file_is_asked_for_one(sqlite_house: House) -> None:
    clerk = sqlite_house.make.person(Role.REGISTRAR)

    page = clerk.post("/roster", kind="roster")

    assert page.status == 422
    assert "请选择要导入的文件" in page
    assert sqlite_house.count(ImportBatch) == 0


def test_an_empty_file_is_refused_at_once(sqlite_house: House) -> None:
    clerk = sqlite_house.make.person(Role.REGISTRAR)

    page = clerk.post("/roster", kind="roster", upload=(b"", "空.xlsx"))

    assert page.status == 422
    assert sqlite_house.count(ImportBatch) == 0


def test_a_kind_of_another_desk_is_not_accepted(sqlite_house: House) -> None:
    clerk = sqlite_house.make.person(Role.REGISTRAR)

    page = clerk.post("/roster", kind="staff", upload=(STAFF, "教职工.xlsx"))

    assert page.status == 422
    assert sqlite_house.count(ImportBatch) == 0


def test_a_file_beyond_the_limit_is_refused_with_advice(sqlite_house: House) -> None:
    clerk = sqlite_house.make.person(Role.REGISTRAR)
    clerk.get("/roster")
    sqlite_house.app.config["MAX_CONTENT_LENGTH"] = 20_000

    page = clerk.post("/roster", kind="roster", upload=(bytes(30_000), "大.xlsx"))

    assert page.status == 413
    assert "不能超过 64 MB" in page
    assert sqlite_house.count(ImportBatch) == 0


def test_every_step_of_a_delivery_is_in_the_log_without_its_content(house: House) -> None:
    clerk = house.make.person(Role.REGISTRAR)

    bring_in(clerk, roster(WANG, LI))

    acts = [row["act"] for row in house.log() if row["act"] in {"file_received", "roster_committed", "file_committed"}]
    assert acts == ["file_received", "roster_committed", "file_committed"]
    assert "王小涵" not in str(house.log())
    assert house.proof().holds
