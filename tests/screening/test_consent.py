"""Consent texts: a change is a new edition, none is ever touched, a round remembers the one it asked with."""

from __future__ import annotations

from sqlalchemy import select

from app.screening.rounds import consent
from models.identity import Role
from models.participation import ConsentText
from tests.house import House
from tests.screening.rounds import TERMS, new_round, stored


def texts(house: House) -> list[tuple[str, int, str]]:
    query = select(ConsentText.name, ConsentText.edition, ConsentText.body).order_by(ConsentText.edition)
    return [tuple(row) for row in house.all(query)]


def test_the_shipped_text_says_what_the_law_asks_for() -> None:
    _, body = consent.shipped()

    for words in (
        "为什么做",
        "收集什么",
        "谁能看到",
        "保存多久",
        "撤回",
        "不会带来任何不利后果",
        "12356",
        "不是医学诊断",
    ):
        assert words in body
    assert [bad for bad in ("必须参加", "承诺", "免责", "阳性", "异常") if bad in body] == []


def test_a_round_starts_with_the_shipped_text_as_its_first_edition(house: House) -> None:
    head, _, _ = house.make.team()

    row = new_round(house, head)
    new_round(house, head, "第二次")

    assert texts(house) == [(consent.shipped()[0], 1, consent.shipped()[1])]
    assert stored(house, "第二次").consent_id == row.consent_id is not None
    assert "第 1 版" in head.get(f"/rounds/{row.id}")


def test_a_change_is_a_new_edition_and_the_round_keeps_the_one_it_asked_with(house: House) -> None:
    head, _, _ = house.make.team()
    row = new_round(house, head)
    path = f"/consent-texts/{row.consent_id}"

    same = head.post(f"{path}/next", body=consent.shipped()[1])
    page = head.post(f"{path}/next", body="新的正文\r\n第二行")

    assert "完全相同，没有保存新版" in same
    assert "第 2 版" in page
    assert [found[1:] for found in texts(house)] == [(1, consent.shipped()[1]), (2, "新的正文\n第二行")]
    assert stored(house).consent_id == row.consent_id
    first = head.get(path)
    assert "秋季普查" in first
    assert "一、为什么做" in first
    version = head.get(f"/rounds/{row.id}/edit").value("version")
    newest = next(link.split("/")[-2] for link in first.links("/consent-texts/[^/]+/next"))
    head.post(f"/rounds/{row.id}/edit", name=row.name, version=version, consent=newest, **TERMS)
    assert str(stored(house).consent_id) == newest


def test_a_text_of_its_own_needs_a_name_that_is_free(house: House) -> None:
    head, _, _ = house.make.team()

    head.post("/consent-texts/new", name="实习生 告知", body="正文")
    again = head.post("/consent-texts/new", name=" 实习生  告知", body="另一个")

    assert "已有同名的文本" in again
    assert texts(house) == [("实习生 告知", 1, "正文")]


def test_a_round_without_a_text_says_so(sqlite_house: House) -> None:
    head, _, _ = sqlite_house.make.team()

    row = new_round(sqlite_house, head, consent="")

    assert row.consent_id is None
    assert "知情同意 未选择" in head.get(f"/rounds/{row.id}")


def test_consent_texts_are_the_centres(sqlite_house: House) -> None:
    house = sqlite_house
    head, _, _ = house.make.team()
    row = new_round(house, head)
    advisor = house.make.person(Role.ADVISOR)

    paths = ("/consent-texts", "/consent-texts/new", f"/consent-texts/{row.consent_id}")

    assert {advisor.get(path).status for path in paths} == {403}
    assert advisor.post(f"/consent-texts/{row.consent_id}/next", body="改").status == 403
    assert len(texts(house)) == 1
