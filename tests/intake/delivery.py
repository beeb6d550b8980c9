"""Handing files in at the desk, as a registrar does, and looking at what the database then holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.base import Base
from tests.house import Client, House, Page, xlsx

HEADER = ["学号", "姓名", "学院", "班级", "手机号"]
WANG = ["20260101001", "王小涵", "信息学院", "软件2301", "13800000001"]
LI = ["20260101002", "李雨", "信息学院", "软件2301", "13800000002"]


def roster(*rows: Sequence[Any], header: Sequence[str] = HEADER) -> bytes:
    return xlsx(header, *rows)


def hand_in(clerk: Client, raw: bytes, name: str = "名册.xlsx", *, desk: str = "/roster", **fields: Any) -> str:
    """Upload a file and let the worker look at it; returns the address of its page."""
    page = clerk.post(desk, **{"kind": "roster", "upload": (raw, name), **fields})
    assert page.status == 200, page.text
    clerk.house.work()
    return page.response.request.path


def press(clerk: Client, path: str, button: str) -> Page:
    """Press 确认导入, 放弃 or 重新预览 on the page of a delivery, and let the worker do it."""
    page = clerk.post(f"{path}/{button}", version=clerk.get(path).value("version"))
    clerk.house.work()
    return page


def bring_in(clerk: Client, raw: bytes, **named: Any) -> Page:
    """A file all the way in; returns its page."""
    path = hand_in(clerk, raw, **named)
    press(clerk, path, "commit")
    return clerk.get(path)


def stored(house: House) -> bytes:
    """Every value of every table, as bytes, past all types: what a thief of the database holds."""
    values: list[bytes] = []
    with house.session() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.connection().exec_driver_sql(f'SELECT * FROM "{table.name}"'):
                values += [cell if isinstance(cell, bytes) else str(cell).encode() for cell in row]
    return b"\n".join(values)
