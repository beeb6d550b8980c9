"""Forms of the re-test list."""

from __future__ import annotations

from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import DataRequired, Length

from app.web.forms import VersionedForm, options, to
from models.participation import RetestStage


class EndRetestForm(VersionedForm):
    """End a re-test without new answers."""

    stage = RadioField(
        "怎样结束",
        choices=options([("declined", "本人选择不参加"), ("done", "已当面了解情况，不再重测")]),
        coerce=to(RetestStage),
        validators=[DataRequired("请选择怎样结束。")],
    )
    text = TextAreaField("简要说明", [DataRequired("请写一两句。"), Length(max=1000)])


class HandOverRetestForm(VersionedForm):
    """Give a re-test to a colleague."""

    to = SelectField("移交给", validators=[DataRequired("请选择老师。")])
