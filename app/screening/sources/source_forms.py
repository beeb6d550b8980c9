"""Forms of the sources' pages."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired
from wtforms import DateField, IntegerField, RadioField, SelectField, StringField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from app.screening.sources.source import MOST_DAYS
from app.web.forms import VersionedForm, identifier_or_none, to
from models.source import SourceKind


class EditSourceForm(VersionedForm):
    """What may change about a source."""

    name = StringField("来源名称", [DataRequired("请填写来源名称。"), Length(max=80)])
    owner_id = SelectField("负责人", coerce=identifier_or_none, validators=[DataRequired("请选择负责人。")])
    round_id = SelectField("供给的批次", coerce=identifier_or_none, validators=[DataRequired("请选择批次。")])
    folder = StringField("文件夹名称", [Length(max=80)])
    every_days = IntegerField(
        "每隔几天送来一次", [Optional(), NumberRange(min=1, max=MOST_DAYS, message=f"请填 1 到 {MOST_DAYS} 的整数。")]
    )
    expected_on = DateField("下一次最迟哪天送来", [Optional()])


class OpenSourceForm(EditSourceForm):
    kind = RadioField("送来的方式", coerce=to(SourceKind), validators=[DataRequired("请选择送来的方式。")])


class MappingForm(VersionedForm):
    upload = FileField("映射文件", [FileRequired("请选择映射文件。")])
