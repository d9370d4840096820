"""Charts from two plotting libraries that training never sees: gnuplot and pygal.

Knows: how to have each draw one of eight kinds. Does not know: captions, matplotlib, our own charts.
"""

from __future__ import annotations

import io
import shutil
import subprocess
from typing import Any

import numpy as np
from PIL import Image

from .canvas import any_colour
from .chart_content import Content, labels, values
from .wording import pick

FACES = ("Liberation Sans", "DejaVu Serif", "Sans", "Nimbus Roman")


def draw(content: Content, rng: np.random.Generator) -> Image.Image:
    """The chart from one of the two libraries; gnuplot has no pies."""
    if content.kind != "pie" and shutil.which("gnuplot") and rng.random() < 0.6:
        return _gnuplot(content, rng)
    return _pygal(content, rng)


def _hex(rng: np.random.Generator) -> str:
    return "#" + "".join(f"{part:02x}" for part in any_colour(rng, ((255, 255, 255),)))


def _gnuplot(content: Content, rng: np.random.Generator) -> Image.Image:
    y = values(rng, int(rng.integers(5, 12)), content.trend) * 40
    colour, size = _hex(rng), pick(rng, ("480,360", "400,400", "560,350"))
    rows = "\n".join(f"{name} {value:.2f}" for name, value in zip(labels(rng, len(y)), y))
    fill, ink = "set style fill solid", f"lc rgb '{colour}'"
    plots = {
        "bar": f"{fill}; set boxwidth 0.7; set yrange [0:*]; plot $d using 0:2:xtic(1) with boxes {ink}",
        "line": f"set yrange [0:42]; plot $d using 0:2:xtic(1) with linespoints lw 3 pt 7 {ink}",
        "area": f"{fill} 0.7; set yrange [0:*]; plot $d using 0:2:xtic(1) with filledcurves x1 {ink}",
        "scatter": f"set yrange [-4:46]; plot $d using 1:2 with points pt 7 ps 1.3 {ink}",
        "histogram": f"{fill} border -1; set boxwidth 1 relative; plot $d using 1:2 with boxes {ink}",
        "box": f"{fill} 0.4; set boxwidth 0.4; plot for [i=1:4] $d using (i):i with boxplot {ink}",
        "horizontal bar": (
            f"{fill}; set xrange [0:*]; set yrange [-0.6:{len(y)}]; "
            f"plot $d using ($2/2):0:($2/2):(0.35):ytic(1) with boxxyerror {ink}"
        ),
    }
    if content.kind == "scatter":
        x = rng.random(60)
        trend = np.interp(x, np.linspace(0, 1, len(y)), y) + rng.normal(0, 2.5, 60)
        rows = "\n".join(f"{a:.3f} {b:.2f}" for a, b in zip(x, trend))
    elif content.kind == "histogram":
        counts, edges = np.histogram(rng.normal(5, 2, 500), 16)
        rows = "\n".join(f"{edge:.2f} {count}" for edge, count in zip(edges, counts))
    elif content.kind == "box":
        samples = rng.normal(rng.uniform(20, 30, 4), rng.uniform(3, 7, 4), (50, 4))
        rows = "\n".join(" ".join(f"{value:.2f}" for value in row) for row in samples)
    title = f"set title '{content.topic}'; " if content.topic else ""
    grid = pick(rng, ("set grid; ", "set grid ytics; ", "")) + pick(rng, ("unset border; ", "set border 3; ", ""))
    head = (
        f"set term pngcairo size {size} font '{pick(rng, FACES)},{rng.integers(10, 16)}'; set key off; set bmargin 3; "
    )
    script = f"$d << END\n{rows}\nEND\n{head}{title}{grid}{plots[content.kind]}\n"
    png = subprocess.run(["gnuplot"], input=script.encode(), capture_output=True, check=True).stdout
    return _small(png)


def _pygal(content: Content, rng: np.random.Generator) -> Image.Image:
    import cairosvg
    import pygal
    from pygal import style

    looks = (
        style.DefaultStyle,
        style.LightStyle,
        style.CleanStyle,
        style.DarkStyle,
        style.BlueStyle,
        style.RedBlueStyle,
    )
    makers: dict[str, Any] = {
        "bar": pygal.Bar, "horizontal bar": pygal.HorizontalBar, "line": pygal.Line, "area": pygal.Line,
        "pie": pygal.Pie, "scatter": pygal.XY, "histogram": pygal.Histogram, "box": pygal.Box,
    }  # fmt: skip
    more: dict[str, Any] = {
        "scatter": {"stroke": False, "dots_size": 5},
        "area": {"fill": True},
        "line": {"stroke_style": {"width": 4}},
    }
    chart = makers[content.kind](
        style=pick(rng, looks), show_legend=rng.random() < 0.4, title=content.topic or None, width=480, height=360,
        zero=0, **more.get(content.kind, {}),
    )  # fmt: skip
    y = values(rng, int(rng.integers(4, 10)), content.trend).round(2).tolist()
    chart.x_labels = labels(rng, len(y))
    if content.kind == "pie":
        for name, share in zip("ABCDEF", rng.dirichlet([3] * int(rng.integers(3, 7))).tolist()):
            chart.add(name, share)
    elif content.kind == "scatter":
        x = rng.random(50)
        chart.x_labels = []
        trend = np.interp(x, np.linspace(0, 1, len(y)), y) + rng.normal(0, 0.05, 50)
        chart.add("A", list(zip(x.tolist(), trend.tolist())))
    elif content.kind == "histogram":
        counts, edges = np.histogram(rng.normal(5, 2, 500), 14)
        chart.x_labels = []
        chart.add("A", [(int(c), float(a), float(b)) for c, a, b in zip(counts, edges, edges[1:])])
    elif content.kind == "box":
        for name in "ABCD"[: int(rng.integers(2, 5))]:
            chart.add(name, rng.normal(rng.uniform(3, 6), 1, 30).round(2).tolist())
    else:
        chart.add("A", y)
    return _small(cairosvg.svg2png(chart.render(), output_width=480))


def _small(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png)).convert("RGB")
    return image.resize((160, round(160 * image.height / image.width)), Image.Resampling.LANCZOS)
