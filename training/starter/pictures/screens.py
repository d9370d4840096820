"""Kinds of screens: programs, web pages, phones, slides.

Knows: what each looks like from a distance. Does not know: the pieces it is laid out with (sheet.py).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import canvas
from .chart_content import Content
from .charts import draw_chart
from .sheet import COMPANIES, GREY, NAMES, Sheet
from .wording import pick

DESK, SLIDE = 1.5, 1.78


def chart_on(s: Sheet, x0: float, y0: float, x1: float, y1: float, kind: str) -> None:
    """A chart in a corner of the sheet."""
    size = max(60, round((x1 - x0) * s.width)), max(50, round((y1 - y0) * s.height))
    trend = s.one("rising", "falling") if kind in ("bar", "line", "area") else ""
    s.image.paste(
        draw_chart(Content(kind, trend, ""), size, s.face, s.rng), (round(x0 * s.width), round(y0 * s.height))
    )


def slide_title(s: Sheet) -> None:
    """Heading of a slide, over a rule or in a band."""
    text = s.one("Our plan", "Results", "Next steps", "Overview", "Agenda", "Why now?", "Summary", "Goals")
    if s.chance(0.35):
        s.box(0, 0, 1, 0.2, s.accent)
        s.text(0.05, 0.1, text, 0.12, s.on(s.accent), "lm")
        return
    s.text(0.06, 0.07, text, 0.13, s.accent if s.chance(0.5) else s.ink)
    if s.chance(0.5):
        s.line([(0.06, 0.22), (0.94, 0.22)], s.accent)


def slide(s: Sheet) -> None:
    slide_title(s)
    right = 0.9
    if s.chance(0.3):
        s.photo(0.6, 0.28, 0.94, 0.85)
        right = 0.56
    n = s.many(3, 5)
    for k in range(n):
        y = 0.3 + 0.62 * k / n
        s.disc(0.09, y + 0.045, 0.02, s.accent)
        s.lines(0.13, y, s.between(0.65, 1) * right, 1, 0.085, s.ink)


def title_slide(s: Sheet) -> None:
    if s.chance(0.5):
        s.box(0, 0, 1, 1, s.accent)
    ground = s.accent if s.image.getpixel((2, 2)) == s.accent else s.paper
    text = s.one("Annual Report", "Welcome", "Project Orion", "Strategy 2030", "Introduction", "Team Update")
    s.wide_text(0.5, 0.42, text, 0.8, 0.2, s.on(ground))
    s.line([(0.35, 0.56), (0.65, 0.56)], s.on(ground))
    s.wide_text(0.5, 0.66, f"{s.name()} {s.name()}, {s.many(2015, 2030)}", 0.4, 0.08, s.on(ground))


def chart_slide(kind: str) -> Callable[[Sheet], None]:
    """A slide that shows a chart of that kind, alone or beside a few points."""

    def draw(s: Sheet) -> None:
        slide_title(s)
        left, right = pick(s.rng, ((0.08, 0.92), (0.42, 0.95), (0.05, 0.58)))
        chart_on(s, left, 0.26, right, 0.95, kind)
        if right - left < 0.7:
            x = 0.06 if left > 0.3 else 0.63
            for k in range(3):
                s.disc(x, 0.37 + 0.17 * k, 0.018, s.accent)
                s.lines(x + 0.03, 0.33 + 0.17 * k, x + 0.3, 1, 0.08, s.ink)

    return draw


def bar_of_window(s: Sheet, title: str = "") -> None:
    """Title bar with three buttons."""
    bar = canvas.mixed(s.paper, GREY, 0.3)
    s.box(0, 0, 1, 0.085, bar)
    for k, colour in enumerate(((255, 95, 86), (255, 189, 46), (39, 201, 63))):
        s.disc(0.035 + 0.035 * k, 0.043, 0.02, colour if s.chance(0.9) else s.soft)
    s.wide_text(0.5, 0.043, title or s.phrase(2), 0.3, 0.05, s.ink)


def login(s: Sheet) -> None:
    s.box(0, 0, 1, 1, canvas.mixed(s.accent, s.paper, pick(s.rng, (1.0, 0.85, 0.0))))
    s.box(0.22, 0.12, 0.78, 0.9, s.paper, s.pale, 0.03)
    s.wide_text(0.5, 0.24, s.one("Login", "Sign in", "Log in", "Welcome back"), 0.4, 0.1)
    for k, text in enumerate(("User name", "Password")):
        y = 0.36 + 0.17 * k
        s.box(0.29, y, 0.71, y + 0.11, None, s.soft, 0.01)
        s.text(0.31, y + 0.055, text if k == 0 or s.chance(0.4) else "••••••••", 0.05, s.soft, "lm")
    s.button(0.29, 0.71, 0.71, 0.82, s.one("Log in", "Sign in", "LOGIN", "Continue"))


def shop(s: Sheet) -> None:
    band = s.accent if s.chance(0.6) else s.pale
    s.box(0, 0, 1, 0.12, band)
    s.text(0.03, 0.06, s.one("SHOP", "Store", "Market", "Boutique"), 0.07, s.on(band), "lm")
    s.box(0.3, 0.03, 0.8, 0.09, (255, 255, 255), s.soft)
    columns, rows = s.many(3, 4), 2
    for r in range(rows):
        for c in range(columns):
            x, y, wide, high = 0.03 + 0.95 * c / columns, 0.16 + 0.42 * r, 0.9 / columns, 0.38
            s.box(x, y, x + wide, y + high, canvas.mixed(s.paper, (255, 255, 255), 0.5), s.pale)
            s.icon(x + wide / 2, y + high * 0.32, 0.085)
            s.lines(x + 0.01, y + high * 0.6, x + wide * 0.9, 1, 0.05)
            s.text(x + 0.015, y + high * 0.76, s.money(), 0.055, s.ink)
            s.box(x + wide * 0.6, y + high * 0.76, x + wide * 0.95, y + high * 0.94, s.accent, None, 0.01)


def search(s: Sheet) -> None:
    if s.chance(0.4):
        x = 0.16
        colours = ((66, 133, 244), (234, 67, 53), (251, 188, 5), (66, 133, 244), (52, 168, 83), (234, 67, 53))
        for letter, colour in zip(s.one("Search", "Finder", "Seek", "Google", "Lookup"), colours):
            s.text(x + 0.34, 0.33, letter, 0.16, colour, "mm")
            x += 0.065
        s.box(0.18, 0.47, 0.82, 0.58, None, s.soft, 0.06)
        s.disc(0.23, 0.52, 0.018, None, s.soft)
        s.button(0.33, 0.67, 0.49, 0.75, "Search", s.pale)
        s.button(0.52, 0.67, 0.68, 0.75, "Lucky", s.pale)
        return
    s.box(0.05, 0.04, 0.75, 0.13, None, s.soft, 0.05)
    s.text(0.08, 0.085, s.phrase(2), 0.05, s.ink, "lm")
    s.disc(0.71, 0.08, 0.02, None, s.accent)
    for k in range(4):
        y = 0.2 + 0.2 * k
        s.lines(0.05, y, 0.05 + s.between(0.35, 0.6), 1, 0.055, (26, 80, 200) if not s.dark else (138, 180, 248))
        s.lines(0.05, y + 0.055, 0.05 + s.between(0.2, 0.4), 1, 0.035, (20, 130, 60))
        s.lines(0.05, y + 0.092, 0.8, 2, 0.042)


def email(s: Sheet) -> None:
    s.box(0, 0, 1, 0.1, s.accent if s.chance(0.4) else s.pale)
    s.box(0, 0.1, 0.22, 1, s.pale)
    s.button(0.03, 0.14, 0.19, 0.23, s.one("Compose", "New mail", "Write"))
    for k in range(5):
        s.lines(0.04, 0.29 + 0.09 * k, 0.04 + s.between(0.08, 0.14), 1, 0.06, s.ink)
    n = s.many(7, 10)
    for k in range(n):
        y = 0.12 + 0.88 * k / n
        s.line([(0.22, y), (1, y)], s.pale)
        s.box(0.245, y + 0.025, 0.268, y + 0.06, None, s.soft)
        unread = s.chance(0.4)
        s.text(0.29, y + 0.045, pick(s.rng, NAMES), 0.055, s.ink if unread else s.soft, "lm")
        s.lines(0.42, y + 0.02, s.between(0.6, 0.86), 1, 0.055, s.ink if unread else s.soft)
        s.lines(0.9, y + 0.02, 0.97, 1, 0.05)


def code(s: Sheet) -> None:
    bar_of_window(s, s.one("main.py", "app.js", "index.html", "lib.rs", "Editor"))
    left = 0.0
    if s.chance(0.5):
        s.box(0, 0.085, 0.2, 1, canvas.mixed(s.paper, GREY, 0.2))
        for k in range(7):
            s.lines(0.03 + 0.02 * s.many(0, 2), 0.12 + 0.06 * k, 0.17, 1, 0.045)
        left = 0.2
    hues = [canvas.any_colour(s.rng, (s.paper,), 250) for _ in range(4)]
    n, depth = s.many(13, 18), 0
    for k in range(n):
        y = 0.11 + 0.87 * k / n
        s.text(left + 0.035, y, str(k + 1), 0.035, s.soft, "rt")
        if s.chance(0.12):
            continue
        depth = int(np.clip(depth + pick(s.rng, (-1, 0, 0, 1)), 0, 4))
        x = left + 0.06 + 0.045 * depth
        for _ in range(s.many(1, 5)):
            wide = s.between(0.03, 0.14)
            if x + wide > 0.97:
                break
            colour = pick(s.rng, (*hues, s.ink, s.ink))
            if s.bars:
                s.box(x, y + 0.008, x + wide, y + 0.03, colour)
            else:
                s.text(
                    x,
                    y,
                    s.one("def", "return", "if", "for", "x = 0", "print()", "self.a", "import", "true", "{ }")[
                        : int(wide * 80)
                    ],
                    0.042,
                    colour,
                )
            x += wide + 0.015


def terminal(s: Sheet) -> None:
    ground = pick(s.rng, ((0, 0, 0), (15, 15, 25), (30, 30, 30), (0, 0, 0), (48, 10, 36)))
    ink = pick(s.rng, ((60, 230, 90), (60, 230, 90), (230, 230, 230), (255, 180, 60)))
    bar = s.chance(0.6)
    s.box(0, 0, 1, 1, ground)
    if bar:
        s.paper = (200, 200, 205) if s.chance(0.5) else (60, 60, 65)
        s.ink = s.on(s.paper)
        bar_of_window(s, s.one("Terminal", "bash", "Console", "zsh"))
    y = 0.12 if bar else 0.04
    while y < s.between(0.7, 1.1):
        prompt = s.chance(0.35)
        text = (
            s.one("$ ls -la", "$ cd home", "> run test", "# apt update", "$ git log")
            if prompt
            else s.phrase(s.many(2, 6))
        )
        s.text(0.03, y, text, 0.058, ink if prompt or s.chance(0.7) else (200, 200, 200))
        y += 0.075
    s.box(0.03, y, 0.06, y + 0.06, ink)


def dashboard(s: Sheet) -> None:
    s.box(0, 0, 1, 1, canvas.mixed(s.paper, GREY, 0.12))
    s.box(0, 0, 0.13, 1, s.accent if s.chance(0.5) else s.pale)
    for k in range(5):
        s.box(0.03, 0.12 + 0.12 * k, 0.1, 0.17 + 0.12 * k, s.soft)
    for k in range(4):
        x = 0.16 + 0.21 * k
        s.box(x, 0.05, x + 0.19, 0.25, s.paper, s.pale)
        s.text(x + 0.02, 0.08, s.one("82%", "1,204", "$9.4k", "37", "99.9"), 0.1, canvas.any_colour(s.rng, (s.paper,)))
        s.lines(x + 0.02, 0.19, x + 0.13, 1, 0.04)
    kinds = [s.one("bar", "line", "area", "stacked bar") for _ in range(2)] + [s.one("pie", "donut", "gauge")]
    for kind, box in zip(kinds, ((0.16, 0.3, 0.6, 0.62), (0.16, 0.66, 0.6, 0.97), (0.63, 0.3, 0.98, 0.62))):
        chart_on(s, *box, kind)
    s.table(0.63, 0.66, 0.98, 0.97, 3, 5, True, False)


def files(s: Sheet) -> None:
    bar_of_window(s, s.one("Documents", "Home", "Downloads", "My files"))
    s.box(0, 0.085, 0.2, 1, s.pale)
    for k in range(6):
        s.lines(0.03, 0.14 + 0.09 * k, 0.03 + s.between(0.08, 0.14), 1, 0.055)
    folder = pick(s.rng, ((250, 200, 80), (110, 170, 240), (250, 200, 80), (150, 160, 175)))
    for r in range(3):
        for c in range(4):
            x, y = 0.25 + 0.19 * c, 0.15 + 0.28 * r
            if s.chance(0.7):
                s.box(x, y, x + 0.05, y + 0.05, canvas.mixed(folder, (0, 0, 0), 0.15))
                s.box(x, y + 0.025, x + 0.12, y + 0.15, folder)
            else:
                s.box(x + 0.02, y, x + 0.1, y + 0.15, (255, 255, 255), s.soft)
                s.lines(x + 0.03, y + 0.03, x + 0.09, 3, 0.03)
            s.lines(x, y + 0.175, x + 0.12, 1, 0.045, s.ink)


def video_player(s: Sheet) -> None:
    s.box(0, 0, 1, 1, (10, 10, 10))
    s.photo(0, 0, 1, 0.87)
    s.disc(0.5, 0.44, 0.16, pick(s.rng, ((0, 0, 0), (230, 30, 30), (255, 255, 255))))
    middle = s.image.getpixel((s.width // 2, int(s.height * 0.44)))
    s.polygon([(0.465, 0.36), (0.465, 0.52), (0.555, 0.44)], s.on(middle))  # type: ignore[arg-type]
    part = s.between(0.15, 0.8)
    s.box(0.03, 0.885, 0.97, 0.9, (120, 120, 120))
    s.box(0.03, 0.885, part, 0.9, (230, 30, 30) if s.chance(0.6) else s.accent)
    s.disc(part, 0.893, 0.022, (255, 255, 255))
    s.polygon([(0.04, 0.925), (0.04, 0.985), (0.07, 0.955)], (255, 255, 255))
    s.text(0.1, 0.955, f"{s.many(0, 9)}:{s.many(10, 59)} / {s.many(10, 59)}:00", 0.055, (255, 255, 255), "lm")


def dialog(s: Sheet) -> None:
    s.box(0, 0, 1, 1, canvas.mixed(s.paper, pick(s.rng, (GREY, s.accent)), 0.5))
    s.box(0.1, 0.17, 0.9, 0.83, s.paper, s.soft, s.between(0, 0.04))
    s.box(0.1, 0.17, 0.9, 0.3, s.accent if s.chance(0.5) else s.pale)
    s.text(0.13, 0.235, s.one("Error", "Warning", "Alert", "System error", "Attention"), 0.075, None, "lm")
    if s.chance(0.5):
        s.disc(0.22, 0.47, 0.1, (210, 40, 40))
        s.wide_text(0.22, 0.47, s.one("X", "!", "×"), 0.1, 0.12, (255, 255, 255))
    else:
        s.polygon([(0.22, 0.36), (0.31, 0.57), (0.13, 0.57)], (250, 195, 40))
        s.wide_text(0.22, 0.5, "!", 0.1, 0.11, (20, 20, 20))
    s.lines(0.36, 0.38, 0.85, 3, 0.075, s.ink)
    s.button(0.62, 0.67, 0.85, 0.79, "OK")
    if s.chance(0.6):
        s.button(0.36, 0.67, 0.59, 0.79, s.one("Cancel", "Retry"), s.pale)


def browser(s: Sheet) -> None:
    bar_of_window(s)
    s.box(0.03, 0.1, 0.97, 0.155, s.pale, None, 0.03)
    s.text(0.06, 0.128, "www." + s.one("example", "garden", "travel", "news") + ".com", 0.04, s.soft, "lm")
    s.box(0, 0.175, 1, 0.28, s.accent)
    s.text(0.04, 0.228, pick(s.rng, COMPANIES), 0.065, s.on(s.accent), "lm")
    for k in range(3):
        s.lines(0.6 + 0.13 * k, 0.205, 0.69 + 0.13 * k, 1, 0.05, s.on(s.accent))
    s.photo(0, 0.28, 1, 0.58)
    for k in range(3):
        x = 0.04 + 0.32 * k
        s.lines(x, 0.62, x + 0.2, 1, 0.06, s.ink)
        s.lines(x, 0.69, x + 0.28, 5, 0.05)


def kanban(s: Sheet) -> None:
    s.box(0, 0, 1, 1, canvas.mixed(s.accent, s.paper, pick(s.rng, (0.0, 0.6, 0.9))))
    n = s.many(3, 4)
    for c in range(n):
        x, wide = 0.02 + 0.97 * c / n, 0.92 / n
        s.box(x, 0.05, x + wide, 0.95, canvas.mixed(s.paper, GREY, 0.2), None, 0.02)
        s.text(x + 0.02, 0.07, ("To do", "Doing", "Review", "Done")[c if n == 4 else (0, 1, 3)[c]], 0.065)
        y = 0.17
        for _ in range(s.many(1, 4)):
            s.box(x + 0.015, y, x + wide - 0.015, y + 0.16, s.paper, s.pale, 0.015)
            s.box(x + 0.03, y + 0.02, x + 0.1, y + 0.04, canvas.any_colour(s.rng, (s.paper,)))
            s.lines(x + 0.03, y + 0.06, x + wide - 0.04, 2, 0.045, s.ink)
            y += 0.19


SCREEN_KINDS: dict[str, tuple[Callable[[Sheet], None], float]] = {
    "slide": (slide, SLIDE), "title slide": (title_slide, SLIDE), "login": (login, 1.2), "shop": (shop, DESK),
    "search": (search, DESK),  "email": (email, DESK), "code": (code, DESK),
    "terminal": (terminal, DESK), "dashboard": (dashboard, DESK), "files": (files, DESK),
     "video_player": (video_player, SLIDE),

    "dialog": (dialog, DESK), "browser": (browser, 1.25), "kanban": (kanban, DESK),
}  # fmt: skip
"""Kind → how it is laid out, and width / height."""
