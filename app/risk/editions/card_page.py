"""The card of an edition as a page shows it and a PDF prints it: words, figures with their intervals, drawings.

Everything comes from the edition's own row and from ``config/model_card.toml``.
Numbers here are numbers of the model; of a person there is none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from app.risk.editions import card_plots, card_words, model_list
from app.risk.editions.card_plots import Drawing
from app.risk.editions.card_words import NOT_KNOWN, Figure, estimate, figures
from app.risk.editions.moves import history
from app.security.access import Access
from app.security.holders import names_of
from config import catalogue
from models.approval import Approval
from models.model_life import ModelMove
from models.risk_model import RiskModel
from models.screening import ScreeningRound

ORDERS = ("model", "single", "rules", "logistic", "mono_additive", "boosted_default")
IN_GROUPS = ("prevalence", "auc", "recall", "precision", "in_the_large")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the edition's history."""

    move: ModelMove
    who: str


@dataclass(frozen=True)
class CardView:
    """Everything the page of one edition shows."""

    edition: int
    card: dict[str, Any]
    words: dict[str, Any]
    figures: list[Figure]
    lists: list[dict[str, str]]
    compared: list[list[Figure]]
    """One row per order of risk: its name first, then its figures."""
    differences: list[Figure]
    forward: list[Figure]
    data: list[tuple[str, str]]
    procedure: list[tuple[str, str]]
    features: list[dict[str, str]]
    shuffled: str
    groups: list[dict[str, Any]]
    drawings: dict[str, Drawing]
    shapes: list[Drawing]
    without: list[str]
    not_fed: list[str]
    watched: dict[str, Any]
    watched_words: list[tuple[str, str]]
    round: str
    steps: list[Step]
    signed: dict[str, Any]
    single: str
    smallest: int
    group_heads: tuple[str, ...] = ("需要关注的比例", "排序能力", "被约到", "约到的人中需要关注", "总体偏差")


def of(access: Access, model: RiskModel) -> CardView:
    """The card of an edition."""
    card, words = json.loads(model.card), catalogue.table("model_card")
    return CardView(
        edition=model.edition,
        card=card,
        words=words,
        figures=figures(card["figures"]),
        lists=_lists(card["figures"]),
        compared=_compared(card),
        differences=_differences(card),
        forward=figures(card["forward"]["figures"]) if card["forward"] else [],
        data=card_words.data(card["data"]),
        procedure=card_words.procedure(card["procedure"], model.rules_version),
        features=card_words.inputs(card["features"]),
        shuffled=card_words.shuffled(card["shuffled"]),
        groups=_groups(card["groups"]),
        drawings=card_plots.drawings(card),
        shapes=card_plots.shapes(card["features"]),
        without=model_list.without_words(model),
        not_fed=model_list.not_fed(access, model),
        watched=json.loads(model.watched) if model.watched else {},
        watched_words=card_words.watched_words(model.watched),
        round=_round(access, model),
        steps=_steps(access, model),
        signed=_signed(access, model),
        single="、".join(one["meaning"] for one in card["features"] if one["key"] in card["single"]),
        smallest=catalogue.table("risk_model")["smallest_group"],
    )


def _lists(held: dict[str, Any]) -> list[dict[str, str]]:
    """What a list of each length finds, of those long enough to be told."""
    return [
        {
            "share": f"{one['capacity']:.0%}",
            "talks": f"{one['talks']:.0f}",
            "recall": "，".join(_joined(one["recall"])),
            "precision": "，".join(_joined(one["precision"])),
        }
        for one in held["at_capacity"]
    ]


def _joined(held: dict[str, float | None]) -> tuple[str, ...]:
    value, interval = estimate(held, percent=True)
    return (value,) if interval == NOT_KNOWN else (value, interval)


def orders(card: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The model and the simpler orders that were measured on the same folds."""
    held = {"model": card["figures"]} | card["baselines"]
    return [(name, held[name]) for name in ORDERS if name in held]


def _compared(card: dict[str, Any]) -> list[list[Figure]]:
    told = catalogue.table("model_card")["baseline"]
    return [
        [Figure(name, told[name]["label"], "", ""), *figures(held, ("auc", "ap", "brier", "slope"))]
        for name, held in orders(card)
    ]


def _differences(card: dict[str, Any]) -> list[Figure]:
    """The model less each simpler order, in AUC, on the same draws."""
    told = catalogue.table("model_card")["baseline"]
    return [
        Figure(name, told[name]["label"], *estimate(card["differences"][name]["auc"], signed=True))
        for name in ORDERS
        if name in card["differences"]
    ]


def _groups(held: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Group by group; of a small one nothing but that it is not shown."""
    titles = catalogue.table("model_card")["group"]
    found = []
    for one in held:
        row = {"variable": titles.get(one["variable"], one["variable"]), "group": one["group"] or "未登记"}
        row |= {"withheld": one["withheld"], "words": one["words"]}
        if not one["withheld"]:
            told = one["figures"]
            row["people"] = str(one["people"])
            row["figures"] = [
                estimate(told[name], percent=name in {"prevalence", "recall", "precision"}) for name in IN_GROUPS
            ]
        found.append(row)
    return found


def _round(access: Access, model: RiskModel) -> str:
    row = access.session.get(ScreeningRound, model.shadow_round_id) if model.shadow_round_id else None
    return row.name if row is not None else ""


def _steps(access: Access, model: RiskModel) -> list[Step]:
    moves = history(access.session, model.id)
    names = names_of(access.session, [move.by for move in moves])
    return [Step(move, names.get(move.by, "系统") if move.by else "系统") for move in moves]


def _signed(access: Access, model: RiskModel) -> dict[str, Any]:
    """Who asked and who signed, and when."""
    row = access.session.get(Approval, model.approval_id) if model.approval_id else None
    if row is None:
        return {}
    names = names_of(access.session, [row.asked_by, row.decided_by])
    return {
        "asked_by": names.get(row.asked_by, NOT_KNOWN),
        "asked_at": row.asked_at,
        "decided_by": names.get(row.decided_by, "") if row.decided_by else "",
        "decided_at": row.decided_at,
        "due_at": row.due_at,
        "stage": row.stage,
    }


def beside(sides: list[CardView]) -> list[tuple[str, list[str]]]:
    """What each input weighs in each edition, of those that weigh anything in one of them."""
    held = [{one["meaning"]: one["weight"] for one in side.features} for side in sides]
    names = dict.fromkeys(one["meaning"] for side in sides for one in side.features if not one["idle"])
    return [(name, [weights.get(name, NOT_KNOWN) for weights in held]) for name in names]
