"""The whole import against its bare parts, interleaved, each in a fresh process on a fresh copy of one database."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import hmac
import json
import multiprocessing
import os
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import python_calamine
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from openpyxl import Workbook

from app.cli import installation
from app.cli.screening import import_results
from app.identity import account
from app.intake.sheet import Table
from app.security.actor import CONSOLE
from app.security.door import open_door
from app.security.policy import Permission, Purpose
from app.students import roster, roster_compare
from config import settings as configuration
from config.settings import Settings
from models.base import new_id
from models.identity import ClassPost, Role
from models.intake import BatchStage, ImportBatch
from models.keys import DeploymentKind
from models.moment import now, today

WRITTEN = (
    "response_set",
    "alert",
    "signal",
    "duty",
    "duty_holder",
    "interview_entry",
    "notice",
    "import_batch",
    "screening_round",
    "ledger_entry",
    "ledger_subject",
)
"""Tables in which an import leaves rows."""


def run(students: int, rounds: int, summary: Callable[[list[float], list[float]], dict[str, Any]]) -> dict[str, Any]:
    """Measure; returns ratio, medians, peak memory and what was imported."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        settings = settings_in(base / "template")
        build(settings, students)
        file = base / "results.xlsx"
        write_results(file, students)
        whole, bare, peaks, receipt = [], [], [], {}
        for number in range(rounds):
            place = base / f"run{number}"
            shutil.copytree(settings.home, place)
            done = apart(_whole, place, file)
            whole.append(done["seconds"])
            peaks.append(done["peak_mb"])
            receipt = done["receipt"]
            bare.append(apart(_bare, settings.home, place, file, base / f"bare{number}")["seconds"])
            shutil.rmtree(place)
        return {**summary(whole, bare), "peak_mb": max(peaks), "students": students, "receipt": receipt}


def settings_in(home: Path) -> Settings:
    """An installation of its own in a folder."""
    return replace(
        configuration.read({"XINYU_HOME": str(home)}),
        home=home,
        key_dir=home / "keys",
        database_url=f"sqlite:///{home / 'xinyu.db'}",
        owner_database_url=f"sqlite:///{home / 'xinyu.db'}",
    )


def apart(work: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """Run in a process of its own, so that memory and caches of one run do not colour the next."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(work, arguments)


# --- the college -------------------------------------------------------------------------


def build(settings: Settings, students: int) -> None:
    """A college of invented students, with the people who care for them."""
    installation.create(settings, kind=DeploymentKind.DEMO, school="bench")
    door = installation.opened(settings)
    classes = max(1, students // 50)
    header = ["学号", "姓名", "学院", "班级"]
    rows = [
        [_number(index), _name(index), f"学院{index % classes % 20}", f"班级{index % classes}"]
        for index in range(students)
    ]
    table = Table("", ("",), 1, header, rows, range(2, students + 2))  # type: ignore[arg-type]
    with door.enter(CONSOLE, Permission.ROSTER_IMPORT, Purpose.ADMINISTRATION) as access:
        batch = ImportBatch(
            kind=roster.IMPORTER.kind,
            stage=BatchStage.COMMITTING,
            uploaded_at=now(),
            bytes_total=0,
            file_digest=bytes(32),
        )
        access.seal(batch, ImportBatch.file_name, "bench")
        access.session.add(batch)
        prepared = roster_compare.work_out(access, table, complete=False)
        roster.commit(access, batch, prepared)
        units = list(prepared.units.new_classes)
    with door.enter(CONSOLE, Permission.ACCOUNTS_MANAGE, Purpose.ADMINISTRATION) as access:
        for role, count in ((Role.CENTRE_HEAD, 1), (Role.AFFAIRS_HEAD, 1), (Role.PSYCHOLOGIST, 4), (Role.ADVISOR, 40)):
            for number in range(count):
                staff = account.open_account(
                    access, login=f"{role.value}{number}", name=f"老师{number}", password_hash=None
                )
                account.grant(access, staff, role=role)
                if role is Role.ADVISOR:
                    for class_id in units[number::40]:
                        access.session.add(
                            ClassPost(id=new_id(), class_id=class_id, staff_id=staff.id, role=role, since=today())
                        )
    door.database.dispose()


def _number(index: int) -> str:
    return f"2026{index:07d}"


def _name(index: int) -> str:
    return "王李张刘陈杨黄赵吴周"[index % 10] + chr(0x4E00 + index // 10 % 2000) + chr(0x5000 + index // 20_000 % 900)


def write_results(path: Path, students: int, *, seed: int = 7) -> None:
    """Answers near the shares of domain §2.1: item 9 present in about 9 %, totals of 10 and more in about a quarter."""
    chance = random.Random(seed)  # noqa: S311 - invented answers
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.append(["学号", "姓名", "班级", *(f"PHQ9-{n}" for n in range(1, 10)), *(f"GAD7-{n}" for n in range(1, 8))])
    classes = max(1, students // 50)
    for index in range(students):
        strain = chance.gauss(0, 1)
        answers = [_answer(chance, strain + (0.1 if item != 8 else -1.9)) for item in range(16)]
        sheet.append([_number(index), _name(index), f"班级{index % classes}", *answers])
    book.save(path)


def _answer(chance: random.Random, ease: float) -> int:
    value = ease + chance.gauss(0, 0.7)
    return 0 if value < 0.3 else 1 if value < 1.4 else 2 if value < 2.3 else 3


# --- the two sides ---------------------------------------------------------------------------


def _whole(home: Path, file: Path) -> dict[str, Any]:
    """Everything: read, validate, match, unwrap, seal, score, rules, alerts, log, commit."""
    installation.opened(settings_in(home)).database.dispose()
    door = open_door(settings_in(home))
    before = time.perf_counter()
    receipt = import_results(door, file, round_name="bench", scales=("phq9", "gad7"))
    seconds = time.perf_counter() - before
    peak = _peak_mb()
    del receipt["problems"]
    return {"seconds": seconds, "peak_mb": peak, "receipt": receipt}


def _peak_mb() -> int:
    """The most memory this process has held: ``ru_maxrss`` would also count the parent it was started from."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def _bare(template: Path, imported: Path, file: Path, place: Path) -> dict[str, Any]:
    """The floor: calamine; per student one unwrap, one HMAC, one JSON, one AES-GCM; the same rows by the driver."""
    shutil.copytree(template, place)
    rows = _rows_of(imported / "xinyu.db", template / "xinyu.db")
    wrapper = AESGCM(os.urandom(32))
    nonce = os.urandom(12)
    wrapped = [nonce + wrapper.encrypt(nonce, os.urandom(32), b"bound") for _ in range(_count(file))]
    connection = sqlite3.connect(place / "xinyu.db", isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    gc.disable()
    before = time.perf_counter()
    table = python_calamine.load_workbook(str(file)).get_sheet_by_index(0).to_python()
    for key, row in zip(wrapped, table[1:], strict=True):
        opened = wrapper.decrypt(key[:12], key[12:], b"bound")
        hmac.digest(b"k" * 32, str(row[0]).encode(), hashlib.sha256)
        plain = json.dumps({"answers": row[3:12], "total": 12, "band": "moderate", "positive": True}).encode()
        AESGCM(opened).encrypt(nonce, plain, b"bound")
    connection.execute("BEGIN IMMEDIATE")
    for name, (columns, values) in rows.items():
        marks = ", ".join("?" * len(columns))
        names = ", ".join(f'"{column}"' for column in columns)
        connection.executemany(f'INSERT INTO "{name}" ({names}) VALUES ({marks})', values)  # noqa: S608 - our own names
    connection.execute("COMMIT")
    seconds = time.perf_counter() - before
    connection.close()
    shutil.rmtree(place)
    return {"seconds": seconds}


def _count(file: Path) -> int:
    height: int = python_calamine.load_workbook(str(file)).get_sheet_by_index(0).height
    return height - 1


def _rows_of(path: Path, before: Path) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """The rows an import left, table by table, in an order in which they can be inserted."""
    found = {}
    order = (
        "screening_round",
        "import_batch",
        *(name for name in WRITTEN if name not in {"screening_round", "import_batch"}),
    )
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("ATTACH ? AS template", (str(before),))
        for name in order:
            key = "id" if name != "ledger_subject" else "entry_id"
            cursor = connection.execute(
                f'SELECT * FROM "{name}" WHERE {key} NOT IN (SELECT {key} FROM template."{name}") ORDER BY rowid'  # noqa: S608
            )
            found[name] = ([column[0] for column in cursor.description], cursor.fetchall())
    return found
