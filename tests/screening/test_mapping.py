"""Which column is what: headers as real files write them, and the confirmation by a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.screening.desk.map_form import from_meanings
from app.screening.scales.scale import all_scales
from app.screening.tables import mapping
from app.screening.tables.plan import Plan, ScalePlan, refuse_unfit
from app.screening.tables.suggest import suggest
from models.refusal import Refusal

SCALES = ("phq9", "gad7")
PHQ9, GAD7 = all_scales()["phq9"], all_scales()["gad7"]


def headers(pattern: str, count: int) -> list[str]:
    return [pattern.format(number) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("phq", "gad"),
    [
        ("PHQ9-{}", "GAD7-{}"),
        ("phq{}", "gad{}"),
        ("PHQ9_{}", "GAD7_{}"),
        ("PHQ-9 第{}题", "GAD-7 第{}题"),
        ("PHQ9Q{}", "GAD7Q{}"),
        ("phq9.{}", "gad7.{}"),
        ("ＰＨＱ９－{}", "ＧＡＤ７－{}"),
        ("PHQ-9-{}（0-3）", "GAD-7-{}（0-3）"),
    ],
)
def test_items_are_found_under_the_names_that_files_give_them(phq: str, gad: str) -> None:
    plan = suggest(["学号", "姓名", *headers(phq, 9), *headers(gad, 7)], SCALES)

    assert plan.columns == {"student_number": 0, "name": 1}
    assert plan.items == {"phq9": list(range(2, 11)), "gad7": list(range(11, 18))}


@pytest.mark.parametrize("front", ["", "1. ", "第 1 题 ", "PHQ-9："])
def test_items_are_found_by_their_own_sentences(front: str) -> None:
    words = [item.text for item in PHQ9.items] + [f"{front}{item.text}" for item in GAD7.items]

    plan = suggest(["学号", *words], SCALES)

    assert plan.items == {"phq9": list(range(1, 10)), "gad7": list(range(10, 17))}


def test_sentences_are_found_in_any_order() -> None:
    words = [item.text for item in reversed(PHQ9.items)]

    plan = suggest(["学号", *words], ["phq9"])

    assert plan.items["phq9"] == list(range(9, 0, -1))


@pytest.mark.parametrize("pattern", ["Q{}", "q{}", "第{}题", "{}", "{}、做事没有兴趣", "第{}题 做事没有兴趣"])
def test_a_bare_number_is_believed_when_the_file_holds_one_scale(pattern: str) -> None:
    plan = suggest(["学号", *headers(pattern, 9)], ["phq9"])

    assert plan.items == {"phq9": list(range(1, 10))}


@pytest.mark.parametrize("pattern", ["Q{}", "第{}题", "{}"])
def test_a_bare_number_is_not_believed_when_it_could_be_either_scale(pattern: str) -> None:
    plan = suggest(["学号", *headers(pattern, 16)], SCALES)

    assert plan.items == {}
    with pytest.raises(Refusal, match=r"没有找到 PHQ-9 的全部 9 题"):
        refuse_unfit(plan, SCALES)


@pytest.mark.parametrize("total", ["PHQ9", "PHQ-9", "phq9总分", "PHQ-9 结果"])
def test_a_column_of_totals_is_never_taken_for_an_item(total: str) -> None:
    plan = suggest(["学号", total, *headers("PHQ9-{}", 9)], ["phq9"])

    assert plan.items["phq9"] == list(range(2, 11))


@pytest.mark.parametrize("total", ["GAD7", "GAD-7"])
def test_a_column_of_gad_totals_is_never_taken_for_an_item(total: str) -> None:
    plan = suggest(["学号", total, *headers("GAD7-{}", 7)], ["gad7"])

    assert plan.items["gad7"] == list(range(2, 9))


@pytest.mark.parametrize("total", ["PHQ9", "PHQ-9"])
def test_a_total_does_not_stand_in_for_a_ninth_item_that_is_missing(total: str) -> None:
    assert suggest(["学号", *headers("PHQ9-{}", 8), total], ["phq9"]).items == {}


def test_a_ninth_item_may_be_called_like_the_scale_in_a_row_of_its_kind() -> None:
    assert suggest(["学号", *headers("PHQ{}", 9)], ["phq9"]).items == {"phq9": list(range(1, 10))}


def test_a_scale_that_lacks_an_item_is_not_half_mapped() -> None:
    plan = suggest(["学号", *headers("PHQ9-{}", 8)], ["phq9"])

    assert plan.items == {}


def test_a_tenth_question_is_left_alone() -> None:
    plan = suggest(["学号", *headers("PHQ9-{}", 10)], ["phq9"])

    assert plan.items["phq9"] == list(range(1, 10))


def test_a_file_without_a_number_column_is_refused_and_never_joined_by_row_order() -> None:
    plan = suggest(["姓名", *headers("PHQ9-{}", 9)], ["phq9"])

    with pytest.raises(Refusal, match="不会按行的顺序对应学生"):
        refuse_unfit(plan, ["phq9"])


@pytest.mark.parametrize("word", ["学号", "学生学号", "学籍号", "student_no", "StudentID", "ID", "账号"])
def test_the_number_column_bears_many_names(word: str) -> None:
    assert suggest([word], ["phq9"]).columns == {"student_number": 0}


@pytest.mark.parametrize("word", ["序号", "编号", "手机", "年龄", "来源", "IP"])
def test_a_running_number_or_a_phone_is_not_a_student_number(word: str) -> None:
    assert suggest([word], ["phq9"]).columns == {}


def test_one_column_cannot_mean_two_things() -> None:
    plan = Plan(columns={"student_number": 0}, scales={"phq9": ScalePlan([1, 2, 3, 4, 5, 6, 7, 8, 8])})

    with pytest.raises(Refusal, match="两种含义"):
        refuse_unfit(plan, ["phq9"])


def test_the_number_column_cannot_be_an_item_too() -> None:
    plan = Plan(columns={"student_number": 1}, scales={"phq9": ScalePlan(list(range(1, 10)))})

    with pytest.raises(Refusal, match="两种含义"):
        refuse_unfit(plan, ["phq9"])


# --- what a person confirms on the page ---------------------------------------------------------


def confirmed(**changes: str) -> dict[int, str]:
    meanings = {0: "student_number"} | {number: f"phq9.{number}" for number in range(1, 10)}
    return meanings | {int(place.removeprefix("c")): meaning for place, meaning in changes.items()}


def test_a_confirmed_form_becomes_the_same_plan_again() -> None:
    header = ["学号", *headers("D{}", 9)]
    plan = from_meanings(confirmed(), sheet="Sheet1")

    assert mapping.apply(plan.as_mapping(header), header) == plan
    assert [plan.meaning(place) for place in range(10)] == list(confirmed().values())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"c10": "phq9.3"}, "被指定了两次", id="an item given twice"),
        pytest.param({"c10": "student_number"}, "指定了两列", id="a field given twice"),
        pytest.param({"c0": ""}, "没有找到学号列", id="no number"),
        pytest.param({"c9": ""}, "应有 9 题，指定了 8 列", id="an item short"),
        pytest.param({"c1": ""}, "应有 9 题，指定了 8 列", id="the first item short"),
    ],
)
def test_a_form_that_cannot_be_meant_is_refused(changes: dict[str, str], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        refuse_unfit(from_meanings(confirmed(**changes)), ["phq9"])


@pytest.mark.parametrize(
    "meaning", ["phq9.0", "phq9.10", "phq9.99", "nonsense.3", "phq9.nonsense", "scl90.factor.none", "x"]
)
def test_a_form_cannot_name_what_does_not_exist(meaning: str) -> None:
    with pytest.raises(Refusal):
        from_meanings(confirmed(c10=meaning))


@given(header=st.lists(st.text(max_size=12), max_size=30), wanted=st.sampled_from([["phq9"], SCALES, None]))
def test_no_header_breaks_the_guess_and_no_guess_means_one_column_twice(
    header: list[str], wanted: list[str] | None
) -> None:
    plan = suggest(header, wanted)

    used = [*plan.columns.values(), *(place for part in plan.scales.values() for place in part.places)]
    assert len(used) == len(set(used))
    assert all(0 <= place < len(header) for place in used)
