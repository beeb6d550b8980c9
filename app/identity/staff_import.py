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


def base_of(session: Session, _batch: ImportBatch) -> str:
    return f"{session.scalar(select(func.count(Staff.id)))} {session.scalar(select(func.count(RoleGrant.id)))}"


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
    known = {row.login: row.id for row in access.session.execute(select(Staff.login, Staff.id))}
    held = _held(access.session)
    colleges = {normal(name): key for key, name in access.session.execute(select(College.id, College.name))}
    accepted, seen = 0, set()
    for number, cells in zip(table.row_numbers, table.rows, strict=True):
        row = _read(number, {name: text_of(cells[place]) for name, place in columns.items()}, colleges, problems)
        if row is None:
            continue
        if row.login in seen:
            problems.append(Problem(number, None, "repeated", "账号在名单里重复，只采用了第一行。"))
            continue
        seen.add(row.login)
        accepted += 1
        if row.login not in known:
            prepared.new.append(row)
            continue
        staff_id = known[row.login]
        prepared.grants += [
            (staff_id, row, role) for role in row.roles if (staff_id, role, _over(role, row)) not in held
        ]
    prepared.receipt = {
        "rows_read": len(table),
        "rows_accepted": accepted,
        "rows_rejected": len(table) - accepted,
        "new": len(prepared.new),
        "roles_added": len(prepared.grants),
        "problems_total": len(problems),
        "problems": listed(problems),
    }
    return prepared


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
    if not texts["name"]:
        wrong("name_missing", "姓名为空。")
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
        wrong("auditor_joined", "审计员不能同时担任其他岗位（三员分立）。")
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
    access.record(StaffCommitted(count=len(prepared.new) + len(prepared.grants)))


IMPORTER = Importer(
    kind=BatchKind.STAFF,
    permission=Permission.STAFF_IMPORT,
    purpose=Purpose.ADMINISTRATION,
    knows=lambda word: headers.normal(word) in headers.aliases("staff"),
    prepare=prepare,
    commit=commit,
    base=base_of,
)
