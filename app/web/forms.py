"""Forms check shape; whether the house allows it is the act's business."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from flask import g
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.fields.choices import SelectChoice

from app.web.arguments import identifier, version_seen
from app.web.feature import access
from app.web.words import label
from models.refusal import Refusal


def _stripped(text: Any) -> Any:
    return text.strip() if isinstance(text, str) else text


class Form(FlaskForm):  # type: ignore[misc]
    """A form in Chinese, whose refusals land where the reader looks."""

    NOT_ANSWERS: ClassVar[frozenset[str]] = frozenset({"csrf_token", "version"})

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        locales: ClassVar[list[str]] = ["zh_CN", "zh"]

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            """Blanks around an answer are no answer; of a password they are part."""
            kind = unbound_field.field_class
            if issubclass(kind, StringField) and not issubclass(kind, PasswordField):
                options["filters"] = [*unbound_field.kwargs.get("filters", ()), _stripped]
            return super().bind_field(form, unbound_field, options)

    form_errors: list[str]

    @property
    def answers(self) -> dict[str, Any]:
        """What was filled in, as keyword arguments for the act."""
        return {name: value for name, value in self.data.items() if name not in self.NOT_ANSWERS}

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        fits: bool = super().validate_on_submit(extra_validators)
        if self.is_submitted() and not fits:
            g.refused = True
        return fits

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Run an act; a ``Refusal`` undoes it and becomes a sentence on the form (decisions 2)."""
        try:
            with access.attempt():
                yield
        except Refusal as refusal:
            g.refused = True
            if refusal.field is not None and refusal.field in self:
                self[refusal.field].errors = [*self[refusal.field].errors, refusal.sentence]
            else:
                self.form_errors.append(refusal.sentence)


class VersionedForm(Form):
    """A form about one row: it carries the version the reader saw."""

    version = HiddenField()

    @property
    def seen_version(self) -> int | None:
        return version_seen(str(self.version.data or ""))


def choices(words: Iterable[StrEnum]) -> list[SelectChoice]:
    """The words of an enumeration, or some of them, for a choice field, in the order given."""
    return [SelectChoice(item, label(item)) for item in words]


def options(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Value and words of each option of a choice field."""
    return [SelectChoice(value, words) for value, words in pairs]


def identifier_or_none(value: Any) -> UUID | None:
    """Coerce a submitted value to an id; whatever is none stays empty, so that "required" can speak."""
    return value if isinstance(value, UUID) else identifier(str(value or ""))


def to(kind: type[StrEnum]) -> Any:
    """Coerce a submitted value to ``kind``; empty stays none, so that "required" can speak."""

    def coerce(value: Any) -> Any:
        return None if value in {None, "", "None"} else kind(value)

    return coerce
