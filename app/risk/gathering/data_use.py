"""数据使用登记: which data of another domain may feed the model, why, on what basis, decided by two people.

Switching on takes a purpose, a legal basis, an impact assessment and a second
signature. Switching off takes one person and a reason, and holds at once:
using less is always allowed. From that moment the features that rest on it
are gathered no longer; the model is trained anew without them (who listens to
``DataUseSwitchedOff``).
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.admin import approval, rulebook
from app.admin.approval import ApprovalDecided
from app.events import Event
from app.risk.gathering.features import Domain, domains, resting_on
from app.security.access import Access
from app.web.words import label
from config import catalogue
from models.approval import ApprovalKind, ApprovalStage
from models.identity import Role
from models.moment import now
from models.refusal import Refusal
from models.risk_model import DataUse, DataUseStage

LIVE = (DataUseStage.ASKED, DataUseStage.IN_FORCE)


class DataUseAsked(Event):
    """Somebody asked that data of another domain may be used."""


class DataUseBegan(Event):
    """A second person signed: the data may be used from now on."""


class DataUseDeclined(Event):
    """A second person declined: the data are not used."""


class DataUseSwitchedOff(Event):
    """The data are used no longer, from now on."""


def in_force(session: Session) -> frozenset[str]:
    """The domains whose data may be used now."""
    return frozenset(session.scalars(select(DataUse.domain).where(DataUse.stage == DataUseStage.IN_FORCE)))


def ask(access: Access, *, domain: str, purpose: str, legal_basis: str, assessment: str) -> DataUse:
    """Ask that data of a domain may be used. Refused while the domain has an entry that waits or holds."""
    about = domain_of(domain)
    if access.actor.id is None:
        raise Refusal("需要由一位老师提出申请。")
    if legal_basis not in catalogue.table("words")["legal_basis"]:
        raise Refusal("请选择处理这类数据的合法性依据。", field="legal_basis")
    live = access.session.scalar(select(DataUse.stage).where(DataUse.domain == domain, DataUse.stage.in_(LIVE)))
    if live is not None:
        raise Refusal(f"“{about.title}”已有一条登记（{label(live)}），请先处理它。", field="domain")
    row = DataUse(
        domain=domain,
        stage=DataUseStage.ASKED,
        purpose=purpose,
        legal_basis=legal_basis,
        assessment=assessment,
        asked_by=access.actor.id,
        asked_at=now(),
    )
    access.session.add(row)
    access.session.flush()
    row.approval_id = _ask_second(access, row, about)
    access.record(DataUseAsked(object_id=row.id))
    return row


def _ask_second(access: Access, row: DataUse, about: Domain) -> UUID:
    what = {
        "title": about.title,
        "holds": about.holds,
        "purpose": row.purpose,
        "legal_basis": row.legal_basis,
        "assessment": row.assessment,
        "features": [entry.feature.meaning for entry in resting_on(row.domain)],
    }
    due = rulebook.current(access.session).due("approval")
    asked = approval.ask(
        access, ApprovalKind.DATA_USE, what=what, of=(Role.AFFAIRS_HEAD,), due_at=due, object_id=row.id
    )
    access.session.flush()
    return asked.id


def domain_of(key: str) -> Domain:
    """A declared domain, or a ``Refusal``."""
    found = next((domain for domain in domains() if domain.key == key), None)
    if found is None:
        raise Refusal("请选择要登记的数据。", field="domain")
    return found


def apply_decided(access: Access, happened: ApprovalDecided) -> None:
    """Listener: with the second signature the entry holds from now on; declined, it never does."""
    request = happened.approval
    if request.kind is not ApprovalKind.DATA_USE or request.object_id is None:
        return
    row = access.session.get_one(DataUse, request.object_id)
    if request.stage is ApprovalStage.APPROVED:
        row.move_to(DataUseStage.IN_FORCE)
        row.since = request.decided_at
        access.record(DataUseBegan(object_id=row.id))
        return
    row.move_to(DataUseStage.DECLINED)
    access.record(DataUseDeclined(object_id=row.id))


def switch_off(access: Access, row: DataUse, *, because: str) -> None:
    """Use these data no longer, at once. One person is enough."""
    if row.stage is not DataUseStage.IN_FORCE:
        raise Refusal("这条登记没有在使用，无需停用。")
    row.move_to(DataUseStage.OFF)
    row.until, row.switched_off_by, row.off_because = now(), access.actor.id, because
    access.record(DataUseSwitchedOff(object_id=row.id))
