"""知情同意: the texts students are asked with, and every edition of each."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.screening.rounds import consent
from app.screening.rounds.round_forms import ConsentForm, NewConsentForm
from app.security.access import NotFound
from app.security.holders import names_of
from app.security.policy import Permission
from app.web.feature import Room, access
from models.participation import ConsentText

consents = Room("consents", __name__, url_prefix="/consent-texts", template_folder="../templates")


@consents.route("", needs=Permission.ROUND_MANAGE)
def index() -> ResponseReturnValue:
    texts = consent.texts(access.session)
    name, body = consent.shipped()
    shipped = None if name in {text.name for text in texts} else {"name": name, "body": body}
    return render_template("screening/consents.html", texts=texts, shipped=shipped)


@consents.route("/new", needs=Permission.ROUND_MANAGE, methods=["GET", "POST"])
def start() -> ResponseReturnValue:
    form = NewConsentForm()
    if not form.is_submitted():
        form.body.data = consent.shipped()[1]
    if form.validate_on_submit():
        with form.explaining():
            row = consent.start(access, name=form.name.data, body=form.body.data)
            flash("已保存为第 1 版。")
            return redirect(url_for(".show", consent_id=row.id))
    return render_template("screening/consent_form.html", form=form, before=None)


@consents.route("/<uuid:consent_id>", needs=Permission.ROUND_MANAGE)
def show(consent_id: UUID) -> ResponseReturnValue:
    row = _text(consent_id)
    editions = consent.editions(access.session, row.name)
    return render_template(
        "screening/consent.html",
        row=row,
        editions=editions,
        used=consent.rounds_with(access.session, row.name),
        authors=names_of(access.session, [edition.written_by for edition in editions]),
    )


@consents.route("/<uuid:consent_id>/next", needs=Permission.ROUND_MANAGE, methods=["GET", "POST"])
def next_edition(consent_id: UUID) -> ResponseReturnValue:
    row, form = _text(consent_id), ConsentForm()
    if not form.is_submitted():
        form.body.data = row.body
    if form.validate_on_submit():
        with form.explaining():
            written = consent.write(access, name=row.name, body=form.body.data)
            flash(f"已保存为第 {written.edition} 版。批次要使用新版，请在批次里选择。")
            return redirect(url_for(".show", consent_id=written.id))
    return render_template("screening/consent_form.html", form=form, before=row)


def _text(consent_id: UUID) -> ConsentText:
    row = access.session.get(ConsentText, consent_id)
    if row is None:
        raise NotFound(ConsentText.__name__)
    access.about(row.id)
    return row
