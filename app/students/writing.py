"""One name in several writings: 繁体 and 异体, dots and blanks, letters instead of characters.

Two names that are equal after ``folded`` are the same name. Whatever needs
more than that (a related character, the same sound, one sign apart) is a
reason to ask a person, never to match.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from app.security.vault import normal
from app.students.naming import pinyin
from config import catalogue

_LETTERS = (("ü", "v"), ("lyu", "lv"), ("nyu", "nv"))
"""吕 is typed lü, lv and lyu."""


def folded(name: str) -> str:
    """The form in which two writings of one name are equal: 阿依·古麗 and 阿依古丽."""
    return normal(name).translate(_same())


def related_form(name: str) -> str:
    """The form in which names with related characters are equal: 陈喆 and 陈哲. Wider than ``folded``."""
    return normal(name).translate(_related()).translate(_same())


def is_spelt(name: str) -> bool:
    """Whether a name is typed in letters instead of characters."""
    return bool(name) and folded(name).replace("ü", "v").isascii()


def sounds(name: str) -> frozenset[str]:
    """Every spelling a name may have: with its surname's own reading, and in letters also the given name first."""
    text = folded(name)
    found = {_spelling(text)}
    for surname, reading in catalogue.table("variants")["surnames"].items():
        if text.startswith(surname):
            found.add(_spelling(reading + pinyin(text[len(surname) :])))
    if is_spelt(name):
        words = _words(name)
        orders = (words, words[-1:] + words[:-1], words[::-1])
        found |= {_spelling(folded("".join(order))) for order in orders}
    return frozenset(found - {""})


def _words(name: str) -> list[str]:
    return name.lower().replace(",", " ").replace("，", " ").split()


@dataclass(frozen=True, slots=True)
class Forms:
    """One name in every form it is compared in, worked out once."""

    words: list[str]
    folded: str
    related: str
    is_spelt: bool
    sounds: frozenset[str]


def forms(name: str) -> Forms:
    """The forms of a name."""
    return Forms(sorted(_words(name)), folded(name), related_form(name), is_spelt(name), sounds(name))


def same_name(one: Forms, other: Forms) -> bool:
    """Whether two names differ by writing at most.

    A name in letters agrees with the characters it spells, and with the same words in another order.
    """
    if one.folded == other.folded:
        return bool(one.folded)
    if one.is_spelt and other.is_spelt:
        return one.words == other.words
    return one.is_spelt is not other.is_spelt and not one.sounds.isdisjoint(other.sounds)


def one_sign_apart(one: str, other: str) -> bool:
    """Whether one sign is another, missing or too many, or two neighbours changed places."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    shorter, longer = sorted((one, other), key=len)
    start = next((place for place, sign in enumerate(shorter) if sign != longer[place]), len(shorter))
    if len(shorter) < len(longer):
        return shorter[start:] == longer[start + 1 :]
    exchanged = one[start : start + 2] == other[start : start + 2][::-1] and one[start + 2 :] == other[start + 2 :]
    return exchanged or one[start + 1 :] == other[start + 1 :]


def _spelling(text: str) -> str:
    spelt = pinyin(text)
    for written, meant in _LETTERS:
        spelt = spelt.replace(written, meant)
    return spelt


def _pairs(held: list[str]) -> dict[int, Any]:
    return {ord(pair[0]): pair[1] for line in held for pair in line.split()}


@cache
def _same() -> dict[int, Any]:
    held = catalogue.table("variants")
    return _pairs(held["same"]) | {ord(sign): None for sign in held["signs"]}


@cache
def _related() -> dict[int, Any]:
    return _pairs(catalogue.table("variants")["related"])
