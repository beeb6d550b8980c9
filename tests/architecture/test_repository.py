"""The repository itself: its top level, its locks, and what must never stand in a file."""

from __future__ import annotations

import re
import tomllib

from config import catalogue
from config.settings import PROJECT
from models.registry import METADATA, MODULES
from tests.architecture.sources import text_of, tracked

TOP = {"app", "models", "ml", "migrations", "config", "tests"}
FILES = {
    "pyproject.toml",
    "README.md",
    "manage.py",
    "requirements.lock",
    "requirements-dev.lock",
    "LICENSE",
    "CHANGELOG.md",
}
TEXT = (".py", ".toml", ".lock", ".md", ".html", ".js", ".css", ".yml", ".txt", ".mako", "/run")
MACHINE = re.compile(r"/(?:root|home/[a-z]|work/main|Users)/")
ADDRESS = re.compile(r"https?://")


def test_the_top_level_is_what_was_agreed() -> None:
    first = {path.split("/")[0] for path in tracked() if not path.startswith(".")}
    assert first <= TOP | FILES
    assert first >= {"app", "models", "ml", "migrations", "config", "tests", *FILES}


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    here = "tests/architecture/test_repository.py"
    assert [path for path in tracked() if path.endswith(TEXT) and path != here and MACHINE.search(text_of(path))] == []


def test_locks_and_settings_name_no_registry() -> None:
    held = [path for path in tracked() if path.endswith((".lock", ".toml", ".yml", ".cfg", ".ini")) or ".ci/" in path]
    assert [path for path in held if ADDRESS.search(text_of(path))] == []


def test_everything_that_is_installed_is_locked_with_its_hash() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = [line for line in text_of(name).splitlines() if re.match(r"[a-z0-9]", line, re.IGNORECASE)]
        text = text_of(name)
        assert len(lines) > 20
        for line in lines:
            assert "==" in line, line
            start = text.index(line)
            assert "--hash=sha256:" in text[start : start + 400], line


def test_every_package_the_product_stands_on_is_asked_for() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    wanted = {re.split(r"[\[><=]", line)[0] for line in project["dependencies"]}
    assert wanted >= {"flask", "flask-login", "sqlalchemy", "scikit-learn", "cryptography", "wtforms"}


def test_no_database_key_or_backup_lies_in_the_repository() -> None:
    assert [path for path in tracked() if re.search(r"\.(db|sqlite3?|backup|key\.json|pem|xlsx|xls|csv)$", path)] == []


def test_every_table_is_known_to_migrations_and_backups() -> None:
    modules = {path.split("/")[1].removesuffix(".py") for path in tracked() if path.startswith("models/")}
    with_tables = {name for name in modules if "__tablename__ = " in text_of(f"models/{name}.py")}
    assert with_tables == {module.__name__.split(".")[1] for module in MODULES}
    assert METADATA.tables


def test_every_clock_rule_and_scale_names_its_source() -> None:
    assert all(rule["source"] for rule in catalogue.table("rules")["rule"])
    for name in ("levels", "capacity", "calendar"):
        assert re.search(r"§|decisions|国务院", (PROJECT / "config" / f"{name}.toml").read_text()), name
    for path in sorted((PROJECT / "config" / "scales").glob("*.toml")):
        assert tomllib.loads(path.read_text())["source"], path.name
