"""``backup`` and ``restore``."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from app.admin import backup as backups
from app.admin.backup import BadBackup
from app.cli import installation
from app.cli.output import json_option, report
from app.events import Event
from app.security import keyring, verify
from app.security.actor import CONSOLE
from app.security.door import Door, open_door
from app.security.policy import Permission, Purpose
from app.security.vault import Vault
from config import settings as configuration
from config.settings import Settings
from models.keys import DataKey
from models.moment import now


class BackupMade(Event):
    """A backup was written."""


@click.command()
@click.argument("target", required=False, type=click.Path(path_type=Path))
@json_option
def backup(target: Path | None, as_json: bool) -> None:
    """备份数据库和密钥到一个加密文件；恢复时需要密钥文件夹或三份恢复份额。"""
    door = installation.opened(configuration.read())
    stamp = now().astimezone(door.settings.time_zone).strftime("%Y%m%d-%H%M%S")
    path = target or Path.cwd() / f"xinyu-{stamp}.backup"
    held = backups.make(door, path)
    with door.enter(CONSOLE, Permission.MAINTENANCE, Purpose.ADMINISTRATION) as access:
        access.record(BackupMade())
    report(
        {"file": str(path), **held},
        as_json=as_json,
        words=f"已备份到 {path}（{held['bytes']} 字节）。请把它放到另一台机器。",
    )


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--share", "shares", multiple=True, help="一份恢复份额；没有密钥文件夹时给出任意三份。")
@click.option("--drill", is_flag=True, help="演练：恢复到临时位置，核对后删除（SQLite）。")
@json_option
def restore(source: Path, shares: tuple[str, ...], drill: bool, as_json: bool) -> None:
    """从备份恢复到空的位置，并核对日志、行数和密钥。"""
    settings = configuration.read()
    started = time.monotonic()
    key = keyring.combine(list(shares)) if shares else keyring.Keyring.read(settings.key_dir).recovery_key
    if drill:
        with tempfile.TemporaryDirectory() as folder:
            held = _restore(source, _elsewhere(settings, Path(folder)), key)
    else:
        held = _restore(source, settings, key)
    held["minutes"] = round((time.monotonic() - started) / 60, 2)
    words = "已恢复并核对无误。" if held["whole"] else f"已恢复，但核对发现：{'；'.join(held['wrong'])}"
    report(held, as_json=as_json, words=f"{words} 用时 {held['minutes']} 分钟。")
    if not held["whole"]:
        raise SystemExit(1)


def _elsewhere(settings: Settings, folder: Path) -> Settings:
    if not settings.is_sqlite:
        raise BadBackup("演练目前只支持 SQLite；PostgreSQL 请恢复到一个空库。")
    url = f"sqlite:///{folder / 'xinyu.db'}"
    return replace(settings, home=folder, database_url=url, owner_database_url=url, key_dir=folder / "keys")


def _restore(source: Path, settings: Settings, key: bytes) -> dict[str, Any]:
    header = backups.restore(source, settings, key)
    door = open_door(settings)
    wrong = backups.compare(door, header) + _unreadable_epochs(door)
    with door.enter(CONSOLE, Permission.AUDIT_READ, Purpose.ADMINISTRATION, writing=False) as access:
        proof = verify.verify(access.session, door.instance_keys, settings.anchor_dir)
    if proof.bad is not None:
        wrong.append(f"日志：{proof.bad.what}")
    door.database.dispose()
    return {
        "deployment": header.deployment,
        "counts": header.counts,
        "log_rows": proof.rows,
        "whole": not wrong,
        "wrong": wrong,
    }


def _unreadable_epochs(door: Door) -> list[str]:
    """Unwrap one data key per epoch: a key file of another installation shows here."""
    wrong = []
    with door.database.reading() as session:
        vault = Vault(session, door.keyring, door.deployment.id)
        for epoch in session.scalars(select(DataKey.epoch).distinct()):
            row = session.scalars(select(DataKey).where(DataKey.epoch == epoch).limit(1)).one()
            if not vault.opens(row):
                wrong.append(f"第 {epoch} 代密钥打不开数据")
    return wrong
