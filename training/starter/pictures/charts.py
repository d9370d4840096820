"""Charts drawn with our own pen, in many styles.

Knows: axes, marks, styles. Does not know: numbers and captions (chart_content.py), plotting libraries (plotted.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ..examples import Example, Family
from ..split import Side
from . import canvas
from .canvas import Colour
from .chart_content import Content, heap, labels, said, some_content, values
from .outlines import arc, spread
from .plotted import Plotted
from .wording import Wording, pick

SCALE = 3
SETS = (
    ("#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948"),
    ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b"),
    ("#4285f4", "#ea4335", "#fbbc04", "#34a853", "#ff6d01", "#46bdc6"),
    ("#003f5c", "#58508d", "#bc5090", "#ff6361", "#ffa600", "#7a5195"),
    ("#66c2a5", "#fc8d62", "#8da0cb", "#e78ac3", "#a6d854", "#ffd92f"),
    ("#222222", "#555555", "#888888", "#bbbbbb", "#333333", "#777777"),
    ("#08519c", "#3182bd", "#6baed6", "#9ecae1", "#c6dbef", "#2171b5"),
    ("#00e5ff", "#ff00c8", "#aaff00", "#ffea00", "#ff6d00", "#7c4dff"),
)


@dataclass
class Plot:
    """The picture, the inner box where marks go, and the style."""

    image: Image.Image
    rng: np.random.Generator
    paper: Colour
    ink: Colour
    colours: list[Colour]
    face: Path
    content: Content
    box: tuple[float, float, float, float] = (0, 0, 1, 1)
    thick: float = 4
    draw: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        self.draw = ImageDraw.Draw(self.image)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a place in the inner box; y upwards."""
        left, top, right, bottom = self.box
        return left + x * (right - left), bottom - y * (bottom - top)

    def bar(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, edge: Colour | None = None) -> None:
        """A box between two corners in shares of the inner box."""
        (a, b), (c, d) = self.at(min(x0, x1), max(y0, y1)), self.at(max(x0, x1), min(y0, y1))
        self.draw.rectangle(
            (a, b, max(a + 1, c), max(b + 1, d)), fill=colour, outline=edge, width=max(1, int(self.thick / 2))
        )

    def path(self, x: np.ndarray, y: np.ndarray, colour: Colour, width: float = 1) -> None:
        points = [self.at(a, b) for a, b in zip(x.tolist(), y.tolist())]
        self.draw.line(points, fill=colour, width=max(1, round(self.thick * width)), joint="curve")

    def mark(self, x: float, y: float, radius: float, colour: Colour, edge: Colour | None = None) -> None:
        """A dot; radius in pixels."""
        a, b = self.at(x, y)
        self.draw.ellipse((a - radius, b - radius, a + radius, b + radius), fill=colour, outline=edge)

    def centre(self) -> tuple[float, float, float]:
        """Middle of the inner box and the largest radius in it."""
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2, min(right - left, bottom - top) / 2 * 0.94


def bar(plot: Plot) -> None:
    n, rng = int(plot.rng.integers(4, 11)), plot.rng
    y, wide, edge = values(rng, n, plot.content.trend), spread(rng, 0.5, 0.9), plot.ink if rng.random() < 0.2 else None
    many = rng.random() < 0.2
    for i, high in enumerate(y.tolist()):
        colour = plot.colours[i % 6] if many else plot.colours[0]
        plot.bar((i + 0.5 - wide / 2) / n, 0, (i + 0.5 + wide / 2) / n, high, colour, edge)


def horizontal_bar(plot: Plot) -> None:
    n, rng = int(plot.rng.integers(3, 9)), plot.rng
    x, wide = values(rng, n, ""), spread(rng, 0.5, 0.85)
    x = np.sort(x) if rng.random() < 0.5 else x
    many = rng.random() < 0.2
    for i, long in enumerate(x.tolist()):
        plot.bar(0, (i + 0.5 - wide / 2) / n, long, (i + 0.5 + wide / 2) / n, plot.colours[i % 6 if many else 0])


def line(plot: Plot) -> None:
    n = int(plot.rng.integers(5, 14)) if plot.rng.random() < 0.6 else int(plot.rng.integers(20, 60))
    x, y = np.linspace(0.02, 0.98, n), values(plot.rng, n, plot.content.trend)
    plot.path(x, y, plot.colours[0])
    if n < 15 and plot.rng.random() < 0.5:
        for a, b in zip(x.tolist(), y.tolist()):
            plot.mark(a, b, plot.thick * 1.5, plot.colours[0])


def multi_line(plot: Plot) -> None:
    n = int(plot.rng.integers(5, 20))
    for k in range(int(plot.rng.integers(2, 5))):
        trend = pick(plot.rng, ("rising", "falling", "", "flat"))
        plot.path(np.linspace(0.02, 0.98, n), values(plot.rng, n, trend), plot.colours[k])


def area(plot: Plot) -> None:
    n = int(plot.rng.integers(5, 30))
    x, y = np.linspace(0, 1, n), values(plot.rng, n, plot.content.trend)
    points = [plot.at(0, 0), *(plot.at(a, b) for a, b in zip(x.tolist(), y.tolist())), plot.at(1, 0)]
    plot.draw.polygon(points, fill=canvas.mixed(plot.colours[0], plot.paper, spread(plot.rng, 0, 0.6)))
    if plot.rng.random() < 0.7:
        plot.path(x, y, plot.colours[0])


def step(plot: Plot) -> None:
    n = int(plot.rng.integers(5, 12))
    x, y = np.linspace(0, 1, n + 1), values(plot.rng, n, plot.content.trend)
    plot.path(np.repeat(x, 2)[1:-1], np.repeat(y, 2), plot.colours[0])


def scatter(plot: Plot) -> None:
    n, rng = int(plot.rng.integers(25, 80)), plot.rng
    x, radius = rng.random(n), 3 + plot.thick * spread(rng, 0.2, 1.4)
    trend = np.interp(x, np.linspace(0, 1, 12), values(rng, 12, plot.content.trend))
    y = np.clip(trend + rng.normal(0, spread(rng, 0.015, 0.1), n), 0.02, 0.98)
    hollow = rng.random() < 0.2
    for a, b in zip(x.tolist(), y.tolist()):
        plot.mark(a, b, radius, plot.paper if hollow else plot.colours[0], plot.colours[0])


def bubble(plot: Plot) -> None:
    for i in range(int(plot.rng.integers(7, 16))):
        radius = plot.thick * spread(plot.rng, 2, 9)
        colour = canvas.mixed(plot.colours[i % int(plot.rng.integers(1, 5))], plot.paper, 0.25)
        plot.mark(spread(plot.rng, 0.1, 0.9), spread(plot.rng, 0.1, 0.9), radius, colour, plot.ink)


def _slices(plot: Plot, hole: float) -> None:
    shares = plot.rng.dirichlet([2.5] * int(plot.rng.integers(3, 7)))
    x, y, r = plot.centre()
    start = float(plot.rng.integers(0, 360))
    for i, share in enumerate(shares.tolist()):
        stop = start + 360 * share
        shift = (
            arc((start + stop) / 2, (start + stop) / 2, 1, 0.09 * r)[0]
            if i == 0 and plot.rng.random() < 0.15
            else (0, 0)
        )
        box = (x - r + shift[0], y - r + shift[1], x + r + shift[0], y + r + shift[1])
        plot.draw.pieslice(box, start, stop, fill=plot.colours[i % 6], outline=plot.paper, width=3)
        start = stop
    if hole:
        plot.draw.ellipse((x - r * hole, y - r * hole, x + r * hole, y + r * hole), fill=plot.paper)


def pie(plot: Plot) -> None:
    _slices(plot, 0)


def donut(plot: Plot) -> None:
    _slices(plot, spread(plot.rng, 0.45, 0.72))


def histogram(plot: Plot) -> None:
    n = int(plot.rng.integers(9, 28))
    edge = pick(plot.rng, (plot.ink, plot.paper, plot.paper, None))
    for i, high in enumerate(heap(plot.rng, n).tolist()):
        plot.bar(i / n, 0, (i + 1) / n, high, plot.colours[0], edge)


def box(plot: Plot) -> None:
    n, rng, lying = int(plot.rng.integers(1, 7)), plot.rng, plot.rng.random() < 0.15
    reach, tinted, own = spread(rng, 0.14, 0.42), rng.random() < 0.3, rng.random() < 0.3
    for i in range(n):
        low, q1, middle, q3, high = (np.cumsum(rng.uniform(0.06, 0.2, 5)) + spread(rng, 0, 0.2)).clip(0, 0.98).tolist()
        centre, half = (i + 0.5) / n, reach / max(n, 2)
        marks = [
            ((centre, centre), (low, q1)),
            ((centre, centre), (q3, high)),
            ((centre - half, centre + half), (middle, middle)),
        ]
        marks += [((centre - half / 2, centre + half / 2), (end, end)) for end in (low, high)]
        colour = plot.colours[i % 6 if own else 0]
        line = canvas.mixed(colour, plot.ink, 0.25) if tinted else plot.ink
        fill = pick(rng, (plot.paper, colour, colour, canvas.mixed(colour, plot.paper, 0.5)))
        outliers = [(centre, min(0.99, high + spread(rng, 0.03, 0.15))) for _ in range(int(rng.integers(0, 3)))]
        for x, y in outliers:
            plot.mark(*((y, x) if lying else (x, y)), 4, plot.paper, line)
        if lying:
            plot.bar(q1, centre - half, q3, centre + half, fill, line)
        else:
            plot.bar(centre - half, q1, centre + half, q3, fill, line)
        for x, y in marks:
            plot.path(np.array(y if lying else x), np.array(x if lying else y), line, 0.7)


def stacked_bar(plot: Plot) -> None:
    n, parts, wide = int(plot.rng.integers(3, 9)), int(plot.rng.integers(2, 5)), spread(plot.rng, 0.55, 0.85)
    for i in range(n):
        foot = 0.0
        for k, high in enumerate((plot.rng.uniform(0.3, 1, parts) / parts).tolist()):
            plot.bar((i + 0.5 - wide / 2) / n, foot, (i + 0.5 + wide / 2) / n, foot + high, plot.colours[k])
            foot += high


def grouped_bar(plot: Plot) -> None:
    n, parts = int(plot.rng.integers(3, 6)), int(plot.rng.integers(2, 4))
    for i in range(n):
        for k, high in enumerate(plot.rng.uniform(0.2, 1, parts).tolist()):
            plot.bar(
                (i + 0.12 + 0.76 * k / parts) / n, 0, (i + 0.12 + 0.76 * (k + 1) / parts) / n, high, plot.colours[k]
            )


def radar(plot: Plot) -> None:
    n = int(plot.rng.integers(5, 9))
    x, y, r = plot.centre()
    angles = [-90 + 360 * k / n for k in range(n)]
    pale = canvas.mixed(plot.ink, plot.paper, 0.6)
    for part in (0.33, 0.66, 1.0):
        web = [tuple(arc(a, a, 1, r * part, x, y)[0]) for a in angles]
        plot.draw.polygon(web, outline=pale, width=2)
    for a in angles:
        plot.draw.line([(x, y), tuple(arc(a, a, 1, r, x, y)[0])], fill=pale, width=2)
    for k in range(int(plot.rng.integers(1, 3))):
        web = [tuple(arc(a, a, 1, r * spread(plot.rng, 0.4, 0.98), x, y)[0]) for a in angles]
        fill = canvas.mixed(plot.colours[k], plot.paper, 0.55) if k == 0 and plot.rng.random() < 0.6 else None
        plot.draw.polygon(web, outline=plot.colours[k], fill=fill, width=round(plot.thick))


def heatmap(plot: Plot) -> None:
    columns, rows = int(plot.rng.integers(4, 11)), int(plot.rng.integers(4, 9))
    low, high = (plot.colours[0], (255, 240, 150)) if plot.rng.random() < 0.5 else (plot.paper, plot.colours[0])
    shares = canvas.clouds((columns, rows), plot.rng, 4) * 0.7 + 0.3 * plot.rng.random((rows, columns))
    for r in range(rows):
        for c in range(columns):
            plot.bar(
                c / columns,
                r / rows,
                (c + 0.96) / columns,
                (r + 0.96) / rows,
                canvas.mixed(low, high, float(shares[r, c])),
            )


def gauge(plot: Plot) -> None:
    x, y, r = plot.centre()
    y, turn = y + r * 0.4, spread(plot.rng, 190, 350)
    parts = pick(plot.rng, ((plot.colours[3], plot.colours[1], plot.colours[2]), (plot.colours[0],) * 3))
    for k, colour in enumerate(parts):
        plot.draw.arc((x - r, y - r, x + r, y + r), 180 + 60 * k, 238 + 60 * k, fill=colour, width=round(r * 0.25))
    tip = arc(turn, turn, 1, r * 0.8, x, y)[0]
    plot.draw.line([(x, y), tuple(tip)], fill=plot.ink, width=round(plot.thick * 1.5))
    plot.draw.ellipse((x - 0.09 * r, y - 0.09 * r, x + 0.09 * r, y + 0.09 * r), fill=plot.ink)


KINDS: dict[str, Callable[[Plot], None]] = {
    f.__name__.replace("_", " "): f
    for f in (
        bar, horizontal_bar, line, area, pie, donut, scatter, histogram, box, stacked_bar, grouped_bar, multi_line,
        bubble, radar, heatmap, step, gauge,
    )
}  # fmt: skip
WITHOUT_AXES = {"pie", "donut", "radar", "gauge"}


def frame(plot: Plot) -> None:
    """Title, room for labels, grid, axes and ticks; sets the inner box."""
    (width, height), rng = plot.image.size, plot.rng
    small = canvas.font(plot.face, round(height * 0.055))
    left, top, right, bottom = width * 0.05, height * 0.06, width * 0.95, height * 0.93
    if plot.content.topic:
        title = canvas.font(plot.face, round(height * spread(rng, 0.08, 0.12)))
        x = pick(rng, (width / 2, width / 2, left))
        plot.draw.text((x, top * 0.4), plot.content.topic, plot.ink, title, anchor="mt" if x == width / 2 else "lt")
        top += height * 0.11
    has_axes = plot.content.kind not in WITHOUT_AXES
    ticks = rng.random() < 0.75
    if has_axes and ticks:
        left, bottom = left + width * 0.07, bottom - height * 0.06
    if rng.random() < (0.3 if has_axes else 0.5):
        right -= width * 0.2
        for k in range(3):
            y = top + height * (0.1 + 0.11 * k)
            plot.draw.rectangle(
                (right + width * 0.03, y, right + width * 0.06, y + height * 0.04), fill=plot.colours[k]
            )
            plot.draw.text((right + width * 0.075, y), pick(rng, ("A", "B", "North", "East", "2020")), plot.ink, small)
    plot.box = (left, top, right, bottom)
    if not has_axes:
        return
    if plot.content.kind != "heatmap":
        _grid(plot, canvas.mixed(plot.ink, plot.paper, spread(rng, 0.4, 0.9)))
    if ticks:
        _ticks(plot, small)


def _grid(plot: Plot, colour: Colour) -> None:
    """Now and then a panel of another tint behind the marks; lines across and down or neither, whole or dashed."""
    rng = plot.rng
    if rng.random() < 0.2:
        tint = pick(rng, (plot.colours[1], plot.ink, (255, 255, 255), (220, 220, 235)))
        plot.paper = canvas.mixed(plot.paper, tint, spread(rng, 0.05, 0.16))
        plot.bar(0, 0, 1, 1, plot.paper)
    across, down, dashes = rng.random() < 0.55, rng.random() < 0.3, pick(rng, (1, 1, 1, 24, 40))
    wide, many = pick(rng, (1, 2, 2, 3)), int(rng.integers(4, 9))
    for k in range(1, many):
        for dash in range(dashes):
            start, stop = dash / dashes, (dash + (1 if dashes == 1 else 0.55)) / dashes
            if across:
                plot.draw.line([plot.at(start, k / many), plot.at(stop, k / many)], fill=colour, width=wide)
            if down:
                plot.draw.line([plot.at(k / many, start), plot.at(k / many, stop)], fill=colour, width=wide)


def _ticks(plot: Plot, small: object) -> None:
    n, lying = int(plot.rng.integers(3, 6)), plot.content.kind == "horizontal bar"
    names = labels(plot.rng, n)
    top = int(pick(plot.rng, (5, 10, 50, 100, 250, 1000)))
    for k in range(n):
        (x, low), (foot, y) = plot.at((k + 0.5) / n, 0), plot.at(0, k / (n - 1))
        number = f"{top * k / (n - 1):g}"[:4]
        plot.draw.text((x, low + 5), number if lying else names[k], plot.ink, small, anchor="mt")  # type: ignore[arg-type]
        plot.draw.text((foot - 5, y), names[k] if lying else number, plot.ink, small, anchor="rm")  # type: ignore[arg-type]


def axes(plot: Plot) -> None:
    """Lines around or beside the marks, drawn over them."""
    if plot.content.kind in WITHOUT_AXES:
        return
    style, wide = plot.rng.random(), max(2, round(plot.thick / 2))
    if style < 0.6:
        plot.draw.line([plot.at(0, 1), plot.at(0, 0), plot.at(1, 0)], fill=plot.ink, width=wide)
    elif style < 0.8:
        plot.draw.line(
            [plot.at(0, 0), plot.at(1, 0), plot.at(1, 1), plot.at(0, 1), plot.at(0, 0)], fill=plot.ink, width=wide
        )
    elif style < 0.9:
        plot.draw.line([plot.at(0, 0), plot.at(1, 0)], fill=plot.ink, width=wide)


@dataclass
class Chart:
    """A chart from our own pen."""

    name: str = "chart"
    weight: float = 8

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        content, face = some_content(rng, side), canvas.pick_font(rng, side)
        size = canvas.final_size(rng, pick(rng, (1.33, 1.33, 1, 1.6)))
        image = draw_chart(content, (size[0] * SCALE, size[1] * SCALE), face, rng)
        words = Wording(rng, side)
        contents = said(words, content)
        small = canvas.reduced(image, SCALE, rng)
        media = canvas.worn(canvas.restyled(small, rng, False) if rng.random() < 0.06 else small, rng)
        return Example(media, content.key, contents, (f"font {face.stem}", *words.uses))


def draw_chart(content: Content, size: tuple[int, int], face: Path, rng: np.random.Generator) -> Image.Image:
    """The chart as a picture of that size, large."""
    _, paper = ("", (255, 255, 255)) if rng.random() < 0.5 else canvas.plain_paper(rng)
    colours = [canvas.from_hex(text) for text in pick(rng, SETS)]
    colours = [colours[i] for i in rng.permutation(6)] if rng.random() < 0.5 else colours
    if rng.random() < 0.3:
        colours[0] = canvas.any_colour(rng)
    fade = spread(rng, 0.2, 0.5) if rng.random() < 0.2 else 0
    colours = [canvas.mixed(_seen_on(paper, colour, rng), paper, fade) for colour in colours]
    plot = Plot(
        canvas.backdrop(size, paper, rng, 0.08), rng, paper, canvas.readable_on(paper, rng), colours, face, content
    )
    plot.thick = spread(rng, 1.6, 8) * size[1] / 300
    frame(plot)
    KINDS[content.kind](plot)
    axes(plot)
    return plot.image


def _seen_on(paper: Colour, colour: Colour, rng: np.random.Generator) -> Colour:
    return colour if canvas.distance(paper, colour) > 130 else canvas.any_colour(rng, (paper,), 180)


FAMILIES: list[Family] = [Chart(), Plotted()]
