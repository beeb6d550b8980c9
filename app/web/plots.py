"""Curves and intervals, drawn on the server for a page, for paper and for a PDF alike: no script, no inline style.

Lines differ by dashes as well as by colour. The table beside a drawing holds
the same numbers; the drawing only shows the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 380, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 30, 42
ROW, NAMES = 26, 128
"""Height of one row and width of its name, where intervals lie under each other."""

PAPER = """
svg { font-family: "Noto Sans SC"; font-weight: 500; }
text { font-size: 11px; fill: #566176; }
.plot-frame { fill: none; stroke: #dde3ec; }
.plot-grid { stroke: #ecf0f5; }
.plot-guide { fill: none; stroke: #8a94a6; stroke-dasharray: 2 3; }
.plot-main { fill: none; stroke: #1d5bbf; stroke-width: 2; }
.plot-other { fill: none; stroke: #6f5300; stroke-width: 1.6; stroke-dasharray: 6 3; }
.plot-third { fill: none; stroke: #566176; stroke-width: 1.4; stroke-dasharray: 1 3; }
.plot-dot { fill: #1d5bbf; }
.plot-whisker { stroke: #1d5bbf; stroke-width: 1.4; }
.plot-name { fill: #1b2434; }
"""
"""What the stylesheet says on screen, for a drawing that stands alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One side of a drawing: what it counts, from where to where, and where a number stands."""

    label: str
    low: float
    high: float
    ticks: tuple[float, ...]
    percent: bool = False

    def place(self, value: float, begin: float, end: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(begin + (end - begin) * min(max(share, 0.0), 1.0), 1)

    def words(self, value: float) -> str:
        return f"{value:.0%}" if self.percent else f"{value:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A line through points. ``look``: main, other, third or guide."""

    name: str
    points: Sequence[tuple[float, float]]
    look: str = "main"


@dataclass(frozen=True, slots=True)
class Dot:
    """A point with its interval, if it has one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """One named value with its interval."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


def plot(
    key: str,
    title: str,
    description: str,
    *,
    x: Axis,
    y: Axis,
    curves: Sequence[Curve] = (),
    dots: Sequence[Dot] = (),
) -> Markup:
    """Curves and dots over two axes. ``key`` is unique on its page."""
    parts = [_grid(x, y)]
    parts += [_curve(curve, x, y) for curve in curves if curve.points]
    parts += [_dot(dot, x, y) for dot in dots]
    parts.append(_legend([curve for curve in curves if curve.points and curve.name]))
    return _svg(key, title, description, WIDTH, HEIGHT, parts)


def intervals(
    key: str, title: str, description: str, spans: Sequence[Span], *, x: Axis, mark: float | None = None
) -> Markup:
    """Values under each other, each with its interval; ``mark`` is a line to read them by."""
    bottom = TOP + ROW * len(spans)
    parts = [_line("plot-grid", _x(x, tick, NAMES), TOP - 8, _x(x, tick, NAMES), bottom) for tick in x.ticks]
    parts += [_text(_x(x, tick, NAMES), bottom + 16, x.words(tick)) for tick in x.ticks]
    if mark is not None:
        parts.append(_line("plot-guide", _x(x, mark, NAMES), TOP - 8, _x(x, mark, NAMES), bottom))
    for place, span in enumerate(spans):
        middle = TOP + ROW * place + ROW / 2 - 4
        parts.append(_text(NAMES - 10, middle + 4, span.name, look="plot-name", anchor="end"))
        if span.low is not None and span.high is not None:
            parts.append(_line("plot-whisker", _x(x, span.low, NAMES), middle, _x(x, span.high, NAMES), middle))
        parts.append(_circle(_x(x, span.value, NAMES), middle))
    parts.append(_text((NAMES + WIDTH - RIGHT) / 2, bottom + 34, x.label))
    return _svg(key, title, description, WIDTH, bottom + BOTTOM, parts)


def standalone(drawing: Markup) -> str:
    """The same drawing as a file of its own, with its looks inside."""
    opening, rest = str(drawing).split(">", 1)
    return f'{opening} xmlns="http://www.w3.org/2000/svg"><style>{PAPER}</style>{rest}'


# --- parts ------------------------------------------------------------------------------------


def _x(axis: Axis, value: float, left: float = LEFT) -> float:
    return axis.place(value, left, WIDTH - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return axis.place(value, HEIGHT - BOTTOM, TOP)


def _svg(key: str, title: str, description: str, width: float, height: float, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}</svg>'
    ).format(width, height, key, key, key, title, key, description, Markup("").join(parts))


def _grid(x: Axis, y: Axis) -> Markup:
    """Lines to read by, numbers at them, and what each side counts."""
    foot, parts = HEIGHT - BOTTOM, []
    for tick in y.ticks:
        parts.append(_line("plot-grid", LEFT, _y(y, tick), WIDTH - RIGHT, _y(y, tick)))
        parts.append(_text(LEFT - 6, _y(y, tick) + 4, y.words(tick), anchor="end"))
    for tick in x.ticks:
        parts.append(_line("plot-grid", _x(x, tick), TOP, _x(x, tick), foot))
        parts.append(_text(_x(x, tick), foot + 16, x.words(tick)))
    parts.append(
        Markup('<rect class="plot-frame" x="{}" y="{}" width="{}" height="{}"/>').format(
            LEFT, TOP, WIDTH - RIGHT - LEFT, foot - TOP
        )
    )
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, x.label))
    middle = (TOP + foot) / 2
    parts.append(
        Markup('<text x="{}" y="{}" text-anchor="middle" transform="rotate(-90 {} {})">{}</text>').format(
            12, middle, 12, middle, y.label
        )
    )
    return Markup("").join(parts)


def _curve(curve: Curve, x: Axis, y: Axis) -> Markup:
    path = " ".join(f"{_x(x, across)},{_y(y, up)}" for across, up in curve.points)
    return Markup('<polyline class="plot-{}" points="{}"/>').format(curve.look, path)


def _dot(dot: Dot, x: Axis, y: Axis) -> Markup:
    across = _x(x, dot.x)
    found = _circle(across, _y(y, dot.y))
    if dot.low is None or dot.high is None:
        return found
    return _line("plot-whisker", across, _y(y, dot.low), across, _y(y, dot.high)) + found


def _legend(curves: Sequence[Curve]) -> Markup:
    """Names above the drawing, each after a piece of its line."""
    left, parts = float(LEFT), []
    for curve in curves:
        parts.append(_line(f"plot-{curve.look}", left, 14, left + 22, 14))
        parts.append(_text(left + 27, 18, curve.name, anchor="start"))
        left += 40 + 11.5 * len(curve.name)
    return Markup("").join(parts)


def _line(look: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(look, x1, y1, x2, y2)


def _circle(x: float, y: float) -> Markup:
    return Markup('<circle class="plot-dot" cx="{}" cy="{}" r="3.5"/>').format(x, y)


def _text(x: float, y: float, words: str, *, look: str = "", anchor: str = "middle") -> Markup:
    shown = Markup(' class="{}"').format(look) if look else ""
    return Markup('<text{} x="{}" y="{}" text-anchor="{}">{}</text>').format(shown, x, y, anchor, words)
