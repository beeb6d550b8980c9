"""The rows that number and name did not settle at once: earlier numbers, other writings, then a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select

from app.intake.cells import date_of
from app.intake.problem import Problem
from app.screening.matching import swaps
from app.screening.matching.finder import Asked, Finder
from app.screening.matching.grounds import proposed
from app.screening.matching.identities import Ground, Identities, Match, Matched, Question, Why
from app.screening.matching.people import People, matches
from app.security.access import Access
from app.students.naming import is_damaged
from app.students.writing import forms, same_name
from config import catalogue
from models.bulk import fetch_many
from models.student import StudentNumber

_WORDS = {
    Why.MISSING: "学号为空",
    Why.DAMAGED: "号码被表格软件改成了科学计数，末几位已丢失；请把该列设为“文本”后重新导出",
    Why.UNKNOWN: "名册里没有这个学号；请先更新名册，或核对号码",
    Why.NAME_DIFFERS: "学号与姓名不是同一个人，请核对",
    Why.SWAPPED: "学号与姓名和第 {partner} 行正好互换，请核对后一并确认",
    Why.LOST_ZEROS: "名册里没有这个学号，开头可能丢了 0；请把该列设为“文本”后重新导出，或确认是谁",
    Why.FORMER_NUMBER: "这个学号已停用，无法据此确定是谁，请确认",
}
_SLICE = 500


class Leftover:
    """The leftover rows of one file; its parts are methods because they share what the file and the house say."""

    def __init__(
        self,
        access: Access,
        identities: Identities,
        numbers: Sequence[str],
        indexes: Sequence[bytes],
        name_indexes: Sequence[bytes],
        matched: Matched,
    ) -> None:
        self.access = access
        self.identities = identities
        self.numbers = numbers
        self.indexes = indexes
        self.name_indexes = name_indexes
        self.matched = matched
        self.people = People(access)

    def settle(self, bearers: dict[int, Match], decisions: Mapping[str, str | None], problems: list[Problem]) -> None:
        """Match what can be matched without a person, apply what a person decided, ask about the rest."""
        left = [position for position, student in enumerate(self.matched.students) if student is None]
        former = self._former(left)
        self.people.load(match.student_id for match in _all([bearers.values(), *former.values()]))
        for position in left:
            self._agree(position, bearers.get(position), former.get(position, []))
        unsure = [self._borne(position, bearers, former) for position in left if not self.matched.students[position]]
        self.people.load_details(match.student_id for match in _all(unsure))
        for position in left:
            self._agree(position, bearers.get(position), former.get(position, []))
        bearers = {position: bearer for position, bearer in bearers.items() if not self.matched.students[position]}
        former = {position: found for position, found in former.items() if not self.matched.students[position]}
        self._ask(bearers, former, decisions, problems)

    def _former(self, left: Sequence[int]) -> dict[int, list[Match]]:
        """Whose the numbers of these rows once were."""
        wanted = sorted({self.indexes[position] for position in left if self.numbers[position]})
        once: dict[bytes, set[bytes]] = defaultdict(set)
        for start in range(0, len(wanted), _SLICE):
            query = select(StudentNumber.index, StudentNumber.student_id).where(
                StudentNumber.until.is_not(None), StudentNumber.index.in_(wanted[start : start + _SLICE])
            )
            for index, student_id in fetch_many(self.access.session, query):
                once[index].add(student_id)
        known = matches(self.access, {student_id for owners in once.values() for student_id in owners})
        return {
            position: [known[student_id] for student_id in sorted(once[self.indexes[position]])]
            for position in left
            if self.indexes[position] in once
        }

    def _borne(self, position: int, bearers: Mapping[int, Match], former: Mapping[int, list[Match]]) -> list[Match]:
        return [*filter(None, [bearers.get(position)]), *former.get(position, [])]

    def _agree(self, position: int, bearer: Match | None, former: list[Match]) -> None:
        """Match a row whose number and name agree, the one by an earlier validity or the other by its writing."""
        name = self.identities.names[position]
        if self.matched.students[position] is not None:
            return
        if bearer is not None:
            if self._is_called(bearer, name):
                self._match(position, bearer, "number_variant")
            return
        owners = [match for match in former if not name or self._is_called(match, name)]
        if len(owners) == 1 and (name or len(former) == 1):
            self._match(position, owners[0], "former_number")

    def _is_called(self, match: Match, name: str) -> bool:
        person, spoken = self.people[match.student_id], forms(name)
        return same_name(spoken, person.forms) or same_name(spoken, forms(person.former_name))

    def _match(self, position: int, match: Match, how: str) -> None:
        self.matched.students[position], self.matched.how[position] = match, how

    # --- a person decides ---------------------------------------------------------------------

    def _ask(
        self,
        bearers: Mapping[int, Match],
        former: Mapping[int, list[Match]],
        decisions: Mapping[str, str | None],
        problems: list[Problem],
    ) -> None:
        left = [position for position, student in enumerate(self.matched.students) if student is None]
        decided = self._decided(decisions)
        partners = swaps.crossed(bearers, self.name_indexes)
        asked: list[Asked] = []
        for position in left:
            key = self.identities.key(self.access, position)
            if decisions.get(key) in decided:
                self._match(position, decided[decisions[key]], "decided")  # type: ignore[index]
            elif key in decisions and decisions[key] is None:
                problems.append(self._problem(position, "decided_nobody", "已注明不是本校学生"))
            else:
                crossed = bearers.get(partners.get(position, -1))
                asked.append(self._asked(position, key, bearers.get(position), former.get(position, []), crossed))
        self._questions(asked, partners, problems)

    def _decided(self, decisions: Mapping[str, str | None]) -> dict[str, Match]:
        """The students a person has named, as far as the house knows them."""
        named = [bytes.fromhex(student_id) for student_id in decisions.values() if student_id]
        return {student_id.hex(): match for student_id, match in matches(self.access, named).items()}

    def _asked(
        self, position: int, key: str, bearer: Match | None, former: list[Match], crossed: Match | None
    ) -> Asked:
        cell = self.identities.numbers[position]
        born = date_of(self.identities.births[position])
        if crossed is not None:
            why = Why.SWAPPED
        elif bearer is not None:
            why = Why.NAME_DIFFERS
        elif former:
            why = Why.FORMER_NUMBER
        elif not self.numbers[position]:
            why = Why.MISSING
        else:
            why = Why.DAMAGED if is_damaged(cell) else Why.UNKNOWN
        return Asked(
            position=position,
            key=key,
            why=why,
            number="" if why is Why.DAMAGED else self.numbers[position],
            name=self.identities.names[position],
            class_name=self.identities.classes[position],
            college=self.identities.colleges[position],
            born=born.isoformat() if born else "",
            bearer=bearer,
            crossed=crossed,
            former=tuple(former),
        )

    def _questions(self, asked: list[Asked], partners: Mapping[int, int], problems: list[Problem]) -> None:
        most = catalogue.table("matching")["most_questions"]
        if len(asked) > most:
            words = f"有 {len(asked)} 行没有对应到学生，请先更新名册；这里只为前 {most} 行找可能的人，其余只列出。"
            problems.append(Problem(None, None, "too_many_unmatched", words))
        scope = {match.class_id for match in self.matched.students if match is not None}
        finder = Finder(self.access, self.people)
        for item, found in zip(asked[:most], finder.find(asked[:most], scope), strict=True):
            question = Question(
                position=item.position,
                row=self.identities.rows[item.position],
                file=self.identities.file(item.position),
                key=item.key,
                why=item.why,
                candidates=found,
                proposed=proposed(found),
                partner=partners.get(item.position),
            )
            if item.why is Why.UNKNOWN and any(Ground.LOST_ZEROS in candidate.grounds for candidate in found):
                question.why = Why.LOST_ZEROS
            self.matched.questions.append(question)
        by_place = {question.position: question for question in self.matched.questions}
        problems += [self._said(item, by_place.get(item.position)) for item in asked]

    def _said(self, item: Asked, question: Question | None) -> Problem:
        why = question.why if question else item.why
        words = _WORDS[why]
        if question and question.partner is not None:
            words = words.format(partner=self.identities.rows[question.partner])
        elif why is Why.SWAPPED:
            words = _WORDS[Why.NAME_DIFFERS]
        if why is Why.MISSING and "student_number" not in self.identities.titles:
            words = "文件没有学号列，只凭姓名不能对应到学生"
        if question and question.candidates:
            words += f"（有 {len(question.candidates)} 位可能的学生）"
        return self._problem(item.position, why.value, words)

    def _problem(self, position: int, code: str, words: str) -> Problem:
        first, second = ("name", "student_number") if code == Why.NAME_DIFFERS else ("student_number", "name")
        title = self.identities.title(first, second)
        return Problem(
            self.identities.rows[position], title, code, f"{words}；本行未导入。", self.identities.file(position)
        )


def _all(groups: Iterable[Iterable[Match]]) -> list[Match]:
    return [match for group in groups for match in group]
