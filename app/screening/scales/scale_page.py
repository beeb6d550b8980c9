"""Reads the tables of a scale file place by place and collects every fault, so that one look mends all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_KINDS: dict[type, str] = {str: "文字", bool: "true 或 false", int: "整数", float: "数", list: "列表", dict: "一节"}
REQUIRED: Any = object()
LARGEST = 10_000


class Section:
    """One table of the file. Each part is taken by name; what nobody took is a fault at ``end``."""

    def __init__(self, table: dict[str, Any], faults: list[str], place: str = "") -> None:
        self._table, self._faults, self._place, self._taken = table, faults, place, set[str]()

    def fault(self, key: str, words: str) -> None:
        """Note what is wrong at ``key`` of this section."""
        at = f"{self._place}.{key}" if self._place and key else self._place or key
        self._faults.append(f"{at}：{words}" if at else words)

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def _take(self, key: str, kind: type, default: Any) -> Any:
        self._taken.add(key)
        if key not in self._table:
            if default is REQUIRED:
                self.fault(key, "缺少这一项")
                return kind()
            return default
        value = self._table[key]
        fits = isinstance(value, int | float) if kind is float else isinstance(value, kind)
        if not fits or (kind in {int, float} and isinstance(value, bool)):
            self.fault(key, f"应为{_KINDS[kind]}")
            return kind() if default is REQUIRED else default
        if kind in {int, float} and not abs(value) <= LARGEST:
            self.fault(key, f"数太大，应在 ±{LARGEST} 之内")
            return kind() if default is REQUIRED else default
        return value

    def string(self, key: str, default: Any = REQUIRED) -> str:
        found: str = self._take(key, str, default)
        if default is REQUIRED and key in self._table and not found:
            self.fault(key, "不能为空")
        return found

    def whole(self, key: str, default: Any = REQUIRED) -> Any:
        return self._take(key, int, default)

    def number(self, key: str, default: Any = REQUIRED) -> Any:
        return self._take(key, float, default)

    def flag(self, key: str, *, default: bool) -> bool:
        found: bool = self._take(key, bool, default)
        return found

    def one_of(self, key: str, words: Iterable[str], default: Any = REQUIRED) -> str:
        found, allowed = self.string(key, default), list(words)
        if found and found not in allowed:
            self.fault(key, f"“{found}”不认识；可用：{'、'.join(allowed)}")
            return allowed[0]
        return found

    def words(self, key: str, default: Any = ()) -> tuple[str, ...]:
        return self._list(key, str, default)

    def _list(self, key: str, kind: type, default: Any) -> tuple[Any, ...]:
        found = self._take(key, list, default)
        wrong = [value for value in found if not isinstance(value, kind) or isinstance(value, bool)]
        if wrong:
            self.fault(key, f"应为{_KINDS[kind]}的列表")
        return tuple(value for value in found if value not in wrong)

    def any_of(self, key: str) -> Any:
        """The value as it is: for a part that may be written in two ways."""
        self._taken.add(key)
        return self._table.get(key)

    def mapping(self, key: str) -> dict[str, Any]:
        """A section whose keys are the file's own."""
        found: dict[str, Any] = self._take(key, dict, {})
        return found

    def section(self, key: str, default: Any = None) -> Section:
        found = self._take(key, dict, {} if default is None else default)
        return Section(found, self._faults, f"{self._place}.{key}" if self._place else key)

    def sections(self, key: str, default: Any = REQUIRED) -> list[Section]:
        found = self._take(key, list, default)
        place = f"{self._place}.{key}" if self._place else key
        kept = []
        for number, held in enumerate(found, 1):
            if isinstance(held, dict):
                kept.append(Section(held, self._faults, f"{place}[{number}]"))
            else:
                self._faults.append(f"{place}[{number}]：应为一节（{{ … }}）")
        return kept

    def names(self) -> list[str]:
        return list(self._table)

    def end(self) -> None:
        """Whatever nobody asked for is a slip of the pen: said, not overlooked."""
        for key in self._table:
            if key not in self._taken:
                self.fault(str(key), "不认识这一项，请检查拼写")
