"""The report of a round: exact counts, no names, words that are hints; and how far answers can be believed."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from sqlalchemy import select

from app.security.policy import Permission, Purpose
from models.intake import ImportBatch
from models.moment import travel
from tests.house import House
from tests.risk.times import again, at
from tests.screening.files import enrol, line, phq
from tests.screening.rounds import done, new_round, take_part

QUALITY = {
    "sheets": 3,
    "doubtful": 1,
    "reasons": {"straight": 1, "fast": 0},
    "alpha": 0.41,
    "alpha_expected": 0.86,
    "alarm": "一致性明显低于通常水平，请核对反向题和列的对应关系。",
    "duplicates": 2,
}


def test_the_report_counts_what_a_hand_counts_and_names_nobody(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    people = enrol(house, 5, house.make.class_group(house.make.college("护理学院")))
    row = new_round(house, head)
    answered = [line(people[0], phq(2)), line(people[1], phq(12)), line(people[2], phq(4, 2)), line(people[3], phq(6))]
    take_part(house, tmp_path, row, *answered)

    page = head.get(f"/rounds/{row.id}/report")

    assert "应测 5 人，有结果 4 人（80.0%）" in page
    assert "护理学院 5 4 80.0% 0 0 1" in page
    assert "共 4 份，计总分 4 份；平均 6.00 分，标准差 3.74" in page
    assert "重点（橙） 1 人（未办结 1）" in page
    assert "建议面谈 1 人：待安排 1 人" in page
    assert "《心理健康测评知情同意书》第 1 版" in page
    assert "内部" in page
    assert [word for person in people for word in (person.name, person.number) if word in page.html] == []
    assert [bad for bad in ("阳性", "异常", "患有", "确诊") if bad in page] == []


def test_reading_the_sums_is_one_line_in_the_log_with_a_count_and_no_names(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    row = new_round(house, head)
    done(house, tmp_path, row, *enrol(house, 3))

    head.get(f"/rounds/{row.id}/report")

    [entry] = house.log(act="round_figures_read")
    assert (entry["count"], entry["subjects"]) == (6, [])
    [reading] = house.log(act="screening_read")
    assert (reading["fields"], reading["subjects"]) == (["response_set.body"], [])


def test_an_earlier_round_is_compared_and_one_between_without_the_scale_is_missing(
    house: House, tmp_path: Path
) -> None:
    head, _, _ = house.make.team()
    people = enrol(house, 2)
    early = new_round(house, head, "春季")
    take_part(house, tmp_path, early, *(line(person, phq(8)) for person in people))
    with travel(at("2026-11-17")):
        new_round(house, again(head), "中间")
    with travel(at("2026-11-18")):
        late = new_round(house, again(head), "秋季")
        take_part(house, tmp_path, late, *(line(person, phq(4)) for person in people))
        page = again(head).get(f"/rounds/{late.id}/report")
        first = again(head).get(f"/rounds/{early.id}/report")

    assert "本次 2 4.00" in page
    assert "中间 2026-11-17 -- -- 未使用该量表" in page
    assert "春季 2026-11-16 2 8.00" in page
    assert "以前的批次没有使用同一量表" in first


def test_the_workbook_of_the_report_has_the_same_numbers(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    people = enrol(house, 3)
    row = new_round(house, head)
    take_part(house, tmp_path, row, line(people[0], phq(2)), line(people[1], phq(12)))

    book = load_workbook(BytesIO(head.get(f"/rounds/{row.id}/report.xlsx").response.get_data()))

    scales = [list(found) for found in book["各量表"].iter_rows(min_row=4, values_only=True)]
    patient = [found for found in scales if "PHQ-9" in str(found[0])]
    assert {tuple(found[1:5]) for found in patient} == {(2, 2, 7, 5)}
    assert sum(found[6] for found in patient) == 2
    assert [list(found) for found in book["参与情况"].iter_rows(min_row=5, values_only=True)] == [
        ["合计", 3, 2, "66.7%", 0, 0, 1]
    ]
    text = json.dumps([[str(cell.value) for cell in found] for page in book for found in page], ensure_ascii=False)
    assert not any(person.name in text or person.number in text for person in people)


def _note(house: House, **more: Any) -> None:
    """What a newer importer writes into its receipts."""
    with house.console(Permission.SCREENING_IMPORT, Purpose.CARE) as access:
        for batch in access.session.scalars(select(ImportBatch).where(ImportBatch.round_id.is_not(None))):
            receipt = access.open_json(batch, ImportBatch.receipt)
            access.seal_json(batch, ImportBatch.receipt, receipt | more)


def test_a_files_quality_and_its_alarm_stand_on_the_round_and_in_the_report(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    row = new_round(house, head)
    done(house, tmp_path, row, *enrol(house, 3))
    _note(house, quality={"phq9": QUALITY})

    for path in (f"/rounds/{row.id}", f"/rounds/{row.id}/report"):
        page = head.get(path)
        assert "PHQ-9 3 1" in page
        assert "0.41 通常约 0.86" in page
        assert "请核对反向题和列的对应关系" in page
    assert "本批次来源不含关键题" not in head.get(f"/rounds/{row.id}")


def test_a_round_whose_sources_know_no_critical_items_says_so(house: House, tmp_path: Path) -> None:
    head, _, _ = house.make.team()
    row = new_round(house, head)
    assert "本批次来源不含关键题" not in head.get(f"/rounds/{row.id}")
    done(house, tmp_path, row, *enrol(house, 1))

    _note(house, has_critical_items=False)

    assert "本批次来源不含关键题，无法识别自伤提示" in head.get(f"/rounds/{row.id}")
