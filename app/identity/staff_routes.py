"""教职工导入: the import desk for lists of staff."""

from __future__ import annotations

from app.intake import desk
from app.security.policy import Permission, Purpose
from app.web.feature import Room
from models.intake import BatchKind

staff_desk = Room("staff", __name__, template_folder="templates")
desk.lay_out(
    staff_desk,
    "/staff-import",
    needs=Permission.STAFF_IMPORT,
    purpose=Purpose.ADMINISTRATION,
    kinds=(BatchKind.STAFF,),
    title="教职工导入",
    help_topic="staff",
)
