"""Kinds of screens of telephones and other small machines.

Knows: what each looks like from a distance. Does not know: the pieces it is laid out with (sheet.py).
"""

from __future__ import annotations

from collections.abc import Callable

from . import canvas
from .outlines import arc
from .sheet import PHONE, Sheet
from .wording import pick


def chat(s: Sheet) -> None:
    s.box(0, 0, 1, 0.1, s.accent if s.chance(0.5) else s.pale)
    s.disc(0.12, 0.05, 0.06, canvas.any_colour(s.rng))
    s.text(0.24, 0.05, s.name(), 0.08, None, "lm")
    y = 0.14
    while y < 0.82:
        mine, rows, wide = s.chance(0.5), s.many(1, 3), s.between(0.35, 0.68)
        high = 0.035 * rows + 0.03
        x = 0.95 - wide if mine else 0.05
        fill = s.accent if mine else s.pale
        s.box(x, y, x + wide, y + high, fill, None, 0.06)
        s.lines(x + 0.05, y + 0.013, x + wide - 0.05, rows, 0.035, s.on(fill))
        y += high + 0.025
    s.box(0.04, 0.9, 0.84, 0.97, None, s.soft, 0.06)
    s.disc(0.92, 0.935, 0.055, s.accent)


def music_player(s: Sheet) -> None:
    s.image.paste(canvas.gradient(s.image.size, s.paper, canvas.mixed(s.accent, s.paper, s.between(0.2, 0.8))), (0, 0))
    if s.chance(0.5):
        s.photo(0.15, 0.09, 0.85, 0.5)
    else:
        s.box(0.15, 0.09, 0.85, 0.5, canvas.any_colour(s.rng))
        s.disc(0.43, 0.37, 0.08, (255, 255, 255))
        s.line([(0.5, 0.36), (0.5, 0.2), (0.63, 0.23)], (255, 255, 255), 0.035)
    s.wide_text(0.5, 0.58, s.one("Blue Song", "Summer Night", "Dance With Me", "Piano No. 3"), 0.7, 0.1)
    s.lines(0.32, 0.63, 0.68, 1, 0.035)
    part = s.between(0.2, 0.8)
    s.box(0.1, 0.715, 0.9, 0.725, s.soft)
    s.box(0.1, 0.713, 0.1 + 0.8 * part, 0.727, s.accent)
    s.disc(0.1 + 0.8 * part, 0.72, 0.025, s.accent)
    s.disc(0.5, 0.85, 0.13, s.ink)
    s.polygon([(0.46, 0.815), (0.46, 0.885), (0.57, 0.85)], s.paper)
    for way, x in ((-1, 0.24), (1, 0.76)):
        s.polygon([(x + way * 0.05, 0.85), (x - way * 0.04, 0.82), (x - way * 0.04, 0.88)], s.ink)
        s.box(x + way * 0.05 - 0.008, 0.82, x + way * 0.05 + 0.008, 0.88, s.ink)


def weather(s: Sheet) -> None:
    blue = pick(s.rng, ((70, 140, 230), (90, 110, 150), (30, 50, 100), (100, 180, 240)))
    s.image.paste(canvas.gradient(s.image.size, blue, canvas.mixed(blue, (255, 255, 255), 0.4)), (0, 0))
    ink = (255, 255, 255)
    s.wide_text(0.5, 0.08, s.one("Oslo", "Paris", "Berlin", "Lisbon", "Rome"), 0.5, 0.1, ink)
    _sky_sign(s, 0.5, 0.24, 0.17)
    s.wide_text(0.5, 0.45, f"{s.many(-5, 34)}°", 0.6, 0.26, ink)
    rows = s.many(4, 5)
    for k in range(rows):
        y = 0.62 + 0.36 * k / rows
        s.text(0.1, y, ("Mon", "Tue", "Wed", "Thu", "Fri")[k], 0.07, ink, "lm")
        _sky_sign(s, 0.52, y, 0.05)
        s.text(0.9, y, f"{s.many(0, 34)}°", 0.075, ink, "rm")


def _sky_sign(s: Sheet, x: float, y: float, r: float) -> None:
    """Sun, cloud or rain."""
    kind, w, h = s.many(0, 3), r * s.unit / s.width, r * s.unit / s.height
    if kind <= 1:
        for angle in range(0, 360, 45):
            tip = arc(angle, angle, 1, 1.25)[0]
            s.line([(x, y), (x + tip[0] * w, y + tip[1] * h)], (255, 215, 60), r * 0.13)
        s.disc(x, y, r * 0.75, (255, 215, 60))
    if kind >= 1:
        for dx, dy, size in ((-0.5, 0.2, 0.5), (0.45, 0.2, 0.5), (0, -0.1, 0.65)):
            s.disc(x + dx * w, y + dy * h, r * size, (245, 247, 250))
    if kind == 3:
        for dx in (-0.5, 0, 0.5):
            s.line([(x + dx * w, y + 0.8 * h), (x + (dx - 0.15) * w, y + 1.3 * h)], (150, 200, 255), r * 0.14)


def settings(s: Sheet) -> None:
    s.text(0.06, 0.05, s.one("Settings", "Preferences", "Options"), 0.1)
    n = s.many(6, 9)
    for k in range(n):
        y = 0.15 + 0.83 * k / n
        s.line([(0.06, y), (0.94, y)], s.pale)
        s.icon(0.13, y + 0.045, 0.05)
        s.lines(0.24, y + 0.025, 0.24 + s.between(0.2, 0.42), 1, 0.045, s.ink)
        on = s.chance(0.5)
        s.box(0.78, y + 0.025, 0.93, y + 0.068, s.accent if on else s.soft, None, 0.045)
        s.disc(0.89 if on else 0.82, y + 0.0465, 0.033, (255, 255, 255))


def home_screen(s: Sheet) -> None:
    s.image.paste(canvas.gradient(s.image.size, canvas.any_colour(s.rng), canvas.any_colour(s.rng), 70), (0, 0))
    s.text(0.06, 0.02, f"{s.many(1, 12)}:{s.many(10, 59)}", 0.06, (255, 255, 255))
    columns, rows = pick(s.rng, ((3, 5), (4, 6), (4, 5)))
    for r in range(rows):
        for c in range(columns):
            if r < rows - 1 or s.chance(0.5):
                x, y = (c + 0.5) / columns, 0.1 + 0.72 * (r + 0.5) / rows
                s.icon(x, y, 0.33 / columns)
                s.box(x - 0.2 / columns, y + 0.27 / rows, x + 0.2 / columns, y + 0.3 / rows, (255, 255, 255))
    s.box(0.03, 0.855, 0.97, 0.985, canvas.mixed(s.paper, (255, 255, 255), 0.5), None, 0.08)
    for c in range(columns):
        s.icon((c + 0.5) / columns, 0.92, 0.33 / columns)


def calculator(s: Sheet) -> None:
    s.box(0.06, 0.05, 0.94, 0.24, canvas.mixed(s.paper, (180, 205, 180), 0.6), s.soft)
    s.text(0.9, 0.145, f"{s.rng.integers(1, 99999)}", 0.18, s.on(canvas.mixed(s.paper, (180, 205, 180), 0.6)), "rm")
    keys = "789/456*123-0.=+"
    for i, key in enumerate(keys):
        x, y = 0.06 + 0.225 * (i % 4), 0.29 + 0.175 * (i // 4)
        fill = pick(s.rng, (s.accent,)) if i % 4 == 3 else s.pale
        s.box(x, y, x + 0.2, y + 0.15, fill, None, 0.04)
        s.text(x + 0.1, y + 0.075, key, 0.14, s.on(fill), "mm")


HANDHELD_KINDS: dict[str, tuple[Callable[[Sheet], None], float]] = {
    "chat": (chat, PHONE),
    "music_player": (music_player, 0.6),
    "weather": (weather, 0.56),
    "settings": (settings, 0.6),
    "home screen": (home_screen, PHONE),
    "calculator": (calculator, 0.72),
}
"""Kind → how it is laid out, and width / height."""
