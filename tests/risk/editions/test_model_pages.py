"""The pages of the model: what stands now, the card on screen and on paper, steps behind buttons; never a person."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import select, update

from app.risk.editions import card_page, card_paper, training_job
from app.security.policy import Permission, Purpose
from app.web import pdf
from config import catalogue
from models.approval import Approval
from models.identity import Role
from models.model_life import ModelTraining, TrainingStage
from models.risk_model import ModelStage, RiskModel
from tests.house import House
from tests.risk.editions.editions import MANAGE, Models, models_of
from tests.risk.editions.printed import text_of
from tests.risk.times import MONDAY

MOST_SMALL = 29
"""The largest group that may not be told."""


@pytest.fixture
def models(house: House) -> Models:
    return models_of(house)


def test_without_a_model_the_page_says_that_the_rules_order_the_list(models: Models) -> None:
    page = models.head.get("/models")

    assert "没有使用中的模型：名单按筛查规则排列" in page
    assert "还没有训练过模型" in page


def test_the_page_says_first_which_edition_is_in_use_and_since_when(models: Models) -> None:
    first = models.keep()
    models.use(first)

    page = models.affairs.get("/models")

    assert "正在使用： 第 1 版" in page
    assert page.links(f"/models/{first}")
    assert not page.links(f"/models/{first}/retire")


def test_a_broken_file_is_told_and_the_rules_go_on(models: Models) -> None:
    first = models.keep()
    models.use(first)
    with models.house.door.database.writing() as session:
        session.execute(update(RiskModel).where(RiskModel.id == first).values(sha256=bytes(32)))

    page = models.head.get("/models")

    assert "第 1 版不能使用" in page
    assert "名单最迟明天改按筛查规则排列" in page


def test_the_steps_of_a_life_are_taken_on_the_pages(models: Models) -> None:
    first, head = models.keep(), models.head
    version = head.get(f"/models/{first}/shadow").value("version")
    page = head.post(f"/models/{first}/shadow", round=str(models.round.id), version=version)
    assert "试运行已开始" in page
    models.score(first)
    with models.later() as then:
        card = then.head.get(f"/models/{first}")
        asked = then.head.post(f"/models/{first}/ask", version=card.value("version"))
        assert "等第二位老师签字" in asked
        approval = then.psychologist.get(f"/approvals/{then.waiting(first)}")
        assert "第 1 版" in approval
        assert "排序能力（AUC）" in approval
        then.decide(first)
        card = then.head.get(f"/models/{first}")
        assert "已启用" in then.head.post(f"/models/{first}/activate", version=card.value("version"))
        version = then.head.get(f"/models/{first}/retire").value("version")
        assert "请写明理由" in then.head.post(f"/models/{first}/retire", version=version, reason="")
        assert "已停用" in then.head.post(f"/models/{first}/retire", version=version, reason="约谈口径变了")
        version = then.head.get(f"/models/{first}/roll-back").value("version")
        assert "已换回" in then.head.post(f"/models/{first}/roll-back", version=version, reason="口径没有变")

    assert models.active() == [first]


def test_a_step_on_an_old_page_is_refused(models: Models) -> None:
    first = models.keep()
    models.shadow(first)

    page = models.head.post(f"/models/{first}/shadow", round=str(models.round.id), version="1")

    assert page.status == 409 or "刚刚更新了这条记录" in page


def test_only_the_head_sees_buttons_and_only_he_may_press_them(models: Models) -> None:
    first = models.keep()

    assert models.head.get(f"/models/{first}").links(f"/models/{first}/shadow")
    assert not models.psychologist.get(f"/models/{first}").links(f"/models/{first}/shadow")
    assert models.psychologist.post("/models/train").status == 403


def test_the_card_tells_what_it_is_not_for_and_how_good_it_is_beside_simpler_orders(models: Models) -> None:
    page = models.psychologist.get(f"/models/{models.keep()}")

    for words in ("不发出、不推迟、不取消任何预警", "筛查规则的排序", "普通逻辑回归", "最好的单个分数", "打乱再做一遍"):
        assert words in page
    assert page.html.count('role="img"') >= 4
    assert "style=" not in page.html


def test_no_format_of_the_card_tells_of_a_group_that_is_too_small(models: Models) -> None:
    """Nine students of one college: neither they nor the rest, which would give them away."""
    first = models.keep()
    card = json.loads(models.model(first).card)

    colleges = [one for one in card["groups"] if one["variable"] == "college"]
    assert all(one["withheld"] and one["people"] is None and one["figures"] is None for one in colleges)
    assert all(one["rows"] > MOST_SMALL for one in card["figures"]["calibration"])
    assert all(one["talks"] > MOST_SMALL for one in card["figures"]["at_capacity"])
    assert card["data"]["counts"]["declined"] is None
    for said in (models.head.get(f"/models/{first}").text, _printed(models, first)):
        assert "人数较少，不显示" in said
        assert "不到 30" in said


def _printed(models: Models, model_id: object) -> str:
    answer = models.head.get(f"/models/{model_id}/card.pdf").response
    assert answer.mimetype == "application/pdf"
    return text_of(answer.get_data())


def test_the_paper_says_who_printed_it_and_that_it_is_internal(models: Models) -> None:
    said = _printed(models, models.keep())

    assert said.count("内部资料") >= 2
    assert models.head.staff.name in said
    for words in ("模型卡 第 1 版", "不用来做什么", "校准斜率", "第 1 页，共"):
        assert words in said


def test_the_same_card_at_the_same_moment_is_the_same_paper(models: Models) -> None:
    first = models.keep()
    with models.head.under(Permission.MODEL_READ, Purpose.ADMINISTRATION) as access:
        model = access.find(RiskModel, first)
        held = card_paper.contents(card_page.of(access, model), model) | {"reader": "某老师", "printed": "今天"}

    once, again = (pdf.document(card_paper.LAYOUT, held, at=MONDAY) for _ in range(2))

    assert once.startswith(b"%PDF-")
    assert once == again


def test_one_edition_alone_is_not_compared(models: Models) -> None:
    assert "至少要有两版模型" in models.head.get("/models/compare")


def test_what_is_printed_is_never_read_as_markup(models: Models) -> None:
    first = models.keep()
    models.retire(first, '#panic("x") *强* $1$ = 标题')

    assert '#panic("x") *强* $1$ = 标题' in _printed(models, first)


def test_neither_page_nor_paper_names_a_student(models: Models) -> None:
    first = models.keep()
    models.shadow(first)
    models.score(first)
    said = models.head.get(f"/models/{first}").html + models.head.get("/models").html + _printed(models, first)

    for student in models.students:
        assert student.id.hex not in said
        assert str(student.id) not in said
    assert not re.search(r"2026\d{6}", said.replace("20261125", ""))


def test_two_editions_stand_beside_each_other(models: Models) -> None:
    first, second = models.keep(1), models.keep(2)

    page = models.head.get(f"/models/compare?one={first}&other={second}")

    assert "第 1 版" in page
    assert "第 2 版" in page
    assert "输入项" in page


def test_figures_too_good_are_shown_as_a_leak(models: Models) -> None:
    assert "leak?" in models.head.get(f"/models/{models.keep(leak=True)}")


def test_too_few_outcomes_make_no_model_and_the_page_says_what_is_missing(models: Models) -> None:
    models.head.post("/models/train")
    assert "正在训练" in models.head.get("/models")
    assert json.loads(models.head.get("/models/training").html)["working"] is True

    models.house.work()

    least = catalogue.table("risk_model")["least_labels"]
    page = models.head.get("/models")
    assert "上次训练没有产生新的一版" in page
    assert f"至少 {least} 名" in page
    assert "名单按筛查规则排列" in page
    assert models.house.count(RiskModel) == 0
    assert json.loads(models.head.get("/models/training").html) == {"working": False}


def test_a_second_wish_to_train_is_refused_while_one_is_under_way(models: Models) -> None:
    models.head.post("/models/train")

    assert "已经在训练" in models.head.post("/models/train")
    assert models.house.count(ModelTraining, ModelTraining.stage == TrainingStage.ASKED) == 1


def test_progress_is_written_while_it_trains(models: Models) -> None:
    with models.head.under(*MANAGE) as access:
        row = training_job.ask(access)
    with models.house.door.database.writing() as session:
        training_job._mark(session, training_id=row.id, done=40, total=100)

    assert json.loads(models.head.get("/models/training").html)["done"] == 40


def test_whoever_has_an_open_step_is_not_taken_from_his_post(models: Models) -> None:
    models.keep()
    sysadmin = models.house.make.person(Role.SYSADMIN)

    page = sysadmin.post(f"/accounts/{models.head.id}/retire")

    assert "还有工作事项" in page


def test_the_request_names_the_exact_file(models: Models) -> None:
    first = models.keep()
    models.use(first)
    [[what]] = models.house.all(select(Approval.what).where(Approval.object_id == first))

    assert json.loads(what)["sha256"] == models.model(first).sha256.hex()
    assert models.model(first).stage is ModelStage.ACTIVE
