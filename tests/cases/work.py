"""What people of the centre do with a case, through its pages."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from models.approval import Approval, ApprovalStage
from models.case import Case, Task
from tests.house import Client, House, Page


def act(house: House, person: Client, case: Case, what: str, **fields: Any) -> Page:
    """Submit one of the forms of a case, as the page of this moment would."""
    return person.post(f"/cases/{case.id}/{what}", version=str(house.again(case).version), **fields)


def note(house: House, person: Client, case: Case, text: str, **other: Any) -> Page:
    return act(house, person, case, "notes", **({"kind": "session", "text": text} | other))


def advise(house: House, person: Client, case: Case, text: str, *focus: str) -> Page:
    return act(house, person, case, "advice", focus=list(focus) or ["safety"], text=text, no_content="y")


def ask_to_close(house: House, person: Client, case: Case, outcome: str = "stable") -> Page:
    return act(house, person, case, "close", outcome=outcome, summary="情况稳定，家校已沟通")


def waiting(house: House) -> Approval:
    """The one request that waits for a signature."""
    [(row,)] = house.all(select(Approval).where(Approval.stage == ApprovalStage.WAITING))
    found: Approval = row
    return found


def sign(house: House, person: Client, *, approve: bool = True) -> Page:
    row = waiting(house)
    decision = "approve" if approve else "decline"
    return person.post(f"/approvals/{row.id}", decision=decision, version=str(row.version))


def closed(house: House, keeper: Client, signer: Client, case: Case, outcome: str = "stable") -> None:
    """Close a case with its second signature."""
    assert ask_to_close(house, keeper, case, outcome).status == 200
    assert sign(house, signer).status == 200


def tasks(house: House, case: Case) -> list[Task]:
    return [row for (row,) in house.all(select(Task).where(Task.case_id == case.id).order_by(Task.due_at, Task.id))]
