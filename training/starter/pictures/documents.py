"""Documents and screens: all kinds of paper, screens, diagrams, and slides with charts.

Knows: the kinds, what is said about them, how a sheet lies on a desk or a screen in its frame. Does not know: layouts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ..examples import Example, Family
from ..split import Side
from . import canvas
from .cards import CARD_KINDS
from .diagrams import DIAGRAM_KINDS
from .handhelds import HANDHELD_KINDS
from .outlines import spread
from .papers import PAPER_KINDS
from .puzzles import PUZZLE_KINDS
from .screens import SCREEN_KINDS, SLIDE, chart_slide
from .sheet import Sheet
from .wording import Wording, article, pick

SCALE = 2
KINDS: dict[str, tuple[Callable[[Sheet], None], float]] = {
    **PAPER_KINDS, **CARD_KINDS, **SCREEN_KINDS, **HANDHELD_KINDS, **DIAGRAM_KINDS, **PUZZLE_KINDS,
}  # fmt: skip
ALWAYS_LIGHT = {*PAPER_KINDS, *CARD_KINDS, "barcode", "qr", "crossword", "chess"}
SLIDE_CHARTS = ("bar", "pie", "line", "horizontal bar", "donut", "stacked bar", "area")


@dataclass
class Document:
    """A document, a screen or a diagram."""

    name: str = "document"
    weight: float = 12

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        return draw_document(pick(rng, tuple(KINDS)), canvas.pick_font(rng, side), rng, side)


def draw_document(kind: str, face: Path, rng: np.random.Generator, side: Side) -> Example:
    """A sheet of that kind set in that font."""
    draw, aspect = KINDS[kind]
    media = _drawn(draw, aspect, kind not in ALWAYS_LIGHT and rng.random() < 0.3, face, rng)
    words = Wording(rng, side)
    contents = [article(words.name("documents", kind)) for _ in range(4)]
    return Example(media, f"document:{kind}", contents, (f"font {face.stem}", *words.uses))


@dataclass
class ChartSlide:
    """A slide that shows a chart."""

    name: str = "chart slide"
    weight: float = 2

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        kind, face = pick(rng, SLIDE_CHARTS), canvas.pick_font(rng, side)
        media = _drawn(chart_slide(kind), SLIDE, rng.random() < 0.2, face, rng)
        words = Wording(rng, side)
        patterns = ("a slide with {c}", "a presentation slide with {c}", "a slide showing {c}", "{c} on a slide")
        contents = [words.pattern(patterns, c=article(words.name("charts", kind))) for _ in range(3)]
        return Example(media, f"document:slide:{kind}", contents, (f"font {face.stem}", *words.uses))


def _drawn(
    draw: Callable[[Sheet], None], aspect: float, dark: bool, face: Path, rng: np.random.Generator
) -> Image.Image:
    wide = 1.0 if rng.random() < 0.2 else float(np.clip(aspect * spread(rng, 0.85, 1.18), 0.45, 2.4))
    size = canvas.final_size(rng, wide)
    sheet = Sheet((size[0] * SCALE, size[1] * SCALE), rng, face, dark)
    draw(sheet)
    image, where = sheet.image, rng.random()
    if where < 0.18:
        image = _lying(image, image.size, rng)
    elif where < 0.3:
        image = _lying(image, (max(image.size),) * 2, rng)
    elif where < 0.36:
        image = _part(image, rng)
    small = canvas.reduced(image, SCALE, rng, 0.03)
    return canvas.worn(canvas.restyled(small, rng, False) if rng.random() < 0.1 else small, rng, 0.3)


def _part(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Most of the sheet, a corner or an edge left out."""
    width, height = (int(length * spread(rng, 0.75, 0.92)) // SCALE * SCALE for length in image.size)
    x, y = int(rng.integers(0, image.width - width)), int(rng.integers(0, image.height - height))
    return image.crop((x, y, x + width, y + height)).resize(image.size, Image.Resampling.BILINEAR)


def _lying(image: Image.Image, size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """The sheet a little smaller and turned, on a desk or before a plain ground of that size, with a shadow."""
    share = spread(rng, 0.78, 0.95)
    ground = canvas.backdrop(size, canvas.any_colour(rng, (image.getpixel((3, 3)),)), rng, 0.6)  # type: ignore[arg-type]
    small = image.resize((int(image.width * share), int(image.height * share)), Image.Resampling.BILINEAR)
    mask = Image.new("L", small.size, 255)
    if rng.random() < 0.3:
        mask = Image.new("L", small.size)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, small.width - 1, small.height - 1), small.height // 14, fill=255)
    if rng.random() < 0.5:
        angle = spread(rng, -7, 7)
        small = small.rotate(angle, Image.Resampling.BILINEAR, expand=True)
        mask = mask.rotate(angle, Image.Resampling.BILINEAR, expand=True)
    x, y = (size[0] - small.width) // 2, (size[1] - small.height) // 2
    ground.paste((40, 40, 45), (x + 5, y + 6), mask)
    ground.paste(small, (x, y), mask)
    return ground


FAMILIES: list[Family] = [Document(), ChartSlide()]
