"""One big written word or letter: signs, labels, headings, words in colour.

Knows: words, fonts, boards. Does not know: what words mean.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .. import vocabulary
from ..examples import Example, Family
from ..split import Side
from . import canvas
from .canvas import Colour
from .outlines import spread
from .wording import pick

SCALE = 2
CASES = (str.upper, str.upper, str.upper, str.capitalize, str.capitalize, str.lower, str.lower, str.title)
PATTERNS = (
    ("the word {w}",) * 4
    + (
        "the word '{w}'",
        'the word "{w}"',
        "the written word {w}",
        "the text {w}",
        "the text '{w}'",
        "{w}",
        "{w}",
        "'{w}'",
    )
    + (
        "the word {w} in letters",
        "{w} written in big letters",
        "{w} in writing",
        "a text that reads {w}",
        "writing: {w}",
    )
    + ("a sign that says {w}", "a sign saying {w}", "a sign with the word {w}", "a {w} sign", "a board reading {w}")
    + ("a label that says {w}", "a label reading {w}", "lettering that spells {w}", "the inscription {w}")
    + ("a title that says {w}", "a heading with the word {w}", "the printed word {w}")
)


@cache
def written() -> tuple[str, ...]:
    """All words that are written."""
    return tuple(word for group in vocabulary.section("written").values() for word in group)


@dataclass
class Word:
    """A word of the vocabulary, large."""

    name: str = "word"
    weight: float = 12

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        return draw_word(pick(rng, written()), canvas.pick_font(rng, side), rng)


def draw_word(word: str, path: Path, rng: np.random.Generator) -> Example:
    """The word in that font: any case, colour and board, nearly filling the picture's width."""
    text = pick(rng, CASES)(word)
    size = canvas.final_size(rng, pick(rng, (1, 1, 1, 1, 1.5, 2, 3)))
    width, height = size[0] * SCALE, size[1] * SCALE
    ground = canvas.any_colour(rng) if rng.random() < 0.5 else pick(rng, ((255, 255, 255), (0, 0, 0), (250, 248, 240)))
    ink = canvas.readable_on(ground, rng) if rng.random() < 0.5 else canvas.any_colour(rng, (ground,), 300)
    image = canvas.backdrop((width, height), ground, rng, 0.35)
    room = _board(image, ink, ground, rng) if rng.random() < 0.3 else spread(rng, 0.9, 0.96)
    _lettered(image, text, path, ink, room * (1 if rng.random() < 0.75 else spread(rng, 0.65, 1)), rng)
    media = canvas.worn(canvas.reduced(image, SCALE, rng), rng)
    contents = [_said(word, text, rng) for _ in range(4)]
    return Example(media, f"word:{word}", contents, (f"font {path.stem}",))


def _said(word: str, text: str, rng: np.random.Generator) -> str:
    shown = text if rng.random() < 0.3 else word
    return pick(rng, PATTERNS).format(w=shown)


def _board(image: Image.Image, ink: Colour, ground: Colour, rng: np.random.Generator) -> float:
    """A frame, plate or line on which the word stands; gives the share of the width that is left for it."""
    draw, (width, height) = ImageDraw.Draw(image), image.size
    edge, thick = spread(rng, 0.02, 0.06) * height, int(spread(rng, 3, 8))
    middle = height * spread(rng, 0.2, 0.42)
    box = (edge, height / 2 - middle, width - edge, height / 2 + middle)
    kind = int(rng.integers(4))
    if kind == 0:
        draw.rectangle(box, outline=ink, width=thick)
    elif kind == 1:
        draw.rounded_rectangle(box, height * 0.12, outline=ink, width=thick)
    elif kind == 2:
        image.paste(canvas.any_colour(rng, (ground,), 120), (0, 0, width, height))
        draw.rounded_rectangle(box, height * 0.06, fill=ground)
    else:
        draw.line((width * 0.1, box[3], width * 0.9, box[3]), fill=ink, width=thick)
    return 0.82


def _lettered(image: Image.Image, text: str, path: Path, ink: Colour, room: float, rng: np.random.Generator) -> None:
    """The text in the middle or a little off, upright or a little turned, with a shadow or outline now and then."""
    width, height = image.size
    face = canvas.fitted(
        path, text, width * room * 0.97, height * min(room, 0.8) * (0.9 if width > 2 * height else 0.6)
    )
    left, top, right, bottom = face.getbbox(text)
    wide, high = right - left, bottom - top
    mask = Image.new("L", (int(wide) + 12, int(high) + 12))
    draw = ImageDraw.Draw(mask)
    draw.text((6 - left, 6 - top), text, 255, face)
    if rng.random() < 0.05 and high > 50:
        mask.paste(0, (0, 0), mask.filter(ImageFilter.MinFilter(5)))
    if rng.random() < 0.25:
        mask = mask.rotate(spread(rng, -9, 9), Image.Resampling.BICUBIC, expand=True)
    loose = 1.0 if room > 0.9 else 0.1
    free_x, free_y = loose * max(0, width - mask.width), loose * max(0, height - mask.height)
    x = int((width - mask.width) / 2 + spread(rng, -0.5, 0.5) * free_x * 0.9)
    y = int((height - mask.height) / 2 + spread(rng, -0.5, 0.5) * free_y * 0.6)
    if rng.random() < 0.12:
        off, shade = max(2, int(high * 0.05)), canvas.mixed(image.getpixel((2, 2)), (0, 0, 0), 0.4)  # type: ignore[arg-type]
        image.paste(shade, (x + off, y + off), mask)
    image.paste(ink, (x, y), mask)


@dataclass
class Letter:
    """A single letter or digit, large."""

    name: str = "letter"
    weight: float = 1.5

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        sign = pick(rng, string.ascii_uppercase + string.digits)
        path = canvas.pick_font(rng, side)
        drawn = draw_word(sign, path, rng)
        patterns: tuple[str, ...] = ("the letter {s}", "a letter {s}", "the capital letter {s}", "a big {s}")
        if sign.isdigit():
            patterns = (
                "the number {s}",
                "the digit {s}",
                "a number {s}",
                "a big {s}",
                f"the number {DIGITS[int(sign)]}",
            )
        return Example(drawn.media, f"letter:{sign.lower()}", [p.format(s=sign) for p in patterns], drawn.uses)


DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FAMILIES: list[Family] = [Word(), Letter()]
