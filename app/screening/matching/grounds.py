"""What speaks for one candidate, and how much: names and numbers compared, points added (``config/matching.toml``)."""

from __future__ import annotations

from collections.abc import Sequence

from app.screening.matching.identities import Candidate, Ground, Strength
from app.screening.matching.people import Person
from app.students.writing import Forms, forms, one_sign_apart, same_name
from config import catalogue

BY_NUMBER = frozenset({Ground.NUMBER, Ground.LOST_ZEROS, Ground.FORMER_NUMBER, Ground.CROSSED})
_BY_NAME = frozenset({Ground.NAME, Ground.FORMER_NAME})


def agreement(name: Forms, person: Person) -> Ground | None:
    """How the name of a row agrees with that of a student, at best."""
    if not name.folded:
        return None
    if same_name(name, person.forms):
        return Ground.SOUND if name.is_spelt and not person.forms.is_spelt else Ground.NAME
    if person.former_name and same_name(name, forms(person.former_name)):
        return Ground.FORMER_NAME
    if name.related == person.forms.related:
        return Ground.RELATED_NAME
    if not name.sounds.isdisjoint(person.forms.sounds):
        return Ground.SOUND
    return Ground.ONE_SIGN if one_sign_apart(name.folded, person.forms.folded) else None


def numbers_near(number: str) -> set[str]:
    """Every number that is one digit, or one exchange of neighbours, from this one."""
    if not number:
        return set()
    digits, places = "0123456789", range(len(number))
    forms = {number[:at] + number[at + 1 :] for at in places}
    forms |= {number[:at] + digit + number[at + 1 :] for at in places for digit in digits}
    forms |= {number[:at] + digit + number[at:] for at in range(len(number) + 1) for digit in digits}
    forms |= {number[:at] + number[at : at + 2][::-1] + number[at + 2 :] for at in places}
    return forms - {number, ""}


def strength_of(points: int, grounds: set[Ground]) -> Strength | None:
    """How strong a candidate is, if worth showing at all; whoever bears the number always is."""
    least = catalogue.table("matching")["strength"]
    for strength in Strength:
        if points >= least[strength.value]:
            return strength
    return Strength.POSSIBLE if grounds & BY_NUMBER else None


def proposed(found: Sequence[Candidate]) -> str | None:
    """Who may be chosen beforehand: under this very name, strong, and clear of the next. A person still decides."""
    if not found or found[0].strength is not Strength.STRONG or not _BY_NAME & set(found[0].grounds):
        return None
    clear = catalogue.table("matching")["strength"]["clear"]
    is_clear = len(found) == 1 or found[0].points - found[1].points >= clear
    return found[0].id if is_clear else None
