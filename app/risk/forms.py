"""Forms of the interview list and of unplaced answers."""

from __future__ import annotations

from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from app.risk.interview import Result
from app.web.forms import VersionedForm, choices, options, to
from app.web.words import label
from models.interview import InterviewStage
from models.risk import Level

OUTCOMES = (
    InterviewStage.DONE,
    InterviewStage.SECOND_TALK,
    InterviewStage.DECLINED,
    InterviewStage.NOT_REACHED,
)


class InterviewForm(VersionedForm):
    """What came of one interview."""

    stage = RadioField("约谈情况", coerce=to(InterviewStage), validators=[DataRequired("请选择约谈情况。")])
    result = RadioField("结果（完成约谈时选择）", choices=choices(Result), coerce=to(Result), validators=[Optional()])
    level = RadioField(
        "谈话后的关注等级",
        choices=options([("", "暂不评定"), *((item.value, label(item)) for item in Level)]),
        coerce=to(Level),
        validators=[Optional()],
        default="",
    )
    text = TextAreaField("简要记录", [DataRequired("请写一两句。"), Length(max=2000)])


class HandOverForm(VersionedForm):
    """Give an entry to a colleague."""

    to = SelectField("移交给", validators=[DataRequired("请选择老师。")])


class PlaceForm(VersionedForm):
    """Whose critical answer it is."""

    number = StringField("这一行是哪个学号的学生", [Optional(), Length(max=40)])


class DismissForm(VersionedForm):
    """Why it is nobody's here."""

    basis = TextAreaField(
        "不是本校学生的依据", [DataRequired("请写明依据，例如测试数据、外校人员。"), Length(min=5, max=500)]
    )
