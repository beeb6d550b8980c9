"""``audit``: proving the log from the command line."""

from __future__ import annotations

from dataclasses import asdict

import click

from app.admin import housekeeping
from app.cli import installation
from app.cli.output import json_option, report
from app.security import verify
from app.security.actor import CONSOLE
from app.security.policy import Permission, Purpose
from config import settings as configuration


@click.group()
def audit() -> None:
    """审计日志。"""


@audit.command("verify")
@json_option
def verify_command(as_json: bool) -> None:
    """逐行校验日志；有问题时指出第一处，并以状态 1 结束。"""
    door = installation.opened(configuration.read())
    with door.enter(CONSOLE, Permission.AUDIT_READ, Purpose.ADMINISTRATION, writing=False) as access:
        proof = verify.verify(access.session, door.instance_keys, door.settings.anchor_dir)
    held = {name: value for name, value in asdict(proof).items() if name != "bad"}
    held["holds"] = proof.holds
    held["bad"] = None
    words = f"日志完整：{proof.rows} 行，{proof.heads} 个日志头，{proof.anchors} 个锚定。"
    if proof.bad is not None:
        bad = proof.bad
        held["bad"] = {
            "what": bad.what,
            "writer": bad.writer,
            "seq": bad.seq,
            "at": bad.at.isoformat() if bad.at else None,
        }
        words = f"发现问题：{bad.what}（第一处 {bad.writer}-{bad.seq}）"
    report(held, as_json=as_json, words=words)
    if not proof.holds:
        raise SystemExit(1)


@audit.command("head")
@json_option
def head(as_json: bool) -> None:
    """立即写一个日志头，并追加到锚定文件。"""
    door = installation.opened(configuration.read())
    number = housekeeping.take_head(door)
    report({"head": number}, as_json=as_json, words=f"日志头 {number}" if number else "没有新的记录，未写日志头。")
