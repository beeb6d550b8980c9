"""The life of an edition: watched, signed for by two people, used, replaced, taken back.

Nothing here touches an alert, a duty or an entry of the rules: with any model,
or none, or a broken one, the rules list whom they list (law 2). An edition
becomes active only with two different names under it and with a file that is
still the one whose digest stands in the log.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from app.admin import approval
from app.admin.approval import ApprovalDecided
from app.events import Event
from app.risk.editions import card_words
from app.risk.editions.moves import note
from app.risk.scores import shelf
from app.risk.scores.shelf import INTERVIEW
from app.security.access import Access
from config import catalogue
from models.approval import Approval, ApprovalKind, ApprovalStage
from models.identity import Role
from models.moment import now
from models.refusal import Refusal
from models.risk_model import ModelStage, RiskModel, RiskScore
from models.screening import RoundStage, ScreeningRound

WATCHED_IN = (RoundStage.OPEN, RoundStage.MAKE_UP, RoundStage.CLOSED)
"""Stages of a round over which an edition may be watched."""
SIGNERS = (Role.PSYCHOLOGIST, Role.AFFAIRS_HEAD)


class ShadowStarted(Event):
    """An edition is watched over a round: it scores, and nothing follows from it."""


class ModelUseAsked(Event):
    """A second signature was asked for, to use an edition."""


class ModelUseApproved(Event):
    """Two people have signed for an edition."""


class ModelUseDeclined(Event):
    """The second person did not sign; the edition goes on being watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelActivated(Event):
    """An edition orders the interview list from now on."""

    taken_back: bool = False
    """Whether it had been in use before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRetired(Event):
    """An edition is not used any more."""

    was_active: bool
    followed: bool
    """Another edition takes its place in the same act."""


class ModelTaken(Event):
    """Somebody else owes the next step of an edition."""


# --- what stands now -------------------------------------------------------------------------------


def active_edition(access: Access) -> RiskModel | None:
    """The edition in use, whether or not its file is sound."""
    return access.session.scalars(_of_purpose().where(RiskModel.stage == ModelStage.ACTIVE)).first()


def _of_purpose() -> Any:
    return select(RiskModel).where(RiskModel.purpose == INTERVIEW)


def shadow_scores(access: Access, model: RiskModel) -> int:
    """How many students it has scored while being watched, over its round."""
    query = select(func.count()).select_from(RiskScore)
    mine = (RiskScore.model_id == model.id, RiskScore.shadow, RiskScore.round_id == model.shadow_round_id)
    return access.session.scalar(query.where(*mine, RiskScore.superseded_at.is_(None))) or 0


def watched_until(model: RiskModel) -> datetime | None:
    """The first moment at which a signature may be asked for."""
    return model.shadow_since + timedelta(days=_days("shadow_days")) if model.shadow_since else None


def is_asked(access: Access, model: RiskModel) -> bool:
    """Whether its use waits for a second signature."""
    return _request(access, model, ApprovalStage.WAITING) is not None


def can_ask(access: Access, model: RiskModel) -> bool:
    """Whether a second signature may be asked for now."""
    return _in_the_way(access, model) is None


def _in_the_way(access: Access, model: RiskModel) -> str | None:
    """Why a second signature may not be asked for yet, in a sentence."""
    if model.stage is not ModelStage.SHADOW:
        return "只有试运行中的一版可以申请启用。"
    if is_asked(access, model):
        return "启用申请已提交，正在等第二位老师签字。"
    ready = watched_until(model)
    if ready is None or now() < ready:
        return f"至少试运行 {_days('shadow_days')} 天之后才能申请启用，试运行期间先看它与现行排序的差别。"
    if not shadow_scores(access, model):
        return "它还没有在试运行的批次上给出过提示，不能申请启用：请等后台计算完成，或换一个有作答的批次。"
    return None


def leaks(model: RiskModel) -> bool:
    """Whether its figures are too good to be true."""
    return bool(json.loads(model.card).get("leak"))


# --- acts --------------------------------------------------------------------------------------------


def start_shadow(access: Access, model: RiskModel, *, round_id: UUID) -> None:
    """Watch an edition over a round. Only one is watched at a time, and none whose figures are too good."""
    if leaks(model):
        raise Refusal(
            "这一版的指标好得不合常理，可能有泄漏：先查明是哪一个输入项含有事后才知道的内容，改正后重新训练。"
        )
    beside = access.session.scalars(_of_purpose().where(RiskModel.stage == ModelStage.SHADOW)).first()
    if beside is not None and beside.id != model.id:
        raise Refusal(f"第 {beside.edition} 版正在试运行：一次只试运行一版，请先结束它。")
    row = access.session.get(ScreeningRound, round_id)
    if row is None or row.stage not in WATCHED_IN:
        raise Refusal("请选择一个进行中、补测中或已结束的普查批次。", field="round")
    _refuse_unsound(access, model)
    before = _move(model, ModelStage.SHADOW)
    model.shadow_round_id, model.shadow_since = round_id, now()
    _owe(access, model, days=_days("shadow_days") + _days("step_days"))
    note(access, model, before=before, cause="shadow", reason=row.name)
    access.record(ShadowStarted(object_id=model.id))


def ask_for_use(access: Access, model: RiskModel) -> Approval:
    """Ask a second person to sign; only after it was watched long enough, and over a round."""
    if (why := _in_the_way(access, model)) is not None:
        raise Refusal(why)
    _refuse_unsound(access, model)
    asked = approval.ask(
        access,
        ApprovalKind.MODEL_USE,
        what=_asked(model),
        of=SIGNERS,
        due_at=now() + timedelta(days=_days("step_days")),
        object_id=model.id,
    )
    model.approval_id = asked.id
    _owe(access, model)
    note(access, model, before=model.stage, cause="asked")
    access.record(ModelUseAsked(object_id=model.id))
    return asked


def _asked(model: RiskModel) -> dict[str, Any]:
    """What is signed for, exactly: this edition with this file."""
    return {
        "edition": model.edition,
        "sha256": model.sha256.hex(),
        "labels": model.labels,
        "figures": card_words.key_figures(model.card),
        "watched": card_words.watched_words(model.watched),
    }


def apply_decided(access: Access, happened: ApprovalDecided) -> None:
    """Listener: signed, the edition may be put to use; declined, it goes on being watched and says so."""
    request = happened.approval
    if request.kind is not ApprovalKind.MODEL_USE or request.object_id is None:
        return
    model = access.session.get_one(RiskModel, request.object_id)
    model.due_at = now() + timedelta(days=_days("step_days"))
    if request.stage is ApprovalStage.DECLINED:
        model.approval_id = None
        note(access, model, before=model.stage, cause="declined")
        access.record(ModelUseDeclined(object_id=model.id))
        return
    note(access, model, before=_move(model, ModelStage.APPROVED), cause="signed")
    access.record(ModelUseApproved(object_id=model.id))


def activate(access: Access, model: RiskModel) -> None:
    """Put a signed edition to use; the one in use until now is retired in the same act."""
    if model.stage is not ModelStage.APPROVED:
        raise Refusal("只有已经两人签字的一版可以启用。")
    _begin_use(access, model, cause="activated", followed_by="replaced")


def roll_back(access: Access, to: RiskModel, *, reason: str) -> None:
    """Use an earlier edition again and retire the present one: one act, no new signature, because it has two."""
    if to.stage is not ModelStage.RETIRED or to.active_since is None:
        raise Refusal("只能换回以前使用过的一版。")
    said_then = update(RiskScore).where(RiskScore.model_id == to.id, RiskScore.superseded_at.is_(None))
    access.session.execute(said_then.values(superseded_at=now()))  # it speaks again once it has looked again
    _begin_use(access, to, cause="rolled_back", followed_by="rolled_back", reason=reason)


def _begin_use(access: Access, model: RiskModel, *, cause: str, followed_by: str, reason: str | None = None) -> None:
    _refuse_unsound(access, model)
    _refuse_unsigned(access, model)
    access.session.scalars(select(RiskModel.id).order_by(RiskModel.id).with_for_update()).all()
    present = active_edition(access)
    if present is not None:
        _end(access, present, cause=followed_by, reason=reason, followed=True)
        access.session.flush()  # at most one is active at every statement, not only at the commit
    before = _move(model, ModelStage.ACTIVE)
    model.active_since, model.owner_id, model.due_at = now(), None, None
    model.retired_at = model.retired_because = None
    note(access, model, before=before, cause=cause, reason=reason)
    access.record(ModelActivated(object_id=model.id, digest=model.sha256, taken_back=cause == "rolled_back"))


def retire(access: Access, model: RiskModel, *, reason: str) -> None:
    """Stop using or preparing an edition; the rules go on."""
    waiting = _request(access, model, ApprovalStage.WAITING)
    if waiting is not None:
        waiting.move_to(ApprovalStage.WITHDRAWN)
    _end(access, model, cause="withdrawn", reason=reason, followed=False)


def _end(access: Access, model: RiskModel, *, cause: str, reason: str | None, followed: bool) -> None:
    before = _move(model, ModelStage.RETIRED)
    model.retired_at, model.retired_because = now(), cause
    model.owner_id = model.due_at = None
    note(access, model, before=before, cause=cause, reason=reason)
    access.record(ModelRetired(object_id=model.id, was_active=before is ModelStage.ACTIVE, followed=followed))


def take(access: Access, model: RiskModel) -> None:
    """Owe the next step oneself from now on."""
    if model.owner_id is None:
        raise Refusal("这一版现在没有待办的下一步。")
    model.owner_id = access.actor.id
    note(access, model, before=model.stage, cause="taken")
    access.record(ModelTaken(object_id=model.id))


# --- what must hold ----------------------------------------------------------------------------------------


def _refuse_unsound(access: Access, model: RiskModel) -> None:
    """The file opens, is the one that was trained, and can be read here."""
    if shelf.one(access, model.id).trouble:
        raise Refusal("这一版的模型文件缺失、被改动或无法读取，不能使用。名单按筛查规则排列，照常使用。")


def _refuse_unsigned(access: Access, model: RiskModel) -> None:
    """Two different people have signed for exactly this file."""
    signed = _request(access, model, ApprovalStage.APPROVED)
    if signed is None or signed.decided_by in {None, signed.asked_by}:
        raise Refusal("还没有两位老师为这一版签字，不能启用。")
    if json.loads(signed.what).get("sha256") != model.sha256.hex():
        raise Refusal("签字之后模型文件变了，不能启用。请重新训练并试运行。")


def _request(access: Access, model: RiskModel, stage: ApprovalStage) -> Approval | None:
    mine = (Approval.kind == ApprovalKind.MODEL_USE, Approval.object_id == model.id, Approval.stage == stage)
    return access.session.scalars(select(Approval).where(*mine).order_by(Approval.asked_at.desc())).first()


def _move(model: RiskModel, stage: ModelStage) -> ModelStage:
    before = model.stage
    model.move_to(stage)
    return before


def _owe(access: Access, model: RiskModel, *, days: int | None = None) -> None:
    model.owner_id = access.actor.id or model.owner_id
    model.due_at = now() + timedelta(days=_days("step_days") if days is None else days)


def _days(name: str) -> int:
    return int(catalogue.table("risk_model")[name])
