"""A college's own scale is a file: what it may say, and that everything wrong in it is said at once."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.screening.scales import scale
from app.screening.scales.scale import Scale, ScaleFault, all_scales, read_path
from app.screening.scales.scoring import MISSING, score
from config import catalogue

OWN = """
key = "own"
name = "OWN"
title = "本校自编量表"
version = "1"
licence_class = "open"
source = "心理中心 2026"
minimum = 1
maximum = 3
answers = [{ value = 1, text = "从不" }, { value = 2, text = "有时", words = ["偶尔"] }, { value = 3, text = "总是" }]
codings = [{ key = "3-1", minimum = 1, maximum = 3, values = { 1 = 3, 2 = 2, 3 = 1 } }]
items = [
    { number = 1, text = "甲" },
    { number = 2, text = "乙" },
    { number = 3, text = "丙" },
    { number = 4, key = "wish", text = "丁" },
]
reversed = [2]
subscales = [{ key = "half", name = "前半", items = ["1-2"], method = "mean", multiplier = 1.5, rounding = "half_up" }]
counts = [{ key = "high", name = "高分项", op = ">=", value = 3 }]
total = { multiplier = 1.25, rounding = "floor" }
missing = { rule = "refuse" }
bands = [{ from = 5, key = "low", label = "程度低" }, { op = ">", from = 9, key = "high", label = "程度高" }]
positive = { all = [{ total = true, op = ">", value = 9 }, { count = "high", op = ">=", value = 2 }] }
red_flags = [{ item = "wish", op = ">=", value = 3, level = "orange", reason = "OWN 第 4 题 3 分" }]
prefixes = ["own"]
"""


def table(**other: Any) -> dict[str, Any]:
    return {**tomllib.loads(OWN), **other}


def own(**other: Any) -> Scale:
    return scale.read("own", table(**other))


def faults(**other: Any) -> tuple[str, ...]:
    with pytest.raises(ScaleFault) as caught:
        own(**other)
    return caught.value.faults


def test_a_file_alone_makes_a_scale_that_scores() -> None:
    found = score(own(), np.array([[3, 1, 3, 3], [1, 3, 1, 1], [1, 1, 1, MISSING]], dtype=np.int16))

    assert found.totals.tolist()[:2] == [15, 5]
    assert found.subscales[:, 0].tolist() == [5, 2, 3]
    assert found.positive.tolist() == [True, False, False]
    assert found.flagged.tolist() == [True, False, False]
    assert found.counts["high"].tolist()[:2] == [3, 1]


def test_words_and_codings_of_the_file_are_known() -> None:
    held = own()

    assert held.answer_words == {"从不": 1, "有时": 2, "偶尔": 2, "总是": 3}
    assert [coding.key for coding in held.codings] == ["1-3", "3-1"]


def test_up_to_two_gaps_may_be_filled_by_the_sheets_own_mean() -> None:
    plain = [{"from": 4, "key": "a", "label": "甲"}]
    held = own(missing={"rule": "mean", "at_most": 1}, subscales=[], total={}, bands=plain)
    sheets = np.array([[3, 1, 3, MISSING], [3, 1, MISSING, MISSING]], dtype=np.int16)

    found = score(held, sheets)

    assert found.totals[0] == 12
    assert np.isnan(found.totals[1])


def test_everything_that_is_wrong_is_said_at_once_with_its_place() -> None:
    broken = table(version="", reversed=[9], prefixs=["x"], minimum="1")
    broken["items"][2]["number"] = "3"
    broken["bands"][1]["op"] = "=>"
    del broken["source"]

    with pytest.raises(ScaleFault) as caught:
        scale.read("own", broken)

    said = "\n".join(caught.value.faults)
    for place in ("version", "reversed", "prefixs", "minimum", "items[3].number", "bands[2].op", "source"):
        assert f"{place}：" in said, place
    assert str(caught.value).startswith("own: 共 ")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"licence_class": "scoring_only"}, "不允许随产品携带题目文字"),
        ({"reversed": [1, 1]}, "同一题写了两次"),
        ({"key": "Own Scale"}, "key：只用小写英文字母"),
        ({"key": "a" * 25}, "超过 24 个字符"),
        ({"positive": {"any": [], "all": []}}, "any 与 all 只能写一种"),
        ({"positive": {"any": [{"op": ">=", "value": 3}]}}, "应恰好写明一种"),
        ({"positive": {"any": [{"subscale": "nobody", "op": ">=", "value": 3}]}}, "没有分量表 nobody"),
        ({"positive": {"any": [{"count": "nobody", "op": ">=", "value": 3}]}}, "没有计数 nobody"),
        ({"positive": {"any": [{"total": True, "op": ">=", "value": 16}]}}, "总分到不了"),
        ({"positive": {"any": [{"total": True, "op": ">", "value": 15}]}}, "总分到不了"),
        ({"positive": {"any": [{"item": 1, "op": "<", "value": 1}]}}, "第 1 题到不了"),
        ({"red_flags": [{"item": 1, "op": ">=", "value": 1}]}, "或每个答案都算"),
        ({"red_flags": [{"item": "nobody", "op": ">=", "value": 2}]}, "没有题 nobody"),
        ({"red_flags": [{"item": 1, "op": ">=", "value": 2, "level": "blue"}]}, "“blue”不认识"),
        ({"red_flags": [{"item": 1, "op": ">=", "value": 2, "focus": ["x"]}]}, "不在 focus.toml 里"),
        ({"codings": [{"key": "0-4", "minimum": 0, "maximum": 4}]}, "档数不同"),
        ({"codings": [{"key": "b", "minimum": 1, "maximum": 3, "values": {"1": 3, "2": 9}}]}, "应写全 1 到 3"),
        ({"codings": [{"key": "1-3", "minimum": 1, "maximum": 3}]}, "key 重复"),
        ({"bands": []}, "一个分段也没有"),
        ({"bands": [{"from": 5, "key": "a", "label": "甲"}, {"from": 99, "key": "b", "label": "乙"}]}, "超出最高分 15"),
        ({"total": {"of": "subscales", "multiplier": 0}}, "multiplier：应大于 0"),
        ({"total": {"of": "none"}}, "没有总分的量表只能用条件"),
        ({"total": {"rounding": "down"}}, "“down”不认识"),
        ({"missing": {"rule": "mean"}}, "用 mean 补缺"),
        ({"validity": {"lie": {"items": [1], "op": "==", "value": 3, "at_least": 2}}}, "应在 1 到题数之间"),
        ({"reliability": {"alpha": 1.2, "source": "x"}}, "应在 0 和 1 之间"),
        ({"reliability": {"alpha": 0.8}}, "reliability.source：缺少这一项"),
        ({"items": 0}, "没有题 2"),
        ({"items": "二十"}, "items：应为列表"),
        ({"answers": [{"value": 1, "text": "甲"}, {"value": 1, "text": "乙"}]}, "1 出现了两次"),
    ],
)
def test_an_impossible_statement_is_explained(other: dict[str, Any], said: str) -> None:
    assert said in "\n".join(faults(**other))


WRONG: tuple[Any, ...] = (None, 0, -1, 1.5, True, "x", "1-99999999", [], [1], [[]], {}, {"any": 1}, [{}], 10**30)


def places(held: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a file, however deep."""
    keys = list(held) if isinstance(held, dict) else range(len(held)) if isinstance(held, list) else ()
    for key in keys:
        yield (*path, key)
        yield from places(held[key], (*path, key))


def test_no_file_whatever_it_holds_breaks_the_reader() -> None:
    for path in places(table()):
        for wrong in WRONG:
            broken = table()
            at: Any = broken
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = wrong
            with contextlib.suppress(ScaleFault):
                scale.read("own", broken)


def test_wording_that_a_college_has_a_licence_for_lies_in_a_file_of_its_own(tmp_path: Path) -> None:
    shipped = (catalogue.FOLDER / "scales" / "pss10.toml").read_text(encoding="utf-8")
    (tmp_path / "pss10.toml").write_text(shipped, encoding="utf-8")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "pss10.toml").write_text('prompt = "过去一个月里……"\n[items]\n4 = "本校的第四题"\n')

    held = read_path(tmp_path / "pss10.toml")

    assert (held.prompt, held.items[3].text, held.items[0].text) == ("过去一个月里……", "本校的第四题", "")
    (tmp_path / "texts" / "pss10.toml").write_text('[items]\n11 = "没有这一题"\n')
    with pytest.raises(ScaleFault, match=r"texts\.items\.11：没有这一题"):
        read_path(tmp_path / "pss10.toml")


def test_no_shipped_file_carries_wording_that_its_licence_forbids() -> None:
    worded = {key for key, held in all_scales().items() if any(item.text for item in held.items)}

    assert worded == {"phq9", "gad7", "dass21", "k6", "k10", "who5"}
    assert all(all_scales()[key].licence_class in {"open", "nc"} for key in worded)
