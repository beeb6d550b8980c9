"""What every access rests on: who may do what for which purpose, whom he has reached, and what the log will say."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from app import events
from app.security.actor import Actor
from app.security.ledger import Record
from app.security.policy import BASIS, Permission, Purpose, Rule, everything, rule_of
from app.security.vault import Vault


class Denied(Exception):
    """This role has no rule for this."""


class NotFound(Exception):
    """No such thing within the reader's rule. Foreign and missing look alike."""


class Undecided(Exception):
    """Code tried to pass a lock: a bug, never the reader's fault."""


@dataclass(slots=True)
class Book:
    """What one piece of work leaves for the log and for listeners, shared by all its accesses."""

    request_id: str
    records: list[Record] = field(default_factory=list)
    events: list[events.Event] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)


class Decision:
    """One actor, one permission, one purpose, one transaction. Raises ``Denied`` where the role has no rule."""

    def __init__(
        self,
        actor: Actor,
        permission: Permission,
        purpose: Purpose,
        *,
        session: Session,
        vault: Vault,
        book: Book,
        writing: bool,
    ) -> None:
        rule = rule_of(actor.role, permission, purpose)
        if rule is None:
            raise Denied(permission)
        self.actor = actor
        self.permission = permission
        self.purpose = purpose
        self.session = session
        self.writing = writing
        self._vault = vault
        self._book = book
        self._rule: Rule = rule
        self._everybody = rule is everything
        self._reach: set[UUID] = set()
        self._subjects: dict[UUID, None] = {}
        self._fields: dict[str, None] = {}
        self._object_id: UUID | None = None
        self._counted = 0
        """Values opened only to be added up: the log says how many, not whose."""
        book.decisions.append(self)
        if writing:
            session.info.setdefault("decisions", []).append(self)

    def may(self, permission: Permission, purpose: Purpose = Purpose.CARE) -> bool:
        """Whether the actor's role has a rule for it at all; rows are decided when they are found."""
        return rule_of(self.actor.role, permission, purpose) is not None

    # --- reach ------------------------------------------------------------------------

    def reaches(self, student_id: UUID) -> bool:
        """Whether a rule has brought this student within reach."""
        return self._everybody or student_id in self._reach

    def _come_upon(self, student_id: UUID) -> None:
        """A row of this student was found through the rule."""
        self._reach.add(student_id)
        self._subjects[student_id] = None

    def _refuse_unreached(self, student_id: UUID, what: str) -> None:
        if not self.reaches(student_id):
            raise Undecided(f"{what}: this student was not found through a rule")

    # --- the log ------------------------------------------------------------------------

    def about(self, row_id: UUID) -> None:
        """Name the thing this access is about, where no root was found (one import batch)."""
        self._object_id = row_id

    def record(self, happened: events.Event) -> None:
        """The last line of an act: what happened, for the log and for whoever listens."""
        self._book.events.append(happened)
        if not happened.quiet:
            self._book.records.append(
                self._record(
                    happened.act(),
                    "done",
                    object_id=happened.object_id,
                    subjects=happened.student_ids,
                    count=happened.count,
                    digest=happened.digest,
                )
            )
        events.tell(self, happened)

    def entries(self, outcome: str) -> list[Record]:
        """What this access itself leaves in the log: that it read or acted, on whom, opening what."""
        touched = self._subjects or self._fields or self._object_id
        if not touched and (self.actor.is_service or self._book.decisions[0] is not self):
            return []
        if self.permission is Permission.OWN_WORKPLACE:
            return []
        return [
            self._record(
                self.permission.value,
                outcome,
                object_id=self._object_id,
                subjects=tuple(self._subjects),
                fields=tuple(sorted(self._fields)),
                count=self._counted or None,
            )
        ]

    def _record(
        self,
        act: str,
        outcome: str,
        *,
        object_id: UUID | None = None,
        subjects: tuple[UUID, ...] = (),
        fields: tuple[str, ...] = (),
        count: int | None = None,
        digest: bytes | None = None,
    ) -> Record:
        return Record(
            actor_id=self.actor.id,
            role=self.actor.role.value,
            session_id=self.actor.session_id,
            act=act,
            permission=self.permission.value,
            purpose=self.purpose.value,
            basis=BASIS[self.purpose],
            outcome=outcome,
            request_id=self._book.request_id,
            object_id=object_id,
            subjects=subjects,
            fields=fields,
            count=count,
            digest=digest,
        )
