"""The one door: every page, job and command enters here, and one place commits.

Safe methods on SQLite read in a snapshot, are rendered fully, and only then
is the log written in a short transaction of its own; the page leaves when the
row is committed (decisions 1). Everything else is one transaction: the act,
its consequences and its rows in the log. No row, no data.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app import events
from app.security import ledger
from app.security.access import Access, Book, Denied, NotFound
from app.security.actor import Actor
from app.security.keyring import InstanceKeys, KeyProblem, Keyring
from app.security.policy import BASIS, Permission, Purpose
from app.security.vault import Vault
from config import catalogue
from config.settings import Settings
from models import moment
from models.database import Database
from models.identity import SignInSession
from models.keys import Deployment, DeploymentKind
from models.refusal import Refusal


class LogUnavailable(Exception):
    """The log could not be written, so nothing may be shown or done."""


@dataclass(slots=True)
class Door:
    """An installation as the rooms see it: its database, its keys and the way in."""

    settings: Settings
    database: Database
    instance_keys: InstanceKeys
    keyring: Keyring | None
    deployment: Deployment
    key_problem: str = ""
    """Why the content keys are not at hand, when they are not (sealed mode)."""
    touch_after: timedelta = field(
        default_factory=lambda: timedelta(seconds=catalogue.table("security")["session"]["touch_seconds"])
    )

    @property
    def is_demo(self) -> bool:
        return self.deployment.kind is DeploymentKind.DEMO

    @contextmanager
    def enter(
        self,
        actor: Actor,
        permission: Permission,
        purpose: Purpose = Purpose.CARE,
        *,
        writing: bool = True,
        request_id: str = "",
    ) -> Iterator[Access]:
        """Decide, work, write the log, commit. Raises ``Denied``, ``NotFound``, ``Refusal``, ``LogUnavailable``."""
        book = Book(request_id)
        try:
            if self.database.is_sqlite and not writing:
                with self.database.reading() as session:
                    yield self._access(actor, permission, purpose, session, book, writing=False)
                self._write_alone(actor, book)
            else:
                with self.database.writing() as session:
                    yield self._access(actor, permission, purpose, session, book, writing=writing)
                    session.flush()
                    self._write(session, actor, book)
        except StaleDataError as problem:
            self.note(actor, permission, purpose, outcome="refused", request_id=request_id)
            raise Refusal("另一位老师刚刚更新了这条记录，请看过最新内容后再办理。") from problem
        except Refusal:
            self.note(actor, permission, purpose, outcome="refused", request_id=request_id)
            raise
        except Denied:
            self.note(actor, permission, purpose, outcome="denied", request_id=request_id)
            raise
        except NotFound:
            self.note(actor, permission, purpose, outcome="not_found", request_id=request_id)
            raise
        for happened in book.events:
            events.tell_after_commit(happened)

    def _access(
        self, actor: Actor, permission: Permission, purpose: Purpose, session: Session, book: Book, *, writing: bool
    ) -> Access:
        vault = Vault(session, self.keyring, self.deployment.id)
        return Access(actor, permission, purpose, session=session, vault=vault, book=book, writing=writing)

    def _write_alone(self, actor: Actor, book: Book) -> None:
        if self._records(book) or actor.touch:
            with self.database.writing() as session:
                self._write(session, actor, book)

    def _write(self, session: Session, actor: Actor, book: Book) -> None:
        try:
            ledger.append(session, self.instance_keys.log_mac, self._records(book))
            if actor.touch:
                self._touch(session, actor.session_id)
        except (SQLAlchemyError, OSError) as problem:
            raise LogUnavailable from problem

    def _records(self, book: Book) -> list[ledger.Record]:
        read = [record for decision in book.decisions for record in decision.entries("done")]
        return read + book.records

    def _touch(self, session: Session, session_id: UUID | None) -> None:
        instant = moment.now()
        session.execute(
            update(SignInSession)
            .where(SignInSession.id == session_id, SignInSession.last_seen_at < instant - self.touch_after)
            .values(last_seen_at=instant)
        )

    def note(
        self,
        actor: Actor,
        permission: Permission,
        purpose: Purpose,
        *,
        act: str | None = None,
        outcome: str,
        request_id: str = "",
        object_id: UUID | None = None,
    ) -> None:
        """Write one row of the log in a small transaction of its own: refusals, sign-ins."""
        record = ledger.Record(
            actor_id=actor.id,
            role=actor.role.value,
            session_id=actor.session_id,
            act=act or permission.value,
            permission=permission.value,
            purpose=purpose.value,
            basis=BASIS[purpose],
            outcome=outcome,
            request_id=request_id,
            object_id=object_id,
        )
        try:
            with self.database.writing() as session:
                ledger.append(session, self.instance_keys.log_mac, [record])
        except (SQLAlchemyError, OSError) as problem:
            raise LogUnavailable from problem


class NotReady(Exception):
    """The installation cannot open: no database, no migration, no instance key. The message says what to do."""


def open_door(settings: Settings) -> Door:
    """The door of an installation that exists. Raises ``NotReady`` in words when something is missing."""
    moment.use_zone(settings.time_zone)
    try:
        instance_keys = InstanceKeys.read(settings.key_dir)
    except KeyProblem as problem:
        raise NotReady(str(problem)) from problem
    keyring, key_problem = None, ""
    try:
        keyring = Keyring.read(settings.key_dir)
    except KeyProblem as problem:
        key_problem = str(problem)
    database = Database(settings.database_url)
    try:
        with database.reading() as session:
            deployment = session.scalars(select(Deployment)).one_or_none()
    except SQLAlchemyError as problem:
        raise NotReady("数据库还没有准备好，请先运行：python3 manage.py db upgrade") from problem
    if deployment is None:
        raise NotReady("数据库里没有部署标识，请先运行：python3 manage.py db upgrade")
    return Door(settings, database, instance_keys, keyring, deployment, key_problem)
