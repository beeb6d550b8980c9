"""How a row changes state: by a table of allowed moves, and no other way."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from models.refusal import Refusal


class HasStages:
    """A root with a ``stage`` and a table of the moves it allows (states.md)."""

    __moves__: ClassVar[dict[Any, set[Any]]]
    __taken_back__: ClassVar[frozenset[Any]] = frozenset()
    """Stages that are ends, although a person may take the decision back."""
    stage: Any

    def move_to(self, stage: StrEnum) -> None:
        """Move, or refuse in words: the row may have changed under the reader's eyes."""
        if stage not in self.__moves__[self.stage]:
            raise Refusal("这一步现在不能做：记录的状态已经变化，请刷新页面后再看。")
        self.stage = stage

    @property
    def has_ended(self) -> bool:
        return not self.__moves__[self.stage] or self.stage in self.__taken_back__
