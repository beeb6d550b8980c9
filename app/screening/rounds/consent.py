"""Consent texts (知情同意): what students are told and asked before a screening, edition by edition.

An edition is never edited, because somebody has agreed to exactly these words
(law 8). A change is the next edition; a round names the edition it asks with.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.events import Event
from app.security.access import Access
from config import catalogue
from models.moment import now
from models.participation import ConsentText
from models.refusal import Refusal
from models.screening import RoundStage, ScreeningRound

STANDARD = "standard"
"""Stands in a form for the shipped text as long as nobody has saved it."""


class ConsentWritten(Event):
    """A consent text, or its next edition, was written."""


def shipped() -> tuple[str, str]:
    """Name and body of the text that comes with the product."""
    table = catalogue.table("consent")
    return str(table["name"]), str(table["body"]).strip()


def write(access: Access, *, name: str, body: str) -> ConsentText:
    """The first edition of a new text, or the next edition of a known one."""
    name, body = " ".join(name.split()), body.strip().replace("\r\n", "\n")
    before = newest(access.session, name)
    if before is not None and before.body == body:
        raise Refusal(f"内容与第 {before.edition} 版完全相同，没有保存新版。", field="body")
    row = ConsentText(
        name=name,
        edition=before.edition + 1 if before else 1,
        body=body,
        written_at=now(),
        written_by=access.actor.id,
    )
    access.session.add(row)
    access.session.flush()
    access.record(ConsentWritten(object_id=row.id))
    return row


def start(access: Access, *, name: str, body: str) -> ConsentText:
    """A text under a new name."""
    if newest(access.session, " ".join(name.split())) is not None:
        raise Refusal("已有同名的文本，请打开它写新版。", field="name")
    return write(access, name=name, body=body)


def standard(access: Access) -> ConsentText:
    """The newest edition of the shipped text; its first is written down when it is first used."""
    name, body = shipped()
    return newest(access.session, name) or write(access, name=name, body=body)


def newest(session: Session, name: str) -> ConsentText | None:
    query = select(ConsentText).where(ConsentText.name == name).order_by(ConsentText.edition.desc()).limit(1)
    return session.scalars(query).first()


def editions(session: Session, name: str) -> list[ConsentText]:
    """Every edition of a text, newest first."""
    query = select(ConsentText).where(ConsentText.name == name).order_by(ConsentText.edition.desc())
    return list(session.scalars(query))


def texts(session: Session) -> list[ConsentText]:
    """The newest edition of each text, by name."""
    last = select(ConsentText.name, func.max(ConsentText.edition).label("edition")).group_by(ConsentText.name)
    held = last.subquery()
    query = select(ConsentText).join(held, (held.c.name == ConsentText.name) & (held.c.edition == ConsentText.edition))
    return list(session.scalars(query.order_by(ConsentText.name)))


def rounds_with(session: Session, name: str) -> dict[UUID, list[str]]:
    """Edition → the rounds that ask, or asked, with it."""
    rows = session.execute(
        select(ConsentText.id, ScreeningRound.name)
        .join(ScreeningRound, ScreeningRound.consent_id == ConsentText.id)
        .where(ConsentText.name == name, ScreeningRound.stage != RoundStage.DRAFT)
        .order_by(ScreeningRound.opened_at.desc(), ScreeningRound.id)
    )
    held: dict[UUID, list[str]] = {}
    for consent_id, round_name in rows:
        held.setdefault(consent_id, []).append(round_name)
    return held


def title(row: ConsentText | None) -> str:
    return f"《{row.name}》第 {row.edition} 版" if row is not None else "未选择"
