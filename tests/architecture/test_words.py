"""Words on screen: every word of the house has one in Chinese, and every page it names exists."""

from __future__ import annotations

import importlib
import pkgutil
import re
from enum import StrEnum
from pathlib import Path

import pytest
from flask import Flask

import app as application
from app import clocks, menu, wiring
from app.events import Event
from app.help.routes import TOPICS
from app.security.policy import POLICY, Permission, Purpose
from app.web import words
from app.web.icons import icon
from config import catalogue
from models.base import Base
from models.identity import Role
from models.intake import BatchKind
from models.sealed import sealed_fields
from tests.architecture.sources import templates

INTERNAL = {"KeyClass", "ClockKind", "DeploymentKind", "Role"}
"""Never shown, or (roles) shown by their own table."""


def _everything() -> None:
    for found in pkgutil.walk_packages(application.__path__, "app."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)


def _below(kind: type) -> set[type]:
    return {kind for child in kind.__subclasses__() for kind in {child, *_below(child)}}


_everything()
ENUMERATIONS = sorted(
    (
        kind
        for kind in _below(StrEnum)
        if kind.__module__.split(".")[0] in {"app", "models"} and kind.__name__ not in INTERNAL
    ),
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", ENUMERATIONS, ids=lambda kind: kind.__name__)
def test_every_word_of_an_enumeration_is_said_in_chinese(kind: type[StrEnum]) -> None:
    if kind is Permission:
        assert all(words.label(item.value, "act") for item in kind)
        return
    assert all(words.label(item) for item in kind)


def test_every_role_has_a_name_on_screen() -> None:
    assert all(words.role_label(role.value) for role in Role if role is not Role.STUDENT)
    assert words.role_label(Role.STUDENT.value)


def test_every_event_is_an_act_that_the_auditor_can_read() -> None:
    acts = catalogue.table("words")["act"]
    ours = [kind for kind in _below(Event) if kind.__module__.startswith("app.")]
    assert [kind.act() for kind in ours if not kind.quiet and kind.act() not in acts] == []  # type: ignore[attr-defined]


def test_every_rule_of_access_has_a_name_on_the_policy_page() -> None:
    names = {rule.__name__ for rules in POLICY.values() for rule in rules.values()}
    assert names - set(catalogue.table("words")["rule"]) == set()
    assert {purpose for _, purpose in POLICY} <= set(Purpose)


def test_every_sealed_field_has_a_name_for_the_log() -> None:
    assert {field.group for field in sealed_fields(Base)} == set(catalogue.table("words")["sealed_field"])


def test_a_word_that_nobody_says_is_not_kept() -> None:
    tables = catalogue.table("words")
    spoken = {words._snake(kind.__name__): {item.value for item in kind} for kind in ENUMERATIONS}
    idle = {name: sorted(set(tables[name]) - spoken[name]) for name in tables if name in spoken}
    assert {name: held for name, held in idle.items() if held} == {}


@pytest.fixture(scope="module")
def app() -> Flask:
    flask = Flask("pages")
    for room in wiring.ROOMS:
        flask.register_blueprint(room)
    return flask


def test_every_notice_leads_to_a_page(app: Flask) -> None:
    assert [name for name, held in catalogue.table("notices").items() if held["page"] not in app.view_functions] == []


def test_every_entry_of_the_menu_leads_to_a_page_and_has_an_icon(app: Flask) -> None:
    for item in menu.NAVIGATION:
        assert item.endpoint in app.view_functions
        assert icon(item.icon)
        assert (item.permission, item.purpose) in POLICY


def test_every_link_in_a_template_leads_to_a_page(app: Flask) -> None:
    rooms = {page.split(".")[0] for page in app.view_functions}
    lost = [
        f"{path}: {page}"
        for path, text in templates()
        for page in re.findall(r"url_for\('([a-z_.]+)'", text)
        if page.split(".")[0] in rooms and page not in app.view_functions
    ]
    assert lost == []


def test_every_icon_in_a_template_exists() -> None:
    named = {name for _, text in templates() for name in re.findall(r"icon\('([a-z0-9-]+)'\)", text)}
    assert named
    assert all(icon(name) for name in named)


def test_every_help_topic_has_a_page_and_every_page_a_topic() -> None:
    pages = {Path(path).stem for path, _ in templates() if "/help/templates/" in path} - {"index", "topic"}
    assert pages == set(TOPICS)


def test_every_link_to_help_names_a_topic() -> None:
    named = {topic for _, text in templates() for topic in re.findall(r"topic='([a-z]+)'", text)}
    assert named <= set(TOPICS)


def test_every_kind_of_file_has_an_importer() -> None:
    jobs = clocks.job_kinds()
    assert {f"{kind}.{step}" for kind in BatchKind for step in ("preview", "commit")} <= set(jobs)
