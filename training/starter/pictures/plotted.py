"""Charts drawn by matplotlib, in many of its styles.

Knows: matplotlib. Does not know: captions and numbers (chart_content.py). Slow (some 25 ms), so a small share of a mix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from ..examples import Example
from ..split import Side
from . import canvas
from .chart_content import Content, labels, said, some_content, values
from .outlines import spread
from .wording import Wording, pick

STYLES = (
    "default", "default", "classic", "ggplot", "bmh", "fivethirtyeight", "dark_background", "grayscale", "seaborn-v0_8",
    "seaborn-v0_8-whitegrid", "seaborn-v0_8-darkgrid", "seaborn-v0_8-pastel", "Solarize_Light2", "tableau-colorblind10",
)  # fmt: skip
MAPS = ("viridis", "Blues", "Greens", "coolwarm", "magma", "YlOrRd", "Greys")


@dataclass
class Plotted:
    """A chart from matplotlib."""

    name: str = "plotted chart"
    weight: float = 1.2

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        content, face = some_content(rng, side), canvas.pick_font(rng, side)
        image = plot(content, str(face), rng)
        words = Wording(rng, side)
        contents = said(words, content)
        return Example(canvas.worn(image, rng, 0.15), content.key, contents, (f"font {face.stem}", *words.uses))


def plot(content: Content, face: str, rng: np.random.Generator) -> Image.Image:
    """The chart, finished. Every text in it is set in the font file `face`."""
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = canvas.final_size(rng, pick(rng, (1.33, 1.33, 1, 1.6)))
    inches = spread(rng, 2.4, 4.2)
    with style.context([pick(rng, STYLES), {"axes.unicode_minus": False, "font.family": [_family(face)]}]):
        figure = Figure((inches, inches * size[1] / size[0]), dpi=2 * size[0] / inches)
        agg = FigureCanvasAgg(figure)
        axes = figure.add_subplot(polar=content.kind == "radar")
        colours = [f"C{k}" for k in range(6)]
        if rng.random() < 0.5:
            colours[0] = _hex(canvas.any_colour(rng, (_rgb(axes.get_facecolor()),)))
        KINDS[content.kind](axes, rng, content, colours)
        if content.topic:
            axes.set_title(content.topic)
        _dress(axes, content.kind, rng)
        figure.subplots_adjust(0.14, 0.14, 0.95, 0.88 if content.topic else 0.95)
        agg.draw()
    return Image.fromarray(np.asarray(agg.buffer_rgba())[..., :3]).resize(size, Image.Resampling.BOX)


def _rgb(colour: Any) -> canvas.Colour:
    red, green, blue = (round(255 * float(part)) for part in colour[:3])
    return red, green, blue


@cache
def _family(face: str) -> str:
    """A family of nothing but that file, so that no bold or slanted sister of it is taken."""
    from matplotlib.font_manager import FontEntry, fontManager

    fontManager.ttflist.append(FontEntry(fname=face, name=f"only {face}", size="scalable"))
    return f"only {face}"


def _hex(colour: canvas.Colour) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)


def _dress(axes: Any, kind: str, rng: np.random.Generator) -> None:
    """Grid, frame, ticks, labels: with or without."""
    if kind in ("pie", "donut", "radar", "gauge"):
        return
    if rng.random() < 0.3:
        axes.grid(rng.random() < 0.7)
    if rng.random() < 0.3:
        axes.spines[["top", "right"]].set_visible(False)
    if rng.random() < 0.2:
        axes.set_xticks([])
    if rng.random() < 0.2:
        axes.set_yticks([])
    if rng.random() < 0.2:
        axes.set_ylabel(pick(rng, ("value", "units", "percent")))
    if rng.random() < 0.2 and kind != "heatmap":
        axes.legend(["A", "B", "C"][: int(rng.integers(1, 4))])


def _bar(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    n = int(rng.integers(4, 10))
    hatch = pick(rng, ("", "", "", "//", "x"))
    colour = colours * 2 if rng.random() < 0.2 else colours[0]
    axes.bar(labels(rng, n), values(rng, n, content.trend) * 50, color=colour, width=spread(rng, 0.5, 0.9), hatch=hatch)


def _horizontal_bar(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    n = int(rng.integers(3, 9))
    long = values(rng, n, "")
    colour = colours * 2 if rng.random() < 0.2 else colours[0]
    axes.barh(
        labels(rng, n), np.sort(long) if rng.random() < 0.5 else long, color=colour, height=spread(rng, 0.5, 0.85)
    )


def _line(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    n = int(rng.integers(5, 40))
    mark = pick(rng, ("", "", "o", "s", "^")) if n < 15 else ""
    width, dash = spread(rng, 1, 3.5), pick(rng, ("-", "-", "-", "--"))
    axes.plot(np.arange(n), values(rng, n, content.trend) * 20, dash, marker=mark, color=colours[0], lw=width)
    axes.set_ylim(0, 21)


def _multi_line(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    n = int(rng.integers(5, 20))
    for k in range(int(rng.integers(2, 5))):
        axes.plot(values(rng, n, pick(rng, ("rising", "falling", "flat", ""))), color=colours[k], lw=spread(rng, 1, 3))


def _area(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    n = int(rng.integers(5, 30))
    y = values(rng, n, content.trend)
    axes.fill_between(np.arange(n), y, color=colours[0], alpha=spread(rng, 0.4, 1))
    axes.set_ylim(0)


def _step(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    n = int(rng.integers(5, 12))
    axes.step(np.arange(n), values(rng, n, content.trend), color=colours[0], lw=spread(rng, 1.5, 3))


def _scatter(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    n = int(rng.integers(25, 90))
    x = rng.random(n)
    y = np.interp(x, np.linspace(0, 1, 12), values(rng, 12, content.trend)) + rng.normal(0, spread(rng, 0.03, 0.09), n)
    axes.scatter(x, y, s=spread(rng, 8, 40), color=colours[0], marker=pick(rng, ("o", "o", "x", "s", "^")))
    axes.set_ylim(-0.1, 1.15)


def _bubble(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    n = int(rng.integers(7, 16))
    axes.scatter(
        rng.random(n), rng.random(n), s=rng.uniform(60, 900, n), color=(colours * 3)[:n], alpha=0.6, edgecolors="k"
    )


def _pie(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    n = int(rng.integers(3, 7))
    wedge = {"width": spread(rng, 0.3, 0.5)} if content.kind == "donut" else {}
    names = labels(rng, n) if rng.random() < 0.5 else None
    percent = "%d%%" if rng.random() < 0.3 else None
    start = float(rng.integers(0, 360))
    axes.pie(rng.dirichlet([2.5] * n), labels=names, autopct=percent, startangle=start, wedgeprops=wedge)


def _histogram(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    sample = rng.normal(0, 1, 600) if rng.random() < 0.7 else rng.gamma(3, 1, 600)
    axes.hist(sample, bins=int(rng.integers(9, 30)), color=colours[0], edgecolor=pick(rng, ("white", "black", None)))


def _box(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    n = int(rng.integers(2, 7))
    samples = [rng.normal(rng.uniform(-1, 1), rng.uniform(0.5, 1.2), 60) for _ in range(n)]
    axes.boxplot(samples, patch_artist=rng.random() < 0.6, widths=0.55)


def _stacked_bar(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    n = int(rng.integers(3, 9))
    foot = np.zeros(n)
    names = labels(rng, n)
    for k in range(int(rng.integers(2, 5))):
        high = rng.uniform(0.2, 1, n)
        axes.bar(names, high, bottom=foot, color=colours[k])
        foot = foot + high


def _grouped_bar(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    n, parts = int(rng.integers(3, 6)), int(rng.integers(2, 4))
    for k in range(parts):
        axes.bar(np.arange(n) + 0.8 * k / parts, rng.uniform(0.2, 1, n), 0.8 / parts, color=colours[k])


def _radar(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    n = int(rng.integers(5, 9))
    angles = np.linspace(0, 2 * np.pi, n + 1)
    for k in range(int(rng.integers(1, 3))):
        far = rng.uniform(0.4, 1, n)
        far = np.append(far, far[0])
        axes.plot(angles, far, color=colours[k])
        axes.fill(angles, far, color=colours[k], alpha=0.3)


def _heatmap(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    axes.imshow(rng.random((int(rng.integers(4, 9)), int(rng.integers(4, 9)))), cmap=pick(rng, MAPS), aspect="auto")
    axes.grid(False)


def _gauge(axes: Any, rng: np.random.Generator, content: Content, colours: list[str]) -> None:
    parts = [1, 1, 1, 3]
    axes.pie(parts, colors=["C2", "C1", "C3", "none"], startangle=180, counterclock=False, wedgeprops={"width": 0.35})
    turn = np.deg2rad(spread(rng, 15, 165))
    axes.annotate("", (0.8 * np.cos(turn), 0.8 * np.sin(turn)), (0, 0), arrowprops={"arrowstyle": "-|>", "lw": 3})


KINDS: dict[str, Callable[[Any, np.random.Generator, Content, list[str]], None]] = {
    "bar": _bar, "horizontal bar": _horizontal_bar, "line": _line, "multi line": _multi_line, "area": _area,
    "step": _step, "scatter": _scatter, "bubble": _bubble, "pie": _pie, "donut": _pie, "histogram": _histogram,
    "box": _box, "stacked bar": _stacked_bar, "grouped bar": _grouped_bar, "radar": _radar, "heatmap": _heatmap,
    "gauge": _gauge,
}  # fmt: skip
