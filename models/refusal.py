"""The exception that speaks to the reader."""

from __future__ import annotations


class Refusal(Exception):
    """A rule of the house said no, in a sentence the reader can act on.

    Chinese, without names, numbers or content: it is shown on the page and
    may be repeated in a receipt.
    """

    def __init__(self, sentence: str, *, field: str | None = None, urgent: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.urgent = urgent
        """What was refused holds something critical: somebody else has to hear of it too."""


class Unclear(Refusal):
    """Something that only a person can say is still open; what was handed in is kept until he has said it."""
