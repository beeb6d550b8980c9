"""Settings of a process: half set, it does not start, and says which setting it means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from config import settings as configuration
from config.settings import SettingsError
from tests.cli.program import run

POSTGRES = "postgresql+psycopg://app@/x"
OWNER = "postgresql+psycopg://owner@/x"
HALF = {
    "misspelt": ({"XINYU_SECURE_COOKIE": "1"}, "不认识的设置 XINYU_SECURE_COOKIE"),
    "no owner": ({"XINYU_DATABASE_URL": POSTGRES, "XINYU_KEY_DIR": "/k"}, "XINYU_OWNER_DATABASE_URL"),
    "no keys": ({"XINYU_DATABASE_URL": POSTGRES, "XINYU_OWNER_DATABASE_URL": OWNER}, "XINYU_KEY_DIR"),
    "owner of sqlite": ({"XINYU_OWNER_DATABASE_URL": OWNER}, "只用于 PostgreSQL"),
    "another database": ({"XINYU_DATABASE_URL": "mysql://x"}, "sqlite:/// 或 postgresql"),
    "another driver": ({"XINYU_DATABASE_URL": "postgresql://x", "XINYU_OWNER_DATABASE_URL": OWNER}, "psycopg"),
    "no zone": ({"XINYU_TIME_ZONE": "Peking"}, "XINYU_TIME_ZONE='Peking'"),
    "path as zone": ({"XINYU_TIME_ZONE": "../etc/passwd"}, "XINYU_TIME_ZONE"),
    "cookies": ({"XINYU_SECURE_COOKIES": "yes"}, "XINYU_SECURE_COOKIES='yes' 应为 1 或 0"),
    "proxies": ({"XINYU_TRUSTED_PROXIES": "4"}, "0 到 3"),
    "fewer proxies": ({"XINYU_TRUSTED_PROXIES": "-1"}, "0 到 3"),
}


@pytest.mark.parametrize(("told", "words"), HALF.values(), ids=HALF)
def test_a_half_set_installation_does_not_start_and_names_the_setting(told: Mapping[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words.replace("*", ".")):
        configuration.read(told)


def test_nothing_told_is_the_embedded_database_over_https_in_shanghai(tmp_path: Path) -> None:
    settings = configuration.read({"XINYU_HOME": str(tmp_path)})

    assert settings.database_url == settings.owner_database_url == f"sqlite:///{tmp_path}/xinyu.db"
    assert settings.secure_cookies is True
    assert settings.trusted_proxies == 0
    assert str(settings.time_zone) == "Asia/Shanghai"


def test_settings_cannot_be_changed_while_it_runs() -> None:
    settings = configuration.read({})

    with pytest.raises(AttributeError):
        settings.secure_cookies = False  # type: ignore[misc]


def test_a_half_set_command_ends_with_a_sentence_and_makes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"

    ended = run(home, "db", "upgrade", "--json", XINYU_DATABASE_URL=POSTGRES, XINYU_KEY_DIR=str(home / "keys"))

    assert "XINYU_OWNER_DATABASE_URL" in ended.refusal
    assert not home.exists()
