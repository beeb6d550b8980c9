"""Every setting of an installation: typed, frozen, with its unit and default.

Settings come from the environment only, so that two processes started alike
are alike. An unknown ``XINYU_…`` name is refused: a misspelt safety setting
that silently keeps its default is worse than a process that does not start.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PROJECT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """The installation is set half; the message says which setting and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an installation is told from outside. Content lives in the database and in ``config/*.toml``."""

    home: Path
    """State folder: embedded database, keys, anchors of the log, lock file."""
    database_url: str
    """Where the application reads and writes. On PostgreSQL: the restricted role."""
    owner_database_url: str
    """Where migrations run. On PostgreSQL: the owner of the tables."""
    key_dir: Path
    """Folder (0700) of ``content.key.json`` and ``instance.key.json`` (0600)."""
    time_zone: ZoneInfo
    """Zone of everything shown and of working hours."""
    secure_cookies: bool
    """Send the session cookie over HTTPS only. Off only for a loopback demo."""
    trusted_proxies: int
    """Number of reverse proxies in front whose forwarded headers are believed."""
    inbox: Path | None = None
    """Folder (0700) whose sub-folders are watched for deliveries of screening sources; none watches nothing."""
    upload_limit: int = 64 * 1024 * 1024
    """Bytes of one uploaded file (decisions 8)."""

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def anchor_dir(self) -> Path:
        """Where the heads of the log are written outside the database."""
        return self.home / "anchors"


KNOWN = {
    "XINYU_HOME": "state folder",
    "XINYU_DATABASE_URL": "sqlite:///… or postgresql+psycopg://…",
    "XINYU_OWNER_DATABASE_URL": "owner's URL for migrations (PostgreSQL)",
    "XINYU_KEY_DIR": "folder of the key files",
    "XINYU_TIME_ZONE": "zone name, default Asia/Shanghai",
    "XINYU_SECURE_COOKIES": "1 or 0, default 1",
    "XINYU_TRUSTED_PROXIES": "0–3, default 0",
    "XINYU_INBOX": "folder watched for screening results, default none",
    "XINYU_REFERENCE_DATA": "folder of public data, tests only",
}


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check the settings of this process.

    Raises ``SettingsError`` naming the setting, what it holds and what is expected.
    """
    env = os.environ if environment is None else environment
    _refuse_unknown(env)
    home = Path(env.get("XINYU_HOME", PROJECT / "var")).expanduser().resolve()
    url = env.get("XINYU_DATABASE_URL", f"sqlite:///{home / 'xinyu.db'}")
    return Settings(
        home=home,
        database_url=_database_url(env, url),
        owner_database_url=env.get("XINYU_OWNER_DATABASE_URL", url),
        key_dir=_key_dir(env, home, url),
        time_zone=_zone(env.get("XINYU_TIME_ZONE", "Asia/Shanghai")),
        secure_cookies=_switch(env, "XINYU_SECURE_COOKIES", default=True),
        trusted_proxies=_count(env, "XINYU_TRUSTED_PROXIES", default=0, most=3),
        inbox=_inbox(env, home),
    )


def _refuse_unknown(env: Mapping[str, str]) -> None:
    unknown = sorted(name for name in env if name.startswith("XINYU_") and name not in KNOWN)
    if unknown:
        raise SettingsError(f"不认识的设置 {', '.join(unknown)}。可用的设置：{', '.join(KNOWN)}")


def _database_url(env: Mapping[str, str], url: str) -> str:
    if url.startswith("sqlite:///"):
        if "XINYU_OWNER_DATABASE_URL" in env:
            raise SettingsError("XINYU_OWNER_DATABASE_URL 只用于 PostgreSQL；SQLite 请去掉它。")
        return url
    if not url.startswith("postgresql+psycopg://"):
        raise SettingsError("XINYU_DATABASE_URL 应以 sqlite:/// 或 postgresql+psycopg:// 开头。")
    if "XINYU_OWNER_DATABASE_URL" not in env:
        raise SettingsError(
            "使用 PostgreSQL 时还要设置 XINYU_OWNER_DATABASE_URL（建表用的账号）；"
            "应用账号对审计日志只有写入和查询权，不能同时是表的所有者。"
        )
    return url


def _key_dir(env: Mapping[str, str], home: Path, url: str) -> Path:
    if "XINYU_KEY_DIR" in env:
        return Path(env["XINYU_KEY_DIR"]).expanduser().resolve()
    if url.startswith("sqlite"):
        return home / "keys"
    raise SettingsError("使用 PostgreSQL 时要设置 XINYU_KEY_DIR（密钥文件夹，不要放在数据库所在的机器上）。")


def _inbox(env: Mapping[str, str], home: Path) -> Path | None:
    """Where platforms put files: outside the project and the state folder, which backups and updates touch."""
    if not env.get("XINYU_INBOX"):
        return None
    path = Path(env["XINYU_INBOX"]).expanduser().absolute()
    real = path.resolve()
    if any(real == other or real.is_relative_to(other) or other.is_relative_to(real) for other in (PROJECT, home)):
        raise SettingsError("XINYU_INBOX 应是单独的文件夹，不能在程序文件夹或 XINYU_HOME 里面，也不能包含它们。")
    return path


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as problem:
        raise SettingsError(f"XINYU_TIME_ZONE={name!r} 不是时区名，例如 Asia/Shanghai。") from problem


def _switch(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = env.get(name, "1" if default else "0")
    if value not in {"0", "1"}:
        raise SettingsError(f"{name}={value!r} 应为 1 或 0。")
    return value == "1"


def _count(env: Mapping[str, str], name: str, *, default: int, most: int) -> int:
    value = env.get(name, str(default))
    if not value.isdecimal() or int(value) > most:
        raise SettingsError(f"{name}={value!r} 应为 0 到 {most} 的整数。")
    return int(value)
