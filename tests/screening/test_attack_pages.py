"""The pages of an import in hostile hands and in honest ones: files, layouts, grades, questions, folded scales."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import select

from app.screening.scales.scale import all_scales
from models.intake import BatchChunk, BatchStage, ImportBatch
from models.risk import Alert
from models.screening import ResponseSet, ScreeningRound, UnplacedAnswer
from models.source import ScreeningSource
from tests.house import Client, House, Page, xlsx
from tests.screening.files import COLUMNS, enrol, line, phq
from tests.screening.test_screening_pages import confirm, opened, press, results, stage, upload

ITEMS = [f"phq{number}" for number in range(1, 10)]
EVIL = "<script>alert(1)</script>"


def packed(**files: bytes) -> tuple[bytes, str]:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as container:
        for name, raw in files.items():
            container.writestr(f"{name}.xlsx", raw)
    return out.getvalue(), "全部.zip"


def handed_in(house: House, person: Client, file: tuple[bytes, str], **more: Any) -> str:
    return upload(house, person, opened(house, person), file, **({"scales": []} | more))


def submit(person: Client, path: str, **chosen: str) -> Page:
    """Everything that the page of columns would send, save what is chosen otherwise."""
    html = person.get(f"{path}/map").html
    sent = dict(re.findall(r'<input type="hidden" name="(column-\d+|grade-[\d-]+|version)" value="([^"]*)"', html))
    for name, options in re.findall(
        r'<select class="form-select"[^>]* name="([^"]+)"[^>]*>(.*?)</select>', html, re.DOTALL
    ):
        found = re.search(r'value="([^"]*)" selected', options)
        sent[name] = found[1] if found else ""
    return person.post(f"{path}/map", **sent | {name.replace("__", "-"): value for name, value in chosen.items()})


def test_two_layouts_in_one_upload_are_confirmed_on_one_page(sqlite_house: House) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    people = enrol(house, 3)
    items = xlsx(["学号", *ITEMS], [people[0].number, *phq(3, 2)], [people[1].number, *phq(0)])
    grades = xlsx(["学号", "预警等级"], [people[2].number, "一级"], [people[1].number, "三级"])
    path = handed_in(house, psychologist, packed(一班=items, 平台=grades))

    page = psychologist.get(f"{path}/map")
    assert page.status == 422
    assert "有 2 种表头" in page
    assert "一级是最严重还是最轻" in page
    submit(psychologist, path)
    house.work()
    assert stage(house, path) is BatchStage.READ
    assert "来源的等级还没有全部对应" in psychologist.get(path)
    assert house.count(BatchChunk) > 0

    submit(psychologist, path, **{"level-1-1": "3", "level-1-2": "0"})
    house.work()
    assert stage(house, path) is BatchStage.PREVIEWED
    press(psychologist, path, "commit")
    house.work()
    alerts = {row.student_id for row in house.all(select(Alert.student_id))}
    assert alerts == {people[0].row.id, people[2].row.id}


def test_a_wrong_coding_question_keeps_the_file_and_is_answered_on_the_page(sqlite_house: House) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    rows = [[person.number, *[1 + place % 3] * 9] for place, person in enumerate(enrol(house, 40))]
    path = handed_in(house, psychologist, (xlsx(["学号", *ITEMS], *rows), "a.xlsx"))
    submit(psychologist, path)
    house.work()

    page = psychologist.get(f"{path}/map")
    assert page.status == 422
    assert "任一种记分方式，请指定" in page
    submit(psychologist, path, **{"coding-0-phq9": "1-4"})
    house.work()

    assert stage(house, path) is BatchStage.PREVIEWED
    assert "按 1-4 记分读取" in psychologist.get(path)


def test_ninety_items_are_folded_and_can_be_unfolded(sqlite_house: House) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    [person] = enrol(house, 1)
    header = ["学号", *(f"SCL90-{number}" for number in range(1, 91)), *(f"无关列{number}" for number in range(96))]
    path = handed_in(house, psychologist, (xlsx(header, [person.number, *[1] * 90, *[0] * 96]), "a.xlsx"))

    folded, unfolded = psychologist.get(f"{path}/map"), psychologist.get(f"{path}/map?unfold=scl90")

    assert "90 题已全部识别" in folded
    assert folded.html.count("<select") < 110
    assert unfolded.html.count('name="column-') == folded.html.count('name="column-') == 187
    assert len(unfolded.html) < 6_000_000
    submit(psychologist, path)
    house.work()
    assert stage(house, path) is BatchStage.PREVIEWED


def test_crossed_rows_and_strangers_are_decided_on_the_page_and_can_be_decided_again(sqlite_house: House) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    one, two = enrol(house, 2)
    lines = [[one.number, two.name, *phq(3, 1), *[0] * 7], [two.number, one.name, *phq(0), *[0] * 7]]
    lines.append(["2099000003", "路无名", *phq(5, 3), *[0] * 7])
    path = upload(house, psychologist, opened(house, psychologist), results(*lines))
    confirm(psychologist, path)
    house.work()
    page = psychologist.get(path)
    assert "正好互换" in page
    keys = list(dict.fromkeys(re.findall(r'name="who-([0-9a-f]+)"', page.html)))
    assert len(keys) == 3
    ours = [re.search(rf'name="who-{key}" value="([0-9a-f]{{32}})" checked', page.html) for key in keys[:2]]
    chosen = {f"who-{key}": found[1] for key, found in zip(keys, ours, strict=False) if found}

    psychologist.post(f"{path}/identities", **chosen | {f"who-{keys[2]}": "nobody"}, version=page.value("version"))
    house.work()

    page = psychologist.get(path)
    assert len(chosen) == 2
    assert "需要确认是谁" not in page
    assert "已注明不是本校学生" in page
    assert "1 行，由心理中心立即核实" in page
    psychologist.post(f"{path}/identities", again="1", version=page.value("version"))
    house.work()
    assert "需要确认是谁（3 行）" in psychologist.get(path)
    psychologist.post(f"{path}/identities", **chosen | {f"who-{keys[2]}": "nobody"})
    house.work()
    press(psychologist, path, "commit")
    house.work()
    assert house.count(ResponseSet) == 4
    assert house.count(UnplacedAnswer) == 1


def test_a_decision_for_somebody_who_was_not_offered_is_none(sqlite_house: House) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    one, other = enrol(house, 2)
    path = upload(
        house, psychologist, opened(house, psychologist), results(["2099000003", "路无名", *[0] * 16], line(one))
    )
    confirm(psychologist, path)
    house.work()
    [key] = set(re.findall(r'name="who-([0-9a-f]+)"', psychologist.get(path).html))

    page = psychologist.post(f"{path}/identities", **{f"who-{key}": other.row.id.hex})

    assert "还没有选择任何一行" in page
    assert stage(house, path) is BatchStage.PREVIEWED


@pytest.mark.parametrize(
    "tampered",
    [
        {"column-0": "phq9." + "9" * 6000},
        {"column-0": "phq9.٣"},
        {"column-0": "phq9.factor.x"},
        {"column-0": "source_statement.total"},
        {"column-0": "." * 500},
        {"column-2": "phq9.1", "missing-0": "9" * 5000},
        {"missing-0": "--7"},
        {"column-1": "level", "grade-0-1": "x" * 100_000, "level-0-1": "9"},
        {"column-1": "nobody"},
        {"version": "0"},
    ],
)
def test_a_tampered_form_is_refused_in_words_or_ignored(sqlite_house: House, tampered: dict[str, str]) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    path = upload(house, psychologist, opened(house, psychologist), results(*map(line, enrol(house, 1))))

    assert submit(psychologist, path, **tampered).status in {200, 409, 422}
    assert psychologist.get(f"{path}/map?scale={'x' * 500}&scale=phq9&unfold={EVIL}").status in {200, 422, 302}
    house.work()
    assert house.count(ResponseSet) == 0


def test_names_mapped_as_grades_are_neither_shown_nor_kept_with_the_source(sqlite_house: House) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    people = enrol(house, 25)
    file = xlsx(["学号", "对象"], *([person.number, person.name] for person in people))
    path = handed_in(house, psychologist, (file, "a.xlsx"))

    page = submit(psychologist, path, **{"column-1": "level", "grade-0-1": people[0].name, "level-0-1": "1"})

    assert page.status == 422
    assert "不像等级" in page
    assert people[0].name not in page.html
    assert house.count(ScreeningSource) == 0


def test_headers_files_and_sheets_are_words_and_never_markup(sqlite_house: House) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    [person] = enrol(house, 1)
    header = ["学号", EVIL, EVIL, *COLUMNS[2:]]
    file = (xlsx(header, [person.number, "1", EVIL, *[9] * 16]), f"{EVIL}.xlsx")
    path = upload(house, psychologist, opened(house, psychologist, name=EVIL), file)
    shown = [psychologist.get(f"{path}/map")]
    confirm(psychologist, path)
    house.work()
    shown.append(psychologist.get(path))
    [(round_id,)] = house.all(select(ScreeningRound.id))
    shown.append(psychologist.get(f"/rounds/{round_id}"))

    assert [page.status for page in shown] == [200, 200, 200]
    assert not any(EVIL in page.html for page in shown)
    assert "关键题读不出" in shown[1]
    assert "内部一致性" in shown[1]


def test_several_files_of_one_upload_are_one_delivery(sqlite_house: House) -> None:
    house = sqlite_house
    _, psychologist, _ = house.make.team()
    people = enrol(house, 2)
    round_path = opened(house, psychologist)
    files = [
        (BytesIO(xlsx(["学号", *ITEMS], [person.number, *phq(2)])), f"{at}班.xlsx") for at, person in enumerate(people)
    ]
    psychologist.get("/help")
    psychologist.post("/notices/read")
    data = {"csrf_token": psychologist._csrf, "upload": files, "source": ""}
    answer = Page(psychologist._browser.post(f"{round_path}/import", data=data, follow_redirects=True))

    assert "2 个表的表头相同，一起导入" in answer
    [(batch_id,)] = house.all(select(ImportBatch.id).where(ImportBatch.round_id.is_not(None)))
    path = f"/imports/{batch_id}"
    submit(psychologist, path)
    house.work()
    assert "2 读到的行" in psychologist.get(path)
    assert all_scales()["phq9"].title in psychologist.get(path)
