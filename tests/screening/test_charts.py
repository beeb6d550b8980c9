"""A chart drawn on the server: readable without seeing it, and nothing on it can break out."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from app.web.charts import HEIGHT, WIDTH, Mark, line


def test_it_has_a_name_and_says_in_words_what_it_shows() -> None:
    root = ET.fromstring(line("k", "历次总分", "秋季：14", [Mark("秋", 14.0)], lowest=0, highest=27))

    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "k-title k-desc"
    assert [(root.find(tag).get("id"), root.find(tag).text) for tag in ("title", "desc")] == [  # type: ignore[union-attr]
        ("k-title", "历次总分"),
        ("k-desc", "秋季：14"),
    ]


def test_a_missing_round_leaves_a_gap_and_a_doubtful_one_an_empty_dot() -> None:
    marks = [Mark("1", 3.0), Mark("2", None), Mark("3", 5.0), Mark("4", 9.0, doubtful=True)]

    drawn = line("k", "t", "d", marks, lowest=0, highest=27)

    assert drawn.count('class="chart-line"') == 1
    assert drawn.count("chart-gap") == 1
    assert drawn.count('"chart-dot chart-doubt"') == 1


@given(
    st.lists(st.one_of(st.none(), st.floats(-5, 400)), min_size=1, max_size=12),
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))),
)
def test_whatever_it_is_given_it_stays_within_its_frame_and_is_text(values: list[float | None], words: str) -> None:
    drawn = line("k", words, words, [Mark(words, value) for value in values], lowest=0, highest=360)

    root = ET.fromstring(drawn)

    assert "style=" not in drawn or "style=" in words
    for dot in root.iter("circle"):
        assert 0 <= float(dot.get("cx", "")) <= WIDTH
        assert 0 <= float(dot.get("cy", "")) <= HEIGHT
    assert {element.tag for element in root.iter()} <= {"svg", "title", "desc", "line", "text", "circle"}
