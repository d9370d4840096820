"""Spoken words and short phrases.

Knows: which words and phrases there are, how a speaker is drawn. Does not know: how synthesisers are called
(voices.py), rooms (rooms.py), captions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from .. import vocabulary
from ..examples import Example
from ..split import Side, allowed, only_held_out
from . import throats, voices
from .dice import Dice
from .mouth import mouth
from .rooms import heard, resampled
from .synth import Array
from .vocoder import revoiced

BATCHES = Path(__file__).parents[3] / "build" / "starter" / "sounds" / "festival"
"""What festival said is kept here: (voice, stretch, pitch) each in a file of its own."""
TAKES = (
    ("ked_diphone", 1.0, 0.0),
    ("ked_diphone", 1.35, 90.0),
    ("ked_diphone", 0.85, 150.0),
    ("ked_diphone", 1.1, 210.0),
    ("cmu_us_slt_arctic_hts", 1.0, 0.0),
)
SIZES = ("big", "small", "old", "little", "young")
THINGS = (
    "house",
    "tree",
    "dog",
    "cat",
    "car",
    "boat",
    "horse",
    "bird",
    "chair",
    "flower",
    "fish",
    "clock",
    "train",
    "ball",
)
DOINGS = ("open the {}", "close the {}", "find the {}", "where is the {}", "my {}", "the {}", "a {}", "no {}")
OBJECTS = ("door", "window", "box", "book", "key", "bag", "letter", "garden", "kitchen", "shop", "picture", "computer")


@cache
def words() -> tuple[str, ...]:
    """All spoken words of the vocabulary, without repetition."""
    found = [word for field in vocabulary.section("words").values() for word in field]
    return tuple(dict.fromkeys(found))


@cache
def phrases() -> tuple[str, ...]:
    """Phrases of two or three words; one of eight is held out by its own text."""
    fields = vocabulary.section("words")
    colours, shapes, numbers = fields["colours"][:12], fields["shapes"][:9], fields["numbers"][1:9]
    found = [f"{colour} {shape}" for colour in colours for shape in shapes]
    found += [f"{colour} {thing}" for colour in colours[:9] for thing in THINGS]
    found += [f"{size} {thing}" for size in SIZES for thing in THINGS]
    found += [f"{number} {thing}s" for number in numbers[1:] for thing in THINGS if thing != "fish"]
    found += [doing.replace("{}", thing) for doing in DOINGS for thing in OBJECTS]
    found += [f"{day} {part}" for day in fields["time"][:7] for part in ("morning", "afternoon", "evening")]
    return tuple(dict.fromkeys(found))


@cache
def recorded(take: tuple[str, float, float]) -> Mapping[str, Array]:
    """All words and trainable phrases by a festival voice; said once, then read from disk."""
    voice, stretch, pitch = take
    file = BATCHES / f"{voice}-{stretch}-{pitch:.0f}.npz"
    texts = [*words(), *allowed(phrases(), "train")]
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        said = voices.festival(texts, voice, stretch, pitch)
        ends = np.cumsum([len(x) for x in said])
        np.savez(file, samples=(np.concatenate(said) * 32767).astype(np.int16), ends=ends, texts=np.array(texts))
    with np.load(file) as kept:
        parts = np.split(kept["samples"], kept["ends"][:-1])
        return {str(text): part / 32767 for text, part in zip(kept["texts"], parts)}


def _named(d: Dice, name: str) -> str:
    """A throat that the synthesiser comes with; "" for the plain one."""
    return d.pick(voices.variants(name, d.side)) if d.side == "dev" or d.chance(0.85) else ""


def _drawn(d: Dice, name: str) -> str:
    voices.espeak(name).lend("drawn", throats.throat(d))
    return "drawn"


def by_espeak(d: Dice, text: str, throat_of: Callable[[Dice, str], str] = _named) -> tuple[Array, str]:
    """Any accent, throat, pace and pitch of espeak-ng or espeak. Returns samples and the split's name of the voice."""
    name = "espeak-ng" if d.chance(0.75) else "espeak"
    accent = d.pick(voices.ESPEAK_NG if name == "espeak-ng" else voices.ESPEAK)
    for _ in range(20):
        throat = throat_of(d, name)
        if throat in voices.BREAKS:
            continue
        voice = f"{accent}+{throat}" if throat else accent
        rate, pitch, melody = int(d.between(105, 260)), d.whole(15, 90), d.whole(5, 95)
        said = voices.espeak(name).say(text, voice, rate, pitch, melody)
        if len(said) > 1600 and np.abs(said).max() > 0.01:
            return said, f"voice {throat or 'plain'}"
    raise RuntimeError(f"nobody says {text!r}")


def by_throat(d: Dice, text: str) -> tuple[Array, str]:
    """As `by_espeak`, from a throat that nobody has. Training only."""
    return by_espeak(d, text, _drawn)


def by_pico(d: Dice, text: str) -> tuple[Array, str]:
    voice = d.pick(voices.PICO)
    return voices.pico(text, voice, d.between(0.7, 1.4), d.between(0.75, 1.35)), f"voice pico {voice}"


def by_festival(d: Dice, text: str) -> tuple[Array, str]:
    take = d.pick(TAKES)
    return np.array(recorded(take)[text]), f"voice festival {take[0]}"


def by_mouth(d: Dice, text: str) -> tuple[Array, str]:
    return mouth(d, text), "voice mouth"


Speaker = Callable[[Dice, str], tuple[Array, str]]
SPEAKERS: tuple[tuple[Speaker, float], ...] = ((by_espeak, 0.5), (by_pico, 0.18), (by_festival, 0.17), (by_mouth, 0.15))


def utterance(d: Dice, text: str, speaker: Speaker | None = None) -> tuple[Array, str]:
    """Somebody says the text somewhere. Returns samples at 16 kHz and the split's name of the voice."""
    shares = np.array([share for _, share in SPEAKERS])
    one = speaker or SPEAKERS[int(d.rng.choice(len(SPEAKERS), p=shares / shares.sum()))][0]
    said, voice = one(d, text)
    if d.side == "train":
        if d.chance(0.4):
            said = revoiced(d, said)
        if d.chance(0.5):
            said = resampled(said, d.between(0.83, 1.2))
    return heard(d, said), voice


class Words:
    """Family of single words."""

    name = "words"
    weight = 0.8

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        return spoken(Dice(rng, side), Dice(rng).pick(words()))


class Phrases:
    """Family of phrases; on "dev" only those that training never hears."""

    name = "phrases"
    weight = 0.2

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        those = allowed(phrases(), "train") if side == "train" else only_held_out(phrases())
        return spoken(Dice(rng, side), Dice(rng).pick(those))


def spoken(d: Dice, text: str, speaker: Speaker | None = None) -> Example:
    """One utterance as an example; its key is "say:TEXT"."""
    samples, voice = utterance(d, text, speaker)
    uses = (voice, text) if " " in text else (voice,)
    return Example(samples.astype(np.float32), f"say:{text}", (text,), uses)
