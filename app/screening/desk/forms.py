"""Forms of bringing results in."""

from __future__ import annotations

from wtforms import BooleanField, MultipleFileField, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from app.web.forms import Form


class UploadResultsForm(Form):
    upload = MultipleFileField("结果文件", [DataRequired("请选择要导入的文件。")])
    source = SelectField("来源", choices=[], default="")
    scales = SelectMultipleField(
        "文件里有哪些量表", option_widget=CheckboxInput(), widget=ListWidget(prefix_label=False)
    )
    sheet = StringField("工作表名称", [Length(max=200)])
    all_sheets = BooleanField("读取每个有表头的工作表（例如一班一个工作表）")
    replace = BooleanField("已有的作答以新结果替换（旧结果作废，不删除）")
    strict = BooleanField("严格模式：有任何问题就整份不导入")
