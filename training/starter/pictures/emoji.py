"""Emoji: one, two, several of a kind, one in a small scene; in several hands and styles.

Knows: which drawing may be turned, mirrored or stripped of colour, what it may be called on which side. Does not know:
where bitmaps come from, how development sets are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..examples import Example
from ..split import Side, held_out
from ..vocabulary import section
from . import emoji_names, placing, sources, styles
from .backgrounds import Canvas, background, brightness, plain
from .emoji_names import (
    ADJECTIVES,
    Emoji,
    code_of,
    countable,
    emoji,
    keyword_counts,
    named,
    names_color,
    plural,
    spoken,
    with_article,
)

SHARED_BY_MANY = 30
"""A keyword of more emoji than this ("face") is not said alone."""
SOLID = {"Animals & Nature", "Food & Drink", "Travel & Places", "Activities", "Objects"}
UPRIGHT = {"Flags", "Symbols"}
TURNED_LITTLE = {"time", "arrow", "alphanum", "keycap", "av-symbol", "math", "zodiac", "hand-single-finger"}
THINGS = ("animal-", "food-", "plant-", "drink", "dishware", "transport-", "clothing", "music", "phone", "computer",
          "tool", "household", "sport", "game", "office", "light", "book", "science", "medical", "place-b")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawing:
    """What was drawn: its bitmap, and whether its colours are the real ones."""

    bitmap: styles.Bitmap
    true_color: bool


def stripped(phrase: str) -> str:
    """A phrase without its article, in small letters; how queries and synonyms are compared."""
    words = phrase.lower().split()
    return " ".join(words[1:] if words[0] in ("a", "an", "the", "some") and len(words) > 1 else words)


@cache
def reserved() -> frozenset[str]:
    """What the handwritten queries of the development set say: never a caption of training."""
    return frozenset(stripped(query) for query in section("emoji_synonyms"))


@cache
def _names_of_objects() -> dict[str, list[str]]:
    """Emoji → names of the objects that it shows."""
    found: dict[str, list[str]] = {}
    for key, texts in section("object_emoji").items():
        for text in texts:
            found.setdefault(code_of(text), []).extend(section("objects")[key])
    return found


@cache
def synonyms(code: str) -> tuple[str, ...]:
    """CLDR's keywords, and synonyms of the objects that this emoji shows; a colour only where its name says one."""
    ours = [word for word in _names_of_objects().get(code, ()) if stripped(word) != emoji()[code].name]
    colored = names_color(emoji()[code].name)
    return tuple(word for word in dict.fromkeys([*emoji()[code].keywords, *ours]) if colored or not names_color(word))


@cache
def allowed_synonyms(code: str, side: Side) -> tuple[str, ...]:
    """Synonyms that this side may say."""
    return tuple(
        word
        for word in synonyms(code)
        if side == "dev" or not (held_out(f"synonym {word}") or stripped(word) in reserved())
    )


def phrases(code: str, rng: np.random.Generator, side: Side, true_color: bool = True) -> tuple[list[str], list[str]]:
    """Contents for one emoji, and the synonyms in them: its name, a keyword or two, both together."""
    names = list(spoken(code))
    contents, used = [names[0], names[int(rng.integers(len(names)))]], []
    words = [word for word in allowed_synonyms(code, side) if true_color or not names_color(word)]
    for index in rng.permutation(len(words))[:2]:
        word = words[index]
        used.append(word)
        if keyword_counts()[word] <= SHARED_BY_MANY:
            contents.append(named(word) if rng.random() < 0.4 else word)
        if rng.random() < 0.4 and word not in names[1]:
            if word in ADJECTIVES and ":" not in emoji()[code].name:
                contents.append(with_article(f"{word} {emoji()[code].name}"))
            else:
                contents.append(f"{names[1]}, {word}" if rng.random() < 0.5 else f"{word}: {names[1]}")
    return contents, used


@cache
def _hands(code: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Hands with colours and without that drew this emoji, and that training may use."""
    colored = tuple(name for name in sources.COLOR_EMOJI if code in sources.hand(name).rows)
    plain_ones = tuple(name for name in sources.PLAIN_EMOJI if code in sources.hand(name).rows)
    return colored, () if emoji()[code].has_color_name else plain_ones


def drawing(code: str, rng: np.random.Generator, ground: float, hand: str | None = None) -> Drawing:
    """The emoji in a hand and a style. ground: brightness of what it will stand on. hand: that one, unchanged."""
    one = emoji()[code]
    if hand is None:
        colored, plain_ones = _hands(code)
        if plain_ones and rng.random() < 0.22:
            return _inked(sources.hand(plain_ones[int(rng.integers(len(plain_ones)))]).bitmap(code), rng, ground)
        hand = "noto" if rng.random() < 0.45 else colored[int(rng.integers(len(colored)))]
        row = _toned(one, rng) if hand == "noto" else code
        bitmap = sources.hand(hand).bitmap(row)
        style = styles.pick(rng, styles.COLOR_KEEPING if one.has_color_name else styles.FREE)
        if style == "silhouette" and (one.group not in SOLID or (bitmap[..., 3] > 128).mean() > 0.66):
            style = "line art"
    else:
        bitmap, style = sources.hand(hand).bitmap(code), "colour"
        if sources.hand(hand).bitmaps.ndim == 3:
            return Drawing(styles.inked(bitmap[..., 3], placing.ink_for(ground, rng)), False)
    change = (styles.COLOR_KEEPING | styles.FREE)[style][0]
    restyled = bitmap if change is None else change(bitmap, rng, placing.ink_for(ground, rng))
    return Drawing(restyled, style in styles.COLOR_KEEPING)


def _inked(bitmap: styles.Bitmap, rng: np.random.Generator, ground: float) -> Drawing:
    """A drawing without colours of its own, in one ink, now and then as a sticker."""
    inked = styles.inked(bitmap[..., 3], placing.ink_for(ground, rng))
    if rng.random() < 0.15:
        inked = styles.sticker(inked, rng, inked[0, 0, :3])
    return Drawing(inked, False)


def _toned(one: Emoji, rng: np.random.Generator) -> str:
    tones = [code for code in one.tones if code in sources.hand("noto").rows]
    return tones[int(rng.integers(len(tones)))] if tones and rng.random() < 0.35 else one.code


def posed(bitmap: styles.Bitmap, one: Emoji, size: float, rng: np.random.Generator) -> styles.Bitmap:
    """Scaled, and turned and mirrored as far as its meaning allows."""
    most = 5 if one.subgroup in TURNED_LITTLE else 12 if one.group in UPRIGHT else 20
    angle = rng.uniform(-most, most) if rng.random() < 0.5 else 0.0
    said = f" {one.name} "
    sided = one.group in UPRIGHT or one.subgroup in TURNED_LITTLE or "left" in said or "right" in said
    lettered = one.subgroup in ("book-paper", "office", "computer", "money", "mail", "place-map", "writing")
    return placing.sized(bitmap, size, angle, not (sided or lettered) and bool(rng.random() < 0.35))


def alone(code: str, rng: np.random.Generator, canvas: Canvas, hand: str | None = None) -> bool:
    """Draw one emoji on the canvas, in place: anywhere, of any size. Whether its colours are the real ones."""
    height, width = canvas.shape[:2]
    ground = brightness(canvas)
    drawn = drawing(code, rng, ground, hand)
    if _too_alike(drawn.bitmap, ground):
        canvas[:] = rng.integers(225, 256, 3) if ground < 140 else rng.integers(10, 110, 3)
    size = min(height, width) * (rng.uniform(0.72, 1.0) if rng.random() < 0.6 else rng.uniform(0.35, 0.72))
    bitmap = posed(drawn.bitmap, emoji()[code], size, rng)
    room = (max(width - bitmap.shape[1], 0) / 2, max(height - bitmap.shape[0], 0) / 2)
    spill = 0.12 * size if rng.random() < 0.12 else 0.0
    center = (width / 2 + rng.uniform(-1, 1) * (room[0] + spill), height / 2 + rng.uniform(-1, 1) * (room[1] + spill))
    if rng.random() < 0.12:
        fall = rng.uniform(1, 5)
        placing.lay(canvas, placing.shadow(bitmap, rng.uniform(0.3, 0.6), fall), (center[0] + fall, center[1] + fall))
    placing.lay(canvas, bitmap, center)
    return drawn.true_color


def _too_alike(bitmap: styles.Bitmap, ground: float) -> bool:
    """Whether the drawing as a whole would be lost on a ground of this brightness."""
    part = bitmap[::6, ::6].astype(np.float32)
    cover = part[..., 3].sum() / 255
    if cover == 0:
        return True
    shade = (part[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32)) + ground * (1 - part[..., 3] / 255)
    return float(np.abs(shade - ground).sum() / cover) < 34


@cache
def codes(side: Side, things: bool = False) -> tuple[str, ...]:
    """Emoji that this side may draw. things: only nameable things, for pictures of several."""
    drawn = sources.hand("noto").rows
    return tuple(
        code
        for code, one in emoji().items()
        if code in drawn
        and (side == "dev" or not held_out(code))
        and (not things or (one.subgroup.startswith(THINGS) and len(one.name.split()) <= 2 and "-" not in code))
    )


@cache
def _shares(side: Side) -> NDArray[np.float64]:
    """Cumulated: sequences (families, jobs by gender), flags and clocks are many and rarely asked for."""
    shares = [
        0.4 if "-" in code and one.group != "Flags" else 0.5 if one.group == "Flags" or one.subgroup == "time" else 1.0
        for code, one in ((code, emoji()[code]) for code in codes(side))
    ]
    total = np.cumsum(np.array(shares))
    return np.asarray(total / total[-1], np.float64)


def some_code(rng: np.random.Generator, side: Side) -> str:
    """An emoji by its share."""
    return codes(side)[int(np.searchsorted(_shares(side), rng.random()))]


def some_things(rng: np.random.Generator, side: Side, count: int) -> list[str]:
    """Different nameable things."""
    pool = codes(side, things=True)
    return [pool[int(index)] for index in rng.choice(len(pool), count, replace=False)]


def uses_of(chosen: Sequence[str], used: Sequence[str] = ()) -> tuple[str, ...]:
    """Code points and synonyms, as the split rule names them."""
    return (*chosen, *(f"synonym {word}" for word in used))


@dataclass(frozen=True)
class OneEmoji:
    """A single emoji, anywhere."""

    name: str = "emoji"
    weight: float = 30.0

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        code = some_code(rng, side)
        canvas = background(rng, *placing.canvas_size(rng), side)
        true_color = alone(code, rng, canvas)
        contents, used = phrases(code, rng, side, true_color)
        return Example(placing.finished(canvas, rng), f"emoji:{code}", contents, uses_of([code], used))


def name_of(code: str) -> str:
    """The bare name of a thing."""
    return emoji_names.spoken(code)[1]


@dataclass(frozen=True)
class TwoEmoji:
    """Two things side by side, above each other or aslant."""

    name: str = "two emoji"
    weight: float = 6.0

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        pair = some_things(rng, side, 2)
        height, width = placing.canvas_size(rng)
        canvas = background(rng, height, width, side)
        ground = brightness(canvas)
        spread = min(height, width) * rng.uniform(0.23, 0.27)
        turn = rng.choice([0, np.pi / 4, np.pi / 2, -np.pi / 4]) + rng.uniform(-0.15, 0.15)
        for code, way in zip(pair, (-1, 1)):
            bitmap = posed(drawing(code, rng, ground).bitmap, emoji()[code], spread * rng.uniform(1.5, 2.0), rng)
            away = (way * spread * np.cos(turn), way * spread * np.sin(turn))
            placing.lay(canvas, bitmap, (width / 2 + away[0], height / 2 + away[1]))
        a, b = (with_article(name_of(code)) for code in pair)
        contents = [f"{a} and {b}", f"{b} and {a}", f"{a} next to {b}", f"{b} with {a}"]
        return Example(placing.finished(canvas, rng), f"emoji pair:{'+'.join(sorted(pair))}", contents, uses_of(pair))


NUMBERS = {2: ("two", "a pair of"), 3: ("three",), 4: ("four",), 5: ("five",), 6: ("six", "half a dozen")}


@dataclass(frozen=True)
class SeveralEmoji:
    """Two to six of a kind: in a row, in a block, or scattered without touching."""

    name: str = "several emoji"
    weight: float = 5.0

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        code = some_things(rng, side, 1)[0]
        while not countable(name_of(code)):
            code = some_things(rng, side, 1)[0]
        count = int(rng.integers(2, 7))
        height, width = placing.canvas_size(rng)
        canvas = background(rng, height, width, side)
        drawn = drawing(code, rng, brightness(canvas)).bitmap
        columns = count if count <= 3 and rng.random() < 0.6 else int(np.ceil(np.sqrt(count)))
        rows = int(np.ceil(count / columns))
        cell = min(width / columns, height / rows)
        cells = rng.permutation(rows * columns)[:count] if rng.random() < 0.5 else np.arange(count)
        for place in cells:
            y, x = divmod(int(place), columns)
            bitmap = posed(drawn, emoji()[code], cell * rng.uniform(0.7, 0.9), rng)
            shift = rng.uniform(-0.06, 0.06, 2) * cell
            placing.lay(canvas, bitmap, ((x + 0.5) * width / columns + shift[0], (y + 0.5) * height / rows + shift[1]))
        noun = plural(name_of(code))
        contents = [f"{number} {noun}" for number in NUMBERS[count]]
        return Example(placing.finished(canvas, rng), f"emoji count:{count}:{code}", contents, uses_of([code]))


PLACES: dict[str, tuple[tuple[int, int, int], tuple[int, int, int], tuple[str, ...]]] = {
    "grass": ((125, 190, 245), (95, 170, 70), ("on grass", "in a meadow", "on a green field")),
    "sea": ((150, 205, 245), (40, 110, 185), ("at sea", "on the water", "in front of the sea")),
    "beach": ((140, 205, 250), (235, 212, 155), ("on a beach", "on sand", "by the beach")),
    "night": ((12, 16, 48), (28, 34, 44), ("at night", "in the dark", "under a dark sky")),
    "snow": ((190, 215, 235), (246, 249, 253), ("in the snow", "on snow", "in winter")),
    "sunset": ((250, 150, 90), (95, 60, 85), ("at sunset", "in the evening light", "at dusk")),
    "table": ((236, 226, 206), (150, 102, 62), ("on a table", "on a wooden table", "on a desk")),
}
"""Place → colours above and below, how it is said."""


@dataclass(frozen=True)
class EmojiInPlace:
    """A thing where one might meet it: on grass, at sea, at night."""

    name: str = "emoji in a place"
    weight: float = 3.0

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        code, place = some_things(rng, side, 1)[0], list(PLACES)[int(rng.integers(len(PLACES)))]
        above, below, said = PLACES[place]
        height, width = placing.canvas_size(rng)
        line = int(height * rng.uniform(0.45, 0.75))
        canvas = plain(np.clip(np.array(above) + rng.integers(-12, 13, 3), 0, 255), height, width)
        canvas[line:] = np.clip(np.array(below) + rng.integers(-12, 13, 3), 0, 255)
        if place == "night":
            canvas[rng.integers(0, line, 14), rng.integers(0, width, 14)] = 230
        size = min(height, width) * rng.uniform(0.45, 0.75)
        hand = sources.COLOR_EMOJI[int(rng.integers(len(sources.COLOR_EMOJI)))]
        drawn = drawing(code, rng, 255.0, hand if code in sources.hand(hand).rows else "noto").bitmap
        bottom = min(height - size / 2, line + rng.uniform(0.0, 0.3) * height - size / 4)
        placing.lay(canvas, posed(drawn, emoji()[code], size, rng), (rng.uniform(0.35, 0.65) * width, bottom))
        thing = with_article(name_of(code))
        contents = [f"{thing} {where}" for where in said]
        return Example(placing.finished(canvas, rng), f"emoji place:{code}:{place}", contents, uses_of([code]))


FAMILIES = (OneEmoji(), TwoEmoji(), SeveralEmoji(), EmojiInPlace())
