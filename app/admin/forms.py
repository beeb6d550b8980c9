"""Forms of the administration rooms."""

from __future__ import annotations

from wtforms import HiddenField, IntegerField, RadioField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from app.web.forms import Form, VersionedForm, options


class ProposeChangeForm(Form):
    name = HiddenField(validators=[DataRequired("请从表格中选择要修改的一项。")])
    value = IntegerField("新值", [InputRequired("请填写新值。")])
    reason = TextAreaField("修改理由", [DataRequired("请写明理由，签字的老师会看到。"), Length(max=300)])


class DecideForm(VersionedForm):
    decision = RadioField(
        "决定",
        choices=options([("approve", "同意并签字"), ("decline", "不同意")]),
        validators=[DataRequired("请选择一项。")],
    )
