"""Numbers, names and phones in one form each, as they are compared and hashed."""

from __future__ import annotations

import unicodedata

from pypinyin import lazy_pinyin

from app.intake.cells import Cell, is_damaged, text_of
from app.security.vault import normal

__all__ = ["class_text", "clean", "is_damaged", "is_phone", "number_text", "phone_text", "pinyin"]


def clean(text: str) -> str:
    """A name or word as typed, without invisible and direction-changing signs and doubled blanks."""
    visible = "".join(sign for sign in text if unicodedata.category(sign) not in {"Cf", "Cc"})
    return " ".join(visible.split())


def pinyin(name: str) -> str:
    """The full pinyin of a name, without tones and blanks: 王晓涵 → wangxiaohan."""
    return "".join(lazy_pinyin(clean(name))).lower().replace(" ", "")


def number_text(cell: Cell | None) -> str:
    """A student number in its one form: NFKC, no blanks, no apostrophe, lower case. Compared, not shown."""
    return normal(text_of(cell)).lstrip("'")


def phone_text(cell: Cell | None) -> str:
    """Digits of a phone number; a leading +86 or 86 goes."""
    digits = "".join(sign for sign in unicodedata.normalize("NFKC", text_of(cell)) if sign.isdigit())
    return digits[2:] if len(digits) == 13 and digits.startswith("86") else digits


def is_phone(digits: str) -> bool:
    return len(digits) == 11 and digits.startswith("1")


def class_text(name: str) -> str:
    """A class name in its one form: 软件（2301）班 and 软件(2301) 班 are one."""
    return normal(name).replace("(", "").replace(")", "")
