"""Charts as inline SVG: axes, lines with intervals, points. No library, no script, no font from elsewhere.

Knows: scales, ticks, drawing; colours are variables of the page's style. Does not know: what is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 74, 16, 12, 46
ASIDE = 5
"""Between series of different colours, so that their intervals stand beside each other."""
_PLOT_W, _PLOT_H = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM


@dataclass(frozen=True, slots=True)
class Point:
    """y may be infinite: it is drawn as a triangle at the top.  low, high: of its interval.  label: stands beside it.
    hollow: a point to be read with care.
    """

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    label: str = ""
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """colour: 1 to 4, of the page's style.  style: joined by a line, a dashed line, or dots alone."""

    name: str
    points: Sequence[Point]
    colour: int
    style: Literal["line", "dashed", "dots"] = "line"


@dataclass(frozen=True, slots=True)
class Axis:
    """scale: "ordinal" gives every value that occurs the same room.  show: how a tick is written.  reach: values that
    the axis must hold beside those of the series, so that panels side by side have the same."""

    label: str
    show: Callable[[float], str]
    scale: Literal["linear", "log", "ordinal"] = "linear"
    reach: Sequence[float] = ()


class _Scale:
    """Value → share of the axis, 0 to 1."""

    def __init__(self, axis: Axis, values: Sequence[float]) -> None:
        finite = sorted({v for v in (*values, *axis.reach) if math.isfinite(v) and (v > 0 or axis.scale != "log")})
        finite = finite or [1.0]
        self._kind, self._finite = axis.scale, finite
        low, high = finite[0], finite[-1]
        if axis.scale == "linear":
            step = _step(high - low or abs(high) or 1.0)
            self.low, self.high = math.floor(low / step) * step, math.ceil(high / step) * step
            if self.low == self.high:
                self.high += step
            count = round((self.high - self.low) / step)
            self.ticks = [self.low + i * step for i in range(count + 1)]
        elif axis.scale == "log":
            self.low, self.high = low / 1.25, high * 1.25
            self.ticks = _log_ticks(self.low, self.high)
        else:
            self.low, self.high = -0.5, len(finite) - 0.5
            self.ticks = finite

    def __call__(self, value: float) -> float:
        if self._kind == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        placed = self._finite.index(value) if self._kind == "ordinal" else value
        return (placed - self.low) / (self.high - self.low)


def _step(span: float) -> float:
    """A round step that cuts the span in about five."""
    power = 10.0 ** math.floor(math.log10(span / 5))
    return next((m * power for m in (1, 2, 2.5, 5) if span / (m * power) <= 6), 10 * power)


def _log_ticks(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1,)):
        ticks = [digit * 10.0**power for power in powers for digit in digits if low <= digit * 10.0**power <= high]
        if len(ticks) <= 7:
            return ticks
    return ticks[:: math.ceil(len(ticks) / 7)]


def chart(series: Sequence[Series], x: Axis, y: Axis) -> str:
    """One panel. Names of the series are for legend(): nothing in the panel repeats them."""
    points = [point for one in series for point in one.points]
    across = _Scale(x, [point.x for point in points])
    ends = [value for p in points for value in (p.y, p.low, p.high) if value is not None]
    up = _Scale(y, ends)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(y.label)} by {escape(x.label)}">']
    parts += _axes(x, y, across, up)
    colours = sorted({one.colour for one in series if one.style != "dots"})
    for one in series:
        aside = 0.0 if one.style == "dots" else ASIDE * (colours.index(one.colour) - (len(colours) - 1) / 2)
        parts += _drawn(one, across, up, aside)
    return "".join(parts) + "</svg>"


def legend(series: Sequence[Series]) -> str:
    """Names with the line or dot that stands for them."""
    marks = []
    for one in series:
        line = "" if one.style == "dots" else f'<path d="M0 6H22" class="line c{one.colour} {one.style}"/>'
        dot = f'<circle cx="11" cy="6" r="3.5" class="dot c{one.colour}"/>'
        marks.append(f'<span><svg class="mark" viewBox="0 0 22 12">{line}{dot}</svg>{escape(one.name)}</span>')
    return f'<p class="legend">{"".join(marks)}</p>'


def _axes(x: Axis, y: Axis, across: _Scale, up: _Scale) -> list[str]:
    parts = []
    for tick in up.ticks:
        at = _up(up(tick))
        parts.append(f'<path d="M{LEFT} {at}H{WIDTH - RIGHT}" class="grid"/>')
        parts.append(
            f'<text x="{LEFT - 7}" y="{at}" class="tick" text-anchor="end" dy=".35em">{escape(y.show(tick))}</text>'
        )
    for tick in across.ticks:
        at = _across(across(tick))
        parts.append(f'<path d="M{at} {HEIGHT - BOTTOM}v4" class="axis"/>')
        parts.append(
            f'<text x="{at}" y="{HEIGHT - BOTTOM + 17}" class="tick" text-anchor="middle">{escape(x.show(tick))}</text>'
        )
    parts.append(f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" class="axis"/>')
    middle = LEFT + _PLOT_W / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" class="name" text-anchor="middle">{escape(x.label)}</text>')
    turned = f"rotate(-90 12 {TOP + _PLOT_H / 2})"
    parts.append(
        f'<text x="12" y="{TOP + _PLOT_H / 2}" class="name" text-anchor="middle" transform="{turned}">'
        f"{escape(y.label)}</text>"
    )
    return parts


def _drawn(one: Series, across: _Scale, up: _Scale, aside: float) -> list[str]:
    parts, line = [], []
    for point in one.points:
        at, height = _across(across(point.x)) + aside, _height(point.y, up)
        if point.low is not None and point.high is not None:
            ends = _height(point.low, up), _height(point.high, up)
            parts.append(f'<path d="M{at} {ends[0]}V{ends[1]}" class="interval c{one.colour}"/>')
        hollow = " hollow" if point.hollow else ""
        if math.isfinite(point.y):
            size = 1.8 if one.style == "dots" and not point.label else 3.5
            parts.append(f'<circle cx="{at}" cy="{height}" r="{size}" class="dot c{one.colour}{hollow}"/>')
        else:
            parts.append(f'<path d="M{at - 4} {TOP + 8}h8l-4 -8z" class="dot c{one.colour}{hollow}"/>')
        if point.label:
            anchor, beside = ("end", at - 7) if at > WIDTH - RIGHT - 60 else ("start", at + 7)
            place = f'x="{beside}" y="{height - 6}" text-anchor="{anchor}"'
            parts.append(f'<text {place} class="label">{escape(point.label)}</text>')
        line.append(f"{at} {height}")
    if one.style != "dots" and len(line) > 1:
        parts.insert(0, f'<path d="M{"L".join(line)}" class="line c{one.colour} {one.style}"/>')
    return parts


def _across(share: float) -> float:
    return round(LEFT + share * _PLOT_W, 1)


def _up(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * _PLOT_H, 1)


def _height(value: float, scale: _Scale) -> float:
    return _up(scale(value)) if math.isfinite(value) else float(TOP)
