"""The form of a structured interview: one group of answers per question of its file."""

from __future__ import annotations

from typing import Any

from wtforms import DateTimeLocalField, RadioField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from app.screening.structured import EARLIER, NO, RECENT, YES
from app.web.forms import Form, options

PLAIN = options([(YES, "是"), (NO, "否")])
LIFETIME = options([(NO, "否"), (EARLIER, "是，在三个月以前"), (RECENT, "是，在过去三个月内")])


def _question(number: int, *, choices: Any = None) -> RadioField:
    return RadioField(f"第 {number} 题", choices=choices or PLAIN, validators=[Optional()])


class CssrsForm(Form):
    """Which question must have an answer depends on the answers: that is the act's business."""

    question_1 = _question(1)
    question_2 = _question(2)
    question_3 = _question(3)
    question_4 = _question(4)
    question_5 = _question(5)
    question_6 = _question(6, choices=LIFETIME)
    held_at = DateTimeLocalField("访谈时间", format="%Y-%m-%dT%H:%M", validators=[DataRequired("请填写访谈时间。")])
    text = TextAreaField("补充记录", [Length(max=2000)])

    @property
    def given(self) -> dict[int, str]:
        """The answers that were given, by number of the question."""
        fields = {number: self[f"question_{number}"].data for number in range(1, 7)}
        return {number: answer for number, answer in fields.items() if answer}
