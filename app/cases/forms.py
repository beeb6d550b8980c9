"""Forms of the cases room."""

from __future__ import annotations

from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    RadioField,
    SelectField,
    SelectMultipleField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.cases.care_talk import Urgency
from app.web.forms import Form, VersionedForm, choices, options, to
from config import catalogue
from models.case import NoteKind, Outcome, TalkWay, TaskKind
from models.risk import Level

LEVELS = (Level.RED, Level.ORANGE, Level.YELLOW)


def focus_choices() -> list[SelectChoice]:
    return options((key, held["label"]) for key, held in catalogue.table("focus").items())


def _checkboxes(title: str, **named: object) -> SelectMultipleField:
    return SelectMultipleField(title, option_widget=CheckboxInput(), widget=ListWidget(prefix_label=False), **named)


class TalkForm(VersionedForm):
    """记一笔: made for sixty seconds on a phone."""

    held_at = DateTimeLocalField(
        "时间", [DataRequired("请填写谈话时间。")], format=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
    )
    way = RadioField("方式", choices=choices(TalkWay), coerce=to(TalkWay), validators=[DataRequired("请选择方式。")])
    reached = RadioField(
        "是否联系上",
        choices=options([("yes", "见到或通上话"), ("no", "没有联系上")]),
        validators=[DataRequired("请选择是否联系上。")],
    )
    noticed = _checkboxes("留意到的情况（可不选）", choices=focus_choices)
    text = TextAreaField("简要记录", [DataRequired("请写一两句。"), Length(max=2000)])
    urgency = RadioField(
        "是否需要心理中心", choices=choices(Urgency), coerce=to(Urgency), validators=[DataRequired("请选择一项。")]
    )


class VersionForm(VersionedForm):
    """A single button about one row."""


class DisproveForm(VersionedForm):
    basis = TextAreaField("排除依据", [DataRequired("请写明依据，例如与谁核实、了解到什么。"), Length(min=5, max=1000)])


class WatchForm(VersionedForm):
    until = DateField("继续观察至", [DataRequired("请选择日期。")])
    basis = TextAreaField("理由", [DataRequired("请写明理由。"), Length(min=5, max=1000)])


class RaiseForm(VersionedForm):
    level = SelectField(
        "调高到",
        choices=choices(LEVELS[:2]),
        coerce=to(Level),
        validators=[DataRequired("请选择等级。")],
    )


class OpenCaseForm(Form):
    level = RadioField(
        "关注等级",
        choices=choices(LEVELS),
        coerce=to(Level),
        validators=[DataRequired("请选择关注等级。")],
    )
    text = TextAreaField("初次评估记录", [DataRequired("请写明评估情况。"), Length(max=8000)])


class NoteForm(VersionedForm):
    kind = RadioField(
        "类型",
        choices=choices((NoteKind.SESSION, NoteKind.ASSESSMENT, NoteKind.PROGRESS)),
        coerce=to(NoteKind),
        validators=[DataRequired("请选择类型。")],
        default=NoteKind.SESSION,
    )
    text = TextAreaField("内容", [DataRequired("请填写内容。"), Length(max=8000)])
    next_on = DateField("下次安排", [Optional()])


class AmendForm(VersionedForm):
    text = TextAreaField("更正内容", [DataRequired("请写明更正内容；原记录保留。"), Length(max=8000)])


class AdviceForm(VersionedForm):
    focus = _checkboxes("关注要点", choices=focus_choices, validators=[DataRequired("请至少选择一个关注要点。")])
    text = TextAreaField(
        "给辅导员的话",
        [DataRequired("请写明请辅导员做什么。"), Length(max=1000)],
    )
    no_content = BooleanField(
        "已确认不含测评题目、得分、咨询内容和诊断", [DataRequired("请确认：辅导员会看到这段话。")]
    )


class StageForm(VersionedForm):
    stage = SelectField("进入", validators=[DataRequired("请选择阶段。")])


class LevelForm(VersionedForm):
    level = SelectField(
        "调整为",
        choices=choices(Level),
        coerce=to(Level),
        validators=[DataRequired("请选择等级。")],
    )
    basis = TextAreaField("依据", [DataRequired("请写明依据。"), Length(min=5, max=2000)])


class TaskForm(VersionedForm):
    kind = SelectField(
        "类型",
        choices=choices(kind for kind in TaskKind if kind is not TaskKind.AFTER_CARE),
        coerce=to(TaskKind),
        validators=[DataRequired("请选择类型。")],
    )
    text = TextAreaField("要做什么", [DataRequired("请写明要做什么。"), Length(max=500)])
    due_on = DateField("截止日期", [DataRequired("请选择截止日期。")])


class EndTaskForm(VersionedForm):
    done = RadioField(
        "结果",
        choices=options([("yes", "已完成"), ("no", "取消")]),
        validators=[DataRequired("请选择结果。")],
        default="yes",
    )
    text = TextAreaField("情况说明", [DataRequired("请写一两句情况。"), Length(max=1000)])


class ClosureForm(VersionedForm):
    outcome = RadioField(
        "结案结果", choices=choices(Outcome), coerce=to(Outcome), validators=[DataRequired("请选择结案结果。")]
    )
    summary = TextAreaField("结案小结", [DataRequired("请写一段小结。"), Length(max=4000)])


class ReopenForm(VersionedForm):
    text = TextAreaField("重新开启的原因", [DataRequired("请写明原因。"), Length(min=5, max=2000)])


class HandOverForm(VersionedForm):
    to = SelectField("移交给", validators=[DataRequired("请选择老师。")])
