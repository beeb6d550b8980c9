"""The card on paper: the same view, set as a PDF with reader, time and 内部资料 on every page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.risk.editions import card_page
from app.risk.editions.card_page import CardView
from app.risk.editions.card_plots import Drawing
from app.risk.editions.card_words import NOT_KNOWN
from app.security.access import Access
from app.web import pdf as paper
from app.web.plots import standalone
from app.web.words import day, label, role_label, stamp
from models.moment import now
from models.risk_model import RiskModel

LAYOUT = Path(__file__).parents[1] / "templates" / "models" / "card.typ"


def pdf_of(access: Access, model: RiskModel) -> bytes:
    """The card of an edition for this reader."""
    instant = now()
    held = contents(card_page.of(access, model), model)
    held["reader"] = f"{access.actor.name}（{role_label(access.actor.role)}）"
    held["printed"] = stamp(instant)
    return paper.document(LAYOUT, held, at=instant)


def contents(view: CardView, model: RiskModel) -> dict[str, Any]:
    """Everything that is printed, as data."""
    card = view.card
    return {
        "title": f"模型卡 第 {model.edition} 版",
        "facts": _facts(view, model),
        "words": {name: view.words[name] for name in ("purpose", "not_for", "limits", "groups")},
        "leak": card["leak"],
        "figures": [[one.label, one.value, one.interval, one.words] for one in view.figures],
        "lists": [[one["share"], one["talks"], one["recall"], one["precision"]] for one in view.lists],
        "compared": [[row[0].label, *(one.value for one in row[1:])] for row in view.compared],
        "differences": [[one.label, one.value, one.interval] for one in view.differences],
        "forward": [[one.label, one.value, one.interval] for one in view.forward],
        "shuffled": view.shuffled,
        "groups": [_group(row) for row in view.groups],
        "features": [_feature(one) for one in view.features if not one["idle"]],
        "idle": [one["meaning"] for one in view.features if one["idle"]],
        "drawings": [_drawing(one) for one in view.drawings.values()],
        "shapes": [_drawing(one) for one in view.shapes],
        "watched": view.watched_words,
        "steps": [_step(step) for step in view.steps],
    }


def _facts(view: CardView, model: RiskModel) -> list[list[str]]:
    return [
        ["状态", label(model.stage)],
        ["训练时间", stamp(model.trained_at)],
        ["启用时间", day(model.active_since)],
        *([name, value] for name, value in view.data),
        *([name, value] for name, value in view.procedure),
        ["文件摘要（SHA-256）", model.sha256.hex()],
    ]


def _group(row: dict[str, Any]) -> list[str]:
    if row["withheld"]:
        return [row["variable"], row["group"], row["words"]]
    told = [value if interval == NOT_KNOWN else f"{value}（{interval}）" for value, interval in row["figures"]]
    return [row["variable"], row["group"], row["people"], *told, row["words"]]


def _feature(one: dict[str, Any]) -> list[str]:
    return [one["meaning"], one["source"], one["direction"], one["known"], one["weight"]]


def _drawing(one: Drawing) -> dict[str, Any]:
    return {"title": one.title, "svg": standalone(one.svg)}


def _step(step: card_page.Step) -> list[str]:
    move = step.move
    return [stamp(move.at), label(move.cause, "model_cause"), step.who, move.reason or ""]
