"""Forms of the model's life: over which round it is watched, and why it ends or comes back."""

from __future__ import annotations

from wtforms import SelectField, TextAreaField
from wtforms.validators import DataRequired, Length

from app.web.forms import VersionedForm, identifier_or_none

_REASON = [DataRequired("请写明理由。"), Length(min=5, max=500, message="请写 5 到 500 字。")]


class ShadowForm(VersionedForm):
    """The round over which an edition is watched."""

    round = SelectField("在哪个普查批次上试运行", coerce=identifier_or_none, validators=[DataRequired("请选择批次。")])


class RetireForm(VersionedForm):
    """Why an edition is not used any more."""

    reason = TextAreaField("停用的理由（不要写学生姓名）", _REASON)


class RollBackForm(VersionedForm):
    """Why an earlier edition comes back."""

    reason = TextAreaField("换回的理由（不要写学生姓名）", _REASON)
