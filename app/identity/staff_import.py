"""教职工名单: accounts and roles for many people at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.events import Event
from app.identity import account
from app.identity.forms import GRANTABLE
from app.intake import headers
from app.intake.batch import Importer
from app.intake.problem import Problem, listed
from app.intake.sheet import Table, text_of
from app.security.access import Access
from app.security.policy import Permission, Purpose
from app.security.vault import normal
from config import catalogue
from models.identity import College, Role, RoleGrant, Staff
from models.intake import BatchKind, ImportBatch
from models.moment import today
from models.refusal import Refusal

AUDITOR_ALONE = "审计员不能同时担任其他岗位（三员分立）。"


class StaffCommitted(Event):
    """A list of staff went in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    """One person of the list."""

    row: int
    login: str
    name: str
    staff_number: str
    roles: tuple[Role, ...]
    college_id: UUID | None
    college: str
    phone: str


@dataclass(slots=True)
class PreparedStaff:
    """What a list of staff would do."""

    receipt: dict[str, Any]
    base: str
    new: list[StaffRow] = field(default_factory=list)
    grants: list[tuple[UUID, StaffRow, Role]] = field(default_factory=list)
    phones: list[tuple[UUID, str]] = field(default_factory=list)
    numbers: list[tuple[UUID, str]] = field(default_factory=list)


def base_of(session: Session, _batch: ImportBatch) -> str:
    """Accounts and roles as they stand; whoever retires or gains one moves it."""
    counts = (func.count(Staff.id), func.count(Staff.retired_at), func.count(RoleGrant.id), func.count(RoleGrant.until))
    return " ".join(str(session.scalar(select(count))) for count in counts)


def prepare(
    access: Access, table: Table, batch: ImportBatch, beat: Callable[[int, int], None] | None = None
) -> PreparedStaff:
    """Compare a list of staff with the house. Writes nothing."""
    columns = headers.columns("staff", table.header)
    missing = [name for name in ("name", "role") if name not in columns]
    if missing or not {"login", "staff_number"} & set(columns):
        raise Refusal("教职工名单要有“姓名”“角色”，以及“工号”或“账号”列。")
    problems: list[Problem] = []
    prepared = PreparedStaff({}, base_of(access.session, batch))
    known = _Known(access)
    colleges = {normal(name): key for key, name in access.session.execute(select(College.id, College.name))}
    accepted = 0
    for number, cells in zip(table.row_numbers, table.rows, strict=True):
        row = _read(number, {name: text_of(cells[place]) for name, place in columns.items()}, colleges, problems)
        fault = known.fault(row) if row else None
        if fault:
            problems.append(Problem(number, None, *fault))
        if row is None or fault:
            continue
        accepted += 1
        known.take(row, prepared)
    prepared.receipt = {
        "rows_read": len(table),
        "rows_accepted": accepted,
        "rows_rejected": len(table) - accepted,
        "new": len(prepared.new),
        "roles_added": len(prepared.grants),
        "changed": len({staff_id for staff_id, _ in prepared.phones + prepared.numbers}),
        "problems_total": len(problems),
        "problems": listed(problems),
    }
    return prepared


class _Known:
    """The staff of the house, found by login or by staff number, and what this file has said already."""

    def __init__(self, access: Access) -> None:
        columns = (Staff.id.label("staff_id"), Staff.login, Staff.staff_number, Staff.name, Staff.retired_at)
        rows = access.session.execute(select(*columns, Staff.phone)).all()
        self._people = {row.staff_id: row for row in rows}
        self._by_login = {row.login: row.staff_id for row in rows}
        self._by_number = {row.staff_number: row.staff_id for row in rows if row.staff_number}
        self._held = _held(access.session)
        phones = access.open_each(rows, Staff.phone)
        self._phones = {row.staff_id: phone for row, phone in zip(rows, phones, strict=True)}
        self._seen: set[str | UUID] = set()

    def find(self, row: StaffRow) -> UUID | None:
        """Whom the row is about: an account of that login, else whoever bears the staff number."""
        return self._by_login.get(row.login) or self._by_number.get(row.staff_number)

    def fault(self, row: StaffRow) -> tuple[str, str] | None:
        """Why this row cannot be taken, as code and sentence."""
        staff_id = self.find(row)
        marks = {mark for mark in (staff_id or row.login, row.staff_number) if mark}
        if marks & self._seen:
            return "repeated", "账号或工号在名单里重复，只采用了前面一行。"
        if self._by_number.get(row.staff_number, staff_id) != staff_id:
            return "number_taken", "工号已属于另一个账号，请核对；本行未导入。"
        person = self._people[staff_id] if staff_id else None
        if person is not None and person.retired_at is not None:
            return "retired", "这个账号已停用；如已返岗，请开通新账号。本行未导入。"
        if person is not None and normal(person.name) != normal(row.name):
            return "name_differs", "账号或工号已属于另一个姓名的老师，请核对；本行未导入。"
        joined = {role for owner, role, _ in self._held if owner == staff_id} | set(row.roles)
        if Role.AUDITOR in joined and len(joined) > 1:
            return "auditor_joined", AUDITOR_ALONE
        self._seen |= marks
        return None

    def take(self, row: StaffRow, prepared: PreparedStaff) -> None:
        """Note what an accepted row adds or changes."""
        staff_id = self.find(row)
        if staff_id is None:
            prepared.new.append(row)
            return
        prepared.grants += [
            (staff_id, row, role) for role in row.roles if (staff_id, role, _over(role, row)) not in self._held
        ]
        if row.phone and row.phone != self._phones[staff_id]:
            prepared.phones.append((staff_id, row.phone))
        if row.staff_number and not self._people[staff_id].staff_number:
            prepared.numbers.append((staff_id, row.staff_number))


def _held(session: Session) -> set[tuple[UUID, Role, UUID | None]]:
    day = today()
    return {
        (grant.staff_id, grant.role, grant.college_id)
        for grant in session.scalars(select(RoleGrant))
        if grant.holds_on(day)
    }


def _over(role: Role, row: StaffRow) -> UUID | None:
    return row.college_id if role is Role.COLLEGE_LEAD else None


def _read(number: int, texts: dict[str, str], colleges: dict[str, UUID], problems: list[Problem]) -> StaffRow | None:
    def wrong(code: str, message: str) -> None:
        problems.append(Problem(number, None, code, message))

    login = (texts.get("login") or texts.get("staff_number", "")).strip().lower()
    if not account.LOGIN.fullmatch(login):
        wrong("login_invalid", "账号（或工号）为空，或含有字母、数字、点、下划线、短横线以外的字符。")
        return None
    if not texts["name"] or len(texts["name"]) > 60 or len(texts.get("staff_number", "")) > 40:
        wrong("name_invalid", "姓名为空，或姓名、工号过长，可能列错位了。")
        return None
    roles = [_role(word) for word in re.split(r"[、,，;；/\s]+", texts["role"]) if word]
    if not roles or None in roles:
        wrong("role_unknown", "不认识的角色。可用：" + "、".join(_labels().keys()))
        return None
    college = texts.get("college", "")
    college_id = colleges.get(normal(college)) if college else None
    if Role.COLLEGE_LEAD in roles and college_id is None:
        wrong("college_unknown", "院系角色要写明已有的学院名称；请先导入学生名册。")
        return None
    if Role.AUDITOR in roles and len(roles) > 1:
        wrong("auditor_joined", AUDITOR_ALONE)
        return None
    return StaffRow(
        row=number,
        login=login,
        name=texts["name"],
        staff_number=texts.get("staff_number", ""),
        roles=tuple(dict.fromkeys(role for role in roles if role)),
        college_id=college_id,
        college=college,
        phone=texts.get("phone", ""),
    )


def _labels() -> dict[str, Role]:
    labels = catalogue.table("roles")
    return {labels[role.value]["label"]: role for role in GRANTABLE}


def _role(word: str) -> Role | None:
    known = {normal(label): role for label, role in _labels().items()}
    known |= {normal(part): role for label, role in _labels().items() for part in label.split(" / ")}
    return known.get(normal(word)) or (Role(word) if word in {role.value for role in GRANTABLE} else None)


def commit(access: Access, _batch: ImportBatch, prepared: PreparedStaff) -> None:
    """Open the accounts and give the roles. Nobody can sign in until a first password is set."""
    for row in prepared.new:
        staff = account.open_account(
            access, login=row.login, name=row.name, staff_number=row.staff_number or None, password_hash=None
        )
        if row.phone:
            access.seal(staff, Staff.phone, row.phone)
        for role in row.roles:
            account.grant(access, staff, role=role, college_id=_over(role, row))
    for staff_id, row, role in prepared.grants:
        account.grant(access, access.session.get_one(Staff, staff_id), role=role, college_id=_over(role, row))
    for staff_id, phone in prepared.phones:
        access.seal(access.session.get_one(Staff, staff_id), Staff.phone, phone)
    for staff_id, staff_number in prepared.numbers:
        access.session.get_one(Staff, staff_id).staff_number = staff_number
    access.record(StaffCommitted(count=len(prepared.new) + len(prepared.grants) + len(prepared.phones)))


IMPORTER = Importer(
    kind=BatchKind.STAFF,
    permission=Permission.STAFF_IMPORT,
    purpose=Purpose.ADMINISTRATION,
    knows=lambda word: headers.normal(word) in headers.aliases("staff"),
    prepare=prepare,
    commit=commit,
    base=base_of,
)
