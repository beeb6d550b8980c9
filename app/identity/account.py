"""Accounts of the people who work here: opened, given roles, retired; never deleted."""

from __future__ import annotations

import re
from uuid import UUID

from sqlalchemy import or_, select

from app.events import Event
from app.security.access import Access
from app.security.sign_in import end_sessions_of
from models.approval import Approval, ApprovalStage
from models.case import Case, Task, TaskStage
from models.identity import SERVICES, ClassPost, College, Role, RoleGrant, Staff
from models.interview import InterviewEntry
from models.moment import now, today
from models.refusal import Refusal
from models.risk import Alert, Duty, DutyStage
from models.risk_model import ModelObjection, ObjectionStage, RiskModel
from models.screening import ScreeningRound, UnplacedAnswer
from models.source import Arrival, ArrivalState, ScreeningSource

DECIDING = frozenset({Role.PSYCHOLOGIST, Role.CENTRE_HEAD, Role.AFFAIRS_HEAD})
"""Roles with which alerts, cases, tasks, talks and unplaced answers lie."""
LOGIN = re.compile(r"[a-z0-9._-]{1,60}")


class AccountOpened(Event):
    """Somebody was given an account."""


class RoleGranted(Event):
    """Somebody was given a role."""


class RoleEnded(Event):
    """A role was taken from somebody."""


class PasswordSet(Event):
    """A password was set or changed."""


class AccountRetired(Event):
    """Somebody no longer works here."""


def open_account(
    access: Access,
    *,
    login: str,
    name: str,
    password_hash: str | None,
    staff_number: str | None = None,
    must_change_password: bool = True,
) -> Staff:
    """Open an account. The login is kept in lower case, so that it is one however it is typed."""
    login, name = login.strip().lower(), name.strip()
    if not LOGIN.fullmatch(login):
        raise Refusal("账号只能用字母、数字、点、下划线和短横线，1 到 60 个字符。", field="login")
    if not name:
        raise Refusal("请填写姓名。", field="name")
    if access.session.scalar(select(Staff.id).where(Staff.login == login)) is not None:
        raise Refusal("这个账号已经有人使用。", field="login")
    if staff_number and access.session.scalar(select(Staff.id).where(Staff.staff_number == staff_number)):
        raise Refusal("这个工号已经有账号。", field="staff_number")
    staff = Staff(
        login=login,
        name=name,
        staff_number=staff_number or None,
        password_hash=password_hash,
        must_change_password=must_change_password,
        created_at=now(),
    )
    access.session.add(staff)
    access.session.flush()
    access.record(AccountOpened(object_id=staff.id))
    return staff


def grant(access: Access, staff: Staff, *, role: Role, college_id: UUID | None = None) -> RoleGrant:
    """Give a role. College leads need a college; one person holds one role once over one unit."""
    if role in SERVICES:
        raise Refusal("这个角色只供系统使用。", field="role")
    if staff.retired_at is not None:
        raise Refusal("这个账号已停用，不能再授予角色。")
    if role is Role.COLLEGE_LEAD and college_id is None:
        raise Refusal("院系角色要选择所属学院。", field="college_id")
    if role is not Role.COLLEGE_LEAD:
        college_id = None
    day = today()
    held = access.session.scalars(select(RoleGrant).where(RoleGrant.staff_id == staff.id)).all()
    if any(item.role is role and item.college_id == college_id and item.holds_on(day) for item in held):
        raise Refusal("这位老师已经有这个角色。", field="role")
    _refuse_joined_audit(role, [item.role for item in held if item.holds_on(day)])
    row = RoleGrant(staff_id=staff.id, role=role, college_id=college_id, since=day)
    access.session.add(row)
    access.record(RoleGranted(object_id=staff.id))
    return row


def _refuse_joined_audit(role: Role, held: list[Role]) -> None:
    """Whoever audits does nothing else here (product.md: auditor never with another)."""
    others = [item for item in held if item is not role]
    if others and (role is Role.AUDITOR or Role.AUDITOR in others):
        raise Refusal("审计员不能同时担任其他岗位（三员分立）。", field="role")


def end_grant(access: Access, staff: Staff, grant_id: UUID) -> None:
    """Take a role away, from now on; sessions end at once."""
    row = next((item for item in staff.grants if item.id == grant_id), None)
    if row is None or not row.holds_on(today()):
        raise Refusal("这个角色已经结束。")
    _refuse_with_open_items(access, staff, role=row.role)
    row.until = today()
    _end_posts(access, staff, row.role)
    end_sessions_of(access.session, staff.id)
    access.record(RoleEnded(object_id=staff.id))


def set_password(access: Access, staff: Staff, *, password_hash: str, must_change: bool) -> None:
    """Set a password that was hashed outside the transaction; every other session ends."""
    staff.password_hash = password_hash
    staff.must_change_password = must_change
    end_sessions_of(access.session, staff.id, but=access.actor.session_id)
    access.record(PasswordSet(object_id=staff.id))


def retire(access: Access, staff: Staff) -> None:
    """End an account. Refused while anything waits for this person (law 3, decisions 20)."""
    if staff.id == access.actor.id:
        raise Refusal("不能停用自己的账号，请由另一位系统管理员办理。")
    if staff.retired_at is not None:
        raise Refusal("这个账号已经停用。")
    _refuse_with_open_items(access, staff)
    staff.retired_at = now()
    day = today()
    for row in staff.grants:
        if row.holds_on(day):
            row.until = day
            _end_posts(access, staff, row.role)
    end_sessions_of(access.session, staff.id)
    access.record(AccountRetired(object_id=staff.id))


def _refuse_with_open_items(access: Access, staff: Staff, role: Role | None = None) -> None:
    """Name what is open by kind only: a system administrator learns that something waits, not about whom."""
    open_items = {
        "待办": select(Duty.id).where(Duty.owner_id == staff.id, Duty.stage == DutyStage.OPEN),
        "预警": select(Alert.id).where(Alert.owner_id == staff.id, Alert.ended_at.is_(None)),
        "个案": select(Case.id).where(Case.keeper_id == staff.id, Case.closed_at.is_(None)),
        "随访": select(Task.id).where(Task.owner_id == staff.id, Task.stage == TaskStage.OPEN),
        "约谈": select(InterviewEntry.id).where(InterviewEntry.owner_id == staff.id, InterviewEntry.ended_at.is_(None)),
        "异议复核": select(ModelObjection.id).where(
            ModelObjection.owner_id == staff.id, ModelObjection.stage == ObjectionStage.OPEN
        ),
        "待核实的提示": select(UnplacedAnswer.id).where(
            UnplacedAnswer.owner_id == staff.id, UnplacedAnswer.ended_at.is_(None)
        ),
        "待签字的申请": select(Approval.id).where(
            Approval.owner_id == staff.id, Approval.stage == ApprovalStage.WAITING
        ),
        "普查批次": select(ScreeningRound.id).where(
            ScreeningRound.owner_id == staff.id, ScreeningRound.stage.in_(["draft", "open", "make_up"])
        ),
        "数据来源": select(ScreeningSource.id).where(
            ScreeningSource.owner_id == staff.id, ScreeningSource.retired_at.is_(None)
        ),
        "模型": select(RiskModel.id).where(RiskModel.owner_id == staff.id),
        "来源文件": select(Arrival.id).where(Arrival.owner_id == staff.id, Arrival.state == ArrivalState.WAITING),
    }
    if role is not None:
        in_role = {
            "待办": open_items["待办"].where(Duty.owner_role == role),
            "待签字的申请": open_items["待签字的申请"].where(Approval.owner_role == role),
        }
        open_items = (open_items if role in DECIDING else {}) | in_role
    for query in open_items.values():
        if access.session.scalar(query.limit(1)) is not None:
            raise Refusal("还有工作事项在这位老师名下，请先由心理中心或院系移交，再停用或取消角色。")


def _end_posts(access: Access, staff: Staff, role: Role) -> None:
    """A class cannot have an advisor who is none any more."""
    day = today()
    for post in access.session.scalars(
        select(ClassPost).where(
            ClassPost.staff_id == staff.id,
            ClassPost.role == role,
            or_(ClassPost.until.is_(None), ClassPost.until > day),
        )
    ):
        post.until = day


def colleges(access: Access) -> list[tuple[str, str]]:
    """Colleges for a choice field."""
    rows = access.session.execute(select(College.id, College.name).order_by(College.name))
    return [(row.id.hex, row.name) for row in rows]
