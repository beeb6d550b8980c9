"""Files that are no table: each is named for what it is, with what to do next."""

from __future__ import annotations

import gzip

import pytest

from app.intake import sheet
from models.refusal import Refusal
from tests.intake.files import HEADER, ROW, book, changed, compound, knows, package

PLAIN = book(名册=[HEADER, ROW])
BOOK = bytes.fromhex("0908100000060500000000000000000000000000")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"%PDF-1.7\n", "PDF 文件，不是表格，可作为附件保存"),
        (b"\x89PNG\r\n\x1a\n", "图片，不是表格，可作为附件保存"),
        (b"\xff\xd8\xff\xe0", "图片"),
        (b"BM\x36\0\0\0\0\0\0\0", "图片"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "图片"),
        (b"{\\rtf1 x}", "Word"),
        (gzip.compress(b"a,b\n1,2\n"), "请先解压"),
        (b"Rar!\x1a\x07", "请先解压"),
        (b"7z\xbc\xaf\x27\x1c", "请先解压"),
        (b"$FL2@(#) SPSS", "SPSS"),
        (b"SQLite format 3\0", "数据库文件"),
        (b"MIME-Version: 1.0\r\n", "单个文件网页"),
        (b"\x09\x08\x08\x00\x00\x05", "很旧的 Excel"),
        (compound(WordDocument=b"x"), "Word 文档，不是表格，可作为附件保存"),
        (compound(**{"PowerPoint Document": b"x"}), "演示文稿"),
        (compound(Workbook=BOOK, _VBA_PROJECT=b"x"), "带有宏"),
        (compound(Something=b"x"), "WPS 表格（*.et）"),
        (package(word__document=b"<w/>"), "Word 文档，不是表格，可作为附件保存"),
        (package(ppt__presentation=b"<p/>"), "演示文稿"),
        (package(content=b"<office/>"), "ODS"),
        (package(a=b"x"), "压缩包"),
        (changed(PLAIN, "xl/workbook.bin", lambda _: b"x"), "二进制工作簿（*.xlsb）"),
        (changed(PLAIN, "xl/vbaProject.bin", lambda _: b"x"), "带有宏"),
        (changed(PLAIN, "xl/macrosheets/sheet1.xml", lambda _: b"x"), "带有宏"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_table_is_named_and_refused_with_what_to_do(raw: bytes, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        sheet.read(raw, knows=knows)

    assert words in refused.value.sentence


def test_a_text_that_merely_begins_like_a_picture_is_a_text() -> None:
    assert sheet.read(b"BM,b\r\n1,2\r\n").rows == [["1", "2"]]
