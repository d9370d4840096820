"""Development sets of emoji: what training never saw, one axis at a time.

Knows: the sets, the right answers to their queries. Does not know: models, scores. Pictures of one set share no seed
with training; each set says what differs besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..examples import Example
from ..split import Side, held_out
from ..vocabulary import section
from . import emoji, icons, objects, placing, sources
from .backgrounds import background
from .emoji_names import code_of, keyword_counts, spoken
from .emoji_names import emoji as emoji_table

SEED = 20_260
PLAIN_HAND, FOREIGN_HAND = "symbola", "streamline"
"""Hands that training may not use: without colours, and with colours by another artist."""
SOUND_TO_EMOJI = section("sound_emoji")
"""Sound (a key of [sounds]) → the emoji that show what makes it."""


@dataclass(frozen=True, slots=True)
class Query:
    """A text and the keys of all pictures that answer it."""

    text: str
    keys: frozenset[str]


@cache
def seen() -> list[Example]:
    """Every trained emoji once, as the colour font draws it, on kinds of backgrounds that training never saw."""
    return [_pictured(code, "noto", 1) for code in emoji.codes("train")]


@cache
def unseen() -> list[Example]:
    """Every emoji that training never drew, by its name."""
    return [_pictured(code, "noto", 2) for code in emoji.codes("dev") if held_out(code)]


@cache
def plain() -> list[Example]:
    """Trained emoji that name no colour, in a font without colours that training never saw."""
    return _in_hand(PLAIN_HAND, 3)


@cache
def foreign() -> list[Example]:
    """Trained emoji in colour, by an artist whom training never saw."""
    return _in_hand(FOREIGN_HAND, 4)


@cache
def unseen_drawings() -> list[Example]:
    """Objects by icons and clip art that training never saw: up to three a key, of different hands if there are."""
    examples = []
    for key, drawn in objects.objects().items():
        held = [one for one in drawn if not objects.is_emoji(one) and held_out(objects.item(one))]
        by_hand = {hand: (hand, name) for hand, name in held}
        examples += [_object(key, drawing) for drawing in list(by_hand.values())[:3]]
    return examples


def by_unseen_keyword() -> list[Query]:
    """Keywords that training never said, over seen(). Right is every emoji of that keyword."""
    keys = _keys(seen())
    said = {emoji.stripped(name) for code in emoji.codes("train") for name in spoken(code)}
    said.update(emoji.stripped(name) for key in objects.objects() for name in objects.said(key, "train"))
    held = sorted(word for word in keyword_counts() if held_out(f"synonym {word}") and word.lower() not in said)
    right = {
        word: frozenset(f"emoji:{code}" for code in emoji.codes("train") if word in emoji_table()[code].keywords) & keys
        for word in held
    }
    return [Query(word, found) for word, found in right.items() if 0 < len(found) <= emoji.SHARED_BY_MANY]


def handwritten() -> list[Query]:
    """Queries written by hand, without a look at CLDR, over seen()."""
    keys = _keys(seen())
    right = {query: _found(answers) & keys for query, answers in section("emoji_synonyms").items()}
    return [Query(query, found) for query, found in right.items() if found]


def sound_sources() -> dict[str, frozenset[str]]:
    """Sound (a key of [sounds]) → keys of the pictures of seen() that show what makes it."""
    keys = _keys(seen())
    right = {sound: _found(answers) & keys for sound, answers in SOUND_TO_EMOJI.items()}
    return {sound: found for sound, found in right.items() if found}


def _keys(examples: Iterable[Example]) -> frozenset[str]:
    return frozenset(example.key for example in examples)


def _found(answers: Iterable[str]) -> frozenset[str]:
    return frozenset(f"emoji:{code_of(text)}" for text in answers)


def _in_hand(hand: str, part: int) -> list[Example]:
    drawn = sources.hand(hand).rows
    keeps = sources.hand(hand).bitmaps.ndim == 4
    wanted = [code for code in emoji.codes("train") if keeps or not emoji_table()[code].has_color_name]
    return [_pictured(code, hand, part, "train") for code in wanted if code in drawn]


def _random(part: int, name: str) -> np.random.Generator:
    return np.random.default_rng([SEED, part, *name.encode()])


def _pictured(code: str, hand: str, part: int, grounds: Side = "dev") -> Example:
    rng = _random(part, code)
    canvas = background(rng, *placing.canvas_size(rng), grounds)
    emoji.alone(code, rng, canvas, hand)
    return Example(placing.finished(canvas, rng), f"emoji:{code}", list(spoken(code)[:2]), (code,))


def _object(key: str, drawing: tuple[str, str]) -> Example:
    rng = _random(5, f"{key} {drawing[1]}")
    canvas = background(rng, *placing.canvas_size(rng), "train")
    icons.show(drawing, canvas, rng)
    names = section("objects")[key]
    return Example(placing.finished(canvas, rng), f"object:{key}", objects.plainly(names[0]), (objects.item(drawing),))


def sets() -> Iterator[tuple[str, list[Example]]]:
    """Every set of pictures by its name."""
    yield from {"seen": seen(), "unseen": unseen(), "plain font": plain(), "foreign hand": foreign(),
                "unseen drawings": unseen_drawings()}.items()  # fmt: skip
