"""The pages of sources: what they show, what they let one do, and what they keep to themselves."""

from __future__ import annotations

import tomllib

import pytest
from sqlalchemy import select

from app.screening.tables import mapping_file
from models.identity import Role
from models.source import ArrivalState, ScreeningSource, SourceKind
from tests.screening.files import line, phq
from tests.sources.delivering import MAPPING, Delivering, calm, clean, table


def facts(centre: Delivering, **more: object) -> dict[str, object]:
    return {
        "name": "朗心平台",
        "kind": "folder",
        "owner_id": str(centre.psychologist.id),
        "round_id": str(centre.round.id),
        "folder": "朗心",
    } | more


def only(centre: Delivering) -> ScreeningSource:
    [(row,)] = centre.house.all(select(ScreeningSource))
    return row  # type: ignore[no-any-return]


def test_a_source_is_set_up_on_the_page_and_listed_as_normal(centre: Delivering) -> None:
    assert "还没有数据来源" in centre.head.get("/sources")

    page = centre.head.post("/sources/new", **facts(centre, every_days="7", expected_on="2026-11-20"))

    assert "还没有送来过文件" in page
    row = only(centre)
    assert (row.kind, row.folder, row.every_days) == (SourceKind.FOLDER, "朗心", 7)
    listed = centre.psychologist.get("/sources")
    assert "朗心平台" in listed
    assert "正常" in listed
    assert "2026-11-20" in listed


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"folder": "../etc"}, "请填写文件夹名称"),
        ({"folder": ""}, "请填写文件夹名称"),
        ({"folder": "."}, "请填写文件夹名称"),
        ({"name": " "}, "请填写来源名称"),
        ({"owner_id": "00000000-0000-0000-0000-000000000000"}, "负责人"),
        ({"round_id": "x"}, "批次"),
        ({"every_days": "0"}, "1 到 400"),
        ({"kind": "mail"}, "送来的方式"),
    ],
)
def test_a_source_that_cannot_be_is_refused_on_the_form(
    centre: Delivering, change: dict[str, object], sentence: str
) -> None:
    page = centre.head.post("/sources/new", **facts(centre, **change))

    assert page.status == 422
    assert sentence in page
    assert centre.house.count(ScreeningSource) == 0


def test_two_sources_share_neither_name_nor_folder(centre: Delivering) -> None:
    centre.head.post("/sources/new", **facts(centre))

    assert "已有同名的来源" in centre.head.post("/sources/new", **facts(centre, folder="另一个"))
    assert "已由另一个来源使用" in centre.head.post("/sources/new", **facts(centre, name="另一个"))
    assert centre.house.count(ScreeningSource) == 1


def test_a_push_key_is_shown_once_and_never_again(centre: Delivering) -> None:
    made = centre.head.post("/sources/new", **facts(centre, kind="push", folder=""))
    row = only(centre)
    key = made.html.split("<code>")[1].split("</code>")[0]
    renewed = centre.head.post(f"/sources/{row.id}/key", version=str(row.version))

    assert len(key) == 43
    assert len(renewed.html.split("<code>")[1].split("</code>")[0]) == 43
    assert key not in renewed.html
    assert key not in centre.head.get(f"/sources/{row.id}").html
    assert f"/push/{row.id}" in centre.head.get(f"/sources/{row.id}")


def test_a_stale_page_neither_edits_nor_retires_nor_renews(centre: Delivering) -> None:
    row = centre.source(kind=SourceKind.PUSH)

    for act in ("retire", "key"):
        assert centre.head.post(f"/sources/{row.id}/{act}", version="1").status == 409
    changed = centre.head.post(f"/sources/{row.id}/edit", **facts(centre, version="1"))

    assert changed.status == 409
    assert centre.house.again(row).retired_at is None


def test_editing_keeps_the_kind_and_shows_what_was(centre: Delivering) -> None:
    row = centre.source(every_days=7)
    form = centre.head.get(f"/sources/{row.id}/edit")
    assert 'value="测评平台"' in form.html
    assert 'value="7"' in form.html

    centre.head.post(f"/sources/{row.id}/edit", **facts(centre, version=form.value("version"), kind="push"))

    held = centre.house.again(row)
    assert (held.name, held.kind, held.folder, held.every_days) == ("朗心平台", SourceKind.FOLDER, "朗心", None)


def test_a_retired_source_takes_nothing_and_cannot_be_changed(centre: Delivering) -> None:
    row = centre.source()
    centre.put(clean(centre.people))

    page = centre.head.post(f"/sources/{row.id}/retire", version=str(centre.house.again(row).version))

    assert "已停用" in page
    assert centre.look_twice() == 0
    version = str(centre.house.again(row).version)
    assert "已停用" in centre.head.post(f"/sources/{row.id}/edit", **facts(centre, version=version))
    assert centre.house.again(row).name == "测评平台"


def test_deliveries_stand_on_the_page_with_what_they_wait_for(centre: Delivering) -> None:
    row = centre.source()
    centre.deliver(clean(centre.people))
    centre.deliver(clean(centre.people))
    centre.deliver(table(line(centre.people[0], phq(12, 3)), ["404", "路人", *phq(1), *([0] * 7)]))

    page = centre.psychologist.get(f"/sources/{row.id}")

    assert centre.states() == [ArrivalState.COMMITTED, ArrivalState.REPEATED, ArrivalState.WAITING]
    for words in ("已导入", "重复，未处理", "有问题行", "需立即处理", "处理"):
        assert words in page
    assert "结果.csv" not in page
    assert page.links(r"/imports/[^\"]+")
    listed = centre.head.get("/sources")
    assert "等待处理 1" in listed
    assert "需立即处理" in listed


def test_the_list_of_deliveries_is_paged(centre: Delivering) -> None:
    row = centre.source()
    raw = clean(centre.people)
    centre.deliver(raw)
    with centre.house.door.database.writing() as session:
        first = centre.arrivals()[0]
        for _ in range(51):
            kept = {name: getattr(first, name) for name in ("source_id", "batch_id", "arrived_at", "digest", "rows")}
            session.add(type(first)(**kept, state=ArrivalState.REPEATED, is_late=False, is_partial=False))

    first_page, second = centre.head.get(f"/sources/{row.id}"), centre.head.get(f"/sources/{row.id}?page=2")

    assert first_page.html.count("重复，未处理") + second.html.count("重复，未处理") == 51
    assert "下一页" in first_page
    assert "上一页" in second


def test_a_mapping_is_shown_with_who_confirmed_it_and_goes_out_and_in_as_a_file(centre: Delivering) -> None:
    row = centre.source(mapped=False)
    assert "还没有确认过" in centre.head.get(f"/sources/{row.id}")
    text = mapping_file.written([MAPPING])

    page = centre.head.post(
        f"/sources/{row.id}/mapping", version=str(row.version), upload=(text.encode(), "mapping.toml")
    )
    got = centre.psychologist.get(f"/sources/{row.id}/mapping")

    assert f"由 {centre.head.staff.name} 于" in page
    assert "PHQ9-1" in page
    assert tomllib.loads(got.html) == MAPPING
    assert "attachment" in got.response.headers["Content-Disposition"]


def test_an_odd_mapping_file_changes_nothing(centre: Delivering) -> None:
    row = centre.source()
    held = centre.house.again(row)

    page = centre.head.post(f"/sources/{row.id}/mapping", version=str(held.version), upload=(b"x = 1", "m.toml"))

    assert page.status == 409
    assert centre.house.again(row).mapping == held.mapping


def test_what_cannot_be_taken_from_the_folder_is_counted_by_reason(centre: Delivering) -> None:
    row = centre.source()
    folder = centre.inbox / "测评平台"
    folder.mkdir(mode=0o700)
    (folder / "链接.csv").symlink_to("/etc/passwd")
    (folder / "夹").mkdir()

    centre.look()

    page = centre.psychologist.get(f"/sources/{row.id}")
    assert "是链接，不收取 1 个" in page
    assert "不是普通文件 1 个" in page
    assert "链接.csv" not in page


@pytest.mark.parametrize("role", [Role.ADVISOR, Role.AFFAIRS_HEAD, Role.SYSADMIN, Role.REGISTRAR, Role.AID_OFFICER])
def test_nobody_outside_the_centre_learns_of_a_source(centre: Delivering, role: Role) -> None:
    row = centre.source()
    person = centre.house.make.person(role)

    for path in ("/sources", f"/sources/{row.id}", f"/sources/{row.id}/mapping", "/sources/new"):
        page = person.get(path)
        assert page.status == 403
        assert "测评平台" not in page
    assert "数据来源" not in person.get("/help").html.split("<main")[0]


def test_notices_name_neither_people_nor_files(centre: Delivering) -> None:
    centre.source()
    centre.deliver(table(line(centre.people[0], phq(12, 3)), ["404", "路人", *phq(1), *([0] * 7)], *calm([])))

    page = centre.head.get("/notices")

    assert "有来源文件需要立即处理" in page
    for words in (centre.people[0].name, centre.people[0].number, "结果.csv", "测评平台"):
        assert words not in page
