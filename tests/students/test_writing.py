"""Names in several writings, numbers in several spellings: one form each, and never two people in one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.screening.matching.grounds import numbers_near
from app.security.vault import normal
from app.students.naming import number_text
from app.students.writing import folded, forms, is_spelt, one_sign_apart, related_form, same_name, sounds
from config import catalogue

HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2, max_size=4)
NAMES = st.one_of(HAN, st.text(max_size=12), st.from_regex(r"[A-Za-z]{2,8} [A-Za-z]{2,8}", fullmatch=True))
SIGNS = "·•・ 　．\u200b"


@given(name=NAMES)
def test_folding_a_folded_name_changes_nothing(name: str) -> None:
    assert folded(folded(name)) == folded(name)
    assert related_form(related_form(name)) == related_form(name)


@given(name=HAN, sign=st.sampled_from(SIGNS), place=st.integers(0, 4))
def test_dots_blanks_and_invisible_signs_make_no_difference(name: str, sign: str, place: int) -> None:
    assert folded(name[:place] + sign + name[place:]) == folded(name)


@given(one=NAMES, other=NAMES)
def test_whether_two_names_are_the_same_does_not_depend_on_who_is_asked_first(one: str, other: str) -> None:
    assert same_name(forms(one), forms(other)) is same_name(forms(other), forms(one))
    assert one_sign_apart(one, other) is one_sign_apart(other, one)


@given(name=NAMES)
def test_a_name_is_itself_and_not_one_sign_from_itself(name: str) -> None:
    assert same_name(forms(name), forms(name)) is bool(folded(name))
    assert not one_sign_apart(name, name)


@given(name=HAN)
def test_a_name_agrees_with_its_own_spelling(name: str) -> None:
    for spelling in sounds(name):
        if is_spelt(spelling):
            assert same_name(forms(spelling), forms(name))


@given(name=HAN, place=st.integers(0, 3), sign=st.sampled_from("冉凌禾舟"))
def test_one_other_sign_is_one_sign_apart(name: str, place: int, sign: str) -> None:
    changed = name[:place] + sign + name[place + 1 :]
    assert changed == name or one_sign_apart(name, changed) or place >= len(name)
    assert one_sign_apart(name, name[:-1])
    assert one_sign_apart(name, name + sign)


@pytest.mark.parametrize(
    ("one", "other"), [("王晓涵", "王小涵"), ("陈喆", "陈哲"), ("李昇", "李升"), ("张伟", "张玮"), ("", "")]
)
def test_names_that_sound_or_look_alike_are_not_the_same(one: str, other: str) -> None:
    assert not same_name(forms(one), forms(other))


@pytest.mark.parametrize(("one", "other"), [("ab", "ba"), ("abc", "acb"), ("abc", "ac"), ("abc", "axc")])
def test_an_exchange_an_omission_and_an_addition_are_one_sign(one: str, other: str) -> None:
    assert one_sign_apart(one, other)


@pytest.mark.parametrize(("one", "other"), [("abc", "cba"), ("abc", "xyc"), ("ab", "abcd"), ("abcd", "badc")])
def test_more_than_that_is_not(one: str, other: str) -> None:
    assert not one_sign_apart(one, other)


def test_no_character_is_written_in_two_ways_at_once_and_no_pair_is_both_same_and_related() -> None:
    held = catalogue.table("variants")
    same, related = ([pair for line in held[name] for pair in line.split()] for name in ("same", "related"))

    assert all(len(pair) == 2 for pair in same + related)
    assert len({pair[0] for pair in same + related}) == len(same + related)
    assert {pair[0] for pair in same}.isdisjoint(pair[1] for pair in same)


@given(digits=st.text("0123456789", min_size=1, max_size=18), before=st.sampled_from(["", "'", " ", "＇"]))
def test_a_number_has_one_form_however_it_is_typed(digits: str, before: str) -> None:
    wide = digits.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})

    assert number_text(before + digits) == number_text(f"{wide} ") == digits
    assert number_text(number_text(digits)) == normal(digits)


@given(number=st.text("0123456789", min_size=1, max_size=12))
def test_the_numbers_near_one_are_those_one_sign_from_it(number: str) -> None:
    near = numbers_near(number)

    assert number not in near
    assert all(one_sign_apart(number, other) for other in near)
    assert len(near) <= 21 * len(number) + 10
