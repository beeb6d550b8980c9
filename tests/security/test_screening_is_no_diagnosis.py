"""Law 7: scores are screening, never diagnosis: in every word the house says, and on every page that shows a band."""

from __future__ import annotations

import ast
import re

import pytest

from app.screening.scales.scale import all_scales
from models.identity import Role
from tests.architecture.sources import product, templates, text_of, tracked
from tests.furnished import furnish
from tests.house import House

NEVER = ("确诊", "抑郁症", "焦虑症", "精神分裂", "精神病", "病人", "免责", "承诺书", "问题学生", "异常学生", "高危学生")
PUBLISHED = ("精神病性",)
"""Names of factors and indicators of published scales: only their files may say them, and the one that reads them."""
ABOUT_SCALES = ("config/scales/", "config/source_words.toml")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _said() -> list[tuple[str, str]]:
    """Every sentence that can stand on a screen, with where it is written."""
    found = [(path, text) for path, text in templates()]
    for path in tracked():
        if path.startswith("config/") and path.endswith(".toml"):
            text = text_of(path)
            for name in PUBLISHED if path.startswith(ABOUT_SCALES) else ():
                text = text.replace(name, "")
            found.append((path, text))
    for path, tree in product():
        found += [
            (path, node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CHINESE.search(node.value)
        ]
    return [(path, part) for path, text in found for part in re.split(r"[。；！？\n]|<[^>]+>", text) if part.strip()]


@pytest.mark.parametrize("word", NEVER)
def test_nobody_is_called_by_an_illness_and_nobody_signs_away_a_duty(word: str) -> None:
    assert [(path, part.strip()) for path, part in _said() if word in part] == []


def test_the_word_diagnosis_stands_only_where_it_is_denied() -> None:
    named = [(path, part.strip()) for path, part in _said() if "诊断" in part]

    assert named
    assert [(path, part) for path, part in named if not re.search("不|不是|非", part)] == []


def test_a_band_is_shown_as_a_screening_hint_and_never_alone(sqlite_house: House) -> None:
    ids, people = furnish(sqlite_house)
    labels = {band.label for scale in all_scales().values() for band in scale.bands}
    alone = []
    for role in (Role.PSYCHOLOGIST, Role.CENTRE_HEAD):
        entry = people[role].get(f"/interviews/{ids['entry_id']}")
        for shown in re.findall(r"总分 \d+[^<]*", entry.html):
            if any(label in shown for label in labels) and "筛查提示" not in shown:
                alone.append((role.value, shown))
        assert "不是诊断" in entry
        assert "筛查提示" in entry

    assert alone == []


@pytest.mark.parametrize("role", [Role.ADVISOR, Role.CLASS_TEACHER, Role.COLLEGE_LEAD, Role.AFFAIRS_HEAD, Role.DUTY])
def test_whoever_is_not_of_the_centre_is_shown_no_band_at_all(sqlite_house: House, role: Role) -> None:
    ids, people = furnish(sqlite_house)
    labels = {band.label for scale in all_scales().values() for band in scale.bands}
    for place in ("/worklist", "/my-students", "/overview", "/students/{student_id}", "/duties/{duty_id}"):
        page = people[role].get(place.format(**ids))
        assert [label for label in labels if label in page.text] == []
        assert "总分" not in page.text
