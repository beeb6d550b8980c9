"""The invented college of the demo: files are written, then brought in by the same path as real ones.

Every name, number and answer is made up from a fixed seed. Nothing here is a
real person's.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import update

from app.cli import demo_model, demo_past, demo_results, demo_rounds, demo_story
from app.cli.demo_results import Line, Strains
from app.cli.imports import bring_in
from app.cli.output import progress
from app.cli.screening import import_results
from app.events import Event
from app.identity import staff_import
from app.security.actor import CONSOLE
from app.security.door import Door
from app.security.policy import Permission, Purpose
from app.students import class_posts, roster
from config import catalogue
from models.identity import Role, Staff

SEED = 20261122
ROUND = "2026 年秋季普查（演示）"
SPRING = "2026 年春季测评（演示）"
YEAR_BEFORE = "2025 年秋季普查（演示）"
AUTUMN_FILE = "普查结果（虚构）.xlsx"
BEGIN = 420
"""Days ago on which the invented college began."""
FRESHMEN = "2026"
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡"
    "余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
GIVEN = (
    "晓子雨思佳梓浩宇欣怡嘉文俊杰明轩诗涵博涛静雅琪雪梦瑶婷倩欢乐安宁远航志强"
    "建国海燕春华秋月冬梅一诺若曦可馨语桐沐阳泽楷锦程皓然睿哲天佑奕辰书瑶芷若清扬"
)
COLLEGES = {
    "信息工程学院": ("软件", "网络", "大数据", "物联网"),
    "护理学院": ("护理", "助产", "康复"),
    "智能制造学院": ("机电", "数控", "模具", "汽修"),
    "财经商贸学院": ("会计", "电商", "物流", "营销"),
}
CLASSES = 60
OF_FIVE_YEARS = range(45, 53)
"""Classes of the five-year course: in their fourth year now, when the others have left."""


class DemoBuilt(Event):
    """An invented college was built."""


@dataclass(frozen=True, slots=True)
class Person:
    """One invented student."""

    number: str
    name: str
    sex: str
    college: str
    class_name: str
    phone: str


def build(door: Door, *, students: int, quiet: bool) -> dict[str, Any]:
    """Write the files of an invented college, bring them in, and let its staff do a morning's work."""
    chance = random.Random(SEED)  # noqa: S311 - invented people, no secrets
    folder = door.settings.home / "demo"
    folder.mkdir(exist_ok=True, mode=0o700)
    classes = _classes()
    people = list(_people(chance, classes, students))
    advisors = _write_staff(folder / "教职工名单（虚构）.xlsx", chance)
    _write_roster(folder / "学生名册（虚构）.xlsx", people)
    _write_posts(folder / "班级辅导员表（虚构）.xlsx", classes, advisors)
    lines = [Line(person.number, person.name, person.class_name) for person in people]
    strains = Strains(lines, SEED)
    away = demo_results.write_autumn(folder / AUTUMN_FILE, lines, chance, strains)
    demo_results.write_late(folder / "补测结果（虚构）.xlsx", [*away[:8], *lines[-6:]], chance)
    with demo_past.days_ago(BEGIN):
        receipts = _bring_in_people(door, folder, quiet)
    second = _live_through(door, folder, [line for line in lines if line.number[:4] != FRESHMEN], strains, quiet)
    with _step("导入普查结果、计分、预警", quiet) as beat:
        receipts["screening"] = import_results(
            door, folder / AUTUMN_FILE, round_name=ROUND, scales=("phq9", "gad7"), beat=beat
        )
    with _step("模拟一上午的工作", quiet) as beat:
        round_id = demo_story.play(door, beat, ROUND)
        demo_rounds.hold_interview(door)
        demo_rounds.connect_source(door, round_id, folder / "补测结果（虚构）.xlsx")
    if second is not None:
        with _step("训练第 3 版模型，开始试运行", quiet):
            demo_model.train_and_watch(door, round_id)
    with door.enter(CONSOLE, Permission.MAINTENANCE, Purpose.ADMINISTRATION) as access:
        access.record(DemoBuilt(count=len(people)))
    screening = receipts["screening"]
    return {
        "rows": len(people),
        "alerts": screening["alerts"],
        "interview_list": screening["interview_list"],
        "problems": {name: receipt["problems_total"] for name, receipt in receipts.items()},
    }


def _bring_in_people(door: Door, folder: Path, quiet: bool) -> dict[str, Any]:
    """Students, staff and who answers for which class: as they stood before the first round."""
    with _step("导入学生名册", quiet) as beat:
        receipts = {"roster": bring_in(door, roster.IMPORTER, folder / "学生名册（虚构）.xlsx", beat=beat)}
    with _step("导入教职工", quiet) as beat:
        receipts["staff"] = bring_in(door, staff_import.IMPORTER, folder / "教职工名单（虚构）.xlsx", beat=beat)
    with _step("任命辅导员", quiet) as beat:
        receipts["posts"] = bring_in(door, class_posts.IMPORTER, folder / "班级辅导员表（虚构）.xlsx", beat=beat)
    _settle_accounts(door)
    return receipts


def _live_through(door: Door, folder: Path, lines: list[Line], strains: Strains, quiet: bool) -> UUID | None:
    """The year before: two rounds with what came of their talks, and two editions of the model, one after the other.

    The second knows how answers changed from round to round: so it can add names to this autumn's list.
    Returns it, or none where the college is too small.
    """
    chance = random.Random(SEED + 1)  # noqa: S311 - invented people, no secrets
    demo_results.write_year_before(folder / "去年秋季结果（虚构）.xlsx", lines, chance, strains)
    demo_results.write_spring(folder / "春季测评结果（虚构）.xlsx", lines, chance, strains)
    with _step("去年秋季：导入、约谈", quiet) as beat, demo_past.days_ago(400):
        year_before = demo_past.bring_in(door, folder / "去年秋季结果（虚构）.xlsx", YEAR_BEFORE)
        demo_past.talk_through(door, year_before, strains, "year_before", beat)
    with demo_past.days_ago(370):
        demo_past.end(door, year_before)
    with _step("训练第 1 版模型", quiet), demo_past.days_ago(220):
        first = demo_model.train(door)
    with _step("今年春季：导入、约谈", quiet) as beat, demo_past.days_ago(205):
        spring = demo_past.bring_in(door, folder / "春季测评结果（虚构）.xlsx", SPRING)
        if first is not None:
            demo_model.watch(door, first, spring)
        demo_past.talk_through(door, spring, strains, "spring", beat)
    with demo_past.days_ago(185):
        if first is not None:
            demo_model.put_to_use(door, first)
            demo_past.talk_through(door, spring, strains, "spring")
    with _step("训练第 2 版模型", quiet), demo_past.days_ago(170):
        second = demo_model.train_and_watch(door, spring)
    with demo_past.days_ago(150):
        if second is not None:
            demo_model.put_to_use(door, second)
        demo_past.end(door, spring)
    return second


@contextmanager
def _step(label: str, quiet: bool) -> Iterator[Any]:
    with progress(label, quiet=quiet) as beat:
        if not quiet and not sys.stderr.isatty():
            sys.stderr.write(f"{label}…\n")
        yield beat


# --- who is there -----------------------------------------------------------------------


def _classes() -> list[tuple[str, str, int]]:
    """60 classes over 4 colleges: college, class name, year."""
    found = []
    names = [(college, major) for college, majors in COLLEGES.items() for major in majors]
    for number in range(CLASSES):
        college, major = names[number % len(names)]
        year = 2023 if number in OF_FIVE_YEARS else 2024 + (number // len(names)) % 3
        found.append((college, f"{major}{year % 100}{number // (3 * len(names)) + 1:02d}", year))
    return found


def _name(chance: random.Random) -> str:
    return chance.choice(SURNAMES) + "".join(chance.sample(GIVEN, chance.choice((1, 2, 2, 2))))


def _people(chance: random.Random, classes: list[tuple[str, str, int]], count: int) -> Iterator[Person]:
    for index in range(count):
        place = index % len(classes)
        college, class_name, year = classes[place]
        phone = "" if chance.random() < 0.04 else f"1{chance.choice('356789')}0{chance.randrange(10**8):08d}"
        yield Person(
            number=f"{year}{place + 1:03d}{index // len(classes) + 1:03d}",
            name=_name(chance),
            sex=chance.choice(("男", "女")),
            college=college,
            class_name=class_name,
            phone=phone,
        )


def _write_staff(path: Path, chance: random.Random) -> list[tuple[str, str]]:
    """The list of staff; returns the advisors, who are appointed to classes by the class table."""
    labels = catalogue.table("roles")

    def line(login: str, role: Role, college: str = "") -> tuple[str, ...]:
        return (login, _name(chance), labels[role.value]["label"], college, f"1390000{chance.randrange(10**4):04d}")

    rows: list[tuple[str, ...]] = []
    advisors = [line(f"fdy{number:02d}", Role.ADVISOR) for number in range(1, 13)]
    rows += advisors
    rows += [line(f"bzr{number:02d}", Role.CLASS_TEACHER) for number in range(1, 5)]
    rows += [line(f"yx{number:02d}", Role.COLLEGE_LEAD, college) for number, college in enumerate(COLLEGES, start=1)]
    rows += [line(f"xl{number:02d}", Role.PSYCHOLOGIST) for number in range(1, 5)]
    single = {
        "zhuren": Role.CENTRE_HEAD,
        "xgb": Role.AFFAIRS_HEAD,
        "zhiban": Role.DUTY,
        "baowei": Role.TASK_PARTNER,
        "dudao": Role.SUPERVISOR,
        "zizhu": Role.AID_OFFICER,
        "xinliweiyuan": Role.OBSERVER,
        "xiaoling": Role.SCHOOL_LEADER,
        "xueji": Role.REGISTRAR,
        "xitong": Role.SYSADMIN,
        "anquan": Role.SECURITY_ADMIN,
        "shenji": Role.AUDITOR,
    }
    rows += [line(login, role) for login, role in single.items()]
    demo_results.save(path, ("工号", "姓名", "角色", "学院", "手机"), rows)
    teachers = [row for row in rows if row[0].startswith("bzr")]
    return [(row[0], row[1]) for row in advisors] + [(row[0], row[1]) for row in teachers]


def _write_roster(path: Path, people: list[Person]) -> None:
    rows = [
        (
            person.number,
            person.name,
            person.sex,
            person.college,
            f"{person.number[:4]}级",
            person.class_name,
            "在校",
            person.phone,
            f"{index % 6 + 1}栋-{index % 500 + 101}-{index % 4 + 1}" if index % 7 else "",
        )
        for index, person in enumerate(people)
    ]
    demo_results.save(path, ("学号", "姓名", "性别", "学院", "年级", "班级", "学籍状态", "手机号", "宿舍"), rows)


def _write_posts(path: Path, classes: list[tuple[str, str, int]], people: list[tuple[str, str]]) -> None:
    """Five classes to an advisor; the last class has none, so that the to-do list has something to say."""
    advisors, teachers = people[:12], people[12:]
    rows = []
    for place, (college, class_name, _year) in enumerate(classes[:-1]):
        advisor, teacher = advisors[place % len(advisors)], teachers[place % len(teachers)]
        rows.append((college, class_name, advisor[1], advisor[0], teacher[1], teacher[0]))
    demo_results.save(path, ("学院", "班级", "辅导员", "辅导员工号", "班主任", "班主任工号"), rows)


def _settle_accounts(door: Door) -> None:
    """Staff of a demo have no passwords: they come in by one click, and nobody is asked to change one."""
    with door.enter(CONSOLE, Permission.ACCOUNTS_MANAGE, Purpose.ADMINISTRATION) as access:
        access.session.execute(update(Staff).values(must_change_password=False))
