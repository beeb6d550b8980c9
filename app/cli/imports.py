"""``roster``, ``staff``, ``screening``: files from the command line, by the same path as the pages."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select, update

from app.cli import installation
from app.cli.output import json_option, progress, report
from app.identity import staff_import
from app.intake import batch as life
from app.intake import sheet
from app.intake.batch import Importer
from app.intake.sheet import Table
from app.security import sign_in
from app.security.access import Access
from app.security.actor import CONSOLE
from app.security.door import Door
from app.security.policy import Permission, Purpose
from app.students import class_posts, roster_compare
from app.students import roster as roster_import
from config import settings as configuration
from models.identity import Staff
from models.intake import BatchStage, ImportBatch
from models.moment import now
from models.refusal import Refusal

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Preparing = Callable[[Access, Table, ImportBatch, Callable[[int, int], None]], Any]


@life.many_objects()
def bring_in(
    door: Door,
    importer: Importer,
    path: Path,
    *,
    dry_run: bool = False,
    sheet_name: str | None = None,
    preparing: Preparing | None = None,
    first: Callable[[Access], None] = lambda _access: None,
    beat: Callable[[int, int], None] = lambda _done, _total: None,
    **facts: Any,
) -> dict[str, Any]:
    """Read a file, work it out, commit it at once; returns its receipt.

    ``dry_run`` stops before writing; ``first`` writes what the batch rests on
    (a new round) in the transaction of the commit.
    """
    raw = path.read_bytes()
    table = sheet.read(raw, sheet=sheet_name, knows=importer.knows)
    batch = ImportBatch(
        kind=importer.kind, stage=BatchStage.COMMITTING, uploaded_at=now(), bytes_total=len(raw), **facts
    )
    with door.enter(CONSOLE, importer.permission, importer.purpose, writing=False) as access:
        prepared = (preparing or importer.prepare)(access, table, batch, beat)
    if dry_run:
        return {"batch": None, **prepared.receipt}
    with door.enter(CONSOLE, importer.permission, importer.purpose) as access:
        if importer.base(access.session, batch) != prepared.base:
            raise Refusal("导入期间数据有了变化，没有写入任何内容，请重新运行。")
        first(access)
        batch.file_digest = access.digest("file", raw)
        access.seal(batch, ImportBatch.file_name, path.name[-120:])
        access.session.add(batch)
        access.session.flush()
        life.write(access, importer, batch, prepared)
    return {"batch": str(batch.id), **prepared.receipt}


def words_of(receipt: dict[str, Any], *, dry_run: bool) -> str:
    lines = ["预览，没有写入。" if dry_run else "已写入。"]
    skipped = {"batch", "problems"}
    lines += [f"  {name}: {value}" for name, value in receipt.items() if name not in skipped]
    for problem in receipt["problems"][:20]:
        lines.append(f"  第 {problem['row'] or '-'} 行 {problem['column'] or ''}：{problem['message']}")
    if receipt["problems_total"] > 20:
        lines.append(f"  …… 共 {receipt['problems_total']} 处，用 --json 查看全部。")
    return "\n".join(lines)


def _several(
    importer: Importer, files: tuple[Path, ...], *, dry_run: bool, as_json: bool, preparing: Preparing | None = None
) -> None:
    """Import some files one after the other and report them together."""
    door = installation.opened(configuration.read())
    receipts = []
    for path in files:
        with progress(path.name, quiet=as_json) as beat:
            receipt = bring_in(door, importer, path, dry_run=dry_run, preparing=preparing, beat=beat)
        receipts.append({"file": path.name, **receipt})
        if not as_json:
            click.echo(f"{path.name}：{words_of(receipt, dry_run=dry_run)}")
    report({"files": receipts}, as_json=as_json)


# --- roster -------------------------------------------------------------------------------


@click.group()
def roster() -> None:
    """学生名册。"""


@roster.command("import")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--complete", is_flag=True, help="文件是所列学院的完整名册：名册中没有的学生标为离校。")
@click.option("--dry-run", is_flag=True, help="只预览，不写入。")
@json_option
def roster_import_command(files: tuple[Path, ...], complete: bool, dry_run: bool, as_json: bool) -> None:
    """导入学生名册（xlsx、xls、csv），可反复导入。"""

    def preparing(access: Access, table: Table, _batch: ImportBatch, beat: Callable[[int, int], None]) -> Any:
        return roster_compare.work_out(access, table, complete=complete, beat=beat)

    door = installation.opened(configuration.read())
    receipts = []
    for path in files:
        for sheet_name, importer in _understood(path):
            is_roster = importer is roster_import.IMPORTER
            with progress(path.name, quiet=as_json) as beat:
                receipt = bring_in(
                    door,
                    importer,
                    path,
                    dry_run=dry_run,
                    sheet_name=sheet_name or None,
                    beat=beat,
                    preparing=preparing if is_roster else None,
                )
            receipts.append({"file": path.name, "sheet": sheet_name, "kind": importer.kind.value, **receipt})
            if not as_json:
                click.echo(f"{path.name} {sheet_name}：{words_of(receipt, dry_run=dry_run)}")
    report({"files": receipts}, as_json=as_json)


def _understood(path: Path) -> list[tuple[str, Importer]]:
    """Each sheet of a file with the importer it is for: students first, then the class table."""
    raw = path.read_bytes()
    found: list[tuple[str, Importer]] = []
    for name in sheet.sheet_names(raw):
        header = sheet.read(raw, sheet=name or None, knows=roster_import.IMPORTER.knows).header
        if roster_import.fits(header):
            found.insert(0, (name, roster_import.IMPORTER))
        else:
            header = sheet.read(raw, sheet=name or None, knows=class_posts.IMPORTER.knows).header
            if class_posts.fits(header):
                found.append((name, class_posts.IMPORTER))
    return found or [("", roster_import.IMPORTER)]


@roster.command("classes")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--dry-run", is_flag=True, help="只预览，不写入。")
@json_option
def classes(files: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """导入班级–辅导员–班主任表。"""
    _several(class_posts.IMPORTER, files, dry_run=dry_run, as_json=as_json)


# --- staff --------------------------------------------------------------------------------


@click.group()
def staff() -> None:
    """教职工。"""


@staff.command("import")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option(
    "--passwords", type=click.Path(dir_okay=False, path_type=Path), help="把临时密码写入这个文件（仅本人可读）。"
)
@click.option("--dry-run", is_flag=True, help="只预览，不写入。")
@json_option
def staff_import_command(files: tuple[Path, ...], passwords: Path | None, dry_run: bool, as_json: bool) -> None:
    """导入教职工名单。没有密码的账号要用 user password 或 --passwords 设置后才能登录。"""
    _several(staff_import.IMPORTER, files, dry_run=dry_run, as_json=as_json)
    if passwords is not None and not dry_run:
        _hand_out_passwords(installation.opened(configuration.read()), passwords)


def _hand_out_passwords(door: Door, path: Path) -> None:
    """A temporary password for everybody who has none, written to a file that only its owner reads."""
    with door.enter(CONSOLE, Permission.ACCOUNTS_MANAGE, Purpose.ADMINISTRATION, writing=False) as access:
        people = access.session.execute(
            select(Staff.id, Staff.login, Staff.name).where(Staff.password_hash.is_(None), Staff.retired_at.is_(None))
        ).all()
    given = [(person, secrets.token_urlsafe(9)) for person in people]
    hashes = [(person.id, sign_in.hash_password(words)) for person, words in given]
    path.touch(mode=0o600)
    path.write_text(
        "账号,姓名,临时密码\n" + "".join(f"{person.login},{person.name},{words}\n" for person, words in given),
        encoding="utf-8-sig",
    )
    with door.enter(CONSOLE, Permission.ACCOUNTS_MANAGE, Purpose.ADMINISTRATION) as access:
        for staff_id, hashed in hashes:
            access.session.execute(update(Staff).where(Staff.id == staff_id).values(password_hash=hashed))
