"""``source``: sources from the command line, and the client that a school's own scripts push with."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from app.cli import installation
from app.cli.imports import FILE
from app.cli.output import fail, json_option, report
from app.screening.sources import answer_sheets, inbox, push, source_view
from app.screening.sources import source as acts
from app.security.access import PAGE
from app.security.actor import CONSOLE
from app.security.policy import Permission, Purpose
from app.web.words import label
from config import settings as configuration
from models.identity import Staff
from models.refusal import Refusal
from models.screening import ScreeningRound
from models.source import SourceKind

RIGHTS = (Permission.SOURCE_MANAGE, Purpose.CARE)
KINDS = {f".{ending}": kind for kind, ending in push.FILES.items()} | {".json": push.JSON}
PATIENCE = 60
"""Seconds to wait for an answer."""
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@click.group()
def source() -> None:
    """数据来源：共享文件夹与签名推送。"""


@source.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """列出数据来源和状态。"""
    door = installation.opened(configuration.read())
    found: list[Any] = []
    with door.enter(CONSOLE, *RIGHTS, writing=False) as access:
        while rows := source_view.listed(access, offset=len(found)):
            found += rows
            if len(rows) <= PAGE:
                break
            found.pop()
    held = [
        {
            "id": str(row.id),
            "name": row.name,
            "kind": row.kind.value,
            "state": row.state.value,
            "waiting": row.waiting,
            "round": row.round_name,
            "owner": row.owner,
            "expected_on": row.expected_on.isoformat() if row.expected_on else None,
        }
        for row in found
    ]
    lines = [f"{row.name}  {label(row.kind)}  {label(row.state)}  {row.round_name}  {row.owner}" for row in found]
    report({"sources": held}, as_json=as_json, words="\n".join(lines) or "还没有数据来源。")


@source.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice([kind.value for kind in SourceKind]), required=True, help="送来的方式。")
@click.option("--round", "round_name", required=True, help="供给的批次名称。")
@click.option("--owner", required=True, help="负责人的账号（心理中心的老师）。")
@click.option("--folder", default="", help="共享文件夹下的子文件夹名称。")
@click.option("--every-days", type=int, default=None, help="每隔几天送来一次。")
@click.option("--expected-on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="下一次最迟的日期。")
@click.option("--mapping", "mapping_file", type=FILE, default=None, help="审阅过的映射文件（TOML）。")
@json_option
def add_command(
    name: str,
    kind: str,
    round_name: str,
    owner: str,
    folder: str,
    every_days: int | None,
    expected_on: Any,
    mapping_file: Path | None,
    as_json: bool,
) -> None:
    """新建数据来源；推送密钥只显示一次。"""
    door = installation.opened(configuration.read())
    with door.enter(CONSOLE, *RIGHTS) as access:
        staff_id = access.session.scalar(select(Staff.id).where(Staff.login == owner.strip().lower()))
        round_id = access.session.scalar(select(ScreeningRound.id).where(ScreeningRound.name == round_name))
        if staff_id is None or round_id is None:
            raise Refusal(f"没有名为“{round_name}”的批次。" if staff_id else f"没有账号 {owner}。")
        row, key = acts.open_source(
            access,
            name=name,
            kind=SourceKind(kind),
            owner_id=staff_id,
            round_id=round_id,
            folder=folder,
            every_days=every_days,
            expected_on=expected_on.date() if expected_on else None,
        )
        if mapping_file is not None:
            acts.replace_mapping(access, row, mapping_file.read_bytes(), confirmed_by=None)
    held = {"id": str(row.id), "name": row.name} | ({"path": f"/push/{row.id}", "key": key} if key else {})
    shown = f"\n推送地址 /push/{row.id}\n推送密钥（只显示这一次）{key}" if key else ""
    words = f"已新建来源 {row.name}（{row.id}）。{shown}"
    report(held, as_json=as_json, words=words)


@source.command("look")
@json_option
def look_command(as_json: bool) -> None:
    """现在就看一遍共享文件夹，并合并推送来的答卷（平时由后台任务每分钟做一次）。"""
    door = installation.opened(configuration.read())
    if door.settings.inbox is None:
        raise Refusal("没有设置共享文件夹：请设置 XINYU_INBOX。")
    files, sheets = inbox.look(door, CONSOLE), answer_sheets.collect(door, CONSOLE)
    words = f"收取 {files} 个文件，合并 {sheets} 批答卷。刚写入的文件要静止一会儿，再看一次才收取。"
    report({"files": files, "collected": sheets}, as_json=as_json, words=words)


# --- the client: nothing of an installation is needed ------------------------------------------------


@source.command("push")
@click.argument("file", type=FILE)
@click.option("--url", required=True, help="推送地址，https://…/push/…")
@click.option("--key-file", type=FILE, required=True, help="只含推送密钥的文件。")
@json_option
def push_command(file: Path, url: str, key_file: Path, as_json: bool) -> None:
    """把一个文件签名推送到系统（在学校其他机器上的脚本里用）。"""
    kind = KINDS.get(file.suffix.lower())
    if kind is None:
        raise Refusal(f"只能推送 {'、'.join(sorted(KINDS))} 文件。")
    result = send(url, file.read_bytes(), kind=kind, key=key_file.read_text(encoding="utf-8").strip())
    if result not in {push.PushAnswer.ACCEPTED.value, push.PushAnswer.REPEATED.value}:
        fail("没有被接受。请核对地址、密钥和本机时间。", as_json=as_json, done={"result": result})
    report({"result": result}, as_json=as_json, words=label(push.PushAnswer(result)))


def send(url: str, body: bytes, *, kind: str, key: str) -> str:
    """Sign and send; the one word of the answer."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise Refusal("推送地址应以 https:// 开头，学生的作答不能明文传送。")
    stamp = str(int(time.time()))
    signature = hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": kind, push.TIME: stamp, push.SIGNATURE: signature, "Accept": push.JSON}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return _word(answer.read(4096))
    except urllib.error.HTTPError as problem:
        return _word(problem.read(4096)) or str(problem.code)
    except (OSError, http.client.HTTPException) as problem:
        raise Refusal(f"连不上推送地址（{type(problem).__name__}），文件没有送出。") from problem


def _word(raw: bytes) -> str:
    try:
        held = json.loads(raw)
    except ValueError:
        return ""
    return str(held.get("result", "")) if isinstance(held, dict) else ""
