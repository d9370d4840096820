"""Everyday objects in several hands: emoji in five styles, icons, clip art.

Knows: which drawings show an object, by the names in vocabulary.toml. Does not know: how a drawing is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..examples import Example
from ..split import Side, held_out
from ..vocabulary import names, section
from . import icons, placing, sources
from .backgrounds import background
from .emoji import alone, reserved, stripped
from .emoji_names import code_of, plural, with_article
from .icons import Drawing

FEWEST_HANDS = 3
NOT_ALONE = frozenset(
    "juice box core tower fight skier chips rings toast burger muffin wreath print shoe shoes glove helmet pitch flag "
    "republic lane limit length opposite only dish ride sign cichlid loach seal dulcimer trip theory stand cassette "
    "dog worm wedge pot butterfly labels kids corks player sunset horizon tux bottle lcd scroll pointer lutte "
    "sauvetage symbol hallway transmitter sword screen leash post cards game hat label party bed burner drive "
    "mute beach".split()
)
"""Words of clip-art names that make something else of the first word: "apple juice"."""


@cache
def objects() -> dict[str, tuple[Drawing, ...]]:
    """Objects that at least three hands drew → their drawings."""
    icons_of = _by_words()
    found: dict[str, tuple[Drawing, ...]] = {}
    for key in section("objects"):
        drawn = [
            (hand, code_of(text))
            for text in section("object_emoji").get(key, ())
            for hand in (*sources.COLOR_EMOJI, *sources.PLAIN_EMOJI)
            if code_of(text) in sources.hand(hand).rows
        ]
        drawn += icons_of.get(key, [])
        unwanted = section("object_not").get(key, ())
        drawn = [drawing for drawing in drawn if f"{drawing[0]}/{drawing[1].rsplit('/', 1)[-1]}" not in unwanted]
        if len({hand for hand, _ in drawn}) >= FEWEST_HANDS:
            found[key] = tuple(dict.fromkeys(drawn))
    return found


def _by_words() -> dict[str, list[Drawing]]:
    """Object → icons and clip art named like it. A name that one object lists for itself is no other's."""
    owner: dict[str, str] = {}
    for key, entry in section("objects").items():
        for name in (key, entry[0]):
            owner[name] = owner[plural(name)] = key
    for key, listed in section("object_icons").items():
        owner.update(dict.fromkeys(listed, key))
    found: dict[str, list[Drawing]] = {}
    for words, drawn in icons.drawings().items():
        if words in owner:
            found.setdefault(owner[words], []).extend(drawn)
    seen: set[str] = set()
    for row in sources.hand("clip-art").rows:
        stem = row.rsplit("/", 1)[-1].lower()
        words_in = [word for word in re.split(r"[^a-z]+", stem) if word]
        if stem in seen or "/roadsigns/" in row:
            continue
        seen.add(stem)
        for count in (3, 2, 1):
            name = " ".join(words_in[:count])
            if name in owner and NOT_ALONE.isdisjoint(words_in[count:]):
                found.setdefault(owner[name], []).append(("clip-art", row))
                break
    return found


def is_emoji(drawing: Drawing) -> bool:
    """Whether a code point names the drawing."""
    return drawing[0] in sources.COLOR_EMOJI or drawing[0] in sources.PLAIN_EMOJI


def item(drawing: Drawing) -> str:
    """The item of the split rule: a code point, or "drawing HAND/NAME"."""
    return drawing[1] if is_emoji(drawing) else icons.item(drawing)


@cache
def allowed(key: str, side: Side) -> dict[str, tuple[Drawing, ...]]:
    """Hand → drawings of the object that this side may show."""
    found: dict[str, list[Drawing]] = {}
    for drawing in objects()[key]:
        if side == "dev" or not held_out(item(drawing)):
            found.setdefault(drawing[0], []).append(drawing)
    return {hand: tuple(drawn) for hand, drawn in found.items()}


@cache
def said(key: str, side: Side) -> tuple[str, ...]:
    """What the object may be called; queries of the development set are nobody's synonyms."""
    first, *others = names(section("objects")[key], side)
    return (first, *(name for name in others if side == "dev" or stripped(name) not in reserved()))


@cache
def keys(side: Side) -> tuple[str, ...]:
    """Objects that this side can draw."""
    return tuple(key for key in objects() if allowed(key, side))


def plainly(name: str) -> list[str]:
    """The name with and without its article."""
    return [with_article(name), name]


def contents(key: str, rng: np.random.Generator, side: Side) -> tuple[list[str], tuple[str, ...]]:
    """The name and up to two synonyms, with and without article; and the synonyms' items."""
    first, *others = said(key, side)
    picked = [others[int(index)] for index in rng.permutation(len(others))[:2]]
    phrases = [*plainly(first), *(with_article(name) for name in picked)]
    return phrases, tuple(f"synonym {name}" for name in picked)


@dataclass(frozen=True)
class Objects:
    """One everyday object by any hand that drew it; every hand as often as another."""

    name: str = "objects"
    weight: float = 16.0

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        pool = keys(side)
        key = pool[int(rng.integers(len(pool)))]
        by_hand = list(allowed(key, side).values())
        drawn = by_hand[int(rng.integers(len(by_hand)))]
        drawing = drawn[int(rng.integers(len(drawn)))]
        canvas = background(rng, *placing.canvas_size(rng), side)
        if drawing[0] in sources.COLOR_EMOJI:
            alone(drawing[1], rng, canvas)
        else:
            icons.show(drawing, canvas, rng, mirrored=bool(rng.random() < 0.3))
        phrases, used = contents(key, rng, side)
        return Example(placing.finished(canvas, rng), f"object:{key}", phrases, (item(drawing), *used))


FAMILIES = (Objects(),)
