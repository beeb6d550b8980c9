"""Forms of the administration rooms."""

from __future__ import annotations

from wtforms import HiddenField, IntegerField, RadioField, TextAreaField
from wtforms.validators import InputRequired, Length

from app.web.forms import Form, VersionedForm, options


class ProposeChangeForm(Form):
    name = HiddenField(validators=[InputRequired("请从表格中选择要修改的一项。")])
    value = IntegerField("新值", [InputRequired("请填写新值。")])
    reason = TextAreaField("修改理由", [InputRequired("请写明理由，签字的老师会看到。"), Length(max=300)])


class DecideForm(VersionedForm):
    decision = RadioField(
        "决定",
        choices=options([("approve", "同意并签字"), ("decline", "不同意")]),
        validators=[InputRequired("请选择一项。")],
    )
