"""Codes, puzzles, boards, keys and dials.

Knows: what each looks like from a distance. Does not know: the pieces it is laid out with (sheet.py).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import canvas
from .cards import stripes
from .outlines import arc
from .sheet import GREY, Sheet
from .wording import pick


def barcode(s: Sheet) -> None:
    s.box(0, 0, 1, 1, (255, 255, 255))
    stripes(s, s.between(0.04, 0.12), s.between(0.04, 0.12), s.between(0.88, 0.96), 0.8)
    s.wide_text(0.5, 0.9, " ".join(str(d) for d in s.rng.integers(0, 10, 13)), 0.8, 0.11, (0, 0, 0))


def qr(s: Sheet) -> None:
    ink = (0, 0, 0) if s.chance(0.75) else canvas.mixed(s.accent, (0, 0, 0), 0.3)
    s.box(0, 0, 1, 1, (255, 255, 255))
    n, edge = pick(s.rng, (21, 21, 25, 29)), s.between(0.04, 0.12)
    step = (1 - 2 * edge) / n
    for r, c in np.argwhere(s.rng.random((n, n)) < 0.5).tolist():
        s.box(edge + c * step, edge + r * step, edge + (c + 1) * step - 0.001, edge + (r + 1) * step - 0.001, ink)
    for c, r in ((0, 0), (n - 7, 0), (0, n - 7)):
        for inset, fill in ((-1, (255, 255, 255)), (0, ink), (1, (255, 255, 255)), (2, ink)):
            x0, y0 = edge + (c + inset) * step, edge + (r + inset) * step
            s.box(
                max(0, x0),
                max(0, y0),
                edge + (c + 7 - inset) * step - 0.001,
                edge + (r + 7 - inset) * step - 0.001,
                fill,
            )


def crossword(s: Sheet) -> None:
    n, filled = s.many(7, 11), s.between(0, 0.5)
    step = 0.92 / n
    black = s.rng.random((n, n)) < 0.2
    black |= black[::-1, ::-1]
    number = 1
    for r in range(n):
        for c in range(n):
            x, y = 0.04 + c * step, 0.04 + r * step
            s.box(x, y, x + step, y + step, (0, 0, 0) if black[r, c] else (255, 255, 255), (0, 0, 0), width=0.006)
            if black[r, c]:
                continue
            if s.chance(0.3):
                s.text(x + step * 0.1, y + step * 0.06, str(number), step * 0.35, (60, 60, 60))
                number += 1
            if s.rng.random() < filled:
                s.text(x + step / 2, y + step * 0.58, chr(65 + s.many(0, 25)), step * 0.65, (20, 20, 80), "mm")


def sudoku(s: Sheet) -> None:
    s.grid(0.05, 0.05, 0.95, 0.95, 9, 9, s.soft)
    for k in range(4):
        a = 0.05 + 0.3 * k
        s.line([(a, 0.05), (a, 0.95)], s.ink, 0.016)
        s.line([(0.05, a), (0.95, a)], s.ink, 0.016)
    for r in range(9):
        for c in range(9):
            if s.chance(0.4):
                s.text(0.1 + 0.1 * c, 0.1 + 0.1 * r, str(s.many(1, 9)), 0.075, None, "mm")


def chess(s: Sheet) -> None:
    light, dark = pick(
        s.rng,
        (
            ((240, 217, 181), (181, 136, 99)),
            ((238, 238, 210), (118, 150, 86)),
            ((255, 255, 255), (120, 120, 120)),
            ((222, 227, 230), (140, 162, 173)),
        ),
    )
    for r in range(8):
        for c in range(8):
            s.box(c / 8, r / 8, (c + 1) / 8, (r + 1) / 8, light if (r + c) % 2 == 0 else dark)
    opening = s.chance(0.4)
    for r in range(8):
        for c in range(8):
            if (opening and r in (0, 1, 6, 7)) or (not opening and s.chance(0.25)):
                white = r > 3 if opening else s.chance(0.5)
                _piece(s, (c + 0.5) / 8, (r + 0.5) / 8, s.many(0, 3) if r in (0, 7) else 0, white)


def _piece(s: Sheet, x: float, y: float, kind: int, white: bool) -> None:
    fill, line = ((250, 250, 250), (20, 20, 20)) if white else ((25, 25, 25), (220, 220, 220))
    s.polygon(
        [(x - 0.035, y + 0.045), (x - 0.015, y - 0.01), (x + 0.015, y - 0.01), (x + 0.035, y + 0.045)], fill, line
    )
    if kind == 0:
        s.disc(x, y - 0.02, 0.02, fill, line, 0.004)
    elif kind == 1:
        s.box(x - 0.028, y - 0.045, x + 0.028, y - 0.005, fill, line)
    elif kind == 2:
        s.polygon(
            [
                (x - 0.035, y - 0.045),
                (x - 0.015, y - 0.02),
                (x, y - 0.05),
                (x + 0.015, y - 0.02),
                (x + 0.035, y - 0.045),
                (x + 0.02, y),
                (x - 0.02, y),
            ],
            fill,
            line,
        )
    else:
        s.polygon(
            [(x - 0.015, y), (x - 0.035, y - 0.02), (x, y - 0.05), (x + 0.03, y - 0.02), (x + 0.02, y)], fill, line
        )


def keyboard(s: Sheet) -> None:
    s.box(0, 0, 1, 1, canvas.mixed(s.paper, GREY, 0.3))
    fill = s.paper
    for r, row in enumerate(("1234567890-", "QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM")):
        shift = 0.03 + 0.035 * r
        for c, key in enumerate(row):
            x, y = shift + 0.0845 * c, 0.06 + 0.185 * r
            s.box(x, y, x + 0.074, y + 0.16, fill, s.soft, 0.02)
            s.text(x + 0.037, y + 0.08, key, 0.1, None, "mm")
    s.box(0.25, 0.81, 0.75, 0.95, fill, s.soft, 0.02)


def piano(s: Sheet) -> None:
    s.box(0, 0, 1, 1, (250, 250, 248))
    n = pick(s.rng, (7, 10, 14))
    for k in range(n + 1):
        s.line([(k / n, 0), (k / n, 1)], (60, 60, 60), 0.012)
    for k in range(n):
        if k % 7 not in (2, 6):
            s.box((k + 0.7) / n, 0, (k + 1.3) / n, 0.62, (15, 15, 15))


def clock(s: Sheet) -> None:
    face, rim = (s.paper, s.ink) if s.chance(0.6) else ((255, 255, 255), s.accent)
    if s.chance(0.4):
        s.box(0, 0, 1, 1, canvas.any_colour(s.rng, (face,)))
    s.disc(0.5, 0.5, 0.44, face, rim, s.between(0.02, 0.05))
    ink, style = s.on(face), s.many(0, 2)
    for hour in range(1, 13):
        x, y = (arc(30 * hour - 90, 30 * hour - 90, 1, 0.345)[0] + 0.5).tolist()
        if style == 0 or (style == 1 and hour % 3 == 0):
            s.text(x, y, str(hour), 0.085, ink, "mm")
        else:
            end = (arc(30 * hour - 90, 30 * hour - 90, 1, 0.4)[0] + 0.5).tolist()
            s.line([(x, y), (end[0], end[1])], ink, 0.018)
    turn = s.between(0, 12)
    for angle, long, wide in ((turn * 30, 0.2, 0.035), (turn % 1 * 360, 0.31, 0.022)):
        s.line([(0.5, 0.5), tuple((arc(angle - 90, angle - 90, 1, long)[0] + 0.5).tolist())], ink, wide)
    s.disc(0.5, 0.5, 0.03, ink)


PUZZLE_KINDS: dict[str, tuple[Callable[[Sheet], None], float]] = {
    "barcode": (barcode, 1.5),
    "qr": (qr, 1.0),
    "crossword": (crossword, 1.0),
    "sudoku": (sudoku, 1.0),
    "chess": (chess, 1.0),
    "keyboard": (keyboard, 2.4),
    "piano": (piano, 1.9),
    "clock": (clock, 1.0),
}
"""Kind → how it is laid out, and width / height."""
