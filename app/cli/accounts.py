"""``user``: accounts from the command line."""

from __future__ import annotations

import secrets
from uuid import UUID

import click
from sqlalchemy import select

from app.cli import installation
from app.cli.output import json_option, report
from app.identity import account
from app.identity.forms import GRANTABLE
from app.security import sign_in
from app.security.access import Access
from app.security.actor import CONSOLE
from app.security.policy import Permission, Purpose
from config import settings as configuration
from models.identity import College, Role, Staff
from models.refusal import Refusal

RIGHTS = (Permission.ACCOUNTS_MANAGE, Purpose.ADMINISTRATION)


@click.group()
def user() -> None:
    """账号。"""


@user.command("create")
@click.argument("login")
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([role.value for role in GRANTABLE]))
@click.option("--college", default="", help="院系角色所在学院的名称。")
@json_option
def create(login: str, name: str, roles: tuple[str, ...], college: str, as_json: bool) -> None:
    """开通账号，并显示一次临时密码。"""
    words = secrets.token_urlsafe(9)
    hashed = sign_in.hash_password(words)
    door = installation.opened(configuration.read())
    with door.enter(CONSOLE, *RIGHTS) as access:
        staff = account.open_account(access, login=login, name=name, password_hash=hashed)
        for role in roles:
            account.grant(access, staff, role=Role(role), college_id=_college(access, college))
    report({"login": staff.login, "password": words}, as_json=as_json, words=f"账号 {staff.login}，临时密码 {words}")


@user.command("password")
@click.argument("login")
@json_option
def password(login: str, as_json: bool) -> None:
    """重设密码，并显示一次临时密码；这位老师的登录全部结束。"""
    words = secrets.token_urlsafe(9)
    hashed = sign_in.hash_password(words)
    door = installation.opened(configuration.read())
    with door.enter(CONSOLE, *RIGHTS) as access:
        account.set_password(access, _find(access, login), password_hash=hashed, must_change=True)
    report({"login": login, "password": words}, as_json=as_json, words=f"账号 {login}，临时密码 {words}")


@user.command("retire")
@click.argument("login")
@json_option
def retire(login: str, as_json: bool) -> None:
    """停用账号；名下还有工作事项时会被拒绝。"""
    door = installation.opened(configuration.read())
    with door.enter(CONSOLE, *RIGHTS) as access:
        account.retire(access, _find(access, login))
    report({"login": login, "retired": True}, as_json=as_json, words=f"账号 {login} 已停用。")


@user.command("list")
@json_option
def show(as_json: bool) -> None:
    """列出在用账号及其角色。"""
    door = installation.opened(configuration.read())
    with door.enter(CONSOLE, *RIGHTS) as access:
        people = access.session.scalars(select(Staff).where(Staff.retired_at.is_(None)).order_by(Staff.login)).all()
        held = [
            {"login": person.login, "name": person.name, "roles": [grant.role.value for grant in person.grants]}
            for person in people
        ]
    lines = [f"{item['login']:<16} {item['name']}  {'、'.join(item['roles'])}" for item in held]
    report({"accounts": held}, as_json=as_json, words="\n".join(lines))


def _find(access: Access, login: str) -> Staff:
    staff = access.session.scalars(select(Staff).where(Staff.login == login.strip().lower())).one_or_none()
    if staff is None:
        raise Refusal(f"没有账号 {login}。")
    return staff


def _college(access: Access, name: str) -> UUID | None:
    if not name:
        return None
    found = access.session.scalar(select(College.id).where(College.name == name))
    if found is None:
        raise Refusal(f"没有学院“{name}”；请先导入名册。")
    return found
