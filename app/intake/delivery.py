"""One delivery of several tables: a zip, many uploaded files, every sheet of a workbook.

Nothing is unpacked to a disk. One file that cannot be read does not lose the
others: it is named, with the reason, and the delivery says so.
"""

from __future__ import annotations

import io
import struct
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from app.intake import foreign, sheet
from app.intake.grid import SAVE_AGAIN
from app.intake.package import unzipping
from app.intake.problem import Problem
from app.intake.table import Table
from models.refusal import Refusal

MOST_FILES = 300
MOST_UNPACKED = 512 * 1024 * 1024
"""Bytes of all files of one delivery together."""
MOST_RATIO = 200
MOST_ENTRIES = 5_000
_LONGEST_NAME = 200
_UTF8_FLAG, _LOCKED_FLAG = 0x800, 0x1
_UNICODE_PATH = 0x7075
"""Extra field in which some packers keep the name in UTF-8."""
_LITTER = frozenset({"thumbs.db", "desktop.ini"})
_UNREAD = "未读入"


@dataclass(slots=True)
class Delivery:
    """The tables of a delivery, and which files could not be read and why."""

    tables: list[Table] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    files: int = 0
    """Files looked at, read or not."""

    @property
    def notes(self) -> list[str]:
        """Sentences about the delivery as a whole."""
        if not self.problems:
            return []
        return [f"共 {self.files} 个文件，有 {len(self.problems)} 个未能读入，其余照常读取：", *self._reasons()]

    def _reasons(self) -> list[str]:
        return [problem.message for problem in self.problems]


def together(files: Sequence[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Name and bytes of one delivery: the file itself, or several in one container that never touches the disk."""
    if len(files) == 1:
        return files[0]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as container:
        for place, (name, raw) in enumerate(files, start=1):
            container.writestr(f"{place:03d} {name}", raw)
    return f"{len(files)} 个文件.zip", out.getvalue() if files else b""


def tables(
    raw: bytes,
    name: str,
    *,
    sheets: Sequence[str] | None = None,
    knows: Callable[[str], bool] | None = None,
    all_sheets: bool = False,
) -> list[Table]:
    """The tables of one upload: a file, or a zip of many. What could not be read is in the first table's notes."""
    found = collect([(name, raw)], sheets=sheets, knows=knows, all_sheets=all_sheets)
    found.tables[0].notes[:0] = found.notes
    return found.tables


def collect(
    uploads: Sequence[tuple[str, bytes]],
    *,
    sheets: Sequence[str] | None = None,
    knows: Callable[[str], bool] | None = None,
    all_sheets: bool = False,
) -> Delivery:
    """The tables of one or many uploads, zips unpacked. Refuses if not one of them can be read."""
    found = Delivery()
    is_single = len(uploads) == 1 and not _is_bundle(uploads[0][1])
    for name, held in _files(uploads):
        found.files += 1
        try:
            raw = held()
            found.tables += _read(raw, name, is_single, sheets, knows, all_sheets)
        except Refusal as refusal:
            if is_single:
                raise
            found.problems.append(Problem(None, None, "file_unreadable", f"“{name}”{_UNREAD}：{refusal.sentence}"))
    if not found.tables:
        reasons = dict.fromkeys(problem.message.partition(f"{_UNREAD}：")[2] for problem in found.problems)
        raise Refusal(f"共 {found.files} 个文件，没有一个能读入。" + "".join(list(reasons)[:3]))
    return found


def _read(
    raw: bytes,
    name: str,
    is_single: bool,
    sheets: Sequence[str] | None,
    knows: Callable[[str], bool] | None,
    all_sheets: bool,
) -> list[Table]:
    if name.lower().endswith(".et"):
        raise Refusal(f"这是 WPS 表格（*.et），不能直接读取。{SAVE_AGAIN}")
    if all_sheets or sheets:
        read = sheet.read_all(raw, sheets=None if all_sheets else sheets, knows=knows)
    else:
        read = [sheet.read(raw, knows=knows)]
    for table in read:
        table.file = "" if is_single else name
    return read


def _files(uploads: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Every file by its name, opened one at a time; refuses a delivery of too many or too much."""
    count = size = 0
    for name, raw in uploads:
        if not _is_bundle(raw):
            count, size = count + 1, size + len(raw)
            _check(count, size)
            yield _shown(name), lambda held=raw: held  # type: ignore[misc]
            continue
        with unzipping(), zipfile.ZipFile(io.BytesIO(raw)) as packed:
            entries = _entries(packed, len(raw))
            if not entries:
                raise Refusal("压缩包里没有文件，请检查后重新打包。")
            for entry in entries:
                count, size = count + 1, size + entry.file_size
                _check(count, size)
                yield _name_of(entry), lambda held=packed, one=entry: _unpacked(held, one)  # type: ignore[misc]


def _check(count: int, size: int) -> None:
    if count > MOST_FILES:
        raise Refusal(f"一次最多导入 {MOST_FILES} 个文件，请分几次导入。")
    if size > MOST_UNPACKED:
        raise Refusal("文件展开后过大，请分几次导入。")


def _is_bundle(raw: bytes) -> bool:
    """Whether this is a zip of files. A torn zip is not: reading it as a workbook says what is wrong."""
    if not raw.startswith(foreign.ZIP):
        return False
    try:
        with unzipping(), zipfile.ZipFile(io.BytesIO(raw)) as packed:
            return foreign.is_bundle({entry.filename.lower() for entry in packed.infolist()[:MOST_ENTRIES]})
    except Refusal:
        return False


def _entries(packed: zipfile.ZipFile, packed_size: int) -> list[zipfile.ZipInfo]:
    """The files that a person put in, without the litter of file managers."""
    entries = packed.infolist()
    size = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES or size > MOST_RATIO * max(packed_size, 100_000):
        raise Refusal("压缩包展开后过大，不像正常的表格。请分几次导入。")
    return [entry for entry in entries if not entry.is_dir() and not _is_litter(entry.filename)]


def _is_litter(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return parts[-1].lower() in _LITTER or any(part.startswith((".", "~$", "__MACOSX")) for part in parts if part)


def _unpacked(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.flag_bits & _LOCKED_FLAG:
        raise Refusal("压缩包设有密码，请先去掉密码再导入。")
    with unzipping(), packed.open(entry) as part:
        raw = part.read(entry.file_size + 1)
    if raw.startswith(foreign.ZIP) and _is_bundle(raw):
        raise Refusal("压缩包里还有压缩包，请解开后把表格直接放进来。")
    return raw


def _name_of(entry: zipfile.ZipInfo) -> str:
    """The name as the packer meant it: UTF-8 where it says so, else GB18030, which Chinese Windows writes unsaid."""
    if entry.flag_bits & _UTF8_FLAG:
        return _shown(entry.filename)
    said = _unicode_path(entry.extra)
    raw = said if said is not None else entry.orig_filename.encode("cp437", errors="replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return _shown(raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    return _shown(entry.filename)


def _unicode_path(extra: bytes) -> bytes | None:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == _UNICODE_PATH and length > 5:
            return extra[at + 9 : at + 4 + length]
        at += 4 + length
    return None


def _shown(name: str) -> str:
    """A name fit for a sentence: forward slashes, no signs that nobody sees, not endless."""
    seen = "".join(sign for sign in name.replace("\\", "/") if unicodedata.category(sign)[0] != "C")
    return seen.strip("/ ")[:_LONGEST_NAME] or "未命名"
