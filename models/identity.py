"""Who works here, in which role, over which unit; and who is signed in."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Key, Versioned, reference, word
from models.moment import Moment
from models.sealed import OfSelf, Sealed, personal


class Role(StrEnum):
    """A way of working. One is active per session; which roles a person holds is data."""

    ADVISOR = "advisor"
    CLASS_TEACHER = "class_teacher"
    COLLEGE_LEAD = "college_lead"
    AFFAIRS_HEAD = "affairs_head"
    DUTY = "duty"
    TASK_PARTNER = "task_partner"
    PSYCHOLOGIST = "psychologist"
    CENTRE_HEAD = "centre_head"
    SUPERVISOR = "supervisor"
    AID_OFFICER = "aid_officer"
    OBSERVER = "observer"
    STUDENT = "student"
    SCHOOL_LEADER = "school_leader"
    REGISTRAR = "registrar"
    SYSADMIN = "sysadmin"
    SECURITY_ADMIN = "security_admin"
    AUDITOR = "auditor"
    CONSOLE = "console"
    """The command line. Never granted to a person."""
    WORKER = "worker"
    """Jobs and clocks. Never granted to a person."""


SERVICES = frozenset({Role.CONSOLE, Role.WORKER})
"""Actors that are not people."""


class College(Base):
    """学院/系: the unit that a college lead answers for."""

    __tablename__ = "college"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(80), unique=True)


class ClassGroup(Base):
    """行政班. Files name it differently; every other name is an alias (practice §1.5)."""

    __tablename__ = "class_group"
    __table_args__ = (UniqueConstraint("college_id", "name"),)

    id: Mapped[Key]
    college_id: Mapped[UUID] = reference("college.id", index=True)
    name: Mapped[str] = mapped_column(String(80))
    grade: Mapped[str | None] = mapped_column(String(16))

    college: Mapped[College] = relationship()


class ClassAlias(Base):
    """Another name for a class, as one of the systems writes it. Normalised."""

    __tablename__ = "class_alias"
    __table_args__ = (UniqueConstraint("college_id", "alias"),)

    id: Mapped[Key]
    class_id: Mapped[UUID] = reference("class_group.id", index=True)
    college_id: Mapped[UUID] = reference("college.id")
    alias: Mapped[str] = mapped_column(String(80))


class Staff(Versioned, OfSelf, Base):
    """An account of a person who works here. Retired, never deleted (law 8)."""

    __tablename__ = "staff"

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    login: Mapped[str] = mapped_column(String(60), unique=True)
    staff_number: Mapped[str | None] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    must_change_password: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Moment]
    retired_at: Mapped[Moment | None]
    phone: Mapped[Sealed | None] = personal("staff.phone/1", nullable=True)

    grants: Mapped[list[RoleGrant]] = relationship(back_populates="staff", order_by="RoleGrant.role, RoleGrant.id")


class RoleGrant(Base):
    """That a person holds a role, over which college (none = the whole school), from when to when."""

    __tablename__ = "role_grant"
    __table_args__ = (Index("ix_role_grant_role_college_id", "role", "college_id"),)

    id: Mapped[Key]
    staff_id: Mapped[UUID] = reference("staff.id", index=True)
    role: Mapped[Role] = word(Role)
    college_id: Mapped[UUID | None] = reference("college.id", nullable=True)
    since: Mapped[date]
    until: Mapped[date | None]
    """The first day on which it no longer holds."""

    staff: Mapped[Staff] = relationship(back_populates="grants")
    college: Mapped[College | None] = relationship()

    def holds_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


class ClassPost(Base):
    """That somebody is advisor or class teacher of a class, from–to (decisions 20)."""

    __tablename__ = "class_post"
    __table_args__ = (Index("ix_class_post_staff_id_role", "staff_id", "role"),)

    id: Mapped[Key]
    class_id: Mapped[UUID] = reference("class_group.id", index=True)
    staff_id: Mapped[UUID] = reference("staff.id")
    role: Mapped[Role] = word(Role)
    since: Mapped[date]
    until: Mapped[date | None]

    staff: Mapped[Staff] = relationship()


class SignInSession(Base):
    """One signed-in browser. The cookie holds a random token, the table only its hash."""

    __tablename__ = "sign_in_session"

    id: Mapped[Key]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    staff_id: Mapped[UUID] = reference("staff.id", index=True)
    role: Mapped[Role] = word(Role)
    started_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]

    staff: Mapped[Staff] = relationship()


class SignInThrottle(Base):
    """Failed attempts per account and address, counted across processes. Keyed hashes only."""

    __tablename__ = "sign_in_throttle"

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    failures: Mapped[int]
    first_at: Mapped[Moment]
    blocked_until: Mapped[Moment | None]


class Draft(OfSelf, Base):
    """What a person is writing in one role and has not handed in yet; readable by its author in that role only."""

    __tablename__ = "draft"
    __table_args__ = (UniqueConstraint("author_id", "role", "form"),)
    __owner__ = ("staff", "author_id")

    id: Mapped[Key]
    author_id: Mapped[UUID] = reference("staff.id")
    role: Mapped[Role] = word(Role, length=24)
    form: Mapped[str] = mapped_column(String(120))
    saved_at: Mapped[Moment]
    body: Mapped[Sealed] = personal("draft.body/1")
