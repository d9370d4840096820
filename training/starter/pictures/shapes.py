"""Coloured shapes: one, two in a relation, several of a kind.

Knows: what is said about shapes and where they go. Does not know: outlines, paint, pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..examples import Example, Family
from ..split import Side
from . import canvas
from .outlines import spread
from .stamps import Paint, paint, stamp
from .wording import Wording, article, combinations, keys, pick, plural

SCALE = 3
NOUN_PHRASES = (
    ("{a_both}",) * 8
    + ("{both}", "{both}", "one {both}", "the {both}", "{a_shape} in {colour}", "{a_shape} that is {colour}")
    + (
        "{a_shape} coloured {colour}",
        "{a_shape} of {colour} colour",
        "{a_shape}, {colour}",
        "{a_colour} coloured {shape}",
    )
)
IN_SENTENCES = tuple(pattern for pattern in NOUN_PHRASES if pattern not in ("{both}", "{a_shape}, {colour}"))
HOLLOW = (
    "{a_both} outline",
    "an outlined {both}",
    "the outline of {a_both}",
    "a hollow {both}",
    "{a_both} drawn as a line",
)
FILLED = ("a filled {both}", "a solid {both}")
HATCHED = {"hatched": ("a hatched {both}", "a striped {both}"), "dotted": ("a dotted {both}", "a spotted {both}")}
WIDE = {"hexagon", "circle", "square", "octagon", "ellipse", "pentagon", "diamond", "star", "heart", "cloud"}
"""Shapes that something can lie inside of."""
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
STEPS = {"left": (-1, 0), "right": (1, 0), "above": (0, -1), "below": (0, 1)}
POINTING = {"right": 0, "down": 90, "left": 180, "up": -90}


def noun_phrase(words: Wording, colour: str, shape: str, patterns: Sequence[str] = NOUN_PHRASES) -> str:
    """ "a red circle", "a disc in crimson" …"""
    c, s = words.name("colours", colour), words.name("shapes", shape)
    parts = {"both": f"{c} {s}", "a_both": article(f"{c} {s}"), "a_shape": article(s), "a_colour": article(c)}
    return words.pattern(patterns, colour=c, shape=s, **parts)


@dataclass
class Single:
    """One shape."""

    name: str = "shape"
    weight: float = 10

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        colour, shape = pick(rng, combinations(side))
        return draw_single(colour, shape, rng, side)


def draw_single(colour: str, shape: str, rng: np.random.Generator, side: Side) -> Example:
    """One shape of that colour, any hand, size, place and ground."""
    size = canvas.final_size(rng, pick(rng, (1, 1, 1, 1, 1.33, 0.75)))
    how = paint(canvas.colour(colour, rng), rng)
    ground, paper = canvas.plain_paper(rng, (how.colour,))
    image = canvas.backdrop((size[0] * SCALE, size[1] * SCALE), paper, rng)
    share = spread(rng, 0.15, 0.48)
    radius = share * min(image.size)
    centre = (spread(rng, radius, image.width - radius), spread(rng, radius, image.height - radius))
    direction = pick(rng, tuple(POINTING)) if shape == "arrow" else ""
    angle = POINTING[direction] + spread(rng, -12, 12) if direction else None
    stamp(image, shape, centre, radius, how, rng, angle)
    words = Wording(rng, side)
    contents = _said_of_one(words, colour, shape, how, share, ground, direction)
    media = canvas.worn(canvas.reduced(image, SCALE, rng), rng)
    return Example(media, f"shape:{colour} {shape}", contents, (f"{colour} {shape}", *words.uses))


def _said_of_one(
    words: Wording, colour: str, shape: str, how: Paint, share: float, ground: str, direction: str
) -> list[str]:
    said = [noun_phrase(words, colour, shape), noun_phrase(words, colour, shape)]
    if share > 0.4 or share < 0.21:
        adjectives = ("big", "large", "huge") if share > 0.4 else ("small", "little", "tiny")
        said.append(noun_phrase(words, colour, shape, (f"a {pick(words.rng, adjectives)} {{both}}",)))
    if ground:
        said.append(f"{noun_phrase(words, colour, shape, IN_SENTENCES)} on a {ground} background")
    if direction:
        said.append(f"{noun_phrase(words, colour, shape, IN_SENTENCES)} pointing {direction}")
    styles = {"hollow": HOLLOW, "solid": FILLED, **HATCHED}
    if how.fill in styles and shape != "ring":
        said.append(noun_phrase(words, colour, shape, styles[how.fill]))
    return said


@dataclass
class Pair:
    """Two different shapes and how they lie."""

    name: str = "pair"
    weight: float = 12

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        relation = pick(rng, ("left", "right", "above", "below", "left", "right", "above", "below", "inside"))
        one, other = pick(rng, combinations(side)), pick(rng, combinations(side))
        while one == other or (relation == "inside" and (other[1] not in WIDE or one[0] == other[0])):
            one, other = pick(rng, combinations(side)), pick(rng, combinations(side))
        return draw_pair(one, other, relation, rng, side)


def draw_pair(
    one: tuple[str, str], other: tuple[str, str], relation: str, rng: np.random.Generator, side: Side
) -> Example:
    """The one (colour, shape) in the relation to the other: left, right, above, below or inside."""
    wide = {"left": 1.33, "right": 1.33, "above": 0.8, "below": 0.8}.get(relation, 1.0)
    size = canvas.final_size(rng, pick(rng, (1.0, 1.0, wide)))
    hows = [paint(canvas.colour(colour, rng), rng) for colour, _ in (one, other)]
    if relation == "inside":
        hows[0] = paint(canvas.colour(one[0], rng), rng)
        hows = [Paint(hows[0].colour), Paint(hows[1].colour, pick(rng, ("solid", "solid", "edged", "hollow")))]
    ground, paper = canvas.plain_paper(rng, [how.colour for how in hows], 110)
    image = canvas.backdrop((size[0] * SCALE, size[1] * SCALE), paper, rng)
    for (_, shape), how, (x, y, radius) in reversed(list(zip((one, other), hows, places(image.size, relation, rng)))):
        stamp(image, shape, (x, y), radius, how, rng)
    words = Wording(rng, side)
    contents = _said_of_two(words, one, other, relation)
    if ground:
        contents.append(f"{contents[-1]} on a {ground} background")
    media = canvas.worn(canvas.reduced(image, SCALE, rng), rng)
    combos = sorted((" ".join(one), " ".join(other)))
    return Example(media, "pair:" + "+".join(combos), contents, (*combos, *words.uses))


def places(size: tuple[int, int], relation: str, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """(x, y, radius) of the first and the second shape."""
    width, height = size
    short = min(size)
    if relation == "inside":
        outer = spread(rng, 0.36, 0.47) * short
        x, y = spread(rng, outer, width - outer), spread(rng, outer, height - outer)
        return [(x, y, outer * spread(rng, 0.26, 0.42)), (x, y, outer)]
    dx, dy = STEPS[relation]
    length = width if dx else height
    room = min(length / 4, short / 2)
    places = []
    for sign in (1, -1):
        radius = room * spread(rng, 0.6, 0.98)
        along = length * (0.5 + sign * (dx + dy) * 0.25)
        free = max(0.0, length / 4 - radius)
        along += spread(rng, -free, free)
        across_length = height if dx else width
        drift = min(across_length / 2 - radius, 0.14 * across_length)
        across = across_length / 2 + spread(rng, -drift, drift)
        places.append((along, across, radius) if dx else (across, along, radius))
    return places


def _said_of_two(words: Wording, one: tuple[str, str], other: tuple[str, str], relation: str) -> list[str]:
    def first() -> str:
        return noun_phrase(words, *one, IN_SENTENCES)

    def second() -> str:
        return noun_phrase(words, *other, IN_SENTENCES)

    said = [f"{first()} {words.name('relations', relation)} {second()}"]
    if relation == "inside":
        return [*said, f"{second()} with {first()} inside", f"{second()} around {first()}", f"{first()} and {second()}"]
    said.append(f"{second()} {words.name('relations', OPPOSITE[relation])} {first()}")
    said.append(
        f"{first()} {words.name('relations', 'beside')} {second()}" if relation in ("left", "right") else said[0]
    )
    said += [words.pattern(("{a} and {b}", "{b} and {a}", "{a} with {b}", "{b}, {a}"), a=first(), b=second())]
    return said


@dataclass
class Count:
    """Several of one kind."""

    name: str = "count"
    weight: float = 8

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        return draw_count(pick(rng, keys("numbers")), *pick(rng, combinations(side)), rng, side)


def draw_count(number: str, colour: str, shape: str, rng: np.random.Generator, side: Side) -> Example:
    """That many shapes of one colour in a row, in a grid or strewn about."""
    many = int(rng.integers(9, 18)) if number == "many" else int(number)
    size = canvas.final_size(rng, pick(rng, (1, 1, 1, 1.33, 0.75)) if many > 3 else pick(rng, (1, 1, 1.5, 2)))
    how = paint(canvas.colour(colour, rng), rng)
    ground, paper = canvas.plain_paper(rng, (how.colour,))
    image = canvas.backdrop((size[0] * SCALE, size[1] * SCALE), paper, rng)
    for x, y, radius in strewn(image.size, many, rng):
        stamp(image, shape, (x, y), radius * spread(rng, 0.8, 1), how, rng)
    words = Wording(rng, side)
    contents = [_said_of_many(words, number, colour, shape) for _ in range(3)]
    if ground:
        contents.append(f"{contents[-1]} on a {ground} background")
    media = canvas.worn(canvas.reduced(image, SCALE, rng), rng)
    return Example(media, f"count:{number} {colour} {shape}", contents, (f"{colour} {shape}", *words.uses))


def strewn(size: tuple[int, int], many: int, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Places that do not overlap: cells of a grid, in order or at random, shaken a little."""
    width, height = size
    columns = many if many <= 4 and rng.random() < 0.4 else max(1, round((many * width / height) ** 0.5))
    rows = -(-many // columns)
    if rng.random() < 0.4:
        columns, rows = columns + 1, rows + (rows < 3)
    cell = min(width / columns, height / rows)
    order = [(c, r) for r in range(rows) for c in range(columns)]
    if rng.random() < 0.6:
        order = [order[i] for i in rng.permutation(len(order))]
    shake, radius = cell * 0.09, cell * spread(rng, 0.3, 0.4)
    left, top = (width - columns * cell) / 2, (height - rows * cell) / 2
    return [
        (
            left + (c + 0.5) * cell + spread(rng, -shake, shake),
            top + (r + 0.5) * cell + spread(rng, -shake, shake),
            radius,
        )
        for c, r in order[:many]
    ]


def _said_of_many(words: Wording, number: str, colour: str, shape: str) -> str:
    n, c, s = words.name("numbers", number), words.name("colours", colour), plural(words.name("shapes", shape))
    patterns: tuple[str, ...] = ("{n} {c} {s}",) * 5 + (
        "{n} {s} in {c}",
        "{n} {s} that are {c}",
        "{c} {s}, {n} of them",
        "{n} {s}, all {c}",
    )
    if " of" in n or n in ("many", "half a dozen"):
        patterns = patterns[:6]
    return words.pattern(patterns, n=n, c=c, s=s)


FAMILIES: list[Family] = [Single(), Pair(), Count()]
