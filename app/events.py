"""Facts in the past tense, and who hears them.

A room that has done something says so with ``access.record(event)``. Rooms
above it listen; which ones is stated in ``app/wiring.py`` and nowhere else.
*In-transaction* listeners run at once and belong to the act: if one refuses,
the act never happened. *After-commit* listeners run when the fact is safe and
can no longer undo it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. Its class name is the act in the log; ids only, never content."""

    object_id: UUID | None = None
    """What was acted upon: a case, a batch, an account."""
    student_ids: tuple[UUID, ...] = ()
    """Whose data it concerns, when they are few enough to name."""
    count: int | None = None
    """How many people or rows it concerns, when they are many."""
    digest: bytes | None = None
    """Of a file that must not be exchanged unseen: it stands in the log."""
    quiet: ClassVar[bool] = False
    """A quiet event is told to listeners and leaves no row of its own in the log."""

    @classmethod
    def act(cls) -> str:
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


Listener = Callable[[Any, Any], None]
"""Called with the ``Access`` of the act and the event."""

_in_transaction: dict[type[Event], list[Listener]] = defaultdict(list)
_after_commit: dict[type[Event], list[Callable[[Any], None]]] = defaultdict(list)


def listen(kind: type[Event], *listeners: Listener) -> None:
    """Let ``listeners`` run inside the transaction of every ``kind``. Wiring only."""
    for listener in listeners:
        if listener not in _in_transaction[kind]:
            _in_transaction[kind].append(listener)


def listen_after_commit(kind: type[Event], *listeners: Callable[[Any], None]) -> None:
    """Let ``listeners`` hear of every ``kind`` once it is committed. Wiring only."""
    for listener in listeners:
        if listener not in _after_commit[kind]:
            _after_commit[kind].append(listener)


def tell(access: Any, event: Event) -> None:
    """Run the in-transaction listeners of ``event``, in the order in which they were wired."""
    for listener in _in_transaction[type(event)]:
        listener(access, event)


def tell_after_commit(event: Event) -> None:
    for listener in _after_commit[type(event)]:
        listener(event)
