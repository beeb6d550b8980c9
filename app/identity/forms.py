"""Forms of sign-in and accounts."""

from __future__ import annotations

from wtforms import PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, EqualTo, InputRequired, Length, Optional, Regexp

from app.web.forms import Form, VersionedForm, options
from config import catalogue
from models.identity import SERVICES, Role

GRANTABLE = tuple(role for role in Role if role not in SERVICES and role is not Role.STUDENT)


def role_choices() -> list[SelectChoice]:
    return options(role_words())


def role_words() -> list[tuple[str, str]]:
    labels = catalogue.table("roles")
    return [(role.value, labels[role.value]["label"]) for role in GRANTABLE]


class SignInForm(Form):
    login = StringField("账号", [DataRequired("请填写账号。"), Length(max=60)])
    password = PasswordField("密码", [InputRequired("请填写密码。"), Length(max=200)])


class PasswordForm(Form):
    current = PasswordField("现在的密码", [InputRequired("请填写现在的密码。"), Length(max=200)])
    password = PasswordField("新密码", [InputRequired("请填写新密码。"), Length(max=200)])
    again = PasswordField(
        "再输入一次", [InputRequired("请再输入一次新密码。"), EqualTo("password", "两次输入的新密码不一致。")]
    )


class AccountForm(Form):
    login = StringField(
        "账号",
        [
            DataRequired("请填写账号。"),
            Length(max=60),
            Regexp(r"^[A-Za-z0-9._-]+$", message="账号只用字母、数字、点、下划线和短横线。"),
        ],
    )
    name = StringField("姓名", [DataRequired("请填写姓名。"), Length(max=60)])
    staff_number = StringField("工号", [Optional(), Length(max=40)])
    role = SelectField("岗位角色", choices=role_choices, validators=[DataRequired("请选择岗位角色。")])
    college_id = SelectField("所属学院", validators=[Optional()], validate_choice=False)


class GrantForm(VersionedForm):
    role = SelectField("岗位角色", choices=role_choices, validators=[DataRequired("请选择岗位角色。")])
    college_id = SelectField("所属学院", validators=[Optional()], validate_choice=False)
