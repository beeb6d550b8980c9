"""One delivery of many files: zips from every packer, each file by its name, one bad file never losing the rest."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake import delivery
from models.refusal import Refusal
from tests.intake.files import HEADER, ROW, book, knows, package

PLAIN = book(名册=[HEADER, ROW])
TWO = book(软件2301=[HEADER, ROW], 说明=[["填表说明"], ["x"]], 软件2302=[HEADER, ROW, ROW], 空=[])


class Unmarked(zipfile.ZipInfo):
    """An entry whose name is in the packer's own encoding, without saying which, as old packers write it."""

    encoding = "gbk"

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode(self.encoding), self.flag_bits & ~0x800


def zipped(files: dict[str, bytes], encoding: str = "") -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in files.items():
            entry = Unmarked(name) if encoding else zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            if isinstance(entry, Unmarked):
                entry.encoding = encoding
            packed.writestr(entry, body)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["", "gbk", "utf-8"])
def test_every_file_of_a_zip_is_read_under_the_name_it_was_given(encoding: str) -> None:
    raw = zipped(
        {"信息学院/软件2301.xlsx": PLAIN, "机电学院/机电2301班.csv": "学号,姓名,班级\r\n1,甲,x\r\n".encode("gbk")},
        encoding,
    )

    found = delivery.tables(raw, "各学院.zip", knows=knows)

    assert [(table.file, len(table)) for table in found] == [
        ("信息学院/软件2301.xlsx", 1),
        ("机电学院/机电2301班.csv", 1),
    ]


def test_the_litter_of_file_managers_is_passed_over() -> None:
    litter = ["__MACOSX/._a.xlsx", "~$a.xlsx", ".DS_Store", "x/.hidden.xlsx", "Thumbs.db", "x/desktop.ini"]
    raw = zipped({"a.xlsx": PLAIN, **dict.fromkeys(litter, b"x"), "空目录/": b""})

    found = delivery.collect([("a.zip", raw)], knows=knows)

    assert ([table.file for table in found.tables], found.files, found.problems) == (["a.xlsx"], 1, [])


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_kept() -> None:
    files = {
        "好.xlsx": PLAIN,
        "坏.xlsx": PLAIN[:300],
        "说明.pdf": b"%PDF-1.7",
        "里.zip": zipped({"a.xlsx": PLAIN}),
        "旧.et": b"x",
    }

    found = delivery.collect([("a.zip", zipped(files))], knows=knows)

    assert [table.file for table in found.tables] == ["好.xlsx"]
    assert [problem.message.split("：")[0] for problem in found.problems] == [
        f"“{name}”未读入" for name in list(files)[1:]
    ]
    assert "共 5 个文件，有 4 个未能读入" in found.notes[0]
    assert "压缩包里还有压缩包" in found.notes[3]
    assert "另存为" in found.notes[4]


def test_what_was_not_read_is_said_with_the_first_table() -> None:
    found = delivery.tables(zipped({"好.xlsx": PLAIN, "坏.xlsx": b"PK\x03\x04"}), "a.zip", knows=knows)

    assert ["坏.xlsx" in note for note in found[0].notes] == [False, True]


def test_several_uploads_are_one_delivery() -> None:
    found = delivery.collect(
        [("一.xlsx", PLAIN), ("二.zip", zipped({"三.xlsx": PLAIN})), ("四.xlsx", b"PK\x03\x04")], knows=knows
    )

    assert [table.file for table in found.tables] == ["一.xlsx", "三.xlsx"]
    assert "四.xlsx" in found.problems[0].message


def test_a_single_file_has_no_name_inside_a_delivery_and_is_refused_in_its_own_words() -> None:
    assert [table.file for table in delivery.tables(PLAIN, "名册.xlsx", knows=knows)] == [""]

    with pytest.raises(Refusal, match="PDF"):
        delivery.tables(b"%PDF-1.7", "名册.xlsx", knows=knows)


def test_every_sheet_with_known_names_is_read_when_asked_for() -> None:
    found = delivery.tables(TWO, "各班.xlsx", knows=knows, all_sheets=True)

    assert [(table.sheet, len(table)) for table in found] == [("软件2301", 1), ("软件2302", 2)]


def test_only_the_sheets_asked_for_are_read() -> None:
    assert [table.sheet for table in delivery.tables(TWO, "x", sheets=["软件2302"], knows=knows)] == ["软件2302"]

    with pytest.raises(Refusal, match="软件2309"):
        delivery.tables(TWO, "x", sheets=["软件2309"], knows=knows)


def test_a_sheet_with_a_header_and_no_rows_does_not_lose_the_others() -> None:
    raw = book(软件2301=[HEADER], 软件2302=[HEADER, ROW])

    found = delivery.tables(raw, "各班.xlsx", knows=knows, all_sheets=True)

    assert [table.sheet for table in found] == ["软件2302"]
    assert "工作表“软件2301”未读入" in found[0].notes[0]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (zipped({"a/": b""}), "没有文件"),
        (zipped({"a.pdf": b"%PDF", "b.pdf": b"%PDF"}), "没有一个能读入"),
        (zipped({f"{number}.csv": b"a,b\n1,2" for number in range(301)}), "最多导入 300 个"),
        (zipped({"a.csv": bytes(40 << 20)}), "展开后过大"),
        (package(x=b"x")[:40], "文件不完整"),
    ],
    ids=["empty", "none", "many", "bomb", "torn"],
)
def test_a_delivery_that_is_none_is_refused_in_words(raw: bytes, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        delivery.tables(raw, "a.zip", knows=knows)

    assert words in refused.value.sentence


def test_a_locked_zip_is_refused_saying_so() -> None:
    raw = bytearray(zipped({"a.xlsx": PLAIN}))
    raw[6] |= 1
    raw[raw.find(b"PK\x01\x02") + 8] |= 1

    with pytest.raises(Refusal, match="密码"):
        delivery.tables(bytes(raw), "a.zip", knows=knows)


@given(st.integers(0, 2**32), st.integers(1, 8))
def test_a_zip_with_some_bytes_turned_is_read_or_refused(seed: int, count: int) -> None:
    raw = bytearray(zipped({"甲.xlsx": PLAIN, "乙.csv": b"a,b\n1,2\n"}))
    for step in range(count):
        raw[(seed * (step + 7) * 2654435761) % len(raw)] ^= 1 << (seed + step) % 8

    try:
        found = delivery.tables(bytes(raw), "a.zip", knows=knows)
    except Refusal:
        return

    assert found
