"""Comparing a list of changed numbers with the house: who moves, who waits, what is doubtful. Writes nothing.

All rows are about the same moment: a number is free for its new bearer when
its old one gives it up in the same file, so that chains (a→b, b→c) and
exchanges (a↔b) go in together. A row that cannot go in keeps its number, and
whoever waited for that number is refused with it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.intake import headers
from app.intake.problem import Problem, listed
from app.intake.sheet import Table, text_of
from app.security.access import Access
from app.students.naming import clean, is_damaged, number_text
from app.students.naming_check import other_names
from models.bulk import fetch_many
from models.refusal import Refusal
from models.student import NumberKind, StudentNumber

LASTING = frozenset({NumberKind.EXAM, NumberKind.ADMISSION})
"""Numbers that stay true after a student number is given: 考生号, 录取号."""
OLD, NEW = "old_number", "new_number"
_WORDS = {
    "number_missing": "旧学号和新学号都要填写",
    "number_damaged": "号码成了科学计数，末几位已丢失。请把该列设为“文本”后重新导出",
    "old_repeated": "这个旧学号在文件里对应了不同的新学号，请核对",
    "new_repeated": "这个新学号在文件里给了不同的人，请核对",
    "repeated": "与前面一行相同，只采用了前面一行",
    "name_needed": "只凭号码分不清是已经换过，还是要再换一次，请加上姓名列",
    "old_unknown": "名册里没有这个旧学号，请核对号码或先更新名册",
    "name_differs": "旧学号与姓名不是同一个人，请核对",
    "new_taken": "新学号正由另一名学生使用，而文件里没有说明他/她换成了什么学号，请核对",
    "other_number": "这名学生另有一个在用的学号，请核对以哪一个为准",
}


@dataclass(slots=True, eq=False)
class Row:
    """One row that can be read: from which number to which, and under what name."""

    row: int
    old: str
    new: str
    shown: str
    """The new number as the file writes it."""
    name: str
    old_index: bytes = b""
    new_index: bytes = b""
    mover: UUID | None = None
    """Whose number the old one is, and who would get the new one."""
    holder: UUID | None = None
    """Who bears the new one already, and bore the old one before."""


@dataclass(slots=True)
class PreparedRenumber:
    """What a list of changed numbers would do."""

    receipt: dict[str, Any]
    base: str
    given: list[tuple[UUID, Row]] = field(default_factory=list)
    passing: list[tuple[UUID, Row]] = field(default_factory=list)
    """Numbers in the middle of one student's own chain: his for a day."""
    ended: list[bytes] = field(default_factory=list)
    """Keyed numbers that hold no longer."""


class Comparison:
    """The comparison of one list; its parts share what the house knows and what the file says."""

    def __init__(self, access: Access, table: Table, base: str) -> None:
        self.access = access
        self.table = table
        self.columns = _columns_of(table)
        self.problems: list[Problem] = []
        self.prepared = PreparedRenumber({}, base)
        self.live: dict[bytes, tuple[UUID, NumberKind]] = {}
        self.once: dict[bytes, set[UUID]] = defaultdict(set)
        self.student_numbers: dict[UUID, set[bytes]] = defaultdict(set)
        """Live student numbers of everybody."""

    def run(self) -> PreparedRenumber:
        self._know_the_house()
        rows = self._unambiguous(self._with_indexes(list(self._read())))
        leaving, arriving = {row.old_index: row for row in rows}, {row.new_index: row for row in rows}
        for row in rows:
            self._whose(row, leaving, arriving)
        moving, done = self._sorted_out(rows)
        moving = self._free(moving)
        self._plan(moving)
        self.prepared.receipt = {
            "rows_read": len(self.table),
            "rows_accepted": len(moving) + len(done),
            "rows_rejected": len(self.table) - len(moving) - len(done),
            "renumbered": len({row.mover for row in moving}),
            "unchanged": len(done),
            "problems_total": len(self.problems),
            "problems": listed(self.problems),
        }
        return self.prepared

    def _sorted_out(self, rows: list[Row]) -> tuple[list[Row], list[Row]]:
        """Rows that still have something to do, and rows that are done already; the others are problems."""
        wrong = {
            reading: other_names(
                self.access, [(found, row.name) if (found := getattr(row, reading)) else (None, "") for row in rows]
            )
            for reading in ("mover", "holder")
        }
        moving, done = [], []
        for place, row in enumerate(rows):
            may_move = row.mover is not None and place not in wrong["mover"]
            is_done = row.holder is not None and place not in wrong["holder"]
            if row.mover is None and row.holder is None:
                self._problem(row.row, OLD, "old_unknown")
            elif may_move and is_done and row.mover != row.holder:
                self._problem(row.row, OLD, "name_needed")
            elif is_done:
                done.append(row)
            elif may_move:
                moving.append(row)
            else:
                self._problem(row.row, OLD, "name_differs")
        return moving, done

    def _problem(self, number: int, name: str, code: str) -> None:
        words = f"{_WORDS[code]}；本行未导入。"
        self.problems.append(Problem(number, self.table.header[self.columns[name]], code, words))

    # --- what the file and the house say ----------------------------------------------------------

    def _know_the_house(self) -> None:
        rows = select(StudentNumber.index, StudentNumber.student_id, StudentNumber.kind, StudentNumber.until)
        for index, owner, kind, until in fetch_many(self.access.session, rows):
            student_id = UUID(bytes=owner)
            if until is not None:
                self.once[index].add(student_id)
                continue
            self.live[index] = (student_id, NumberKind(kind))
            if kind == NumberKind.STUDENT:
                self.student_numbers[student_id].add(index)

    def _read(self) -> Iterator[Row]:
        for number, cells in zip(self.table.row_numbers, self.table.rows, strict=True):
            given = {name: cells[place] for name, place in self.columns.items()}
            old, new = number_text(given[OLD]), number_text(given[NEW])
            damaged = next((name for name in (OLD, NEW) if is_damaged(given[name])), None)
            if damaged:
                self._problem(number, damaged, "number_damaged")
            elif not old or not new:
                self._problem(number, NEW if old else OLD, "number_missing")
            else:
                shown = text_of(given[NEW]).lstrip("'")
                yield Row(number, old, new, shown, clean(text_of(given.get("name"))))

    def _with_indexes(self, rows: list[Row]) -> list[Row]:
        vault = self.access.vault
        old = vault.index_many("number", [row.old for row in rows])
        new = vault.index_many("number", [row.new for row in rows])
        for row, old_index, new_index in zip(rows, old, new, strict=True):
            row.old_index, row.new_index = old_index, new_index
        return rows

    def _unambiguous(self, rows: list[Row]) -> list[Row]:
        """Rows about whose numbers no other row says otherwise; of equal rows the first speaks, the others agree."""
        pairs = {(row.old, row.new) for row in rows}
        from_old, to_new = Counter(old for old, _ in pairs), Counter(new for _, new in pairs)
        kept: dict[tuple[str, str], Row] = {}
        for row in rows:
            if from_old[row.old] > 1:
                self._problem(row.row, OLD, "old_repeated")
            elif to_new[row.new] > 1:
                self._problem(row.row, NEW, "new_repeated")
            elif (row.old, row.new) in kept:
                self._problem(row.row, OLD, "repeated")
            else:
                kept[row.old, row.new] = row
        return list(kept.values())

    def _whose(self, row: Row, leaving: dict[bytes, Row], arriving: dict[bytes, Row]) -> None:
        """Who would move, by the number that holds or by the file's own chain; and who has moved already."""
        first, last = row, row
        passed = {row.old_index}
        while first.old_index not in self.live and (earlier := arriving.get(first.old_index)):
            if earlier.old_index in passed:
                break
            passed.add(earlier.old_index)
            first = earlier
        if first.old_index in self.live:
            row.mover = self.live[first.old_index][0]
        while last.new_index not in self.live and (later := leaving.get(last.new_index)):
            if later.old_index in passed:
                break
            passed.add(later.old_index)
            last = later
        bearer, old = self.live.get(last.new_index), self.live.get(row.old_index)
        if bearer is None:
            return
        if bearer[0] in self.once[row.old_index] or (old and old[0] == bearer[0] and self._stays(row)):
            row.holder = bearer[0]

    def _stays(self, row: Row) -> bool:
        """Whether the old number is meant to stay beside the new one."""
        return row.old_index == row.new_index or self.live[row.old_index][1] in LASTING

    # --- who may move -------------------------------------------------------------------------------

    def _free(self, rows: list[Row]) -> list[Row]:
        """The rows whose new number is free, or becomes free by another row that may move."""
        leaving = {row.old_index: row for row in rows}
        arriving = {row.new_index: row for row in rows}
        together: dict[UUID | None, list[Row]] = defaultdict(list)
        for row in rows:
            together[row.mover].append(row)
        fate: dict[Row, str] = {}
        suspects = list(rows)
        while suspects:
            row = suspects.pop()
            code = None if row in fate else self._hindrance(row, leaving, arriving)
            if code is None:
                continue
            fate[row] = code
            del leaving[row.old_index], arriving[row.new_index]
            near = (arriving.get(row.old_index), leaving.get(row.new_index), *together[row.mover])
            suspects += [other for other in near if other is not None]
        for row, code in fate.items():
            self._problem(row.row, OLD if code == "old_unknown" else NEW, code)
        return [row for row in rows if row not in fate]

    def _hindrance(self, row: Row, leaving: dict[bytes, Row], arriving: dict[bytes, Row]) -> str | None:
        bearer = self.live.get(row.new_index)
        given_up = row.new_index in leaving and bearer is not None and bearer[1] not in LASTING
        if bearer is not None and bearer[0] != row.mover and not given_up:
            return "new_taken"
        if row.old_index not in self.live and row.old_index not in arriving:
            return "old_unknown"
        assert row.mover is not None  # noqa: S101 - rows without one were refused
        others = self.student_numbers[row.mover] - {row.old_index, row.new_index}
        return "other_number" if others - leaving.keys() else None

    def _plan(self, moving: list[Row]) -> None:
        passed = {row.old_index for row in moving}
        for row in moving:
            assert row.mover is not None  # noqa: S101 - rows without one were refused
            held = self.live.get(row.old_index)
            if held is not None and held[1] not in LASTING:
                self.prepared.ended.append(row.old_index)
            bearer = self.live.get(row.new_index)
            if bearer is None and row.new_index in passed:
                self.prepared.passing.append((row.mover, row))
            elif bearer is None or bearer[0] != row.mover:
                self.prepared.given.append((row.mover, row))


def _columns_of(table: Table) -> dict[str, int]:
    columns = headers.columns("renumber", table.header)
    for name, word in ((OLD, "旧学号"), (NEW, "新学号")):
        if name not in columns:
            wanted = headers.words_for("renumber", name)
            raise Refusal(f"缺少“{word}”列（可写作 {wanted}）。第 {table.header_row} 行被当作表头，请核对。")
    return columns
