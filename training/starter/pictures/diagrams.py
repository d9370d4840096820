"""Kinds of tables, plans, maps, codes, puzzles and diagrams.

Knows: what each looks like from a distance. Does not know: the pieces it is laid out with (sheet.py).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from . import canvas
from .outlines import arc
from .sheet import GREY, Sheet
from .wording import pick

CONTINENTS = (
    ((0.04, 0.2), (0.2, 0.12), (0.33, 0.16), (0.27, 0.32), (0.22, 0.36), (0.2, 0.46), (0.12, 0.36), (0.06, 0.3)),
    ((0.22, 0.48), (0.33, 0.54), (0.36, 0.62), (0.3, 0.76), (0.27, 0.9), (0.24, 0.7), (0.2, 0.56)),
    ((0.44, 0.42), (0.54, 0.4), (0.6, 0.5), (0.63, 0.56), (0.57, 0.66), (0.54, 0.82), (0.5, 0.74), (0.49, 0.58),
     (0.42, 0.52)),
    ((0.44, 0.34), (0.47, 0.2), (0.54, 0.16), (0.7, 0.1), (0.92, 0.15), (0.9, 0.28), (0.82, 0.34), (0.8, 0.48),
     (0.74, 0.4), (0.69, 0.54), (0.64, 0.42), (0.56, 0.4), (0.5, 0.33)),
    ((0.8, 0.66), (0.9, 0.64), (0.94, 0.74), (0.88, 0.82), (0.79, 0.78)),
)  # fmt: skip


def spreadsheet(s: Sheet) -> None:
    s.box(0, 0, 1, 0.12, pick(s.rng, ((33, 115, 70), s.accent, s.pale)))
    s.box(0, 0.12, 1, 0.19, s.pale)
    s.box(0, 0.12, 0.07, 1, s.pale)
    columns, rows = s.many(4, 7), s.many(8, 13)
    wide, high = 0.93 / columns, 0.81 / rows
    for c in range(columns):
        s.text(0.07 + wide * (c + 0.5), 0.155, chr(65 + c), 0.05, None, "mm")
    for r in range(rows):
        s.text(0.035, 0.19 + high * (r + 0.5), str(r + 1), 0.045, None, "mm")
        for c in range(columns):
            if s.chance(0.7):
                x, y = 0.07 + wide * (c + 0.93), 0.19 + high * (r + 0.5)
                s.text(x, y, str(s.rng.integers(1, 9999)), min(0.05, high * 0.7), s.ink, "rm")
    s.grid(0.07, 0.19, 1, 1, columns, rows, canvas.mixed(s.ink, s.paper, 0.7))
    c, r = s.many(0, columns - 1), s.many(0, rows - 1)
    s.box(
        0.07 + wide * c, 0.19 + high * r, 0.07 + wide * (c + 1), 0.19 + high * (r + 1), None, (33, 115, 70), width=0.014
    )


def table(s: Sheet) -> None:
    top = 0.05
    if s.chance(0.4):
        s.wide_text(0.5, 0.07, s.one("Table 1", "Results", "Prices", "Comparison"), 0.4, 0.08)
        top = 0.15
    s.table(0.05, top, 0.95, 0.95, s.many(3, 5), s.many(4, 9), s.chance(0.8), s.chance(0.8))


def calendar(s: Sheet) -> None:
    top = 0.2
    if s.chance(0.3):
        s.photo(0, 0, 1, 0.38)
        top = 0.5
    head = s.accent if s.chance(0.6) else s.paper
    s.box(0, top - 0.2 if top < 0.3 else 0.38, 1, top - 0.02, head)
    s.wide_text(
        0.5,
        top - 0.08 if top < 0.3 else 0.43,
        s.one("January", "MARCH", "May 2026", "July", "October", "DECEMBER"),
        0.6,
        0.1,
        s.on(head),
    )
    high, start, days = (0.96 - top) / 6, s.many(0, 6), s.many(28, 31)
    for c in range(7):
        s.text(0.04 + 0.131 * (c + 0.5), top + high * 0.4, "MTWTFSS"[c], 0.05, s.soft, "mm")
    today = s.many(1, 28)
    for day in range(1, days + 1):
        c, r = (start + day - 1) % 7, (start + day - 1) // 7
        x, y = 0.04 + 0.131 * (c + 0.5), top + high * (0.9 + r * 0.85)
        if day == today:
            s.disc(x, y, 0.045, s.accent)
        s.text(x, y, str(day), 0.055, (210, 40, 40) if c == 6 else s.ink, "mm")
    if s.chance(0.4):
        s.grid(0.04, top + high * 0.48, 0.957, top + high * 5.6, 7, 6, s.pale)


def street_map(s: Sheet) -> None:
    s.box(0, 0, 1, 1, pick(s.rng, ((240, 236, 225), (232, 234, 237), (225, 238, 220), (45, 50, 60))))
    for _ in range(s.many(1, 3)):
        x, y = s.between(0, 0.8), s.between(0, 0.8)
        s.box(x, y, x + s.between(0.1, 0.3), y + s.between(0.1, 0.3), pick(s.rng, ((180, 220, 160), (190, 225, 175))))
    y = s.between(0.1, 0.9)
    s.line(
        [(-0.1, y), (0.3, y + 0.1), (0.6, y - 0.15), (1.1, y + s.between(-0.2, 0.2))],
        (150, 200, 235),
        s.between(0.06, 0.13),
    )
    tilt = s.between(-0.15, 0.15)
    for _ in range(s.many(4, 7)):
        a = s.between(-0.1, 1.1)
        s.line([(a, -0.1), (a + tilt, 1.1)], (255, 255, 255), pick(s.rng, (0.018, 0.03)))
        s.line([(-0.1, a), (1.1, a - tilt)], (255, 255, 255), pick(s.rng, (0.018, 0.03)))
    s.line([(-0.1, s.between(0, 1)), (0.5, s.between(0.3, 0.7)), (1.1, s.between(0, 1))], (250, 200, 90), 0.04)
    x, y = s.between(0.25, 0.75), s.between(0.3, 0.7)
    s.polygon([(x - 0.05, y - 0.07), (x + 0.05, y - 0.07), (x, y + 0.03)], (220, 40, 40))
    s.disc(x, y - 0.08, 0.055, (220, 40, 40))
    s.disc(x, y - 0.08, 0.02, (255, 255, 255))


def world_map(s: Sheet) -> None:
    sea = pick(s.rng, ((170, 210, 240), (255, 255, 255), (60, 110, 170), (20, 40, 80)))
    s.box(0, 0, 1, 1, sea)
    land = canvas.any_colour(s.rng, (sea,)) if s.chance(0.5) else (120, 170, 90)
    for k in range(1, 6):
        s.line([(k / 6, 0), (k / 6, 1)], canvas.mixed(sea, GREY, 0.25), 0.005)
        s.line([(0, k / 6), (1, k / 6)], canvas.mixed(sea, GREY, 0.25), 0.005)
    many = s.chance(0.4)
    for points in CONTINENTS:
        rough = np.array(points)
        between = (rough + np.roll(rough, -1, 0)) / 2 + s.rng.normal(0, 0.012, rough.shape)
        border = np.stack([rough, between], 1).reshape(-1, 2) + s.rng.normal(0, 0.005, (2 * len(rough), 2))
        s.polygon([(x, y) for x, y in border.tolist()], canvas.any_colour(s.rng, (sea,)) if many else land)


def floor_plan(s: Sheet) -> None:
    if s.chance(0.25):
        s.box(0, 0, 1, 1, (25, 60, 130))
        s.ink = (235, 240, 255)
    thick = s.between(0.015, 0.03)
    s.box(0.08, 0.1, 0.92, 0.9, None, s.ink, width=thick)
    x, y, x2 = s.between(0.35, 0.6), s.between(0.4, 0.6), s.between(0.3, 0.65)
    s.line([(x, 0.1), (x, y)], s.ink, thick)
    s.line([(0.08, y), (x - 0.12, y)], s.ink, thick)
    s.line([(x, y), (0.78, y)], s.ink, thick)
    s.line([(x2, y + 0.16), (x2, 0.9)], s.ink, thick)
    for a, b in ((x - 0.12, y), (0.78, y)):
        s.draw.arc(
            (a * s.width, b * s.height, (a + 0.24) * s.width, (b + 0.24 * s.width / s.height) * s.height),
            180,
            270,
            fill=s.ink,
            width=3,
        )
    s.wide_text((0.08 + x) / 2, (0.1 + y) / 2, s.one("Bedroom", "Kitchen", "Office"), 0.18, 0.06, s.ink)
    s.wide_text((x + 0.92) / 2, (0.1 + y) / 2, s.one("Living", "Room", "Bath"), 0.18, 0.06, s.ink)
    s.box(0.12, 0.72, 0.25, 0.86, None, s.ink)
    s.line([(0.12, 0.77), (0.25, 0.77)])
    s.disc(0.78, 0.72, 0.07, None, s.ink)


def org_chart(s: Sheet) -> None:
    n = s.many(2, 4)
    fill, ink = (s.accent, s.on(s.accent)) if s.chance(0.6) else (s.pale, s.ink)

    def post(x: float, y: float, wide: float) -> None:
        s.box(x - wide / 2, y, x + wide / 2, y + 0.14, fill, s.soft)
        s.wide_text(x, y + 0.07, s.one("CEO", "CFO", "Sales", "IT", "HR", "Anna", "Ben", "Boss"), wide * 0.6, 0.06, ink)

    s.line([(0.5, 0.2), (0.5, 0.32)], s.ink)
    s.line([(0.5 / n, 0.32), (1 - 0.5 / n, 0.32)], s.ink)
    post(0.5, 0.07, 0.26)
    for k in range(n):
        x = (k + 0.5) / n
        s.line([(x, 0.32), (x, 0.62)], s.ink)
        post(x, 0.4, 0.7 / n)
        under = s.many(1, 2)
        s.line([(x - 0.2 / n * (under - 1), 0.62), (x + 0.2 / n * (under - 1), 0.62)], s.ink)
        for j in range(under):
            x2 = x + (j - (under - 1) / 2) * 0.45 / n
            s.line([(x2, 0.62), (x2, 0.72)], s.ink)
            post(x2, 0.72, 0.4 / n)


def arrow(s: Sheet, points: list[tuple[float, float]]) -> None:
    """A line with a head at its last point, which it reaches straight."""
    s.line(points, s.ink, 0.01)
    (x0, y0), (x1, y1) = points[-2:]
    a = np.array([(x1 - x0) * s.width, (y1 - y0) * s.height])
    a = a / max(1e-6, float(np.hypot(*a))) * 0.04 * s.unit
    back, side = np.array([x1 * s.width, y1 * s.height]) - a, np.array([-a[1], a[0]]) * 0.6
    corners = [(back + side), (back - side)]
    s.polygon([(x1, y1), *((float(c[0]) / s.width, float(c[1]) / s.height) for c in corners)], s.ink)


def flow(s: Sheet) -> None:
    fill = canvas.mixed(s.accent, s.paper, s.between(0.3, 0.9))
    ink = s.on(fill)

    def step(x: float, y: float, kind: int, text: str) -> None:
        if kind == 0:
            s.box(x - 0.16, y - 0.06, x + 0.16, y + 0.06, fill, s.ink, 0.06)
        elif kind == 1:
            s.box(x - 0.16, y - 0.06, x + 0.16, y + 0.06, fill, s.ink)
        else:
            s.polygon([(x, y - 0.1), (x + 0.2, y), (x, y + 0.1), (x - 0.2, y)], fill, s.ink)
        s.wide_text(x, y, text, 0.18, 0.05, ink)

    x = s.between(0.3, 0.45)
    for a, b in ((0.14, 0.22), (0.34, 0.42), (0.62, 0.72)):
        arrow(s, [(x, a), (x, b)])
    arrow(s, [(x + 0.2, 0.52), (0.84, 0.52), (0.84, 0.28), (x + 0.16, 0.28)])
    step(x, 0.08, 0, "Start")
    step(x, 0.28, 1, s.one("Input", "Read", "Check"))
    step(x, 0.52, 2, s.one("OK?", "Done?", "Valid?"))
    step(x, 0.78, s.many(0, 1), s.one("End", "Save", "Stop"))
    s.text(x + 0.24, 0.47, "no", 0.045)
    s.text(x + 0.02, 0.63, "yes", 0.045)


def timeline(s: Sheet) -> None:
    n = s.many(4, 6)
    y, year = 0.5, s.many(1900, 2015)
    s.line([(0.04, y), (0.96, y)], s.accent, 0.025)
    for k in range(n):
        x, up = (k + 0.5) / n, k % 2 == 0
        s.line([(x, y), (x, y - 0.16 if up else y + 0.16)], s.soft)
        s.disc(x, y, 0.05, canvas.any_colour(s.rng, (s.paper,)), s.ink)
        s.text(x, y + 0.12 if up else y - 0.12, str(year + k * 3), 0.08, None, "mm")
        top = 0.08 if up else 0.68
        s.box(x - 0.42 / n, top, x + 0.42 / n, top + 0.25, s.pale)
        s.lines(x - 0.36 / n, top + 0.03, x + 0.36 / n, 3, 0.065)


def tree(s: Sheet) -> None:
    levels = s.many(3, 4)
    places = [
        [((k + 0.5) / 2**level, 0.1 + 0.8 * level / (levels - 1)) for k in range(2**level)] for level in range(levels)
    ]
    gone = {(levels - 1, k) for k in range(2 ** (levels - 1)) if s.chance(0.25)}
    fill = canvas.mixed(s.accent, s.paper, s.between(0, 0.7))
    for level in range(1, levels):
        for k, place in enumerate(places[level]):
            if (level, k) not in gone:
                s.line([places[level - 1][k // 2], place], s.ink)
    for level, row in enumerate(places):
        for k, (x, y) in enumerate(row):
            if (level, k) not in gone:
                s.disc(x, y, 0.05, fill, s.ink)
                s.text(x, y, str(s.many(1, 9)), 0.055, s.on(fill), "mm")


def network(s: Sheet) -> None:
    n = s.many(7, 13)
    points = [(s.between(0.08, 0.92), s.between(0.08, 0.92)) for _ in range(n)]
    for i in range(1, n):
        near = sorted(range(i), key=lambda j: (points[i][0] - points[j][0]) ** 2 + (points[i][1] - points[j][1]) ** 2)
        for j in near[: s.many(1, 2)]:
            s.line([points[i], points[j]], s.soft, 0.01)
    one = canvas.any_colour(s.rng, (s.paper,))
    for x, y in points:
        s.disc(x, y, s.between(0.03, 0.055), one if s.chance(0.6) else canvas.any_colour(s.rng, (s.paper,)), s.ink)


def mind(s: Sheet) -> None:
    n = s.many(5, 8)
    for k in range(n):
        angle = 360 * (k + s.between(-0.2, 0.2)) / n
        x, y = (arc(angle, angle, 1, 0.36)[0] + 0.5).tolist()
        colour = canvas.any_colour(s.rng, (s.paper,))
        middle = ((x + 0.5) / 2 + 0.03, (y + 0.5) / 2 - 0.03)
        s.line([(0.5, 0.5), middle, (x, y)], colour, 0.016)
        s.box(x - 0.11, y - 0.055, x + 0.11, y + 0.055, canvas.mixed(colour, s.paper, 0.3), None, 0.05)
        s.lines(x - 0.08, y - 0.025, x + 0.08, 1, 0.06, s.ink)
    s.draw.ellipse((0.34 * s.width, 0.4 * s.height, 0.66 * s.width, 0.6 * s.height), fill=s.accent)
    s.wide_text(0.5, 0.5, s.one("IDEA", "Topic", "Plan", "Me"), 0.2, 0.09, s.on(s.accent))


def gantt(s: Sheet) -> None:
    n = s.many(5, 8)
    s.box(0, 0, 1, 0.12, s.pale)
    for k in range(6):
        x = 0.3 + 0.7 * k / 6
        s.text(x + 0.06, 0.06, f"W{k + 1}", 0.06, None, "mm")
        s.line([(x, 0), (x, 1)], s.pale)
    x = 0.3
    for k in range(n):
        y, wide = 0.15 + 0.83 * k / n, s.between(0.1, 0.3)
        s.lines(0.03, y, 0.03 + s.between(0.12, 0.22), 1, 0.07, s.ink)
        s.box(
            x,
            y + 0.01,
            min(0.99, x + wide),
            y + 0.55 / n,
            canvas.any_colour(s.rng, (s.paper,)) if s.chance(0.4) else s.accent,
        )
        x = min(0.85, x + wide * s.between(0.4, 1))


def venn(s: Sheet) -> None:
    three = s.chance(0.5)
    places = ((0.4, 0.4), (0.6, 0.4), (0.5, 0.6)) if three else ((0.37, 0.5), (0.63, 0.5))
    y, x = np.mgrid[0 : s.height, 0 : s.width]
    pixels = np.asarray(s.image, np.float32).copy()
    r = (0.22 if three else 0.27) * s.unit
    for px, py in places:
        inside = (x - px * s.width) ** 2 + (y - py * s.height) ** 2 < r * r
        pixels[inside] = pixels[inside] * 0.5 + np.array(canvas.any_colour(s.rng, (s.paper,)), np.float32) * 0.5
    s.image.paste(Image.fromarray(pixels.astype(np.uint8)), (0, 0))
    for k, (px, py) in enumerate(places):
        s.disc(px, py, r / s.unit, None, s.ink, 0.008)
        s.text(px + (px - 0.5) * 0.8, py + (py - 0.5) * 0.8, "ABC"[k], 0.09, None, "mm")


def circuit(s: Sheet) -> None:
    left, right, top, bottom = 0.15, 0.85, 0.2, 0.8
    s.box(left, top, right, bottom, None, s.ink, width=0.012)
    x = s.between(0.35, 0.5)
    zigzag = [(x + 0.025 * k, top + (0.045 if k % 2 else -0.045) * (0 < k < 8)) for k in range(9)]
    s.line([(x, top), (x + 0.2, top)], s.paper, 0.03)
    s.line(zigzag, s.ink, 0.012)
    s.line([(left, 0.47), (left, 0.53)], s.paper, 0.03)
    s.line([(left - 0.08, 0.47), (left + 0.08, 0.47)], s.ink, 0.012)
    s.line([(left - 0.04, 0.53), (left + 0.04, 0.53)], s.ink, 0.025)
    s.disc(right, 0.5, 0.08, s.paper, s.ink, 0.012)
    d = 0.055
    s.line([(right - d, 0.5 - d), (right + d, 0.5 + d)], s.ink)
    s.line([(right - d, 0.5 + d), (right + d, 0.5 - d)], s.ink)
    x = s.between(0.35, 0.6)
    if s.chance(0.6):
        s.line([(x, top), (x, bottom)], s.ink, 0.012)
        s.line([(x, 0.48), (x, 0.52)], s.paper, 0.03)
        for y in (0.48, 0.52):
            s.line([(x - 0.07, y), (x + 0.07, y)], s.ink, 0.018)
    s.line([(0.45, bottom), (0.55, bottom)], s.paper, 0.03)
    s.line([(0.45, bottom), (0.54, bottom - 0.08)], s.ink, 0.012)
    s.text(0.2, 0.08, s.one("R1", "100", "9 V", "C1"), 0.06)


def equation(s: Sheet) -> None:
    many = s.many(1, 3)
    for k in range(many):
        y, size = (k + 0.5) / many, 0.75 / many * 0.5
        a, b = s.one("x", "y", "a", "n", "k"), s.many(2, 9)
        plain = (
            "E = mc²",
            "a² + b² = c²",
            "y = mx + b",
            "f(x) = x²",
            "A = r²h",
            f"{a} + {b} = {b * 3}",
            f"{b}{a}² - {a} = 0",
        )
        if s.chance(0.6):
            s.wide_text(0.5, y, s.one(*plain, f"({a} + {b})² = {b}", "sin²x + cos²x = 1"), 0.85, size)
            continue
        s.wide_text(0.32, y, f"{a} =", 0.25, size)
        s.wide_text(0.65, y - 0.55 * size, s.one("a + b", f"{b}x - 1", "n² + 1", "x²"), 0.35, size * 0.7)
        s.line([(0.47, y), (0.83, y)], s.ink, 0.015)
        s.wide_text(0.65, y + 0.6 * size, s.one("2", "c - d", f"{b}", "2n"), 0.35, size * 0.7)


DIAGRAM_KINDS: dict[str, tuple[Callable[[Sheet], None], float]] = {
    "spreadsheet": (spreadsheet, 1.4), "table": (table, 1.33), "calendar": (calendar, 1.0), "map": (street_map, 1.0),
    "world map": (world_map, 1.78), "floor plan": (floor_plan, 1.1), "org chart": (org_chart, 1.4), "flow": (flow, 0.9),
    "timeline": (timeline, 1.9),
      "tree": (tree, 1.2), "network": (network, 1.1), "mind": (mind, 1.2),
    "gantt": (gantt, 1.6), "venn": (venn, 1.0), "circuit": (circuit, 1.2), "equation": (equation, 1.9),

}  # fmt: skip
"""Kind → how it is laid out, and width / height."""
