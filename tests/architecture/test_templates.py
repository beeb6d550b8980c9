"""Templates: nothing unescaped, nothing inline, nothing foreign, every table and form complete."""

from __future__ import annotations

import re

import pytest

from tests.architecture.sources import templates

PAGES = [pytest.param(text, id=path) for path, text in templates()]
FORBIDDEN = {
    "unescaped output": r"\|\s*safe\b|Markup\(|autoescape\s+false",
    "inline style": r"<[a-z][^>{]*\sstyle\s*=",
    "inline script": r"<script(?![^>]*\ssrc=)",
    "inline handler": r"\son[a-z]+\s*=",
    "another host": r"(?:src|href|action)\s*=\s*[\"'](?:https?:)?//",
    "script address": r"javascript:",
}


@pytest.mark.parametrize("text", PAGES)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_template_holds_no(text: str, what: str) -> None:
    assert re.findall(FORBIDDEN[what], text, re.IGNORECASE) == []


@pytest.mark.parametrize("text", PAGES)
def test_every_form_that_changes_something_carries_its_token(text: str) -> None:
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text, re.DOTALL):
        assert "csrf_token" in form or "hidden_tag()" in form, form[:120]


@pytest.mark.parametrize("text", PAGES)
def test_every_table_has_a_caption_and_says_which_cells_are_headings(text: str) -> None:
    for table in re.findall(r"<table\b.*?</table>", text, re.DOTALL):
        assert "<caption" in table, table[:120]
        assert re.search(r"<th\b(?![^>]*scope=)", table) is None, table[:120]


@pytest.mark.parametrize("text", PAGES)
def test_every_field_has_a_label(text: str) -> None:
    for field in re.findall(r"<(?:input|select|textarea)\b[^>]*>", text):
        if 'type="hidden"' in field:
            continue
        found = re.search(r'id="([^"]+)"', field)
        assert "aria-label" in field or (found and f'for="{found[1]}"' in text), field
