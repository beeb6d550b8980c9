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

from app.screening.matching.grounds import agreement, numbers_near, strength_of
from app.screening.matching.identities import Candidate, Ground, Match, Strength, Why
from app.screening.matching.people import SLICE, People, Person, matches, slices
from app.security.access import Access
from app.security.vault import normal
from app.students.naming import pinyin
from app.students.search import numbers_of
from app.students.units import Units
from app.students.writing import Forms, folded, forms, related_form, sounds
from app.web.words import mask_name, mask_number
from config import catalogue
from models.bulk import fetch_many
from models.identity import ClassGroup, College
from models.student import Student, StudentNumber

_PRESENT = frozenset(key for key, held in catalogue.table("statuses").items() if held["present"])


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
        spoken = [forms(item.name) for item in asked]
        pools = [
            {each: known for each, known in pool.items() if known or agreement(name, self.people[each])}
            for name, pool in zip(spoken, pools, strict=True)
        ]
        everybody = {student_id for pool in pools for student_id in pool}
        self.people.load_details(everybody)
        self._load_numbers(everybody)
        ranked = [self._ranked(*row) for row in zip(asked, spoken, pools, strict=True)]
        return self._shown(ranked)

    def introduce(self, known: Mapping[bytes, Ground]) -> list[Candidate]:
        """These students as they are shown, for the one reason each was found."""
        self.people.load(known)
        found = [
            Candidate(
                student=self.people[student_id].match,
                strength=Strength.POSSIBLE,
                points=0,
                grounds=(ground,),
                status=self.people[student_id].status,
            )
            for student_id, ground in known.items()
        ]
        [shown] = self._shown([found])
        return list(shown)

    def with_bearers(self, asked: Asked) -> Asked:
        """The row, with whoever bears its number or once did."""
        index = self.access.index("number", asked.number)
        rows = self.access.session.execute(
            select(StudentNumber.student_id, StudentNumber.until)
            .where(StudentNumber.index == index)
            .order_by(StudentNumber.student_id)
        ).all()
        known = matches(self.access, [row.student_id.bytes for row in rows])
        live = [known[row.student_id.bytes] for row in rows if row.until is None]
        once = tuple(known[row.student_id.bytes] for row in rows if row.until is not None)
        return replace(asked, bearer=live[0] if live else None, former=once)

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

    def _ranked(self, item: Asked, name: Forms, pool: Mapping[bytes, set[Ground]]) -> list[Candidate]:
        near = self._near(item.number) if pool else set()
        ranked = []
        for student_id, known in pool.items():
            person, grounds = self.people[student_id], set(known)
            named = agreement(name, person)
            if named is None and not known:
                continue
            grounds |= {named} if named else set()
            if named and not near.isdisjoint(self._numbers[student_id]):
                grounds.add(Ground.NUMBER_NEAR)
            grounds |= self._beside(item, person)
            points = sum(self.points[ground.value] for ground in grounds)
            strength = strength_of(points, grounds)
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

    def _near(self, number: str) -> set[bytes]:
        return set(self.access.vault.index_many("number", numbers_near(number)))

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
