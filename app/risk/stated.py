"""What a structured interview comes to: its level raises an alert as any other person's statement does."""

from __future__ import annotations

from app.risk import alert, ground
from app.screening.structured import StructuredInterviewHeld
from app.security.access import Access
from models.student import Student

SOURCE = "structured_interview"


def raise_stated(access: Access, happened: StructuredInterviewHeld) -> None:
    """Listener: the alert first, then the reasons of the interview that this one corrects are void.

    In that order, so that an alert that holds is never without a reason. It
    goes down by the centre's decision only.
    """
    [student_id] = happened.student_ids
    if happened.rule:
        student = access.session.get_one(Student, student_id)
        alert.raise_one(access, student, rule_id=happened.rule, source_kind=SOURCE, source_id=happened.object_id)
        access.session.flush()
    if happened.amended is not None:
        ground.void_reasons(access, [happened.amended], cause="interview_amended")
