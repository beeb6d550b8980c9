"""The real house for tests: both databases, signed-in people, rows with honest defaults.

Every test that asks for ``house`` runs twice, on SQLite and on a PostgreSQL
18 started for the session. Databases are copied from a migrated template, so
that each test begins with an empty college. Nothing inside our walls is
mocked.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest

from app import wiring
from app.cli import installation
from app.security.door import open_door
from config import settings as configuration
from config.settings import Settings
from models.keys import DeploymentKind
from tests.house import House
from tests.postgres import Postgres

SCHOOL = "测试学院"
hypothesis.settings.register_profile("house", deadline=None, max_examples=60, derandomize=True)
hypothesis.settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    wiring.wire_events()
    wiring.wire_panels()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder of this session only; PostgreSQL run by root widens the modes of its parents."""
    path = Path(tempfile.mkdtemp(prefix="xinyu-tests-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder / "postgresql")
    yield server
    server.stop()


def settings_in(home: Path) -> Settings:
    """Settings of an embedded installation under ``home``."""
    settings = configuration.read({"XINYU_HOME": str(home), "XINYU_SECURE_COOKIES": "0"})
    return replace(settings, home=home)


@pytest.fixture(scope="session")
def sqlite_template(folder: Path) -> Settings:
    """A migrated, empty installation on SQLite, to be copied."""
    settings = settings_in(folder / "template-sqlite")
    installation.create(settings, kind=DeploymentKind.REAL, school=SCHOOL)
    return settings


@pytest.fixture(scope="session")
def postgres_template(folder: Path, postgres: Postgres) -> Settings:
    """The same on PostgreSQL, made by the owner and granted to the application's role."""
    home = folder / "template-postgres"
    owner, app = postgres.urls("template_xinyu")
    postgres.create("template_xinyu")
    settings = replace(settings_in(home), database_url=app, owner_database_url=owner, key_dir=home / "keys")
    installation.create(settings, kind=DeploymentKind.REAL, school=SCHOOL)
    return settings


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def settings(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """A fresh installation, copied from the template of this backend."""
    if backend == "sqlite":
        yield copied_sqlite(request.getfixturevalue("sqlite_template"), tmp_path)
        return
    server: Postgres = request.getfixturevalue("postgres")
    template: Settings = request.getfixturevalue("postgres_template")
    name = server.copy("template_xinyu")
    owner, app = server.urls(name)
    home = tmp_path / "home"
    shutil.copytree(template.home, home)
    yield replace(template, home=home, key_dir=home / "keys", database_url=app, owner_database_url=owner)
    server.drop(name)


def copied_sqlite(template: Settings, target: Path) -> Settings:
    home = target / "home"
    shutil.copytree(template.home, home)
    url = f"sqlite:///{home / 'xinyu.db'}"
    return replace(template, home=home, key_dir=home / "keys", database_url=url, owner_database_url=url)


@pytest.fixture
def sqlite_house(sqlite_template: Settings, tmp_path: Path) -> Iterator[House]:
    """The house on SQLite only, for what has nothing to do with the database."""
    door = open_door(copied_sqlite(sqlite_template, tmp_path))
    yield House(door)
    door.database.dispose()


@pytest.fixture
def house(settings: Settings) -> Iterator[House]:
    """The whole house, empty: make people and students with it, sign in, run its worker."""
    door = open_door(settings)
    yield House(door)
    door.database.dispose()
