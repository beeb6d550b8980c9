"""``db``: schema up and down."""

from __future__ import annotations

import click
from alembic import command
from sqlalchemy import update

from app.cli import installation
from app.cli.output import json_option, report
from config import settings as configuration
from models.database import Database
from models.keys import Deployment, DeploymentKind


def say_shares(shares: list[str]) -> None:
    """Print recovery shares once; they are kept nowhere."""
    if not shares:
        return
    click.echo(
        click.style("\n恢复份额（只显示这一次，请分别抄写、交不同的人保管；任意 3 份可恢复全部密钥）：", bold=True)
    )
    for number, share in enumerate(shares, start=1):
        click.echo(f"  {number}. {share}")
    click.echo("")


@click.group()
def db() -> None:
    """数据库结构。"""


@db.command("upgrade")
@click.option("--school", default="", help="校名；只在首次建立或改名时需要。")
@click.option("--to", default="head", hidden=True)
@json_option
def upgrade(school: str, to: str, as_json: bool) -> None:
    """建立或升级数据库；首次运行时生成密钥并打印恢复份额。"""
    settings = configuration.read()
    if to != "head":
        installation.upgrade(settings, to=to)
    else:
        shares = installation.create(settings, kind=DeploymentKind.REAL, school=school or installation.NO_SCHOOL)
        say_shares(shares)
        if school and not shares:
            _rename(settings, school)
    current, head = installation.revision_of(settings)
    report({"revision": current, "head": head}, as_json=as_json, words=f"数据库结构：{current}")


def _rename(settings: configuration.Settings, school: str) -> None:
    database = Database(settings.database_url)
    with database.writing() as session:
        session.execute(update(Deployment).values(school=school))
    database.dispose()


@db.command("downgrade")
@click.argument("to")
@json_option
def downgrade(to: str, as_json: bool) -> None:
    """退回到较早的结构（TO 为版本号，base 为清空）。先备份。"""
    settings = configuration.read()
    installation.downgrade(settings, to)
    current, head = installation.revision_of(settings)
    report({"revision": current, "head": head}, as_json=as_json, words=f"数据库结构：{current or '空'}")


@db.command("revision", hidden=True)
@click.argument("message")
def revision(message: str) -> None:
    """Write a new migration from the difference between models and database (developers)."""
    settings = configuration.read()
    with installation.owner_engine(settings) as engine, engine.connect() as connection:
        command.revision(installation.script(connection), message=message, autogenerate=True)
