"""The class table: which advisor and class teacher each class has, by name or staff number (practice §1.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.events import Event
from app.intake import headers
from app.intake.batch import Importer
from app.intake.problem import Problem, listed
from app.intake.sheet import Table, text_of
from app.security.access import Access
from app.security.policy import Permission, Purpose
from app.students.naming import class_text, clean, number_text
from app.students.units import Units
from models.identity import ClassAlias, ClassGroup, ClassPost, Role, RoleGrant, Staff
from models.intake import BatchKind, ImportBatch
from models.moment import today
from models.refusal import Refusal

POSTS = (("advisor", "advisor_number", Role.ADVISOR), ("class_teacher", "class_teacher_number", Role.CLASS_TEACHER))

LONGEST_ALIAS = 80
"""As ``class_alias.alias`` holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassPostsChanged(Event):
    """Classes have other advisors than before: open duties follow."""

    class_ids: tuple[UUID, ...] = ()


@dataclass(slots=True)
class PreparedPosts:
    """What a class table would do."""

    receipt: dict[str, Any]
    base: str
    posts: list[tuple[UUID, Role, UUID]] = field(default_factory=list)
    aliases: list[tuple[UUID, UUID, str]] = field(default_factory=list)


def base_of(session: Session, _batch: ImportBatch) -> str:
    """The posts as they stand: the newest one tells whether somebody was faster."""
    newest = session.scalar(select(ClassPost.id).order_by(ClassPost.id.desc()).limit(1))
    return newest.hex if newest else ""


def fits(header: Sequence[str]) -> bool:
    """Whether this is a class table: classes, with somebody or an alias beside them."""
    found = set(headers.columns("class_posts", header))
    return "class" in found and bool(found & {name for names in POSTS for name in names[:2]} | found & {"alias"})


def prepare(
    access: Access, table: Table, batch: ImportBatch, beat: Callable[[int, int], None] | None = None
) -> PreparedPosts:
    """Compare a class table with the house. Writes nothing."""
    if not fits(table.header):
        raise Refusal("班级表至少要有“班级”列，以及“辅导员”“班主任”“别名”中的一列。")
    return _Comparison(access.session, table, base_of(access.session, batch)).run()


class _Comparison:
    """The comparison of one class table; its parts share what the house knows and what the file has said."""

    def __init__(self, session: Session, table: Table, base: str) -> None:
        self.table = table
        self.columns = headers.columns("class_posts", table.header)
        self.people, self.units, self.held = _People(session), Units(session), _held(session)
        self.colleges = {
            class_id: college_id
            for class_id, college_id in session.execute(select(ClassGroup.id, ClassGroup.college_id))
        }
        self.seen: dict[UUID, int] = {}
        self.problems: list[Problem] = []
        self.prepared = PreparedPosts({}, base)

    def run(self) -> PreparedPosts:
        unchanged = 0
        for number, cells in zip(self.table.row_numbers, self.table.rows, strict=True):
            texts = {name: clean(text_of(cells[place])) for name, place in self.columns.items()}
            class_id = self._class_of(number, texts)
            if class_id is not None:
                fresh = self._posts(number, texts, class_id)
                unchanged += not (self._alias(number, texts, class_id) or fresh)
        accepted = len(self.seen)
        self.prepared.receipt = {
            "rows_read": len(self.table),
            "rows_accepted": accepted,
            "rows_rejected": len(self.table) - accepted,
            "posts": len(self.prepared.posts),
            "aliases": len(self.prepared.aliases),
            "unchanged": unchanged,
            "problems_total": len(self.problems),
            "problems": listed(self.problems),
        }
        return self.prepared

    def _wrong(self, number: int, name: str, code: str, message: str) -> None:
        place = self.columns.get(name, self.columns.get(f"{name}_number", 0))
        self.problems.append(Problem(number, self.table.header[place], code, message))

    def _class_of(self, number: int, texts: dict[str, str]) -> UUID | None:
        """The one class the row is about, unless an earlier row was about it."""
        found = self.units.find_classes(texts["class"], texts.get("college", ""))
        if len(found) != 1:
            words = "没有这个班级，请先导入学生名册" if not found else "不止一个学院有这个班级，请加上“学院”列"
            self._wrong(number, "class", "class_unknown", f"{words}；本行未导入。")
            return None
        earlier = self.seen.setdefault(found[0], number)
        if earlier != number:
            self._wrong(number, "class", "class_repeated", f"班级与第 {earlier} 行相同，只采用了第 {earlier} 行。")
            return None
        return found[0]

    def _posts(self, number: int, texts: dict[str, str], class_id: UUID) -> bool:
        """Whether the row names an advisor or class teacher whom the class does not have yet."""
        fresh = []
        for name_field, number_field, role in POSTS:
            name, staff_number = texts.get(name_field, ""), texts.get(number_field, "")
            if not name and not staff_number:
                continue
            staff_id, fault = self.people.find(name, staff_number, role)
            if staff_id is None:
                self._wrong(number, name_field, *fault)
            elif (class_id, role, staff_id) not in self.held:
                fresh.append((class_id, role, staff_id))
        self.prepared.posts += fresh
        return bool(fresh)

    def _alias(self, number: int, texts: dict[str, str], class_id: UUID) -> bool:
        """Whether the row gives the class a name by which nobody knew it."""
        alias, college_id = class_text(texts.get("alias", "")), self.colleges[class_id]
        owner = self.units.bearer(college_id, alias) if alias else class_id
        if owner == class_id:
            return False
        if owner is not None or len(alias) > LONGEST_ALIAS:
            words = "这个别名已属于另一个班级" if owner else f"别名超过 {LONGEST_ALIAS} 个字"
            self._wrong(number, "alias", "alias_taken" if owner else "too_long", f"{words}；这一项未采用。")
            return False
        self.prepared.aliases.append((class_id, college_id, alias))
        self.units.call(class_id, college_id, alias)
        return True


def _held(session: Session) -> set[tuple[UUID, Role, UUID]]:
    day = today()
    rows = session.execute(
        select(ClassPost.class_id, ClassPost.role, ClassPost.staff_id).where(
            ClassPost.since <= day, or_(ClassPost.until.is_(None), ClassPost.until > day)
        )
    )
    return {(row.class_id, row.role, row.staff_id) for row in rows}


class _People:
    """Staff by number, else by a name that only one of them bears."""

    def __init__(self, session: Session) -> None:
        self._by_number: dict[str, UUID] = {}
        self._by_name: dict[str, list[UUID]] = {}
        for staff_id, name, staff_number in session.execute(
            select(Staff.id, Staff.name, Staff.staff_number).where(Staff.retired_at.is_(None))
        ):
            self._by_name.setdefault(clean(name), []).append(staff_id)
            if staff_number:
                self._by_number[number_text(staff_number)] = staff_id
        day = today()
        self._roles = {
            (row.staff_id, row.role)
            for row in session.execute(
                select(RoleGrant.staff_id, RoleGrant.role).where(
                    RoleGrant.since <= day, or_(RoleGrant.until.is_(None), RoleGrant.until > day)
                )
            )
        }

    def find(self, name: str, staff_number: str, role: Role) -> tuple[UUID | None, tuple[str, str]]:
        found = [self._by_number[number_text(staff_number)]] if number_text(staff_number) in self._by_number else []
        if not staff_number:
            found = self._by_name.get(name, [])
        if not found:
            return None, ("person_unknown", "没有这位老师的账号，请先导入教职工名单；这一项未采用。")
        if len(found) > 1:
            return None, ("same_name", "有几位同名的老师，请加上工号列；这一项未采用。")
        if (found[0], role) not in self._roles:
            return None, ("role_missing", "这位老师还没有相应岗位角色，请系统管理员先开通；这一项未采用。")
        return found[0], ("", "")


def commit(access: Access, _batch: ImportBatch, prepared: PreparedPosts) -> None:
    """Write posts and aliases. A class has one advisor by this table: the earlier one ends today."""
    day = today()
    for class_id, role, staff_id in prepared.posts:
        for old in access.session.scalars(
            select(ClassPost).where(
                ClassPost.class_id == class_id,
                ClassPost.role == role,
                or_(ClassPost.until.is_(None), ClassPost.until > day),
            )
        ):
            old.until = day
        access.session.add(ClassPost(class_id=class_id, staff_id=staff_id, role=role, since=day))
    for class_id, college_id, alias in prepared.aliases:
        access.session.add(ClassAlias(class_id=class_id, college_id=college_id, alias=alias))
    access.session.flush()
    access.record(
        ClassPostsChanged(class_ids=tuple(class_id for class_id, _, _ in prepared.posts), count=len(prepared.posts))
    )


IMPORTER = Importer(
    kind=BatchKind.CLASS_POSTS,
    permission=Permission.ROSTER_IMPORT,
    purpose=Purpose.ADMINISTRATION,
    knows=lambda word: headers.normal(word) in headers.aliases("class_posts"),
    prepare=prepare,
    commit=commit,
    base=base_of,
)
