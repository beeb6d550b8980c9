"""Forms of a screening round: what it asks of whom, its stages, who answers for it, who takes no part, consent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from wtforms import BooleanField, DateField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app.screening.rounds import consent
from app.screening.rounds.cohort import Cohort
from app.screening.rounds.round import Terms
from app.web.arguments import FIRST_YEAR, LAST_YEAR, identifier
from app.web.forms import Form, VersionedForm, choices, options, to
from app.web.words import label
from models.participation import AbsenceEnd, AbsenceKind
from models.screening import RepeatRule


def _this_century(_form: Form, field: DateField) -> None:
    if field.data is not None and not FIRST_YEAR <= field.data.year < LAST_YEAR:
        raise ValidationError("请核对年份。")


def _many(title: str, **named: Any) -> SelectMultipleField:
    return SelectMultipleField(title, option_widget=CheckboxInput(), widget=ListWidget(prefix_label=False), **named)


def _day(title: str) -> DateField:
    return DateField(title, [Optional(), _this_century])


class RoundForm(VersionedForm):
    """A round, new or standing."""

    name = StringField("批次名称", [DataRequired("请填写批次名称。"), Length(max=80)])
    scales = _many("使用的量表")
    colleges = _many("学院")
    classes = _many("班级")
    grades = _many("年级")
    tags = _many("标签")
    opens_on = _day("测评开始日期")
    closes_on = _day("测评截止日期")
    make_up_closes_on = _day("补测截止日期")
    interviews_due = DateField("约谈截止日期", [DataRequired("请填写约谈截止日期。"), _this_century])
    consent = SelectField("知情同意文本", default=consent.STANDARD)
    repeat_rule = RadioField(
        "同一人多次作答",
        choices=options((rule.value, f"{label(rule)}：{label(rule, 'repeat_rule_why')}") for rule in RepeatRule),
        default=RepeatRule.FIRST.value,
    )
    commits_clean_files = BooleanField("数据来源送来的文件没有任何问题时，自动写入（有问题的仍等人核对）")

    def terms(self, consent_id: UUID | None) -> Terms:
        """What was filled in, as the act takes it."""
        return Terms(
            scales=self.scales.data or (),
            cohort=Cohort(
                _ids(self.colleges.data),
                _ids(self.classes.data),
                tuple(self.grades.data or ()),
                tuple(self.tags.data or ()),
            ),
            opens_on=self.opens_on.data,
            closes_on=self.closes_on.data,
            make_up_closes_on=self.make_up_closes_on.data,
            consent_id=consent_id,
            repeat_rule=RepeatRule(self.repeat_rule.data),
            commits_clean_files=bool(self.commits_clean_files.data),
        )


def _ids(values: list[str] | None) -> tuple[UUID, ...]:
    return tuple(found for value in values or () if (found := identifier(value)) is not None)


class MoveRoundForm(VersionedForm):
    stage = SelectField("进入", validators=[DataRequired("请选择下一阶段。")])
    make_up_closes_on = _day("补测截止日期")


class RoundOwnerForm(VersionedForm):
    to = SelectField("移交给", validators=[DataRequired("请选择接手的老师。")])


class AbsenceForm(Form):
    kind = RadioField(
        "原因",
        choices=choices(AbsenceKind),
        coerce=to(AbsenceKind),
        validators=[DataRequired("请选择原因。")],
    )
    numbers = TextAreaField("学号", [DataRequired("请至少填写一个学号。"), Length(max=40_000)])


class EndAbsenceForm(Form):
    because = SelectField(
        "撤销原因",
        choices=choices([AbsenceEnd.WILL_TAKE_PART, AbsenceEnd.MISTAKE]),
        coerce=to(AbsenceEnd),
        validators=[DataRequired("请选择撤销原因。")],
    )


class ConsentForm(Form):
    """The next edition of a text."""

    body = TextAreaField("正文", [DataRequired("请填写正文。"), Length(max=20_000)])


class NewConsentForm(ConsentForm):
    """A text under a new name."""

    name = StringField("名称", [DataRequired("请填写名称。"), Length(max=80)])
