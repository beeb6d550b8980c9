"""Forms of 数据使用登记."""

from __future__ import annotations

from wtforms import RadioField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from app.web.forms import Form, VersionedForm, options
from config import catalogue


class AskForm(Form):
    """``domain``'s choices are given by the page."""

    domain = RadioField("哪一类数据", validators=[InputRequired("请选择要登记的数据。")])
    purpose = TextAreaField("用途（不要写学生姓名）", [DataRequired("请写明用途。"), Length(max=1000)])
    legal_basis = RadioField(
        "合法性依据",
        choices=options(catalogue.table("words")["legal_basis"].items()),
        validators=[InputRequired("请选择处理这类数据的合法性依据。")],
    )
    assessment = TextAreaField(
        "个人信息保护影响评估（不要写学生姓名）", [DataRequired("请写明评估的编号、日期和结论。"), Length(max=2000)]
    )


class SwitchOffForm(VersionedForm):
    because = TextAreaField("停用原因（不要写学生姓名）", [DataRequired("请写明停用原因。"), Length(max=500)])
