"""Backups that open only with the recovery key, and the restore that proves itself.

File: magic · header (JSON: deployment, schema, counts, the key files under
the recovery key) · the database in chunks of AES-256-GCM whose nonces carry a
counter and a last-flag, so that chunks cannot be dropped, repeated or reordered.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, create_engine, func, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.security import keyring
from app.security.door import Door
from config.settings import Settings
from models.audit import LedgerEntry
from models.moment import now
from models.registry import METADATA
from models.student import Student

MAGIC = b"XINYU-BACKUP-1\n"
CHUNK = 1024 * 1024
COUNTED = tuple(METADATA.tables[kind.__tablename__] for kind in (Student, LedgerEntry))


class BadBackup(Exception):
    """Not a backup of ours, damaged, cut off, or for other keys; said in words."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a backup says of itself before it is opened."""

    deployment: str
    backend: str
    counts: dict[str, int]
    salt: bytes
    keys: bytes

    @classmethod
    def read(cls, raw: bytes) -> Header:
        held = json.loads(raw)
        return cls(
            held["deployment"],
            held["backend"],
            dict(held["counts"]),
            base64.b64decode(held["salt"], validate=True),
            base64.b64decode(held["keys"], validate=True),
        )


def make(door: Door, target: Path) -> dict[str, Any]:
    """Write a backup of database and keys to ``target``; returns what it says of itself."""
    ring = door.keyring
    if ring is None:
        raise BadBackup("内容密钥不可用，无法备份密钥。")
    salt = os.urandom(16)
    partial = target.with_name(target.name + ".partial")
    with (
        _dumped(door) as (dump, counts),
        open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
    ):
        held = {
            "deployment": str(door.deployment.id),
            "school": door.deployment.school,
            "made_at": now().isoformat(),
            "backend": "sqlite" if door.database.is_sqlite else "postgresql",
            "counts": counts,
            "salt": base64.b64encode(salt).decode(),
            "keys": base64.b64encode(keyring.pack(door.settings.key_dir, ring.recovery_key)).decode(),
        }
        header = json.dumps(held, ensure_ascii=False).encode()
        out.write(MAGIC + struct.pack(">I", len(header)) + header)
        _seal(dump, out, _cipher(ring.recovery_key, salt), header)
        out.flush()
        os.fsync(out.fileno())
    partial.rename(target)
    return {name: held[name] for name in ("deployment", "made_at", "backend", "counts")} | {
        "bytes": target.stat().st_size
    }


def _cipher(recovery_key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(keyring.derive(recovery_key, f"xinyu backup/1 {salt.hex()}"))


def _counts(connection: Connection | Session) -> dict[str, int]:
    return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in COUNTED}


@contextlib.contextmanager
def _dumped(door: Door) -> Iterator[tuple[IO[bytes], dict[str, int]]]:
    """The database as one stream, and how many rows it holds, counted in the same snapshot while people work.

    Content in it is sealed already; the copy is still removed at once.
    """
    with tempfile.TemporaryDirectory(dir=door.settings.home) as folder:
        path = Path(folder) / "dump"
        dump = _dump_sqlite if door.database.is_sqlite else _dump_postgresql
        counts = dump(door, path)
        with path.open("rb") as stream:
            yield stream, counts


def _dump_sqlite(door: Door, path: Path) -> dict[str, int]:
    with door.database.engine.connect() as connection:
        connection.connection.cursor().execute("VACUUM INTO ?", (str(path),))
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as copy:
        return _counts(copy)


def _dump_postgresql(door: Door, path: Path) -> dict[str, int]:
    owner = door.settings.owner_database_url
    engine = create_engine(owner, poolclass=NullPool, isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        snapshot = connection.scalar(select(func.pg_export_snapshot()))
        _run("pg_dump", make_url(owner), "--format=custom", f"--snapshot={snapshot}", f"--file={path}")
        return _counts(connection)


def _run(program: str, url: URL, *arguments: str) -> None:
    if shutil.which(program) is None:
        raise BadBackup(f"找不到 {program}，请安装 PostgreSQL 客户端工具。")
    plain = url.set(drivername="postgresql", password=None)
    environment = {**os.environ, "PGPASSWORD": str(url.password or "")}
    done = subprocess.run(  # noqa: S603 - fixed program, our own arguments
        [program, *arguments, f"--dbname={plain.render_as_string(hide_password=False)}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BadBackup(
            f"{program} 没有完成：{done.stderr.strip().splitlines()[-1] if done.stderr.strip() else '未知错误'}"
        )


def _seal(source: IO[bytes], out: IO[bytes], cipher: AESGCM, header: bytes) -> None:
    prefix = os.urandom(7)
    out.write(prefix)
    number, chunk = 0, source.read(CHUNK)
    while True:
        following = source.read(CHUNK)
        nonce = prefix + struct.pack(">IB", number, not following)
        sealed = cipher.encrypt(nonce, chunk, header)
        out.write(struct.pack(">I", len(sealed)) + sealed)
        if not following:
            return
        number, chunk = number + 1, following


def read_header(source: IO[bytes]) -> tuple[Header, bytes]:
    """The header of a backup, parsed and as the bytes that its chunks are bound to."""
    if source.read(len(MAGIC)) != MAGIC:
        raise BadBackup("这不是本系统的备份文件。")
    try:
        raw = source.read(struct.unpack(">I", source.read(4))[0])
        return Header.read(raw), raw
    except (struct.error, ValueError, KeyError, TypeError) as problem:
        raise BadBackup("备份文件的开头已损坏。") from problem


def _open(source: IO[bytes], cipher: AESGCM, header: bytes) -> Iterator[bytes]:
    prefix, number = source.read(7), 0
    while True:
        size = source.read(4)
        if len(size) < 4:
            raise BadBackup("备份文件不完整，可能没有传完。")
        sealed = source.read(struct.unpack(">I", size)[0])
        following = source.read(1)
        nonce = prefix + struct.pack(">IB", number, not following)
        try:
            yield cipher.decrypt(nonce, sealed, header)
        except InvalidTag as problem:
            raise BadBackup("备份文件已损坏，或恢复份额不是这份备份的。") from problem
        if not following:
            return
        source.seek(-1, os.SEEK_CUR)
        number += 1


def restore(source_path: Path, settings: Settings, recovery_key: bytes) -> Header:
    """Bring keys and database back into an empty installation."""
    with source_path.open("rb") as source:
        header, raw = read_header(source)
        if header.backend != ("sqlite" if settings.is_sqlite else "postgresql"):
            raise BadBackup(f"这份备份来自 {header.backend}，请用同一种数据库恢复。")
        cipher = _cipher(recovery_key, header.salt)
        with tempfile.TemporaryDirectory() as folder:
            dump = Path(folder) / "dump"
            with dump.open("wb") as out:
                for chunk in _open(source, cipher, raw):
                    out.write(chunk)
            _place(dump, settings)
    if not keyring.exist(settings.key_dir):
        keyring.unpack(header.keys, recovery_key, settings.key_dir)
    return header


def _place(dump: Path, settings: Settings) -> None:
    if not settings.is_sqlite:
        _run("pg_restore", make_url(settings.owner_database_url), "--no-owner", "--exit-on-error", str(dump))
        return
    target = Path(make_url(settings.database_url).database or "")
    if target.exists():
        raise BadBackup(f"{target} 已存在，请恢复到空的位置（设置 XINYU_HOME）。")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.move(dump, target)
    target.chmod(0o600)


def compare(door: Door, header: Header) -> list[str]:
    """What differs between a restored database and what its backup said; nothing when it is whole."""
    with door.database.reading() as session:
        found = _counts(session)
    wrong = [
        f"{name}: {found[name]} 行，备份时 {count} 行"
        for name, count in header.counts.items()
        if found.get(name) != count
    ]
    if str(door.deployment.id) != header.deployment:
        wrong.append("部署标识与备份不一致")
    return wrong
