"""Requests out of nothing: texts and page-like pictures made from a seed.

Knows: words, drawing. Does not know: meaning; the latency of a reranker depends on sizes, which are exact here. Where
quality counts, judged.py has real documents.

Documents are drawn from a pool, so that pictures need not be drawn while the clock runs. A reranker with a cache over
calls meets each document again and again; the report says how often.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..settings import positive
from .workload import Request, Shape, Workload

if TYPE_CHECKING:
    from PIL import ImageDraw

WORDS = (
    "the of and to in a is that for it was on are as with his they at be this from have or by one had not but what all "
    "were when we there can an your which their said if do will each about how up out them then she many some so these "
    "would other into has more her two like him see time could no make than first been its who now people my made over "
    "did down only way find use may water long little very after words called just where most know get through back "
    "much before go good new write our used me man too any day same right look think also around another came come "
    "work three word must because does part even place well such here take why things help put years different away "
    "again off went old number great tell men say small every found still between name should home big give air line"
).split()
WEIGHTS = [1 / rank for rank in range(1, len(WORDS) + 1)]
"""Zipf's law, as in real text."""
QUERY_WORDS = (3, 10)
SMALLEST = 28 * 28
"""Pixels of the smallest picture: a patch or two of the usual models."""


def generated(
    candidates: Sequence[int], pixels: Sequence[int], folder: Path, *, words: int = 120, pool: int = 64, seed: int = 0
) -> Workload:
    """A shape for each number of candidates and each of `pixels`: of a document's picture, or 0 for documents of text.

    folder: an empty one of the caller, for the pictures.  words: of a text, half as many to half as many again.
    pool: documents of each kind; raised to the largest number of candidates.
    Raises UsageError for numbers that make no request.
    """
    positive("--words", words)
    positive("--pool", pool)
    for count in candidates:
        positive("--candidates", count)
    small = [count for count in pixels if count and count < SMALLEST]
    if small:
        raise UsageError(f"--pixels {small[0]} is too small: 0 is text, a picture has {SMALLEST} pixels or more")
    random, size = Random(seed), max(pool, *candidates)
    queries = tuple(sentence(random, random.randint(*QUERY_WORDS)) for _ in range(size))
    shapes = []
    for of_each in pixels:
        documents = _texts(random, size, words) if of_each == 0 else _pictures(random, size, of_each, folder)
        for count in candidates:
            label = f"{count} texts" if of_each == 0 else f"{count} pictures of {of_each:,} pixels"
            shapes.append(Shape(label, partial(_drawn, queries, documents, of_each, count)))
    facts = {
        "source": "generated",
        "candidates": list(candidates),
        "pixels": list(pixels),
        "words": words,
        "pool": size,
    }
    return Workload(tuple(shapes), facts)


def _drawn(queries: Sequence[str], documents: Sequence[Any], pixels: int, count: int, random: Random) -> Request:
    drawn = tuple(random.sample(documents, count))
    return Request(random.choice(queries), drawn, "multimodal" if pixels else "text", pixels)


def sentence(random: Random, words: int) -> str:
    return " ".join(random.choices(WORDS, WEIGHTS, k=words))


def _texts(random: Random, count: int, words: int) -> tuple[str, ...]:
    least, most = max(1, words // 2), max(1, words * 3 // 2)
    return tuple(sentence(random, random.randint(least, most)) for _ in range(count))


def _pictures(random: Random, count: int, pixels: int, folder: Path) -> tuple[str, ...]:
    """Paths of JPEG files, 3 wide to 4 high as a page, of `pixels` to within a row of them."""
    width = round((pixels * 3 / 4) ** 0.5)
    height = round(pixels / width)
    paths = [folder / f"{width}x{height}-{i}.jpg" for i in range(count)]
    for path in paths:
        page(random, width, height, path)
    return tuple(map(str, paths))


def page(random: Random, width: int, height: int, path: Path) -> None:
    """Write a picture that compresses as a scanned page does: lines of text, a chart, a tinted ground."""
    from PIL import Image, ImageDraw, ImageFont

    ground = tuple(random.randint(225, 255) for _ in range(3))
    picture = Image.new("RGB", (width, height), ground)
    pen = ImageDraw.Draw(picture)
    size = max(6, height // 50)
    font = ImageFont.load_default(size)
    chart = random.randint(height // 4, height // 2)
    top = size
    while top < height - size:
        if chart <= top < chart + height // 4:
            _bars(random, pen, width, top, height // 4)
            top += height // 4 + size
            continue
        pen.text((size, top), sentence(random, max(1, width // (4 * size))), (30, 30, 40), font)
        top += size * 3 // 2
    picture.save(path, quality=85)


def _bars(random: Random, pen: ImageDraw.ImageDraw, width: int, top: int, height: int) -> None:
    bars = random.randint(3, 9)
    for i in range(bars):
        colour = (random.randint(0, 200), random.randint(0, 200), random.randint(0, 200))
        left = width * (2 * i + 1) // (2 * bars + 1)
        pen.rectangle((left, top + random.randint(0, height - 1), left + width // (2 * bars + 1), top + height), colour)
