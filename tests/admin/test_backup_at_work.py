"""A backup that is taken while people work is whole, and says exactly what it holds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.admin import backup
from app.security.door import open_door
from config.settings import Settings
from models.case import Case
from tests.admin.test_backup import elsewhere, lived_in, recovery_key, saved, tools_of_the_servers_version
from tests.house import Client, House

__all__ = ["elsewhere", "tools_of_the_servers_version"]


@contextmanager
def _reading(person: Client, case: Case) -> Iterator[None]:
    """Somebody who opens a case again and again: every look is a row of the log."""
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            person.get(f"/cases/{case.id}")

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_backup_of_a_house_at_work_counts_what_it_holds(house: House, elsewhere: Settings, tmp_path: Path) -> None:
    people, case = lived_in(house)
    with _reading(people.psychologist, case):
        file = saved(house, tmp_path)

    header = backup.restore(file, elsewhere, recovery_key(house.door))

    door = open_door(elsewhere)
    assert backup.compare(door, header) == []
    door.database.dispose()
