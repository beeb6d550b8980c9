"""Runs migrations on the connection it is given, by the owner of the tables.

Migrations state plain column types, so that they stay true when a model is
renamed; they never open anything (decisions 6).
"""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from models.moment import UtcDateTime
from models.registry import METADATA
from models.sealed import SealedType


def plain(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """How a column type of ours is written into a migration."""
    if kind != "type":
        return False
    if isinstance(item, SealedType):
        return "sa.LargeBinary()"
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if type(item).__name__ == "Id":
        autogen.imports.add("from models.base import Id")
        return "Id()"
    if type(item).__name__ == "Enum":
        return f"sa.String({item.length})"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=plain,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
