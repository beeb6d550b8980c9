"""What happens to a file on its way in, for the log and for whoever follows its life."""

from __future__ import annotations

from dataclasses import dataclass

from app.events import Event


class FileReceived(Event):
    """A file was uploaded and sealed."""


class FileCommitted(Event):
    """A file went in."""


class FileWithdrawn(Event):
    """A file was put aside before it went in."""


class FilePreviewed(Event):
    """It was worked out what a file would do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRefused(Event):
    """A file cannot go in as it is; the reason stands in its receipt."""

    urgent: bool = False
    """There was something critical in it."""


class FileStale(Event):
    """The house moved between preview and commit; the file asks to be previewed again."""
