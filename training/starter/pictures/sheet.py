"""A sheet or screen to lay things out on: text, greeked lines, tables, pictures, buttons.

Knows: pieces of layout and one style for a whole sheet. Does not know: which kinds of documents there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from . import canvas
from .canvas import Colour
from .land import Land
from .outlines import spread
from .scenes import SCENES
from .wording import pick

WORDS = (
    "the", "and", "of", "to", "in", "for", "with", "house", "garden", "report", "project", "meeting", "order",
    "number", "total", "price", "green", "water", "market", "city", "people", "time", "year", "world", "new",
    "good", "first",
)  # fmt: skip
NAMES = (
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Felix",
    "Grace",
    "Henry",
    "Ida",
    "Jack",
    "Kate",
    "Liam",
    "Maria",
    "Noah",
)
COMPANIES = ("ACME", "Nordwind", "Blue Fox", "Sunrise", "Globex", "Alpine", "Harbor", "Lumen", "Orbit", "Maple & Co")
PAPERS = ((255, 255, 255),) * 5 + ((253, 250, 240), (250, 245, 230), (245, 248, 252), (240, 240, 240), (255, 250, 225))
DARKS = ((18, 18, 20), (30, 30, 34), (13, 17, 23), (32, 33, 48), (40, 42, 54))
ACCENTS = ((37, 99, 235), (220, 38, 38), (22, 163, 74), (234, 88, 12), (147, 51, 234), (13, 148, 136), (30, 41, 59),
           (202, 138, 4), (219, 39, 119), (2, 132, 199), (71, 85, 105))  # fmt: skip
GREY = (128, 128, 128)
A4, CARD, WIDE, PHONE = 0.72, 1.62, 2.2, 0.52
"""Width / height."""


class Sheet:
    """x and y are shares of width and height; sizes of type and radii are shares of the shorter side."""

    def __init__(self, size: tuple[int, int], rng: np.random.Generator, face: Path, dark: bool) -> None:
        self.rng, self.face, self.dark = rng, face, dark
        self.width, self.height = size
        self.unit = min(size)
        self.paper = canvas.shifted(pick(rng, DARKS if dark else PAPERS), rng, 4)
        self.ink = canvas.readable_on(self.paper, rng)
        self.soft = canvas.mixed(self.ink, self.paper, spread(rng, 0.3, 0.55))
        self.pale = canvas.mixed(self.ink, self.paper, spread(rng, 0.8, 0.9))
        self.accent = canvas.shifted(pick(rng, ACCENTS), rng, 15)
        self.set_lines: dict[int, list[Image.Image]] = {}
        self.bars = rng.random() < 0.45
        self.image = Image.new("RGB", size, self.paper)
        self.draw = ImageDraw.Draw(self.image)

    def between(self, low: float, high: float) -> float:
        return spread(self.rng, low, high)

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def many(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def one(self, *choices: str) -> str:
        return pick(self.rng, choices)

    def name(self) -> str:
        return pick(self.rng, NAMES)

    def money(self) -> str:
        return f"{pick(self.rng, '$€£')}{self.rng.integers(1, 300)}.{self.rng.integers(0, 100):02d}"

    def phrase(self, n: int) -> str:
        return " ".join(pick(self.rng, WORDS) for _ in range(n))

    def on(self, ground: Colour) -> Colour:
        """White or black, whichever is seen on the ground."""
        return (255, 255, 255) if canvas.brightness(ground) < 0.6 else (20, 20, 25)

    def box(
        self, x0: float, y0: float, x1: float, y1: float, fill: Colour | None = None, line: Colour | None = None,
        round_by: float = 0, width: float = 0.008,
    ) -> None:  # fmt: skip
        a, b = x0 * self.width, y0 * self.height
        corners = (a, b, max(a, x1 * self.width), max(b, y1 * self.height))
        thick = max(1, round(width * self.unit))
        if round_by:
            self.draw.rounded_rectangle(corners, round_by * self.unit, fill=fill, outline=line, width=thick)
        else:
            self.draw.rectangle(corners, fill=fill, outline=line, width=thick)

    def line(self, points: Sequence[tuple[float, float]], colour: Colour | None = None, width: float = 0.008) -> None:
        where = [(x * self.width, y * self.height) for x, y in points]
        self.draw.line(where, fill=colour or self.ink, width=max(1, round(width * self.unit)), joint="curve")

    def polygon(self, points: Sequence[tuple[float, float]], fill: Colour | None, line: Colour | None = None) -> None:
        where = [(x * self.width, y * self.height) for x, y in points]
        self.draw.polygon(where, fill=fill, outline=line, width=max(1, round(0.012 * self.unit)))

    def disc(
        self, x: float, y: float, radius: float, fill: Colour | None = None, line: Colour | None = None,
        width: float = 0.01,
    ) -> None:  # fmt: skip
        a, b, r = x * self.width, y * self.height, radius * self.unit
        self.draw.ellipse((a - r, b - r, a + r, b + r), fill=fill, outline=line, width=max(1, round(width * self.unit)))

    def text(
        self, x: float, y: float, text: str, size: float, colour: Colour | None = None, anchor: str = "lt"
    ) -> None:
        face = canvas.font(self.face, round(size * self.unit))
        self.draw.text((x * self.width, y * self.height), text, colour or self.ink, face, anchor=anchor)

    def wide_text(self, x: float, y: float, text: str, width: float, size: float, colour: Colour | None = None) -> None:
        """Centred text that is no wider than `width`."""
        face = canvas.fitted(self.face, text, width * self.width, size * self.unit)
        self.draw.text((x * self.width, y * self.height), text, colour or self.ink, face, anchor="mm")

    def lines(self, x0: float, y0: float, x1: float, n: int, gap: float = 0.03, colour: Colour | None = None) -> float:
        """n lines of small text, as bars or words; gives the y below them."""
        colour, high = colour or self.soft, gap * self.height
        for k in range(n):
            y, end = y0 + k * gap, x1 if k < n - 1 else x0 + (x1 - x0) * self.between(0.3, 0.9)
            if self.bars or high < 7:
                self.box(x0, y + gap * 0.25, end - (x1 - x0) * self.between(0, 0.06), y + gap * 0.62, colour)
            else:
                corner = round(x0 * self.width), round(y * self.height)
                self.draw.bitmap(corner, self._small_text((end - x0) * self.width, high), colour)
        return y0 + n * gap

    def _small_text(self, width: float, high: float) -> Image.Image:
        """A piece of a line of words; every sheet sets only a few lines in each size."""
        size = round(high * 0.72)
        if size not in self.set_lines:
            face = canvas.font(self.face, size)
            strips = [Image.new("L", (max(self.width, 8), size + 6)) for _ in range(3)]
            for strip in strips:
                ImageDraw.Draw(strip).text((0, 0), self.phrase(max(2, self.width // (size * 3))), 255, face)
            self.set_lines[size] = strips
        strip = pick(self.rng, self.set_lines[size])
        start = int(self.rng.integers(0, max(1, strip.width // 4)))
        return strip.crop((start, 0, start + max(2, min(round(width), strip.width - start)), strip.height))

    def grid(
        self, x0: float, y0: float, x1: float, y1: float, columns: int, rows: int, colour: Colour | None = None
    ) -> None:
        colour = colour or self.soft
        for k in range(columns + 1):
            x = x0 + (x1 - x0) * k / columns
            self.line([(x, y0), (x, y1)], colour, 0.006)
        for k in range(rows + 1):
            y = y0 + (y1 - y0) * k / rows
            self.line([(x0, y), (x1, y)], colour, 0.006)

    def table(
        self, x0: float, y0: float, x1: float, y1: float, columns: int, rows: int, headed: bool = True,
        ruled: bool = True,
    ) -> None:  # fmt: skip
        """A table with words in its first column and numbers in the rest."""
        high, wide = (y1 - y0) / rows, (x1 - x0) / columns
        if headed:
            self.box(x0, y0, x1, y0 + high, self.accent if self.chance(0.5) else self.pale)
        for r in range(rows):
            for c in range(columns):
                text = pick(self.rng, WORDS) if c == 0 or r == 0 else str(self.rng.integers(1, 2000))
                size = min(high * self.height / self.unit * 0.55, 0.06)
                x = x0 + wide * (c + 0.1)
                if self.bars:
                    y = y0 + high * (r + 0.35)
                    self.box(x, y, x + wide * self.between(0.3, 0.75), y + high * 0.3, self.soft)
                else:
                    self.text(x, y0 + high * (r + 0.5), text, size, self.ink, "lm")
        if ruled:
            self.grid(x0, y0, x1, y1, columns, rows, self.pale if self.chance(0.4) else self.soft)

    def photo(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """A small landscape, or the grey sign for a picture."""
        box = tuple(round(v) for v in (x0 * self.width, y0 * self.height, x1 * self.width, y1 * self.height))
        size = max(8, box[2] - box[0]), max(8, box[3] - box[1])
        if self.chance(0.6):
            small = Land((max(24, size[0] // 2), max(24, size[1] // 2)), self.rng)
            SCENES[self.one("sunset", "mountains", "desert", "sunny", "beach", "rainbow", "river")](small)
            self.image.paste(small.image.resize(size), (box[0], box[1]))
            return
        ground = pick(self.rng, (self.pale, canvas.mixed(self.accent, self.paper, 0.6), GREY))
        self.box(x0, y0, x1, y1, ground)
        mark, w, h = canvas.mixed(ground, self.ink, 0.35), x1 - x0, y1 - y0
        self.polygon(
            [
                (x0, y1),
                (x0 + 0.35 * w, y0 + 0.4 * h),
                (x0 + 0.6 * w, y0 + 0.7 * h),
                (x0 + 0.75 * w, y0 + 0.55 * h),
                (x1, y1),
            ],
            mark,
        )
        self.disc(x0 + 0.75 * w, y0 + 0.25 * h, 0.1 * min(size) / self.unit, mark)

    def portrait(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Head and shoulders before a plain ground."""
        ground = canvas.mixed(pick(self.rng, ACCENTS), (255, 255, 255), 0.7)
        skin = pick(self.rng, ((240, 200, 170), (200, 150, 110), (140, 95, 65), (250, 220, 190), (110, 110, 115)))
        self.box(x0, y0, x1, y1, ground)
        w, h = x1 - x0, y1 - y0
        r = min(w * self.width, h * self.height) * 0.22 / self.unit
        x, y = x0 + w / 2, y0 + h * 0.42
        self.disc(
            x, y - h * 0.06, r * 1.15, pick(self.rng, ((60, 40, 30), (30, 25, 25), (200, 160, 80), (150, 80, 40)))
        )
        self.box(x - w * 0.3, y0 + h * 0.7, x + w * 0.3, y1, pick(self.rng, ACCENTS), round_by=r * 0.6)
        self.disc(x, y, r, skin)

    def button(self, x0: float, y0: float, x1: float, y1: float, text: str, fill: Colour | None = None) -> None:
        fill = fill or self.accent
        self.box(x0, y0, x1, y1, fill, round_by=self.between(0, 0.03))
        self.wide_text(
            (x0 + x1) / 2,
            (y0 + y1) / 2,
            text,
            (x1 - x0) * 0.7,
            (y1 - y0) * self.height / self.unit * 0.45,
            self.on(fill),
        )

    def icon(self, x: float, y: float, radius: float, colour: Colour | None = None) -> None:
        """A small coloured tile with something on it."""
        colour = colour or canvas.any_colour(self.rng, (self.paper,))
        w, h, r = radius * self.unit / self.width, radius * self.unit / self.height, radius
        self.box(x - w, y - h, x + w, y + h, colour, round_by=r * pick(self.rng, (0.2, 0.5, 1.0)))
        mark = self.on(colour)
        kind = self.many(0, 3)
        if kind == 0:
            self.disc(x, y, r * 0.45, mark)
        elif kind == 1:
            self.box(x - w * 0.5, y - h * 0.35, x + w * 0.5, y + h * 0.35, mark)
        elif kind == 2:
            self.polygon([(x - w * 0.4, y + h * 0.4), (x, y - h * 0.5), (x + w * 0.4, y + h * 0.4)], mark)
        else:
            self.disc(x, y, r * 0.5, None, mark, r * 0.2)

    def scribble(
        self, x0: float, y: float, x1: float, high: float, colour: Colour | None = None, width: float = 0.008
    ) -> None:
        """A line of handwriting that cannot be read, or a signature."""
        n = max(8, int((x1 - x0) * self.width / (high * self.height) * 3.2))
        x = np.linspace(x0, x1, n) + self.rng.normal(0, 0.25, n) * (x1 - x0) / n
        heights = np.where(np.arange(n) % 2 == 0, 0.0, -self.rng.choice([0.4, 0.5, 0.6, 1.0], n)) * high
        self.line(list(zip(x.tolist(), (y + heights).tolist())), colour or self.ink, width)
