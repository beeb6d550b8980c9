"""An invented college and a results file with everything that real files do to numbers and names, labelled.

Names follow rough shares of real surnames and given names, so that there are
homonyms and people who sound alike. Nothing here is a real person's.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

from pypinyin import lazy_pinyin

from app.intake.sheet import Cell

SURNAMES = (
    "王72李70张67刘51陈46杨32黄24赵22吴21周21徐17孙16马13朱13胡12林12郭12何12高11罗10郑9梁9谢8宋8唐7许7邓6韩6"
    "冯6曹5彭5曾5肖5田4董4潘4袁4蔡4蒋4余4于4杜4叶4程4魏4苏3吕3丁3任3卢3姚3沈3钟3姜3崔3谭3陆3范3汪3廖3石2金2"
    "韦2贾2夏2付2方2邹2熊2白2孟2秦2欧阳1司马1上官1"
)
"""Surnames and about how many in a thousand bear them."""
GIVEN = (
    "涵8轩8宇8浩8欣8怡8梓8子8雨7佳7思6嘉6晨6文6俊6杰6博6明5一5诺5泽5睿5婷5雪5静5琪4瑶4悦4彤4萱4妍4晓4小4诗4"
    "语4若4心4可3馨3乐3安3宁3航3鹏3志3强3伟3磊3超3涛3国2华2军2丽2娜2敏2燕2峰2龙2凯2辉2毅2天2阳2昊2皓1寒1函1"
    "晗1喆1哲1堃1坤1昇1升1玥1月1妤1予1钰1玉1倩1茜1丽1莉1芸1云1赟1"
)
"""Signs of given names with a weight: usual ones of those born about 2005, and many that sound or look alike."""
_OTHER_WRITING = str.maketrans("国华军丽龙辉晓悦峰", "國華軍麗龍輝曉悅峯")
_ALIKE = str.maketrans("涵晗晓小哲喆玉丽云轩", "函寒小晓喆哲钰莉芸萱")
_SHARES = {
    "clean": 760,
    "variant": 30,
    "spelt": 20,
    "sound": 20,
    "one_sign": 15,
    "number_typo": 20,
    "neighbour": 10,
    "spelt_neighbour": 5,
    "lost_zeros": 20,
    "no_number": 20,
    "no_number_no_birth": 20,
    "name_only": 10,
    "no_number_typo": 20,
    "moved_class": 10,
    "garbled": 10,
    "former_number": 20,
    "swapped": 10,
    "stranger": 10,
}
"""In a thousand rows, about how many of each kind. Who came back, and whose number changed, comes by itself."""
CLASS_SIZE = 45


@dataclass(frozen=True, slots=True)
class Person:
    """One invented student as the roster has him."""

    number: str
    name: str
    class_name: str
    born: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the results file, the student it is about, and what was done to it."""

    truth: str | None
    """His number in the roster; none for somebody who is not there."""
    kind: str
    number: Cell
    name: str
    class_name: str
    born: str


def people(chance: random.Random, count: int) -> list[Person]:
    """A roster: classes of one size, some numbers with zeros in front, some who left and came back."""
    found: list[Person] = []
    for index in range(count):
        group = index // CLASS_SIZE
        number = f"{2023 + group % 3}{group:04d}{index % CLASS_SIZE + 1:02d}"
        if group % 8 == 0:
            number = f"0{group:05d}{index % CLASS_SIZE + 1:02d}"
        born = f"{2003 + group % 4}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
        found.append(Person(number, name(chance), _class(group), born))
    for person in chance.sample(found, count // 100):
        back = replace(person, number=f"9{person.number}", class_name=_class(chance.randrange(count // CLASS_SIZE + 1)))
        found[found.index(person)] = replace(person, status="退学")
        found.append(back)
    return found


def renumbered(people: list[Person]) -> dict[str, str]:
    """Old number → new number, of one student in forty."""
    return {person.number: f"8{person.number}" for person in people[::40] if not person.status}


def _class(group: int) -> str:
    return f"{('软件', '护理', '会计', '机电')[group % 4]}{23 + group % 3}{group:02d}班"


def name(chance: random.Random) -> str:
    family = chance.choices(*_weighted(SURNAMES))[0]
    signs = chance.choices(*_weighted(GIVEN), k=chance.choice((1, 2, 2, 2)))
    return family + "".join(signs)


def _weighted(words: str) -> tuple[list[str], list[int]]:
    pairs = re.findall(r"(\D+)(\d+)", words)
    return [word for word, _ in pairs], [int(weight) for _, weight in pairs]


def lines(chance: random.Random, roster: list[Person], changed: dict[str, str]) -> list[Line]:
    """One row of a results file for everybody who is there, each with its kind of trouble, in no order."""
    by_class: dict[str, list[Person]] = defaultdict(list)
    for person in roster:
        by_class[person.class_name].append(person)
    found: list[Line] = []
    kinds, shares = list(_SHARES), list(_SHARES.values())
    present = [person for person in roster if not person.status]
    for person in present:
        number = changed.get(person.number, person.number)
        line = Line(person.number, "clean", number, person.name, person.class_name, person.born)
        kind = chance.choices(kinds, shares)[0]
        other = chance.choice(by_class[person.class_name])
        if kind == "former_number" or (kind == "clean" and number != person.number and chance.random() < 0.5):
            line = replace(line, kind="former_number" if number != person.number else "clean", number=person.number)
        elif kind == "swapped" and other.number != person.number and not other.status:
            line = replace(line, kind=kind, number=changed.get(other.number, other.number))
            found.append(Line(other.number, kind, number, other.name, other.class_name, other.born))
        elif kind in _TROUBLES:
            line = _TROUBLES[kind](chance, replace(line, kind=kind), other)
        found.append(line)
    chance.shuffle(found)
    return found


def _variant(chance: random.Random, line: Line, _other: Person) -> Line:
    changed = line.name.translate(_OTHER_WRITING)
    written = chance.choice((changed, " ".join(line.name), f"{line.name[0]}　{line.name[1:]}", f"{line.name}．"))
    return replace(line, name=written, number=chance.choice((line.number, f"'{line.number}", f" {line.number} ")))


def _spelt(chance: random.Random, line: Line, _other: Person) -> Line:
    family, *given = lazy_pinyin(line.name)
    orders = (f"{family} {''.join(given)}", f"{''.join(given)} {family}", f"{family}{''.join(given)}".upper())
    return replace(line, name=chance.choice(orders).title())


def _sound(chance: random.Random, line: Line, other: Person) -> Line:
    changed = line.name[0] + line.name[1:].translate(_ALIKE)
    return replace(line, name=changed) if changed != line.name else _one_sign(chance, line, other)


def _one_sign(chance: random.Random, line: Line, _other: Person) -> Line:
    place = chance.randrange(1, len(line.name))
    sign = chance.choice("冉凌朵麦禾舟屿")
    return replace(line, kind="one_sign", name=line.name[:place] + sign + line.name[place + 1 :])


def _number_typo(chance: random.Random, line: Line, _other: Person) -> Line:
    number = str(line.number)
    place = chance.randrange(2, len(number))
    return replace(line, number=number[:place] + chance.choice("0123456789") + number[place + 1 :])


def _neighbour(_chance: random.Random, line: Line, other: Person) -> Line:
    return replace(line, number=other.number)


def _lost_zeros(_chance: random.Random, line: Line, _other: Person) -> Line:
    number = str(line.number)
    return replace(line, number=int(number)) if number.startswith("0") else replace(line, kind="clean")


def _stranger(chance: random.Random, line: Line, other: Person) -> Line:
    number = chance.choice(("7" + str(line.number)[1:], other.number))
    return Line(None, "stranger", number, name(chance), line.class_name, f"2004-{chance.randint(1, 12):02d}-11")


_TROUBLES: dict[str, Callable[[random.Random, Line, Person], Line]] = {
    "variant": _variant,
    "spelt": _spelt,
    "sound": _sound,
    "one_sign": _one_sign,
    "number_typo": _number_typo,
    "neighbour": _neighbour,
    "spelt_neighbour": lambda chance, line, other: _neighbour(chance, _spelt(chance, line, other), other),
    "lost_zeros": _lost_zeros,
    "no_number_no_birth": lambda _chance, line, _other: replace(line, number="", born=""),
    "name_only": lambda _chance, line, _other: replace(line, number="", born="", class_name=""),
    "no_number": lambda _chance, line, _other: replace(line, number=""),
    "no_number_typo": lambda chance, line, other: replace(
        _sound(chance, line, other), kind="no_number_typo", number="", born=""
    ),
    "moved_class": lambda _chance, line, _other: replace(line, number="", class_name="软件2399班"),
    "garbled": lambda chance, line, other: replace(
        _one_sign(chance, line, other), kind="garbled", number="", class_name=""
    ),
    "stranger": _stranger,
}
