"""Assembles the commands and turns every expected failure into a sentence and an exit status."""

from __future__ import annotations

import os
import sys

import click
from sqlalchemy.exc import DBAPIError

from app.admin.backup import BadBackup
from app.admin.floor import BelowFloor
from app.cli import (
    accounts,
    audit,
    bench,
    database,
    demo,
    doctor,
    imports,
    policy,
    quality,
    recovery,
    rescore,
    risk,
    scale,
    screening,
    serve,
    source,
)
from app.cli.output import fail, usage
from app.screening.scales.scale import ScaleFault
from app.security.door import LogUnavailable, NotReady
from app.security.keyring import KeyProblem
from app.security.plainlog import configure
from app.security.vault import SealedMode
from config.catalogue import CatalogueError
from config.settings import SettingsError
from models.refusal import Refusal

SEALED = "内容密钥不可用，这条命令不能运行。请检查密钥文件夹：python3 manage.py doctor"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """心育：心理预警与个案管理。第一次使用：python3 manage.py demo"""


for command in (
    demo.demo,
    serve.serve,
    serve.worker,
    database.db,
    accounts.user,
    imports.roster,
    imports.staff,
    screening.screening,
    scale.scale,
    risk.risk,
    source.source,
    audit.audit,
    recovery.backup,
    recovery.restore,
    bench.bench,
    doctor.doctor,
    policy.policy,
    quality.test,
    quality.check,
):
    main.add_command(command)
scale.scale.add_command(rescore.rescore_command)


def run() -> None:
    os.umask(0o077)
    configure()
    as_json = "--json" in sys.argv
    try:
        main(prog_name="manage.py", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as help_wanted:
        help_wanted.show()
        sys.exit(help_wanted.exit_code)
    except click.ClickException as problem:
        fail(usage(problem), as_json=as_json, status=problem.exit_code)
    except click.Abort:
        sys.exit(130)
    except Refusal as refusal:
        fail(refusal.sentence, as_json=as_json)
    except SealedMode:
        fail(SEALED, as_json=as_json)
    except LogUnavailable:
        fail("审计日志无法写入，没有执行任何操作。", as_json=as_json)
    except (SettingsError, NotReady, KeyProblem, CatalogueError, ScaleFault, BelowFloor, BadBackup) as problem:
        fail(str(problem), as_json=as_json)
    except DBAPIError as problem:
        fail(f"数据库没有完成这一步（{type(problem).__name__}）。请检查：python3 manage.py doctor", as_json=as_json)
    except OSError as problem:
        fail(f"不能读写 {problem.filename or '文件'}：{problem.strerror or type(problem).__name__}。", as_json=as_json)


if __name__ == "__main__":
    run()
