"""Forms of corrections: take a file back, give answers to the right student."""

from __future__ import annotations

from wtforms import BooleanField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from app.web.forms import Form, VersionedForm, options

THIS, ALL = "this", "all"


class RollBackForm(VersionedForm):
    """Why a file is taken back."""

    reason = TextAreaField("撤回原因", [DataRequired("请写明撤回的原因。"), Length(min=5, max=500)])


class FindForm(Form):
    """Whose results went to the wrong person."""

    words = StringField("学号、姓名或姓名全拼", [DataRequired("请填写学号或姓名。"), Length(max=80)])


class OwnerForm(FindForm):
    """Whose answers they are: search first, then choose and give the reason."""

    words = StringField("查找正确的学生", [DataRequired("请填写学号或姓名。"), Length(max=80)])
    student = RadioField(
        "这其实是谁的作答", validators=[DataRequired("请先查找，再选择正确的学生。")], validate_choice=False
    )
    scope = RadioField(
        "更正范围", choices=options([(ALL, "这名学生在这份文件里的全部结果"), (THIS, "只有这一份")]), default=ALL
    )
    swap = BooleanField("互换：对方在本批次同样量表的结果是这名学生的")
    replace = BooleanField("替换已有结果：对方已有的那份不对（作废，不删除）")
    reason = TextAreaField("更正原因", [DataRequired("请写明更正的原因。"), Length(min=5, max=500)])
