"""The student's file: who, in which class, under which numbers."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Key, Versioned, reference, word
from models.identity import ClassGroup, College
from models.moment import Moment
from models.sealed import OfStudent, Sealed, personal


class Student(Versioned, Base):
    """One student, one file (一人一档). Identity is sealed; exact search goes through keyed hashes."""

    __tablename__ = "student"
    __owner__ = ("student", "id")
    __table_args__ = (Index("ix_student_college_id_class_id", "college_id", "class_id"),)

    id: Mapped[Key]
    version: Mapped[int] = mapped_column(default=1)
    college_id: Mapped[UUID] = reference("college.id")
    class_id: Mapped[UUID] = reference("class_group.id", index=True)
    status: Mapped[str] = mapped_column(String(16), default="enrolled")
    """A key of ``config/statuses.toml``."""
    status_since: Mapped[Moment | None]
    """When the roster gave this status; none where nobody had kept it yet."""
    added_at: Mapped[Moment]
    left_at: Mapped[Moment | None]
    has_phone: Mapped[bool] = mapped_column(default=False)
    """A missing phone is a to-do of the roster (practice §1.5), so it is counted without opening."""

    name_index: Mapped[bytes] = mapped_column(LargeBinary(16), index=True)
    pinyin_index: Mapped[bytes] = mapped_column(LargeBinary(16), index=True)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary(16), index=True)

    name: Mapped[Sealed] = personal("student.name/1")
    phone: Mapped[Sealed | None] = personal("student.phone/1", nullable=True)
    details: Mapped[Sealed | None] = personal("student.details/1", nullable=True)
    """JSON: sex, birth date, major, dormitory, guardians as the roster gave them."""

    college: Mapped[College] = relationship()
    class_group: Mapped[ClassGroup] = relationship()


class FormerStatus(OfStudent, Base):
    """A status the student had before the present one: who was on leave, and from when to when."""

    __tablename__ = "former_status"

    id: Mapped[Key]
    student_id: Mapped[UUID] = reference("student.id", index=True)
    status: Mapped[str] = mapped_column(String(16))
    since: Mapped[Moment | None]
    until: Mapped[Moment]
    """When the roster gave another one."""


class NumberKind(StrEnum):
    """The numbers a student bears between admission and graduation (practice §1.4)."""

    STUDENT = "student_number"
    EXAM = "exam_number"
    TEMPORARY = "temporary_number"
    ADMISSION = "admission_number"
    FORMER = "former_number"


class StudentNumber(OfStudent, Base):
    """One number of a student, from–to. Found by its keyed hash, shown only by opening."""

    __tablename__ = "student_number"
    __table_args__ = (
        Index(
            "uq_student_number_index",
            "index",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
    )

    id: Mapped[Key]
    student_id: Mapped[UUID] = reference("student.id", index=True)
    kind: Mapped[NumberKind] = word(NumberKind)
    index: Mapped[bytes] = mapped_column(LargeBinary(16))
    since: Mapped[date]
    until: Mapped[date | None]
    number: Mapped[Sealed] = personal("student_number.number/1")


class StudentTag(OfStudent, Base):
    """A neutral group a student belongs to for a time (``config/tags.toml``): what a cohort is chosen by."""

    __tablename__ = "student_tag"
    __table_args__ = (Index("ix_student_tag_tag_student_id", "tag", "student_id"),)

    id: Mapped[Key]
    student_id: Mapped[UUID] = reference("student.id", index=True)
    tag: Mapped[str] = mapped_column(String(32))
    """A key of ``config/tags.toml``."""
    since: Mapped[date]
    until: Mapped[date | None]
