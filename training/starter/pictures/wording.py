"""Words for what is drawn: names by the side rule, articles, plurals, and a record of what was used.

Knows: vocabulary and grammar of short noun phrases. Does not know: how anything is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

import numpy as np

from .. import vocabulary
from ..split import Side, held_out

T = TypeVar("T")
PLURALS = {"letter x": "letters x"}
BARE = (
    "snowy mountains", "woods", "many", "lots", "sand dunes", "Sahara", "city lights", "skyscrapers", "downtown",
    "stars", "wildflowers", "lava", "fish", "outer space", "planets", "the", "cosmos", "rain", "rainy weather",
    "snow falling", "snow-capped peaks", "clouds", "sea waves", "autumn", "trees", "snowfall", "snowflakes",
    "lightning in", "farmhouse and", "countryside", "houses", "cottages", "water falling", "falls", "fireworks",
    "sofa and", "New", "flowers", "dusk", "hills", "blue sky", "interior of", "musical notes", "sheet music",
    "musical notation", "search results", "text messages", "source code", "program code", "syntax highlighted",
    "folders", "settings with", "app icons", "tabular data", "connected", "overlapping", "two", "black and white",
    "black lines", "formulas", "paper money", "piano keys", "keys", "ideas", "handwriting", "cooking instructions",
    "front of", "front page", "back of", "cartoon panels", "code to", "first slide", "greetings", "stacked bars",
)  # fmt: skip
"""How phrases begin that take no article."""
FIRST_NAME = 0.5
"""How often the plain first name is said, although there are synonyms."""


def pick(rng: np.random.Generator, items: Sequence[T]) -> T:
    """One of the items; quicker than rng.choice, and keeps their type."""
    return items[int(rng.integers(len(items)))]


def article(phrase: str) -> str:
    """The phrase with "a" or "an" before it, where it takes one."""
    if any(phrase == opening or phrase.startswith(opening + " ") for opening in BARE):
        return phrase
    vowel = phrase[0].lower() in "aeiou" and not phrase.startswith(("one", "uni", "Eu", "u-"))
    spelled = phrase.split()[0] in ("x", "EAN")
    return f"{'an' if vowel or spelled else 'a'} {phrase}"


def plural(noun: str) -> str:
    """More than one of it: "circles", "boxes", "plus signs"."""
    if noun in PLURALS:
        return PLURALS[noun]
    if noun.endswith(("s", "x", "sh", "ch")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


@cache
def choices(section: str, key: str, side: Side) -> tuple[str, ...]:
    """Names of an entry that this side may say; the plain one first."""
    return tuple(vocabulary.names(vocabulary.section(section)[key], side))


@cache
def keys(section: str) -> tuple[str, ...]:
    """The entries of a section."""
    return tuple(vocabulary.section(section))


@cache
def combinations(side: Side) -> tuple[tuple[str, str], ...]:
    """(colour, shape) that may be drawn together on this side."""
    pairs = [(colour, shape) for colour in keys("colours") for shape in keys("shapes")]
    return tuple(pair for pair in pairs if side == "dev" or not held_out(" ".join(pair)))


class Wording:
    """Chooses names for one example, and remembers which synonyms it took."""

    def __init__(self, rng: np.random.Generator, side: Side) -> None:
        self.rng = rng
        self.side = side
        self.uses: list[str] = []

    def name(self, section: str, key: str) -> str:
        """What the entry is called this time."""
        names = choices(section, key, self.side)
        if len(names) == 1 or self.rng.random() < FIRST_NAME:
            return names[0]
        name = pick(self.rng, names[1:])
        self.uses.append(f"synonym {name}")
        return name

    def pattern(self, patterns: Sequence[str], **parts: str) -> str:
        """One of the patterns, filled in."""
        return pick(self.rng, patterns).format(**parts)
