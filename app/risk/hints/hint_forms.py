"""Forms of what people decide about hints: an entry, the talks of a week, talks by lot, objections."""

from __future__ import annotations

from wtforms import DateField, DecimalField, IntegerField, RadioField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from app.risk.hints.decisions import HintBasis
from app.risk.hints.objection import DECISIONS
from app.web.forms import Form, VersionedForm, choices, to
from models.case import TalkWay
from models.risk_model import ObjectionStage


class DecideForm(VersionedForm):
    """Why an entry needs no talk."""

    basis = RadioField("原因", coerce=to(HintBasis), validators=[DataRequired("请选择原因。")])
    text = TextAreaField("说明", [DataRequired("请写一两句，供以后核对。"), Length(max=500)])


class ReconsiderForm(VersionedForm):
    """Why a student waits for a talk again."""

    text = TextAreaField("为什么放回名单", [DataRequired("请写一两句。"), Length(max=500)])


class CapacityForm(VersionedForm):
    """How many interviews the centre can hold in a week."""

    per_week = IntegerField("每周可约谈人数", [Optional()])


class AuditForm(VersionedForm):
    """Which share is drawn by lot, in per cent."""

    share = DecimalField("抽取比例（%）", [InputRequired("请填写比例。")], places=1)


class ObjectForm(Form):
    """What a student says against automated hints."""

    text = TextAreaField("学生的意见", [DataRequired("请写下学生的意见，尽量用学生自己的话。"), Length(max=1000)])


class ReviewForm(VersionedForm):
    """What the review of an objection came to."""

    stage = RadioField(
        "复核结果", choices=choices(DECISIONS), coerce=to(ObjectionStage), validators=[DataRequired("请选择复核结果。")]
    )
    found = TextAreaField("复核说明", [DataRequired("请写明核对了什么、结论是什么。"), Length(max=1000)])
    told = TextAreaField("告知学生的内容", [DataRequired("请写明告诉了学生什么。"), Length(max=1000)])
    told_on = DateField("告知日期", [DataRequired("请填写告知学生的日期。")])
    told_how = RadioField(
        "告知方式", choices=choices(TalkWay), coerce=to(TalkWay), validators=[DataRequired("请选择告知方式。")]
    )
