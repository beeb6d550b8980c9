"""学生查找, 学生档案, 名册导入."""

from __future__ import annotations

from uuid import UUID

from flask import jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import case, func, select

from app.audit.queries import readers_of
from app.intake import desk
from app.security.policy import Permission, Purpose
from app.students import record, search
from app.web.feature import Room, access
from models.identity import ClassGroup, ClassPost, College, Role
from models.intake import BatchKind
from models.student import Student

students = Room("students", __name__, template_folder="templates")
roster = Room("roster", __name__, template_folder="templates")

desk.lay_out(
    roster,
    "/roster",
    needs=Permission.ROSTER_IMPORT,
    purpose=Purpose.ADMINISTRATION,
    kinds=(BatchKind.ROSTER, BatchKind.CLASS_POSTS, BatchKind.RENUMBER),
    title="名册导入",
    help_topic="roster",
)


@students.route("/students", needs=Permission.STUDENT_SEARCH)
def find() -> ResponseReturnValue:
    return render_template("students/search.html", found=None, words="")


@students.route("/students", needs=Permission.STUDENT_SEARCH, methods=["POST"])
def found() -> ResponseReturnValue:
    """A search is a POST, so that names and numbers never stand in an address."""
    words = request.form.get("words", "")[:80]
    return render_template("students/search.html", found=search.search(access, words), words=words.strip())


@students.route("/students/<uuid:student_id>", needs=Permission.STUDENT_READ)
def show(student_id: UUID) -> ResponseReturnValue:
    student = access.find(Student, student_id)
    readers = []
    if access.may(Permission.WHO_LOOKED):
        looking = access.under(Permission.WHO_LOOKED)
        looking.find(Student, student_id)
        readers = readers_of(looking.session, student_id)
    return render_template(
        "students/show.html",
        student=record.card(access, student.id, details=True),
        standing=record.standing(access, student.id),
        timeline=record.timeline(access, student.id),
        actions=record.buttons(access, student.id),
        sections=record.cards(access, student.id),
        readers=readers,
    )


@students.route("/students/<uuid:student_id>/reveal", needs=Permission.STUDENT_READ, methods=["POST"])
def reveal(student_id: UUID) -> ResponseReturnValue:
    """Show name, number and phone in full for some seconds; being asked for is in the log."""
    student = record.card(access, access.find(Student, student_id).id)
    return jsonify({"name": student.name, "number": student.number, "phone": student.phone})


@roster.route("/roster/todo", needs=Permission.ROSTER_IMPORT, purpose=Purpose.ADMINISTRATION)
def todo() -> ResponseReturnValue:
    """What is missing, by class: a missing phone or advisor is a to-do, not an error."""
    without_phone = func.sum(case((Student.has_phone.is_(False), 1), else_=0))
    posts = select(ClassPost.class_id).where(ClassPost.role == Role.ADVISOR, ClassPost.until.is_(None))
    rows = access.session.execute(
        select(
            College.name.label("college"),
            ClassGroup.name.label("class_name"),
            func.count().label("students"),
            without_phone.label("without_phone"),
            ClassGroup.id.in_(posts).label("has_advisor"),
        )
        .select_from(Student)
        .join(ClassGroup, ClassGroup.id == Student.class_id)
        .join(College, College.id == Student.college_id)
        .where(Student.left_at.is_(None))
        .group_by(College.name, ClassGroup.name, ClassGroup.id)
        .order_by(College.name, ClassGroup.name)
    ).all()
    waiting = [row for row in rows if row.without_phone or not row.has_advisor]
    return render_template("students/todo.html", rows=waiting, total=len(rows))
