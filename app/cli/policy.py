"""``policy``: the matrix of roles, permissions and purposes, and of roles and routes, as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from flask import Flask

from app.security.policy import OPENS, PEOPLE, POLICY, ROOTS
from app.wiring import ROOMS
from models.identity import Role


@click.group()
def policy() -> None:
    """权限规则。"""


@policy.command("matrix")
def matrix() -> None:
    """打印“岗位 × 权限 × 目的”和“岗位 × 页面”两张表。"""
    click.echo("\n".join(lines()))


def lines() -> Iterator[str]:
    """Both matrices, in a stated order; kept in the repository and compared by a test."""
    yield "# role x permission x purpose: rule"
    for (permission, purpose), rules in sorted(POLICY.items()):
        root = ROOTS.get(permission)
        yield ""
        yield f"[{permission} / {purpose}] root={root.__tablename__ if root else '-'}"
        for role in Role:
            if role in rules:
                yield f"  {role.value:<16} {rules[role].__name__}"
        yield f"  opens: {', '.join(sorted(OPENS.get(permission, ()))) or '-'}"
    yield ""
    yield "# route: methods, permission / purpose, roles that may enter"
    yield from _routes()


def _routes() -> Iterator[str]:
    app = Flask("matrix")
    for room in ROOMS:
        app.register_blueprint(room)
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ())))
    for rule in rules:
        if rule.endpoint == "static":
            continue
        view: Any = app.view_functions[rule.endpoint]
        need = view.declared
        methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        if need.permission is None:
            yield f"{rule.rule}  {methods}  anyone"
            continue
        roles = [role.value for role in PEOPLE if role in POLICY[need.permission, need.purpose]]
        yield f"{rule.rule}  {methods}  {need.permission}/{need.purpose}  {' '.join(roles)}"
