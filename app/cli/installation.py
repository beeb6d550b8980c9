"""Making an installation: keys, schema, the row that says which one it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, select, text
from sqlalchemy.engine import make_url

from app import wiring
from app.security import keyring
from app.security.door import Door, NotReady, open_door
from config.settings import PROJECT, Settings
from models.audit import LEDGER_TABLES
from models.database import Database, migration_engine
from models.keys import Deployment, DeploymentKind
from models.moment import now
from models.registry import METADATA

NO_SCHOOL = "（未设置校名）"


def script(connection: object | None = None) -> Config:
    """Alembic's configuration, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(PROJECT / "migrations"))
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    config.attributes["connection"] = connection
    return config


@contextmanager
def owner_engine(settings: Settings) -> Iterator[Engine]:
    """The database as its owner, for migrations only."""
    engine = migration_engine(settings.owner_database_url)
    try:
        yield engine
    finally:
        engine.dispose()


def upgrade(settings: Settings, *, to: str = "head") -> None:
    """Bring the schema up, then give the application's role its rights."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with owner_engine(settings) as engine:
        with engine.connect() as connection:
            command.upgrade(script(connection), to)
        if engine.dialect.name == "postgresql":
            grant(engine, make_url(settings.database_url).username or "")


def downgrade(settings: Settings, to: str) -> None:
    with owner_engine(settings) as engine, engine.connect() as connection:
        command.downgrade(script(connection), to)


def revision_of(settings: Settings) -> tuple[str | None, str | None]:
    """The schema's revision and the newest one there is."""
    with owner_engine(settings) as engine, engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision(), ScriptDirectory.from_config(
            script()
        ).get_current_head()


def grant(engine: Engine, role: str) -> None:
    """The application may read and write everything, but only add to the log (decisions 28)."""
    if not role or role == engine.url.username:
        return
    quoted = engine.dialect.identifier_preparer.quote(role)
    ledger = ", ".join(f'"{table.name}"' for table in LEDGER_TABLES)
    rest = ", ".join(f'"{name}"' for name in METADATA.tables if METADATA.tables[name] not in LEDGER_TABLES)
    with engine.begin() as connection:
        for statement in (
            f"GRANT USAGE ON SCHEMA public TO {quoted}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {rest} TO {quoted}",
            f"REVOKE ALL ON {ledger} FROM {quoted}",
            f"GRANT SELECT, INSERT ON {ledger} TO {quoted}",
            f"GRANT SELECT ON alembic_version TO {quoted}",
        ):
            connection.execute(text(statement))


def create(settings: Settings, *, kind: DeploymentKind, school: str) -> list[str]:
    """Make keys if there are none, bring the schema up, and name the deployment; returns shares to print."""
    shares = [] if keyring.exist(settings.key_dir) else _make_keys(settings)
    upgrade(settings)
    database = Database(settings.database_url)
    with database.writing() as session:
        if session.scalars(select(Deployment)).one_or_none() is None:
            session.add(Deployment(kind=kind, school=school, created_at=now(), roster_version=1))
    database.dispose()
    return shares


def _make_keys(settings: Settings) -> list[str]:
    if _has_deployment(settings):
        raise NotReady(
            f"数据库已有数据，但在 {settings.key_dir} 找不到密钥。请恢复密钥文件夹，"
            "或用恢复份额：python3 manage.py restore --help"
        )
    return keyring.create(settings.key_dir)


def _has_deployment(settings: Settings) -> bool:
    with owner_engine(settings) as engine:
        if engine.dialect.name == "sqlite" and not settings.home.exists():
            return False
        with engine.connect() as connection:
            if not engine.dialect.has_table(connection, "deployment"):
                return False
            return connection.execute(select(Deployment.id)).first() is not None


def opened(settings: Settings) -> Door:
    """The door of this installation, with the rooms wired, for a command."""
    wiring.wire_events()
    return open_door(settings)
