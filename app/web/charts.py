"""A line over time, drawn on the server: no script, no inline style, and in words for whoever does not see it.

The table beside it holds the same numbers; the drawing only shows the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 360, 132, 34, 18, 16, 26


@dataclass(frozen=True, slots=True)
class Mark:
    """One place on the line: what is below it, its value if there is one, and whether it is in doubt."""

    label: str
    value: float | None
    doubtful: bool = False


def line(key: str, title: str, description: str, marks: Sequence[Mark], *, lowest: float, highest: float) -> Markup:
    """A chart of ``marks`` from left to right; a missing one leaves a gap. ``key`` is unique on its page."""
    places = [_across(number, len(marks)) for number in range(len(marks))]
    parts = [_guide(value, lowest, highest) for value in (lowest, highest)]
    for one, other, start, end in zip(marks, marks[1:], places, places[1:], strict=False):
        if one.value is not None and other.value is not None:
            ys = _up(one.value, lowest, highest), _up(other.value, lowest, highest)
            parts.append(
                Markup('<line class="chart-line" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(start, ys[0], end, ys[1])
            )
    parts += [_mark(mark, x, lowest, highest) for mark, x in zip(marks, places, strict=True)]
    return _drawn(key, title, description, parts)


def steps(key: str, title: str, description: str, marks: Sequence[Mark], *, names: Sequence[str]) -> Markup:
    """A chart of steps that have names and no size: ``value`` is the place of a name, the lowest first.

    No number stands on it, because a step is not an amount.
    """
    highest = len(names) - 1
    places = [_across(number, len(marks)) for number in range(len(marks))]
    parts = [_named(name, _up(place, 0, highest)) for place, name in enumerate(names)]
    for one, other, start, end in zip(marks, marks[1:], places, places[1:], strict=False):
        if one.value is not None and other.value is not None:
            here, there = _up(one.value, 0, highest), _up(other.value, 0, highest)
            path = Markup('<path class="chart-line" fill="none" d="M{} {}H{}V{}"/>')
            parts.append(path.format(start, here, end, there))
    for mark, x in zip(marks, places, strict=True):
        below = Markup('<text class="chart-label" x="{}" y="{}">{}</text>').format(x, HEIGHT - 8, escape(mark.label))
        if mark.value is None:
            parts.append(
                Markup('<text class="chart-gap" x="{}" y="{}">×</text>').format(x, HEIGHT - BOTTOM - 6) + below
            )
        else:
            dot = Markup('<circle class="chart-dot" cx="{}" cy="{}" r="4"/>')
            parts.append(dot.format(x, _up(mark.value, 0, highest)) + below)
    return _drawn(key, title, description, parts)


def _named(name: str, y: float) -> Markup:
    return Markup(
        '<line class="chart-guide" x1="{}" y1="{}" x2="{}" y2="{}"/><text class="chart-scale" x="{}" y="{}">{}</text>'
    ).format(LEFT, y, WIDTH - RIGHT, y, LEFT - 6, y + 4, escape(name))


def _drawn(key: str, title: str, description: str, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}</svg>'
    ).format(WIDTH, HEIGHT, key, key, key, title, key, description, Markup("").join(parts))


def _across(number: int, count: int) -> float:
    room = WIDTH - LEFT - RIGHT
    return round(LEFT + (room / 2 if count == 1 else 12 + (room - 24) * number / (count - 1)), 1)


def _up(value: float, lowest: float, highest: float) -> float:
    share = (value - lowest) / (highest - lowest) if highest > lowest else 0.5
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(max(share, 0), 1), 1)


def _guide(value: float, lowest: float, highest: float) -> Markup:
    y = _up(value, lowest, highest)
    return Markup(
        '<line class="chart-guide" x1="{}" y1="{}" x2="{}" y2="{}"/><text class="chart-scale" x="{}" y="{}">{:g}</text>'
    ).format(LEFT, y, WIDTH - RIGHT, y, LEFT - 6, y + 4, value)


def _mark(mark: Mark, x: float, lowest: float, highest: float) -> Markup:
    below = Markup('<text class="chart-label" x="{}" y="{}">{}</text>').format(x, HEIGHT - 8, escape(mark.label))
    if mark.value is None:
        return Markup('<text class="chart-gap" x="{}" y="{}">×</text>').format(x, HEIGHT - BOTTOM - 6) + below
    y = _up(mark.value, lowest, highest)
    shape = "chart-dot chart-doubt" if mark.doubtful else "chart-dot"
    dot = Markup('<circle class="{}" cx="{}" cy="{}" r="4"/>').format(shape, x, y)
    return dot + Markup('<text class="chart-value" x="{}" y="{}">{:g}</text>').format(x, y - 8, mark.value) + below
