"""模型与提示: which edition is in use, its card on screen and on paper, two beside each other, the steps of a life."""

from __future__ import annotations

from uuid import UUID

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.risk.editions import card_page, card_paper, life, model_list, training_job
from app.risk.editions.model_forms import RetireForm, RollBackForm, ShadowForm
from app.security.policy import Permission, Purpose
from app.web.arguments import identifier, version_seen
from app.web.feature import Room, access
from app.web.forms import options
from models.refusal import Refusal
from models.risk_model import ModelStage, RiskModel
from models.screening import ScreeningRound

models = Room("models", __name__, url_prefix="/models", template_folder="../templates")


@models.route("", needs=Permission.MODEL_READ, purpose=Purpose.ADMINISTRATION)
def index() -> ResponseReturnValue:
    return render_template("models/index.html", view=model_list.of(access))


@models.route("/training", needs=Permission.MODEL_READ, purpose=Purpose.ADMINISTRATION, background=True)
def training_state() -> ResponseReturnValue:
    """How far the training is, for the page that waits."""
    row = training_job.waiting(access.session)
    if row is None:
        return jsonify(working=False)
    return jsonify(working=True, label="正在训练", done=row.progress, total=row.progress_total)


@models.route("/train", needs=Permission.MODEL_MANAGE, purpose=Purpose.ADMINISTRATION, methods=["POST"])
def train() -> ResponseReturnValue:
    training_job.ask(access)
    flash("已开始训练，完成后会通知你。可以离开本页。")
    return redirect(url_for(".index"))


@models.route("/compare", needs=Permission.MODEL_READ, purpose=Purpose.ADMINISTRATION)
def compare() -> ResponseReturnValue:
    """Two editions side by side; without a choice the two newest."""
    every = model_list.editions(access)
    chosen = [identifier(request.args.get(name)) for name in ("one", "other")]
    known = {row.id: row for row in every}
    found = [known[held] for held in chosen if held in known] or [known[row.id] for row in every[:2]]
    sides = [card_page.of(access, access.find(RiskModel, row.id)) for row in found[:2]]
    return render_template("models/compare.html", every=every, sides=sides, inputs=card_page.beside(sides))


@models.route("/<uuid:model_id>", needs=Permission.MODEL_READ, purpose=Purpose.ADMINISTRATION)
def show(model_id: UUID) -> ResponseReturnValue:
    model = access.find(RiskModel, model_id)
    return render_template(
        "models/card.html",
        model=model,
        view=card_page.of(access, model),
        trouble=model_list.trouble_of(access, model),
        can_ask=life.can_ask(access, model),
    )


@models.route("/<uuid:model_id>/card.pdf", needs=Permission.MODEL_READ, purpose=Purpose.ADMINISTRATION)
def paper(model_id: UUID) -> ResponseReturnValue:
    model = access.find(RiskModel, model_id)
    name = f"model-card-{model.edition}.pdf"
    answer = Response(card_paper.pdf_of(access, model), mimetype="application/pdf")
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


# --- steps of its life ---------------------------------------------------------------------------


@models.route(
    "/<uuid:model_id>/shadow", needs=Permission.MODEL_MANAGE, purpose=Purpose.ADMINISTRATION, methods=["GET", "POST"]
)
def shadow(model_id: UUID) -> ResponseReturnValue:
    form = ShadowForm()
    model = access.find(RiskModel, model_id, version=form.seen_version)
    rounds = access.session.execute(
        select(ScreeningRound.id, ScreeningRound.name)
        .where(ScreeningRound.stage.in_(life.WATCHED_IN))
        .order_by(ScreeningRound.opened_at.desc(), ScreeningRound.id)
    )
    form.round.choices = options((str(row.id), row.name) for row in rounds)
    if form.validate_on_submit():
        with form.explaining():
            life.start_shadow(access, model, round_id=form.round.data)
            flash("试运行已开始。这期间它的提示不显示，也不影响名单。")
            return redirect(url_for(".show", model_id=model_id))
    form.version.data = str(model.version)
    return render_template("models/shadow.html", form=form, model=model)


@models.route("/<uuid:model_id>/ask", needs=Permission.MODEL_MANAGE, purpose=Purpose.ADMINISTRATION, methods=["POST"])
def ask_for_use(model_id: UUID) -> ResponseReturnValue:
    life.ask_for_use(access, _seen(model_id))
    flash("启用申请已提交，等第二位老师签字。")
    return redirect(url_for(".show", model_id=model_id))


@models.route(
    "/<uuid:model_id>/activate", needs=Permission.MODEL_MANAGE, purpose=Purpose.ADMINISTRATION, methods=["POST"]
)
def activate(model_id: UUID) -> ResponseReturnValue:
    life.activate(access, _seen(model_id))
    flash("已启用。约谈名单的先后将按它更新；筛查规则列出的人一个不少。")
    return redirect(url_for(".show", model_id=model_id))


@models.route("/<uuid:model_id>/take", needs=Permission.MODEL_MANAGE, purpose=Purpose.ADMINISTRATION, methods=["POST"])
def take(model_id: UUID) -> ResponseReturnValue:
    life.take(access, _seen(model_id))
    flash("下一步由你办理。")
    return redirect(url_for(".show", model_id=model_id))


@models.route(
    "/<uuid:model_id>/retire", needs=Permission.MODEL_MANAGE, purpose=Purpose.ADMINISTRATION, methods=["GET", "POST"]
)
def retire(model_id: UUID) -> ResponseReturnValue:
    form = RetireForm()
    model = access.find(RiskModel, model_id, version=form.seen_version)
    if form.validate_on_submit():
        with form.explaining():
            life.retire(access, model, reason=form.reason.data)
            flash("已停用。名单按筛查规则排列，照常使用。")
            return redirect(url_for(".index"))
    form.version.data = str(model.version)
    return render_template("models/retire.html", form=form, model=model)


@models.route(
    "/<uuid:model_id>/roll-back",
    needs=Permission.MODEL_MANAGE,
    purpose=Purpose.ADMINISTRATION,
    methods=["GET", "POST"],
)
def roll_back(model_id: UUID) -> ResponseReturnValue:
    form = RollBackForm()
    model = access.find(RiskModel, model_id, version=form.seen_version)
    if form.validate_on_submit():
        with form.explaining():
            life.roll_back(access, model, reason=form.reason.data)
            flash("已换回。名单的先后将按它更新。")
            return redirect(url_for(".index"))
    form.version.data = str(model.version)
    return render_template("models/roll_back.html", form=form, model=model, present=life.active_edition(access))


def _seen(model_id: UUID) -> RiskModel:
    """The edition as the reader saw it."""
    version = version_seen(request.form.get("version"))
    model = access.find(RiskModel, model_id, version=version)
    if model.stage is ModelStage.RETIRED:
        raise Refusal("这一版已停用，不能再办理。")
    return model
