"""The life of a delivery at the desk: previewed, committed, put aside, stale, refused."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.identity import ClassGroup, Role
from models.intake import BatchChunk, BatchStage, ImportBatch
from models.student import Student
from tests.house import House, xlsx
from tests.intake.delivery import HEADER, LI, WANG, bring_in, hand_in, press, roster, stored


def stage(house: House) -> BatchStage:
    [(found,)] = house.all(select(ImportBatch.stage))
    return found


def test_an_upload_is_shown_before_anything_is_written(house: House) -> None:
    clerk = house.make.person(Role.REGISTRAR)

    page = clerk.get(hand_in(clerk, roster(WANG, LI, ["", "无号", "信息学院", "软件2301", ""])))

    assert "3 读到的行" in page
    assert "2 新增" in page
    assert "1 未采用" in page
    assert "将新建学院：信息学院" in page
    assert "没有学号或其他号码" in page
    assert house.count(Student) == 0
    assert stage(house) is BatchStage.PREVIEWED


def test_a_confirmed_file_goes_in_whole_and_says_when(house: House) -> None:
    clerk = house.make.person(Role.REGISTRAR)

    page = bring_in(clerk, roster(WANG, LI))

    assert "写入。" in page
    assert stage(house) is BatchStage.COMMITTED
    assert house.count(Student) == 2
    assert house.count(ClassGroup) == 1


def test_a_file_put_aside_writes_nothing_and_leaves_no_copy(house: House) -> None:
    clerk = house.make.person(Role.REGISTRAR)
    path = hand_in(clerk, roster(WANG))
    assert house.count(BatchChunk) == 1

    page = press(clerk, path, "withdraw")

    assert "没有写入任何内容" in page
    assert house.count(Student) == 0
    assert house.count(BatchChunk) == 0
    assert stage(house) is BatchStage.WITHDRAWN


def test_another_roster_in_between_makes_a_preview_stale_until_it_is_previewed_again(house: House) -> None:
    clerk = house.make.person(Role.REGISTRAR)
    path = hand_in(clerk, roster(WANG, LI))
    bring_in(clerk, roster(LI), name="先到.xlsx")

    press(clerk, path, "commit")

    page = clerk.get(path)
    assert "请重新预览" in page
    assert house.count(Student) == 1
    press(clerk, path, "preview")
    assert "1 新增" in clerk.get(path)
    press(clerk, path, "commit")
    assert house.count(Student) == 2


def test_the_same_file_twice_changes_nothing(house: House) -> None:
    clerk = house.make.person(Role.REGISTRAR)
    bring_in(clerk, roster(WANG, LI))
    before = {row.id: row.version for (row,) in house.all(select(Student))}

    page = bring_in(clerk, roster(WANG, LI))

    assert "0 新增" in page
    assert "0 有变化" in page
    assert "2 无变化" in page
    assert {row.id: row.version for (row,) in house.all(select(Student))} == before


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"PK\x03\x04 half a file", "文件不完整"),
        (xlsx(HEADER), "表头下面没有数据"),
        (xlsx(["学号", "姓名"], ["1", "王小涵"]), "名册缺少必需的列"),
    ],
    ids=["half", "empty", "columns"],
)
def test_an_unusable_file_is_refused_in_words_and_leaves_no_copy(sqlite_house: House, raw: bytes, words: str) -> None:
    clerk = sqlite_house.make.person(Role.REGISTRAR)

    page = clerk.get(hand_in(clerk, raw))

    assert "没有导入" in page
    assert words in page
    assert stage(sqlite_house) is BatchStage.REFUSED
    assert sqlite_house.count(BatchChunk) == 0


def test_the_copy_of_a_file_is_removed_once_it_is_in(house: House) -> None:
    clerk = house.make.person(Role.REGISTRAR)

    bring_in(clerk, roster(WANG))

    assert house.count(BatchChunk) == 0


def test_the_file_its_name_and_its_receipt_are_sealed(house: House) -> None:
    clerk = house.make.person(Role.REGISTRAR)
    problem = ["20260101003", "", "信息学院", "软件2301", ""]

    hand_in(clerk, roster(WANG, problem), "软件2301班王小涵等.xlsx")

    held = stored(house)
    assert clerk.staff.login.encode() in held
    for secret in ("软件2301班王小涵等", "王小涵", "姓名为空", "20260101001", "PK\x03\x04"):
        assert secret.encode() not in held, secret


def test_a_student_is_sealed_in_every_table(house: House) -> None:
    clerk = house.make.person(Role.REGISTRAR)
    guardian = "父 王大山 13911112222"

    bring_in(clerk, roster([*WANG, guardian, "3栋-512-2"], header=[*HEADER, "家长及电话", "宿舍"]))

    held = stored(house)
    assert "软件2301".encode() in held
    for secret in ("王小涵", "wangxiaohan", "20260101001", "13800000001", "王大山", "13911112222", "3栋-512-2"):
        assert secret.encode() not in held, secret


def test_a_large_file_comes_back_whole_from_its_slices(house: House) -> None:
    clerk = house.make.person(Role.REGISTRAR)
    filler = [["x" * 400, "", "", "", ""] for _ in range(3000)]
    raw = "\n".join(",".join(row) for row in [HEADER, *filler, WANG]).encode()

    path = hand_in(clerk, raw, "大.csv")

    assert house.count(BatchChunk) == 3
    assert "3001 读到的行" in clerk.get(path)
    assert "1 新增" in clerk.get(path)
