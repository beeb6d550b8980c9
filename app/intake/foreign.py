"""Files that are no table we read, known by their first bytes; each gets the sentence that helps."""

from __future__ import annotations

import re

from app.intake.grid import DAMAGED, SAVE_AGAIN
from models.refusal import Refusal

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_ATTACHMENT = "不是表格，可作为附件保存；要导入数据，请另外提供 Excel 或 CSV 表格。"
_PACKED = "这是压缩文件，请先解压，再导入里面的表格。"
_PICTURE = f"这是图片，{_ATTACHMENT}"
_STARTS = (
    (b"%PDF", f"这是 PDF 文件，{_ATTACHMENT}"),
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF8", _PICTURE),
    (b"BM", _PICTURE),
    (b"II*\0", _PICTURE),
    (b"MM\0*", _PICTURE),
    (b"{\\rtf", f"这是 Word（RTF）文档，{_ATTACHMENT}"),
    (b"\x1f\x8b", _PACKED),
    (b"Rar!", _PACKED),
    (b"7z\xbc\xaf\x27\x1c", _PACKED),
    (b"BZh", _PACKED),
    (b"\xfd7zXZ", _PACKED),
    (b"PK\x05\x06", "这是空的压缩文件，请检查后重新打包。"),
    (b"$FL2", "这是 SPSS 数据文件。请在 SPSS 里另存为“Excel（*.xlsx）”后再导入。"),
    (b"$FL3", "这是 SPSS 数据文件。请在 SPSS 里另存为“Excel（*.xlsx）”后再导入。"),
    (b"SQLite format 3", f"这是数据库文件，不是表格。{SAVE_AGAIN}"),
    (b"MIME-Version:", f"文件内容是单个文件网页（mht），不是表格。{SAVE_AGAIN}"),
)
_BARE_BIFF = re.compile(rb"\x09[\x00\x02\x04\x08](?:[\x04-\x10]\x00)")
"""A workbook of Excel 2 to 5 without a container around it."""
LOCKED = re.compile(rb"\x09\x08\x10\x00.{16}\x2f\x00|" + re.escape("EncryptedPackage".encode("utf-16-le")), re.DOTALL)
"""An old workbook that begins with FILEPASS ([MS-XLS] 2.4.117), or a new one inside an encrypted container."""
_STREAMS = (
    ("WordDocument", f"这是 Word 文档，{_ATTACHMENT}"),
    ("PowerPoint Document", f"这是演示文稿，{_ATTACHMENT}"),
    ("_VBA_PROJECT", f"文件里带有宏，为了安全不予读取。{SAVE_AGAIN}"),
)
_BOOKS = tuple(f"{name}\0".encode("utf-16-le") for name in ("Workbook", "WORKBOOK", "Book", "BOOK"))


def refuse(raw: bytes) -> None:
    """Refuse what begins like something else than a table."""
    for start, sentence in _STARTS:
        if raw.startswith(start) and not (start == b"BM" and raw[6:10] != bytes(4)):
            raise Refusal(sentence)
    if raw.startswith(b"RIFF") and raw[8:12] == b"WEBP":
        raise Refusal(_PICTURE)
    if _BARE_BIFF.match(raw):
        raise Refusal(f"这是很旧的 Excel 文件，无法直接读取。{SAVE_AGAIN}")


def refuse_compound(raw: bytes) -> None:
    """Refuse an old Office file that is not a workbook, is locked, or carries macros."""
    if LOCKED.search(raw):
        raise Refusal("文件设有打开密码，请先去掉密码再导入。")
    for name, sentence in _STREAMS:
        if name.encode("utf-16-le") in raw:
            raise Refusal(sentence)
    if not any(name in raw for name in _BOOKS):
        raise Refusal(f"无法读取：不是 Excel 工作簿，可能是 WPS 表格（*.et）或别的办公文件。{SAVE_AGAIN}")


def refuse_package(names: set[str]) -> None:
    """Refuse a zip by the names of its parts (lower case), unless it is a workbook of the usual kind."""
    if any(name.endswith("vbaproject.bin") or name.startswith("xl/macrosheets/") for name in names):
        raise Refusal(f"文件里带有宏，为了安全不予读取。{SAVE_AGAIN}")
    if "xl/workbook.bin" in names:
        raise Refusal(f"这是二进制工作簿（*.xlsb），不能直接读取。{SAVE_AGAIN}")
    if any(name.startswith("xl/") for name in names):
        return
    if any(name.startswith("word/") for name in names):
        raise Refusal(f"这是 Word 文档，{_ATTACHMENT}")
    if any(name.startswith("ppt/") for name in names):
        raise Refusal(f"这是演示文稿，{_ATTACHMENT}")
    if "content.xml" in names or any(name.endswith(".iwa") for name in names):
        raise Refusal(f"这不是表格文件里的 Excel 格式（可能是 ODS 或 Numbers）。{SAVE_AGAIN}")
    if "[content_types].xml" in names:
        raise Refusal(DAMAGED)
    raise Refusal("这是压缩包，不是表格文件。请先解压，再导入里面的表格。")


def is_bundle(names: set[str]) -> bool:
    """Whether a zip is a bundle of files and not one office file."""
    office = ("xl/", "word/", "ppt/")
    return not names & {"[content_types].xml", "mimetype", "content.xml"} and not any(
        name.startswith(office) for name in names
    )
