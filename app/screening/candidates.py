"""Whose row it may be: candidates with what speaks for each, for a person to decide (practice §1.4).

Found by the name and its sound, by the number with zeros put back, and among
the students of the class the row names; then compared with names and birth
dates open. The points are in ``config/matching.toml``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import or_, select

from app.screening.identities import Candidate, Ground, Match, Strength, Why
from app.screening.people import SLICE, People, Person, slices
from app.security.access import Access
from app.security.vault import normal
from app.students.naming import pinyin
from app.students.search import numbers_of
from app.students.units import Units
from app.students.writing import folded, is_spelt, one_sign_apart, related_form, same_name, sounds
from app.web.words import mask_name, mask_number
from config import catalogue
from models.bulk import fetch_many
from models.identity import ClassGroup, College
from models.student import Student, StudentNumber

BY_NUMBER = frozenset({Ground.NUMBER, Ground.LOST_ZEROS, Ground.FORMER_NUMBER, Ground.CROSSED})
_LIKE_NAMES = (Ground.NAME, Ground.FORMER_NAME)
_PRESENT = frozenset(key for key, held in catalogue.table("statuses").items() if held["present"])
_CLEAR = 3
"""Points by which a proposed candidate leads the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One row in question: what it says, and whose its number is or was."""

    position: int = 0
    key: str = ""
    why: Why = Why.UNKNOWN
    number: str = ""
    """Normal form; empty where there is none or it is damaged."""
    name: str = ""
    class_name: str = ""
    college: str = ""
    born: str = ""
    bearer: Match | None = None
    crossed: Match | None = None
    former: tuple[Match, ...] = ()


class Finder:
    """Finds candidates for many rows at once, so that every student is read and opened once."""

    def __init__(self, access: Access, people: People | None = None) -> None:
        self.access = access
        self.people = people or People(access)
        self.points: dict[str, int] = catalogue.table("matching")["points"]
        self._units = Units(access.session)
        self._classes: dict[tuple[str, str], tuple[bytes, ...]] = {}
        self._numbers: dict[bytes, set[bytes]] = defaultdict(set)

    def find(self, asked: Sequence[Asked], scope: Iterable[bytes] = ()) -> list[tuple[Candidate, ...]]:
        """The best candidates of every row, best first. ``scope``: classes to search where a row names none."""
        pools = self._pools(asked, set(scope))
        self.people.load(student_id for pool in pools for student_id in pool)
        near = [
            {student_id for student_id in pool if self._by_name(item, self.people[student_id]) or pool[student_id]}
            for item, pool in zip(asked, pools, strict=True)
        ]
        everybody = {student_id for some in near for student_id in some}
        self.people.load_details(everybody)
        self._load_numbers(everybody)
        ranked = [self._ranked(item, pool) for item, pool in zip(asked, pools, strict=True)]
        return self._shown(ranked)

    # --- who comes into question ------------------------------------------------------------

    def _pools(self, asked: Sequence[Asked], scope: set[bytes]) -> list[dict[bytes, set[Ground]]]:
        """Students to compare each row with, and what is known of them by number alone."""
        by_name, by_zeros = self._alike(asked), self._with_zeros(asked)
        few = scope if len(scope) <= catalogue.table("matching")["most_scope_classes"] else set()
        classes = [set(self._classes_of(item)) or few for item in asked]
        members = self._members({class_id for some in classes for class_id in some})
        pools = []
        for place, item in enumerate(asked):
            alike = by_name[place].union(*(members[group] for group in classes[place] if item.name))
            pool: dict[bytes, set[Ground]] = defaultdict(set, {student_id: set() for student_id in alike})
            for student_id in by_zeros.get(item.number, ()):
                pool[student_id].add(Ground.LOST_ZEROS)
            for match, ground in self._borne(item):
                pool[match.student_id].add(ground)
            pools.append(pool)
        return pools

    def _borne(self, item: Asked) -> Iterable[tuple[Match, Ground]]:
        yield from ((match, Ground.FORMER_NUMBER) for match in item.former)
        if item.bearer is not None:
            yield item.bearer, Ground.NUMBER
        if item.crossed is not None:
            yield item.crossed, Ground.CROSSED

    def _alike(self, asked: Sequence[Asked]) -> list[set[bytes]]:
        """Students whose name or its sound is that of a row, by keyed hash."""
        access = self.access
        keys = [
            {access.index("name", form) for form in {normal(item.name), folded(item.name), related_form(item.name)}}
            | {access.index("pinyin", spelt) for spelt in {pinyin(folded(item.name)), *sounds(item.name)}}
            if item.name
            else set()
            for item in asked
        ]
        wanted, found = sorted({key for some in keys for key in some}), defaultdict(set)
        for start in range(0, len(wanted), SLICE):
            some = wanted[start : start + SLICE]
            query = select(Student.id, Student.name_index, Student.pinyin_index)
            either = or_(Student.name_index.in_(some), Student.pinyin_index.in_(some))
            for student_id, *indexes in fetch_many(access.session, query.where(either)):
                for index in indexes:
                    found[index].add(student_id)
        return [{student_id for key in some for student_id in found.get(key, ())} for some in keys]

    def _with_zeros(self, asked: Sequence[Asked]) -> dict[str, set[bytes]]:
        """Number → students who bear it with zeros put back in front, or taken away."""
        most = catalogue.table("matching")["most_lost_zeros"]
        keys: dict[bytes, str] = {}
        for number in {item.number for item in asked if item.number}:
            forms = {"0" * count + number for count in range(1, most + 1)} | {number.lstrip("0")}
            keys |= {self.access.index("number", form): number for form in forms - {number, ""}}
        found: dict[str, set[bytes]] = defaultdict(set)
        wanted = sorted(keys)
        for start in range(0, len(wanted), SLICE):
            query = select(StudentNumber.index, StudentNumber.student_id).where(
                StudentNumber.until.is_(None), StudentNumber.index.in_(wanted[start : start + SLICE])
            )
            for index, student_id in fetch_many(self.access.session, query):
                found[keys[index]].add(student_id)
        return found

    def _classes_of(self, item: Asked) -> tuple[bytes, ...]:
        """The classes a row may mean, by any of their names; the class alone where its college is not known."""
        if not item.class_name:
            return ()
        key = (item.class_name, item.college)
        if key not in self._classes:
            found = self._units.find_classes(*key) or self._units.find_classes(item.class_name)
            self._classes[key] = tuple(class_id.bytes for class_id in found)
        return self._classes[key]

    def _members(self, class_ids: set[bytes]) -> dict[bytes, set[bytes]]:
        found: dict[bytes, set[bytes]] = defaultdict(set)
        for some in slices(class_ids):
            query = select(Student.class_id, Student.id).where(Student.class_id.in_(some))
            for class_id, student_id in fetch_many(self.access.session, query):
                found[class_id].add(student_id)
        return found

    def _load_numbers(self, student_ids: set[bytes]) -> None:
        for some in slices(student_ids):
            query = select(StudentNumber.student_id, StudentNumber.index)
            for student_id, index in fetch_many(self.access.session, query.where(StudentNumber.student_id.in_(some))):
                self._numbers[student_id].add(index)

    # --- what speaks for each ------------------------------------------------------------------

    def _by_name(self, item: Asked, person: Person) -> Ground | None:
        """How the name of a row agrees with that of a student, at best."""
        if not item.name:
            return None
        if same_name(item.name, person.name):
            return Ground.SOUND if is_spelt(item.name) else Ground.NAME
        if person.former_name and same_name(item.name, person.former_name):
            return Ground.FORMER_NAME
        if related_form(item.name) == related_form(person.name):
            return Ground.RELATED_NAME
        if not sounds(item.name).isdisjoint(sounds(person.name)):
            return Ground.SOUND
        return Ground.ONE_SIGN if one_sign_apart(folded(item.name), folded(person.name)) else None

    def _ranked(self, item: Asked, pool: Mapping[bytes, set[Ground]]) -> list[Candidate]:
        near = self._near_numbers(item) if item.number and pool else set()
        ranked = []
        for student_id, known in pool.items():
            person, grounds = self.people[student_id], set(known)
            named = self._by_name(item, person)
            if named is None and not known:
                continue
            grounds |= {named} if named else set()
            if named and not near.isdisjoint(self._numbers[student_id]):
                grounds.add(Ground.NUMBER_NEAR)
            grounds |= self._beside(item, person)
            points = sum(self.points[ground.value] for ground in grounds)
            strength = _strength(points, grounds)
            if strength:
                ordered = tuple(ground for ground in Ground if ground in grounds)
                found = Candidate(
                    student=person.match, strength=strength, points=points, grounds=ordered, status=person.status
                )
                ranked.append(found)
        ranked.sort(key=lambda found: (-found.points, found.student.student_id))
        return ranked[: catalogue.table("matching")["most_candidates"]]

    def _beside(self, item: Asked, person: Person) -> set[Ground]:
        """What class, birth date and status say."""
        found: set[Ground] = set()
        classes = self._classes_of(item)
        if classes:
            found.add(Ground.CLASS if person.match.class_id in classes else Ground.CLASS_DIFFERS)
        if Ground.CLASS not in found and item.college:
            college_id = self._units.college(item.college)
            found |= {Ground.COLLEGE} if college_id and college_id.bytes == person.match.college_id else set()
        if item.born and person.born:
            found.add(Ground.BIRTH_DATE if item.born == person.born else Ground.BIRTH_DIFFERS)
        if person.status not in _PRESENT:
            found.add(Ground.GONE)
        return found

    def _near_numbers(self, item: Asked) -> set[bytes]:
        """Keyed hashes of every number that is one sign from this one."""
        number, signs = item.number, "0123456789"
        forms = {number[:place] + number[place + 1 :] for place in range(len(number))}
        forms |= {number[:at] + sign + number[at + 1 :] for at in range(len(number)) for sign in signs}
        forms |= {number[:at] + sign + number[at:] for at in range(len(number) + 1) for sign in signs}
        forms |= {number[:at] + number[at : at + 2][::-1] + number[at + 2 :] for at in range(len(number) - 1)}
        return set(self.access.vault.index_many("number", forms - {number}))

    # --- as they are shown -----------------------------------------------------------------------

    def _shown(self, ranked: list[list[Candidate]]) -> list[tuple[Candidate, ...]]:
        ids = sorted({found.student.student_id for some in ranked for found in some})
        numbers: dict[UUID, str] = {}
        for some in slices(ids):
            numbers |= numbers_of(self.access, some)
        places = {
            row.id.bytes: row
            for row in self.access.session.execute(
                select(ClassGroup.id, ClassGroup.name, College.name.label("college")).join(
                    College, College.id == ClassGroup.college_id
                )
            )
        }
        return [tuple(self._masked(found, numbers, places) for found in some) for some in ranked]

    def _masked(self, found: Candidate, numbers: Mapping[UUID, str], places: Mapping[bytes, object]) -> Candidate:
        student_id, place = found.student.student_id, places[found.student.class_id]
        return replace(
            found,
            name=mask_name(self.people[student_id].name),
            number=mask_number(numbers.get(UUID(bytes=student_id), "")),
            college=place.college,  # type: ignore[attr-defined]
            class_name=place.name,  # type: ignore[attr-defined]
        )


def _strength(points: int, grounds: set[Ground]) -> Strength | None:
    """How strong a candidate is; whoever bears the number is always worth a look."""
    least = catalogue.table("matching")["strength"]
    for strength in Strength:
        if points >= least[strength.value]:
            return strength
    return Strength.POSSIBLE if grounds & BY_NUMBER else None


def proposed(found: Sequence[Candidate]) -> str | None:
    """Who may be chosen beforehand: under this very name, strong, and clear of the next. A person still decides."""
    if not found or found[0].strength is not Strength.STRONG or not set(_LIKE_NAMES) & set(found[0].grounds):
        return None
    clear = len(found) == 1 or found[0].points - found[1].points >= _CLEAR
    return found[0].id if clear else None
