"""``roster``, ``staff``, ``screening``: files from the command line, by the same path as the pages."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click
from sqlalchemy import select, update

from app.cli import installation
from app.cli.output import fail, json_option, progress, report
from app.identity import staff_import
from app.intake import batch as life
from app.intake import sheet
from app.intake.batch import Importer
from app.security import sign_in
from app.security.access import Access
from app.security.actor import CONSOLE
from app.security.door import Door
from app.security.policy import Permission, Purpose
from app.students import class_posts, renumber, roster_compare
from app.students import roster as roster_import
from config import settings as configuration
from models.identity import Staff
from models.intake import BatchStage, ImportBatch
from models.moment import now
from models.refusal import Refusal

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Preparing = Callable[[Access, Any, ImportBatch, Callable[[int, int], None]], Any]


@life.many_objects()
def bring_in(
    door: Door,
    importer: Importer,
    path: Path | tuple[str, bytes],
    *,
    dry_run: bool = False,
    plan: dict[str, Any] | None = None,
    preparing: Preparing | None = None,
    first: Callable[[Access], None] = lambda _access: None,
    beat: Callable[[int, int], None] = lambda _done, _total: None,
    **facts: Any,
) -> dict[str, Any]:
    """Read a file, work it out, commit it at once; returns its receipt.

    ``dry_run`` stops before writing; ``first`` writes what the batch rests on
    (a new round) in the transaction of the commit.
    """
    name, raw = path if isinstance(path, tuple) else (path.name, path.read_bytes())
    if importer.read is not None:
        table = importer.read(raw, name, plan)
    else:
        table = sheet.read(raw, sheet=(plan or {}).get("sheet"), knows=importer.knows)
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
        access.seal(batch, ImportBatch.file_name, name[-120:])
        access.session.add(batch)
        access.session.flush()
        life.write(access, importer, batch, prepared)
    return {"batch": str(batch.id), **prepared.receipt}


def words_of(receipt: dict[str, Any], *, dry_run: bool) -> str:
    lines = ["预览，没有写入。" if dry_run else "已写入。"]
    skipped = {"batch", "problems", "rests_on"}
    lines += [f"  {name}: {value}" for name, value in receipt.items() if name not in skipped]
    for problem in receipt["problems"][:20]:
        lines.append(f"  第 {problem['row'] or '-'} 行 {problem['column'] or ''}：{problem['message']}")
    if receipt["problems_total"] > 20:
        lines.append(f"  …… 共 {receipt['problems_total']} 处，用 --json 查看全部。")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One sheet of one file, and who imports it."""

    path: Path
    importer: Importer
    sheet: str = ""
    preparing: Preparing | None = None


def _bring_in_all(works: list[Work], *, dry_run: bool, as_json: bool) -> None:
    """Import one after the other; what went in before one was refused is reported with the refusal."""
    door = installation.opened(configuration.read())
    receipts: list[dict[str, Any]] = []
    for work in works:
        title = f"{work.path.name} {work.sheet}".strip()
        try:
            with progress(title, quiet=as_json) as beat:
                receipt = bring_in(
                    door,
                    work.importer,
                    work.path,
                    dry_run=dry_run,
                    plan={"sheet": work.sheet or None},
                    preparing=work.preparing,
                    beat=beat,
                )
        except Refusal as refusal:
            fail(f"{title}：{refusal.sentence}", as_json=as_json, done={"files": receipts})
        receipts.append({"file": work.path.name, "sheet": work.sheet, "kind": work.importer.kind.value, **receipt})
        if not as_json:
            click.echo(f"{title}：{words_of(receipt, dry_run=dry_run)}")
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

    def preparing(access: Access, table: Any, _batch: ImportBatch, beat: Callable[[int, int], None]) -> Any:
        return roster_compare.work_out(access, table, complete=complete, beat=beat)

    works = [work for path in files for work in _understood(path, preparing)]
    _bring_in_all(works, dry_run=dry_run, as_json=as_json)


def _understood(path: Path, preparing: Preparing) -> list[Work]:
    """Each sheet of a file with the importer it is for: students first, then the class table; other sheets are left."""
    raw = path.read_bytes()
    students: list[Work] = []
    posts: list[Work] = []
    refused: Refusal | None = None
    for name in sheet.sheet_names(raw):
        try:
            if roster_import.fits(sheet.read(raw, sheet=name or None, knows=roster_import.IMPORTER.knows).header):
                students.append(Work(path=path, importer=roster_import.IMPORTER, sheet=name, preparing=preparing))
            elif class_posts.fits(sheet.read(raw, sheet=name or None, knows=class_posts.IMPORTER.knows).header):
                posts.append(Work(path=path, importer=class_posts.IMPORTER, sheet=name))
        except Refusal as refusal:
            refused = refusal
    if not students and not posts:
        raise refused or Refusal(
            f"{path.name} 里没有认得的工作表：学生名册要有学号、姓名、学院、班级，班级表要有学院、班级和辅导员。"
        )
    return students + posts


@roster.command("classes")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--dry-run", is_flag=True, help="只预览，不写入。")
@json_option
def classes(files: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """导入班级–辅导员–班主任表。"""
    works = [Work(path=path, importer=class_posts.IMPORTER) for path in files]
    _bring_in_all(works, dry_run=dry_run, as_json=as_json)


@roster.command("renumber")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--dry-run", is_flag=True, help="只预览，不写入。")
@json_option
def renumber_command(files: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """更换学号：旧学号、新学号，最好还有姓名。测评结果跟着人走。"""
    works = [Work(path=path, importer=renumber.IMPORTER) for path in files]
    _bring_in_all(works, dry_run=dry_run, as_json=as_json)


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
    works = [Work(path=path, importer=staff_import.IMPORTER) for path in files]
    if passwords is None or dry_run:
        _bring_in_all(works, dry_run=dry_run, as_json=as_json)
        return
    with _for_owner_only(passwords) as out:
        _bring_in_all(works, dry_run=dry_run, as_json=as_json)
        _hand_out_passwords(installation.opened(configuration.read()), out)


@contextmanager
def _for_owner_only(path: Path) -> Iterator[IO[str]]:
    """A new file that nobody else may read, made before anything is imported and never over an old one."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        raise Refusal(f"不能写入 {path}（{problem.strerror}）。请给出一个还没有的文件。") from problem
    try:
        with open(handle, "w", encoding="utf-8-sig") as out:
            yield out
    except BaseException:
        path.unlink()
        raise


def _hand_out_passwords(door: Door, out: IO[str]) -> None:
    """A temporary password for everybody who has none."""
    with door.enter(CONSOLE, Permission.ACCOUNTS_MANAGE, Purpose.ADMINISTRATION, writing=False) as access:
        people = access.session.execute(
            select(Staff.id, Staff.login, Staff.name).where(Staff.password_hash.is_(None), Staff.retired_at.is_(None))
        ).all()
    given = [(person, secrets.token_urlsafe(9)) for person in people]
    hashes = [(person.id, sign_in.hash_password(words)) for person, words in given]
    out.write("账号,姓名,临时密码\n" + "".join(f"{person.login},{person.name},{words}\n" for person, words in given))
    out.flush()
    with door.enter(CONSOLE, Permission.ACCOUNTS_MANAGE, Purpose.ADMINISTRATION) as access:
        for staff_id, hashed in hashes:
            access.session.execute(update(Staff).where(Staff.id == staff_id).values(password_hash=hashed))
