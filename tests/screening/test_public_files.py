"""Public files as they lie there: refused with words that say what to do, never read by the order of their rows.

What they come to once their people are known is in ``test_real_files`` and
``test_public_numbers``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from models.refusal import Refusal
from models.risk import Alert
from models.screening import ResponseSet, ScreeningRound
from tests.house import House
from tests.screening.files import bring_in, enrol, fates
from tests.screening.odd import saved, taken
from tests.screening.test_real_files import path_of, pytestmark, raw_of, with_numbers

__all__ = ["pytestmark"]
NO_ID = "没有找到学号列，也没有姓名和班级两列。请指定哪一列是学号；系统不会按行的顺序对应学生"
NO_SCALE = "没有找到任何量表、等级或提示名单.*系统里还没有的量表，请先请管理员添加它的量表文件"
JSON = "文件内容是 JSON 数据，不是表格。请在来源系统里改为导出 Excel 或 CSV"
TABLES = (
    "1_sample_characteristics_quality",
    "2_outcome_definitions_prevalence",
    "3_performance_by_item_count_and_selection",
    "10_triage_capacity_coverage",
    "14_response_pattern_audit",
)
REFUSED = {
    "argentina/bdi_stai_two_wave.xlsx": NO_ID,
    "argentina/ghq_k10_two_wave.xlsx": NO_ID,
    "carrard/carrard_2022.csv": NO_SCALE,
    "carrard/carrard_legacy.xls": NO_SCALE,
    "carrard/carrard_strict_ooxml.xlsx": NO_SCALE,
    "dass42/dass42_5000.csv.gz": "这是压缩文件，请先解压",
    "fhir/Questionnaire-phq-9-example.json": JSON,
    "fhir/QuestionnaireResponse-phq-9-example.json": JSON,
    "mexico/depression_data.csv": NO_ID,
    **{f"scl90_aggregates/table{name}.csv": NO_ID for name in TABLES},
    "uci_dropout/students_dropout.csv": NO_ID,
    "ukm/Demography.csv": NO_ID,
    "ukm/Psychological_aspects.csv": NO_ID,
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_as_it_lies_there_each_file_is_refused_with_what_to_do(sqlite_house: House, name: str) -> None:
    sqlite_house.make.team()

    for all_sheets in (False, True):
        with pytest.raises(Refusal, match=REFUSED[name]):
            taken(sqlite_house, path_of(name), all_sheets=all_sheets)

    assert sqlite_house.count(ResponseSet) == sqlite_house.count(Alert) == sqlite_house.count(ScreeningRound) == 0


def test_every_public_file_is_among_those_tested() -> None:
    assert {path.relative_to(path_of("")).as_posix() for path in path_of("").glob("*/*")} == set(REFUSED)


def test_two_files_about_the_same_people_are_not_joined_by_the_order_of_their_rows(
    sqlite_house: House, tmp_path: Path
) -> None:
    sqlite_house.make.team()
    header, rows = raw_of(path_of("mexico/depression_data.csv"))
    file, _ = with_numbers(sqlite_house, tmp_path, header, rows[:20])

    for second in ("ukm/Demography.csv", "mexico/depression_data.csv"):
        with pytest.raises(Refusal, match=f"{Path(second).name}：{NO_ID}"):
            bring_in(sqlite_house, [file, path_of(second)], scales=())  # type: ignore[arg-type]

    assert sqlite_house.count(ResponseSet) == 0


@pytest.mark.parametrize("name", ["uci_dropout/students_dropout.csv", "ukm/Demography.csv"])
def test_a_file_without_any_scale_is_refused_even_with_student_numbers(
    sqlite_house: House, tmp_path: Path, name: str
) -> None:
    sqlite_house.make.team()
    header, rows = raw_of(path_of(name))
    file, _ = with_numbers(sqlite_house, tmp_path, header, rows[:30])

    with pytest.raises(Refusal, match=NO_SCALE):
        taken(sqlite_house, file)
    with pytest.raises(Refusal, match="没有找到 PHQ-9 的全部 9 题，也没有它的总分"):
        taken(sqlite_house, file, scales=("phq9",))


def test_an_aggregate_table_finds_nobody_even_where_a_person_calls_its_groups_students(
    sqlite_house: House, tmp_path: Path
) -> None:
    sqlite_house.make.team()
    enrol(sqlite_house, 3)
    words = '[columns]\nstudent_number = "sample"\n[scales.scl90]\ntotal = "total_mean"\n'

    receipt = taken(
        sqlite_house, path_of(f"scl90_aggregates/table{TABLES[0]}.csv"), mapping_file=saved(tmp_path, words)
    )

    assert fates(receipt) == (3, 0, 0, 3, 0)
    assert {problem["code"] for problem in receipt["problems"]} == {"student_unknown"}
    assert sqlite_house.count(ResponseSet) == 0
