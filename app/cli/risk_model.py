"""``risk train|score|card|replay|drift``: the model of this house, by the same acts as its pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from sqlalchemy import func, select

from app.cli import installation
from app.cli.output import json_option, progress, report
from app.intake.batch import many_objects
from app.risk.editions import card_page, card_paper, training
from app.risk.scores import drift_watch, replay, scoring
from app.risk.scores.live_scores import scored_rounds
from app.risk.scores.shelf import INTERVIEW
from app.security.access import Access
from app.security.actor import CONSOLE
from app.security.door import Door
from app.security.policy import Permission, Purpose
from app.web.words import label
from config import settings as configuration
from models.moment import now
from models.refusal import Refusal
from models.risk_model import ModelStage, RiskModel, RiskScore
from models.screening import ScreeningRound

_SCORE = (Permission.RISK_SCORE, Purpose.CARE)
_READ = (Permission.MODEL_MANAGE, Purpose.ADMINISTRATION)
ROUND = click.option("--round", "round_name", default=None, help="批次名称（默认全部）。")
EDITION = click.option("--edition", type=click.IntRange(1), default=None, help="第几版（默认使用中的，没有时最新的）。")


@click.command("train")
@json_option
def train_command(as_json: bool) -> None:
    """用至今的面谈结果训练新的一版；是否使用由两个人在页面上决定。"""
    door = installation.opened(configuration.read())
    with progress("训练", quiet=as_json) as beat:
        trained = training.prepare_training(door, beat, actor=CONSOLE)
        with door.enter(CONSOLE, *_SCORE) as access:
            model = training.keep(access, trained)
            held: dict[str, Any] = {"edition": model.edition, "labels": model.labels, "positives": model.positives}
            held |= {"sha256": model.sha256.hex(), "features": json.loads(model.features)}
    words = (
        f"第 {held['edition']} 版已训练：{held['labels']} 名学生的面谈结果，其中 {held['positives']} 名需要继续关注。"
    )
    report(held, as_json=as_json, words=words + "请到“模型与提示”看模型卡。")


@click.command("score")
@ROUND
@json_option
def score_command(round_name: str | None, as_json: bool) -> None:
    """按使用中的一版重新计算各批次的提示和名单顺序（后台每晚也会做）。"""
    door = installation.opened(configuration.read())
    rounds, counts = _rounds(door, round_name), dict[str, int]()
    with progress("计算模型提示", quiet=as_json) as beat, many_objects():
        for place, (round_id, name) in enumerate(rounds):
            with door.enter(CONSOLE, *_SCORE, writing=False) as access:
                prepared = scoring.prepare_round(access, round_id)
            with door.enter(CONSOLE, *_SCORE) as access:
                begun = now()
                scoring.write_round(access, prepared)
                fresh = (RiskScore.round_id == round_id, RiskScore.scored_at >= begun)
                counts[name] = access.session.scalar(select(func.count()).select_from(RiskScore).where(*fresh)) or 0
            beat(place + 1, len(rounds))
    words = "\n".join(f"{name}：{count} 条新的提示" for name, count in counts.items()) or "没有需要计算的批次。"
    report({"rounds": counts}, as_json=as_json, words=words)


@click.command("card")
@EDITION
@click.option("--pdf", type=click.Path(dir_okay=False, path_type=Path), default=None, help="存成 PDF 文件。")
@json_option
def card_command(edition: int | None, pdf: Path | None, as_json: bool) -> None:
    """模型卡：数据、流程、指标、分组、局限。"""
    door = installation.opened(configuration.read())
    with door.enter(CONSOLE, *_READ, writing=False) as access:
        model = _edition(access, edition)
        card = json.loads(model.card)
        number, stage = model.edition, label(model.stage)
        view = card_page.of(access, model)
        told = [f"{one.label} {one.value}（{one.interval}）" for one in view.figures]
        if pdf is not None:
            _save(pdf, card_paper.pdf_of(access, model))
    words = "\n".join([f"第 {number} 版（{stage}）", *told, view.shuffled, *view.words["limits"]])
    report({"edition": number, "stage": stage, "card": card}, as_json=as_json, words=words)


@click.command("replay")
@ROUND
@click.option("--limit", type=click.IntRange(1), default=None, help="只重算最近的这么多条（默认全部）。")
@json_option
def replay_command(round_name: str | None, limit: int | None, as_json: bool) -> None:
    """用当时的输入和当时的一版逐位重算过去的提示；有一条不同，退出码为 1。"""
    door = installation.opened(configuration.read())
    round_id = _rounds(door, round_name)[0][0] if round_name else None
    with (
        progress("重算", quiet=as_json) as beat,
        many_objects(),
        door.enter(CONSOLE, *_SCORE, writing=False) as access,
    ):
        found = replay.replay_all(access, round_id, limit=limit, beat=beat)
    different = [
        {"score": str(one.score_id), "differs": [item.value for item in one.differs]} for one in found.different
    ]
    words = f"重算 {found.count} 条，{found.same} 条逐位相同，{len(different)} 条不同。"
    report({"count": found.count, "same": found.same, "different": different}, as_json=as_json, words=words)
    if different:
        raise SystemExit(1)


@click.command("drift")
@click.option("--round", "round_name", required=True, help="批次名称。")
@EDITION
@json_option
def drift_command(round_name: str, edition: int | None, as_json: bool) -> None:
    """这个批次与模型学习过的情况是否不同：人群、缺失、校准；附总误报率。"""
    door = installation.opened(configuration.read())
    [(round_id, _name)] = _rounds(door, round_name)
    with many_objects(), door.enter(CONSOLE, *_SCORE, writing=False) as access:
        model_id = access.session.scalar(_newest(edition).with_only_columns(RiskModel.id))
        found = drift_watch.drift_of(access, model_id, round_id)
    report(found, as_json=as_json, words="\n".join(found["words"]) or "没有发现明显的变化。")


def _rounds(door: Door, name: str | None) -> list[tuple[UUID, str]]:
    """The round called so, or every round that is scored."""
    query = select(ScreeningRound.id, ScreeningRound.name).order_by(ScreeningRound.opened_at, ScreeningRound.id)
    with door.database.reading() as session:
        if name is None:
            return [
                (row.id, row.name)
                for row in session.execute(query.where(ScreeningRound.id.in_(scored_rounds(session))))
            ]
        found = session.execute(query.where(ScreeningRound.name == " ".join(name.split()))).all()
    if not found:
        raise Refusal(f"没有名为“{name}”的普查批次。")
    return [(row.id, row.name) for row in found]


def _newest(edition: int | None) -> Any:
    """The edition of this number; else the one in use, else the newest."""
    query = select(RiskModel).where(RiskModel.purpose == INTERVIEW)
    if edition is not None:
        return query.where(RiskModel.edition == edition)
    return query.order_by((RiskModel.stage == ModelStage.ACTIVE).desc(), RiskModel.edition.desc()).limit(1)


def _edition(access: Access, edition: int | None) -> RiskModel:
    found: RiskModel | None = access.session.scalars(_newest(edition)).first()
    if found is None:
        raise Refusal("还没有这一版模型。训练：python3 manage.py risk train")
    return found


def _save(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)
    path.chmod(0o600)
