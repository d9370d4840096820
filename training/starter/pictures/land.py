"""Pieces of landscapes: skies, hills, trees, houses, water, weather.

Knows: how each piece is drawn on a picture. Does not know: which scenes are made of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from . import canvas
from .canvas import Colour
from .outlines import arc, cloud, spread
from .wording import pick

BLUE_SKIES = ((90, 170, 240), (135, 206, 235), (60, 140, 220), (160, 215, 250), (110, 190, 255))
PALE = ((235, 245, 255), (255, 250, 235), (210, 235, 250), (245, 240, 250))
GREENS = ((70, 150, 60), (100, 180, 70), (50, 120, 60), (130, 190, 80), (80, 160, 90), (34, 139, 34))
SEAS = ((30, 90, 170), (20, 110, 150), (40, 130, 190), (0, 119, 190), (25, 80, 130))
SANDS = ((235, 200, 130), (240, 215, 150), (225, 180, 110), (244, 220, 170))
ROCKS = ((110, 110, 125), (90, 100, 120), (130, 115, 105), (100, 90, 110))
BRIGHT = ((230, 50, 60), (250, 200, 40), (240, 130, 200), (255, 255, 255), (150, 80, 200), (255, 140, 40))
NIGHTS = ((8, 10, 40), (15, 15, 35), (20, 24, 70), (5, 5, 15), (30, 20, 60))


class Land:
    """A picture in the making; places are shares of its width and height."""

    def __init__(self, size: tuple[int, int], rng: np.random.Generator) -> None:
        self.rng = rng
        self.width, self.height = size
        self.image = Image.new("RGB", size)
        self.draw = ImageDraw.Draw(self.image)

    def between(self, low: float, high: float) -> float:
        return spread(self.rng, low, high)

    def some(self, colours: Sequence[Colour], by: int = 14) -> Colour:
        """One of the colours, a little off."""
        return canvas.shifted(pick(self.rng, colours), self.rng, by)

    def sky(self, top: Colour, bottom: Colour) -> None:
        self.image.paste(canvas.gradient(self.image.size, top, bottom), (0, 0))

    def day(self) -> None:
        self.sky(self.some(BLUE_SKIES), self.some(PALE))

    def dark(self) -> None:
        top = self.some(NIGHTS, 6)
        self.sky(top, canvas.mixed(top, (90, 70, 130), self.between(0, 0.5)))

    def ground(self, top: float, colour: Colour) -> None:
        """Everything below."""
        self.draw.rectangle((0, top * self.height, self.width, self.height), fill=colour)

    def polygon(self, points: Sequence[tuple[float, float]] | np.ndarray, colour: Colour) -> None:
        self.draw.polygon([(x * self.width, y * self.height) for x, y in points], fill=colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        w, h = self.width, self.height
        self.draw.rectangle((left * w, top * h, max(left, right) * w, max(top, bottom) * h), fill=colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Radius as a share of the height."""
        r, x, y = radius * self.height, x * self.width, y * self.height
        self.draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def line(self, points: Sequence[tuple[float, float]], colour: Colour, width: float = 0.01) -> None:
        w = max(1, round(width * self.height))
        self.draw.line([(x * self.width, y * self.height) for x, y in points], fill=colour, width=w, joint="curve")

    def hills(self, top: float, colour: Colour, high: float = 0.12, waves: float = 1.5) -> None:
        """Rolling ground whose crest is near `top`."""
        x, phase = np.linspace(0, 1, 30), self.between(0, 6.3)
        y = top + high * 0.5 * np.sin(2 * np.pi * waves * x + phase) + high * 0.2 * np.sin(5.1 * waves * x + 2 * phase)
        self.polygon([(0, 1), *zip(x.tolist(), y.tolist()), (1, 1)], colour)

    def peaks(self, base: float, top: float, colour: Colour, snow: Colour | None, many: int) -> None:
        """Pointed mountains, with white tops where there is snow."""
        for i in self.rng.permutation(many):
            x, wide = (i + self.between(0.2, 0.8)) / many, self.between(0.7, 1.1) / many
            y = top + self.between(0, 0.35) * (base - top)
            shade = canvas.shifted(colour, self.rng, 14)
            self.polygon([(x - wide, base), (x, y), (x + wide, base)], shade)
            self.polygon([(x, y), (x + wide, base), (x + wide * 0.2, base)], canvas.mixed(shade, (0, 0, 0), 0.2))
            if snow:
                d, part = base - y, self.between(0.3, 0.5)
                teeth = [(x + wide * part * (0.5 - k / 4) * 2, y + d * part * (1 - 0.25 * (k % 2))) for k in range(5)]
                self.polygon([(x, y), *teeth], snow)

    def fir(self, x: float, foot: float, high: float, colour: Colour) -> None:
        self.box(x - 0.02 * high, foot - 0.15 * high, x + 0.02 * high, foot, (90, 60, 40))
        for k in range(3):
            low, wide = foot - high * (0.12 + 0.24 * k), high * (0.3 - 0.07 * k) * self.height / self.width
            self.polygon([(x - wide, low), (x, low - high * 0.42), (x + wide, low)], colour)

    def leafy(self, x: float, foot: float, high: float, colour: Colour) -> None:
        self.box(x - 0.04 * high, foot - 0.5 * high, x + 0.04 * high, foot, (100, 70, 45))
        for dx, dy, r in ((-0.18, 0.6, 0.2), (0.18, 0.6, 0.2), (0, 0.76, 0.25)):
            self.disc(x + dx * high, foot - dy * high, r * high, canvas.shifted(colour, self.rng, 8))

    def palm(self, x: float, foot: float, high: float) -> None:
        lean = self.between(-0.25, 0.25) * high
        top = (x + lean, foot - high)
        self.line([(x, foot), (x + lean * 0.4, foot - 0.5 * high), top], (120, 85, 50), 0.05 * high + 0.008)
        for angle in (200, 235, 275, 310, 345, 170, 10):
            tip = arc(angle, angle, 1, 0.45 * high)[0]
            bend = (top[0] + tip[0] * 0.6, top[1] + tip[1] * 0.7 - 0.06 * high)
            self.line([top, bend, (top[0] + tip[0], top[1] + tip[1] + 0.12 * high)], (40, 130, 50), 0.07 * high)

    def trees(
        self, many: int, foot: tuple[float, float], high: tuple[float, float], firs: bool, colour: Colour
    ) -> None:
        for y in sorted(self.between(*foot) for _ in range(many)):
            grow = self.fir if firs else self.leafy
            grow(self.between(0, 1), y, self.between(*high), canvas.shifted(colour, self.rng, 18))

    def house(self, x: float, foot: float, wide: float, wall: Colour, roof: Colour) -> None:
        high, lit = wide * self.between(0.6, 0.9), self.some(((255, 240, 170), (180, 220, 240)))
        self.box(x, foot - high, x + wide, foot, wall)
        over = wide * 0.1
        tip = (x + wide / 2, foot - high - wide * self.between(0.35, 0.55))
        self.polygon([(x - over, foot - high), tip, (x + wide + over, foot - high)], roof)
        self.box(x + wide * 0.4, foot - high * 0.5, x + wide * 0.6, foot, canvas.mixed(roof, (0, 0, 0), 0.3))
        for left in (0.12, 0.7):
            self.box(x + wide * left, foot - high * 0.8, x + wide * (left + 0.18), foot - high * 0.5, lit)

    def clouds(self, many: int, colour: Colour, low: float = 0.3) -> None:
        shape = cloud(self.rng).points
        for _ in range(many):
            size = self.between(0.08, 0.18)
            points = shape * (size, size * 0.8) + (self.between(0, 1), self.between(0.05, low))
            self.polygon(points, canvas.shifted(colour, self.rng, 8))

    def stars(self, many: int, low: float = 1.0, large: float = 0.008) -> None:
        for _ in range(many):
            self.disc(
                self.between(0, 1), self.between(0, low), self.between(0.003, large), self.some(((255, 255, 235),))
            )

    def ripples(self, top: float, colour: Colour, many: int = 14) -> None:
        for _ in range(many):
            x, y, wide = self.between(0, 1), self.between(top + 0.02, 1), self.between(0.03, 0.12)
            self.line([(x - wide, y), (x + wide, y)], colour, 0.008)

    def falling(self, many: int, colour: Colour, length: float, slant: float) -> None:
        """Streaks of rain; flakes where the length is nought."""
        for _ in range(many):
            x, y = self.between(0, 1.1), self.between(0, 1)
            if length:
                self.line([(x, y), (x - slant, y + length)], colour, 0.006)
            else:
                self.disc(x, y, self.between(0.006, 0.016), colour)

    def bolt(self, x: float, top: float, bottom: float, colour: Colour) -> None:
        steps = np.linspace(top, bottom, 6)
        points = [(x + self.between(-0.06, 0.06) * (i > 0), y) for i, y in enumerate(steps.tolist())]
        self.line(points, colour, 0.022)
        self.line([points[2], (points[2][0] + 0.1, points[2][1] + 0.15)], colour, 0.012)
