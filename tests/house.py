"""What tests hold in their hands: the house, its people as signed-in clients, and a maker of rows."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from html import unescape
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Flask
from openpyxl import Workbook
from sqlalchemy import Row, select
from werkzeug.test import TestResponse

from app import wiring
from app.cases import opening
from app.identity import account
from app.intake.sheet import Table
from app.jobs.worker import Worker
from app.risk import alert
from app.screening.rounds import round
from app.security import sign_in, verify
from app.security.access import Access
from app.security.actor import CONSOLE, Actor
from app.security.door import Door
from app.security.policy import Permission, Purpose
from app.students import roster, roster_compare
from models.base import Base, new_id
from models.case import Case
from models.identity import ClassGroup, ClassPost, College, Role, Staff
from models.intake import BatchKind, BatchStage, ImportBatch
from models.moment import now, today
from models.risk import Alert, Duty, Level
from models.screening import ScreeningRound
from models.student import Student

_numbers = itertools.count(1)
_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
PHQ9 = [f"PHQ9-{n}" for n in range(1, 10)]
GAD7 = [f"GAD7-{n}" for n in range(1, 8)]
HEADER = ["学号", "姓名", "班级", *PHQ9, *GAD7]
CALM = [0] * 16


class Page:
    """An answer of the house, as a test reads it."""

    def __init__(self, response: TestResponse) -> None:
        self.response = response
        self.status = response.status_code
        self.html = response.get_data().decode(errors="replace")
        response.close()

    @cached_property
    def text(self) -> str:
        """Visible text, without tags, with single blanks."""
        bare = re.sub(r"<script.*?</script>|<style.*?</style>|<[^>]+>", " ", self.html, flags=re.DOTALL)
        return " ".join(unescape(bare).split())

    @cached_property
    def settled(self) -> str:
        """The page without what changes every second: the form's token and the time of day."""
        return re.sub(r'(name="csrf[-_]token"[^>]*(?:content|value)=")[^"]*', r"\1", self.html)

    def __contains__(self, words: str) -> bool:
        return words in self.text

    def links(self, pattern: str) -> list[str]:
        """Addresses on the page that match."""
        return [unescape(found) for found in re.findall(rf'(?:href|action)="({pattern})"', self.html)]

    def value(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', self.html)
        assert found, f"no field {name}"
        return unescape(found[1])


class Client:
    """A person at a browser: signed in, with the real session, the real CSRF token and the real headers."""

    def __init__(self, house: House, staff: Staff, role: Role) -> None:
        self.house = house
        self.staff = staff
        self.id = staff.id
        self.role = role
        self._browser = house.app.test_client()
        token = sign_in.open_session(house.door, staff.id)
        with self._browser.session_transaction() as session:
            session["_user_id"] = token
        self.token = token
        self._csrf = ""

    def cookie(self) -> str:
        """The session cookie, to be given to a real browser."""
        self.get("/help")
        held = self._browser.get_cookie("xinyu")
        assert held is not None, "no cookie"
        return str(held.value)

    @property
    def actor(self) -> Actor:
        found = sign_in.actor_of(self.house.door, self.token, background=True)
        assert found is not None, "signed out"
        return found[0]

    def get(self, path: str, **named: Any) -> Page:
        return Page(self._browser.get(path, **named))

    def post(self, path: str, *, follow: bool = True, **fields: Any) -> Page:
        """Submit a form; lists become repeated fields, ``(bytes, name)`` becomes a file."""
        if not self._csrf:
            found = _TOKEN.search(self._browser.get("/help").get_data(as_text=True))
            assert found, "no token"
            self._csrf = found[1]
        values: dict[str, Any] = {"csrf_token": self._csrf}
        for name, value in fields.items():
            values[name] = (BytesIO(value[0]), value[1]) if isinstance(value, tuple) else value
        return Page(self._browser.post(path, data=values, follow_redirects=follow))

    def send(self, method: str, path: str, held: Any = None, *, token: bool = True) -> Page:
        """A script's call with JSON."""
        if token and not self._csrf:
            self.post("/notices/read")
        headers = {"Accept": "application/json"} | ({"X-CSRFToken": self._csrf} if token else {})
        return Page(self._browser.open(path, method=method, json=held, headers=headers))

    @contextmanager
    def under(
        self, permission: Permission, purpose: Purpose = Purpose.CARE, *, writing: bool = True
    ) -> Iterator[Access]:
        """Enter the door as this person, without a page."""
        with self.house.door.enter(self.actor, permission, purpose, writing=writing) as access:
            yield access


class House:
    """The installation under test."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.make = Make(self)

    @cached_property
    def app(self) -> Flask:
        app = wiring.create_app(self.door)
        app.config["TESTING"] = False
        return app

    @cached_property
    def worker(self) -> Worker:
        return wiring.worker(self.door)

    def work(self) -> int:
        """Let the worker do everything that is due."""
        return self.worker.run_due()

    def anonymous(self) -> Any:
        return self.app.test_client()

    @contextmanager
    def session(self) -> Iterator[Any]:
        with self.door.database.reading() as session:
            yield session

    def all(self, statement: Any) -> Sequence[Any]:
        """Rows or entities as they are stored now."""
        with self.session() as session:
            return session.execute(statement).all()

    def again(self, entity: Base) -> Any:
        """The same row as it is stored now."""
        with self.session() as session:
            return session.get(type(entity), entity.id)  # type: ignore[attr-defined]

    def count(self, model: type[Base], *where: Any) -> int:
        with self.session() as session:
            return len(session.scalars(select(model).where(*where)).all())

    def proof(self) -> verify.Proof:
        """Whether the log holds."""
        with self.session() as session:
            return verify.verify(session, self.door.instance_keys, self.door.settings.anchor_dir)

    def log(self, **wanted: Any) -> list[dict[str, Any]]:
        """Rows of the log as dictionaries, oldest first."""
        import json  # noqa: PLC0415

        from models.audit import LedgerEntry  # noqa: PLC0415

        rows = self.all(select(LedgerEntry.payload).order_by(LedgerEntry.at, LedgerEntry.writer, LedgerEntry.seq))
        held = [json.loads(row.payload) for row in rows]
        return [row for row in held if all(row[name] == value for name, value in wanted.items())]

    @contextmanager
    def console(self, permission: Permission, purpose: Purpose = Purpose.ADMINISTRATION) -> Iterator[Access]:
        with self.door.enter(CONSOLE, permission, purpose) as access:
            yield access


class Make:
    """Rows with honest defaults, made through the acts of the house wherever there is one."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._college: College | None = None

    # --- units and people ---------------------------------------------------------------------

    def college(self, name: str = "") -> College:
        row = College(name=name or f"学院{next(_numbers)}")
        self._add(row)
        return row

    def class_group(self, college: College | None = None, name: str = "") -> ClassGroup:
        college = college or self._college or self.college()
        self._college = self._college or college
        row = ClassGroup(college_id=college.id, name=name or f"班级{next(_numbers)}")
        self._add(row)
        return row

    def staff(self, role: Role, *, college: College | None = None, name: str = "", more: Sequence[Role] = ()) -> Staff:
        number = next(_numbers)
        with self._house.console(Permission.ACCOUNTS_MANAGE) as access:
            staff = account.open_account(
                access,
                login=f"t{number}",
                name=name or f"{role.value}{number}",
                password_hash=None,
                must_change_password=False,
            )
            for held in (role, *more):
                account.grant(access, staff, role=held, college_id=college.id if college else None)
        return staff

    def person(
        self,
        role: Role,
        *,
        college: College | None = None,
        classes: Sequence[ClassGroup] = (),
        name: str = "",
        more: Sequence[Role] = (),
    ) -> Client:
        """Somebody in a role, signed in; appointed to ``classes`` for advisors and class teachers."""
        if role is Role.COLLEGE_LEAD and college is None:
            college = self._college or self.college()
            self._college = college
        staff = self.staff(role, college=college, name=name, more=more)
        for group in classes:
            self._add(ClassPost(class_id=group.id, staff_id=staff.id, role=role, since=today()))
        return Client(self._house, staff, role)

    def advisor(self, *classes: ClassGroup, name: str = "") -> Client:
        return self.person(Role.ADVISOR, classes=classes or [self.class_group()], name=name)

    def psychologist(self, name: str = "") -> Client:
        return self.person(Role.PSYCHOLOGIST, name=name)

    def head(self, name: str = "") -> Client:
        return self.person(Role.CENTRE_HEAD, name=name)

    def team(self) -> tuple[Client, Client, Client]:
        """The least a college needs: a head of the centre, a psychologist, a head of student affairs."""
        return self.head(), self.psychologist(), self.person(Role.AFFAIRS_HEAD)

    # --- students ---------------------------------------------------------------------------------

    def student(
        self,
        group: ClassGroup | None = None,
        *,
        name: str = "",
        number: str = "",
        phone: str = "13800001234",
        **details: str,
    ) -> Student:
        return self.students(1, group, name=name, number=number, phone=phone, **details)[0]

    def students(
        self,
        count: int,
        group: ClassGroup | None = None,
        *,
        name: str = "",
        number: str = "",
        phone: str = "13800001234",
        **details: str,
    ) -> list[Student]:
        """Students through the real roster import."""
        group = group or self.class_group()
        with self._house.session() as session:
            college = session.get(College, group.college_id).name
        header = ["学号", "姓名", "学院", "班级", "手机号", *details]
        rows: list[list[Any]] = []
        for _ in range(count):
            serial = next(_numbers)
            rows.append(
                [number or f"2026{serial:06d}", name or f"学生{serial}", college, group.name, phone, *details.values()]
            )
        self.roster(header, rows)
        indexes = []
        with self._house.console(Permission.ROSTER_IMPORT) as access:
            indexes = [access.index("number", row[0]) for row in rows]
        with self._house.session() as session:
            from models.student import StudentNumber  # noqa: PLC0415

            found = {
                index: student
                for index, student in session.execute(
                    select(StudentNumber.index, Student)
                    .join(Student, Student.id == StudentNumber.student_id)
                    .where(StudentNumber.index.in_(indexes))
                )
            }
        return [found[index] for index in indexes]

    def roster(self, header: list[str], rows: list[list[Any]], *, complete: bool = False) -> dict[str, Any]:
        """Import a roster; returns its receipt."""
        table = Table("", ("",), 1, header, rows, range(2, len(rows) + 2))
        with self._house.console(Permission.ROSTER_IMPORT) as access:
            batch = self._batch(access, BatchKind.ROSTER)
            prepared = roster_compare.work_out(access, table, complete=complete)
            roster.commit(access, batch, prepared)
        return prepared.receipt

    def _batch(self, access: Access, kind: BatchKind) -> ImportBatch:
        batch = ImportBatch(
            kind=kind, stage=BatchStage.COMMITTED, uploaded_at=now(), bytes_total=0, file_digest=bytes(32)
        )
        access.seal(batch, ImportBatch.file_name, "test")
        access.session.add(batch)
        return batch

    # --- alerts and cases ------------------------------------------------------------------------------

    def round(self, name: str = "") -> ScreeningRound:
        with self._house.console(Permission.SCREENING_IMPORT, Purpose.CARE) as access:
            row = round.draft(access, name=name or f"批次{next(_numbers)}")
            round.add(access, row)
            return row

    def alert(self, student: Student, *, rule: str = "report.soon") -> Alert:
        """An open alert, raised as a person would raise it."""
        with self._house.console(Permission.SCREENING_IMPORT, Purpose.CARE) as access:
            alert.raise_one(
                access,
                access.session.get_one(Student, student.id),
                rule_id=rule,
                source_kind="test",
                source_id=new_id(),
            )
        [row] = self._house.all(select(Alert).where(Alert.student_id == student.id, Alert.ended_at.is_(None)))
        return row[0]

    def duties(self, row: Alert) -> dict[str, Duty]:
        """Open duties of an alert by kind."""
        return {
            found[0].kind.value: found[0]
            for found in self._house.all(select(Duty).where(Duty.alert_id == row.id, Duty.stage == "open"))
        }

    def case(self, keeper: Client, student: Student, *, level: Level = Level.YELLOW, text: str = "初次评估") -> Case:
        with keeper.under(Permission.CASE_OPEN) as access:
            return opening.open_case(access, access.find(Student, student.id), level=level, text=text)

    def _add(self, *rows: Base) -> None:
        with self._house.door.database.writing() as session:
            session.add_all(rows)


def xlsx(*rows: Sequence[Any], sheet: str = "Sheet1") -> bytes:
    """A workbook with these rows."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(list(row))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def later(**span: float) -> Any:
    """A time from now."""
    return now() + timedelta(**span)


def ids(rows: Sequence[Row[Any]], place: Callable[[Any], UUID] = lambda row: row[0]) -> list[UUID]:
    return [place(row) for row in rows]
