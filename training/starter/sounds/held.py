"""Development sets of sound and speech: what training never heard, one axis at a time.

Knows: the sets, what is held out in each, the queries. Does not know: models, scores. All of them are made again from
seeds each time, in seconds to a minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from .. import captions, vocabulary
from ..examples import Example
from ..split import only_held_out
from . import speech, voices
from .clips import Clip, Draw, clips
from .dice import Dice
from .events import event
from .kinds import SOUNDS

SEED = 90_000
CLIP_SCENES = (
    "beach city desert farm forest meadow mountains night rainbow river road snow sunset village volcano".split()
)
CLIP_SOUNDS = (
    "dog,cat,bird,rain,thunder,car horn,train,siren,helicopter,piano,guitar,violin,drum,bell,applause,laughter,"
    "telephone,footsteps,baby crying,door knock"
).split(",")


@dataclass(frozen=True, slots=True)
class Query:
    """A text and the keys of all examples that answer it."""

    text: str
    keys: frozenset[str]


def _random(part: int, name: str) -> np.random.Generator:
    return np.random.default_rng([SEED, part, *name.encode()])


@cache
def sounds(each: int = 2) -> list[Example]:
    """Every kind of sound, new seeds, and parameters outside of the ranges that training draws from."""
    return _events(1, each)


def sound_queries(each: int = 2) -> list[Query]:
    """Kinds by synonyms that training never says (where a kind has one), in prompts that it never says."""
    found = []
    for kind, entry in vocabulary.section("sounds").items():
        rng = _random(2, kind)
        names = vocabulary.unseen_names(entry) or list(entry)
        for number in range(each):
            text = captions.unseen_caption(names[number % len(names)], "sound", rng)
            found.append(Query(text, frozenset({f"sound:{kind}"})))
    return found


def strict_sound_queries() -> list[Query]:
    """Only those kinds that have an unseen synonym, every such synonym once, alone."""
    return [
        Query(name, frozenset({f"sound:{kind}"}))
        for kind, entry in vocabulary.section("sounds").items()
        for name in vocabulary.unseen_names(entry)
    ]


@cache
def sounds_with_a_source(each: int = 2) -> list[Example]:
    """Sounds whose source an emoji shows (section sound_emoji), for finding the picture by the sound."""
    return [one for one in _events(3, each) if one.key.removeprefix("sound:") in vocabulary.section("sound_emoji")]


@cache
def words(count: int = 300) -> list[Example]:
    """Single words by throats of espeak-ng that training never hears."""
    return [speech.spoken(Dice(_random(4, word), "dev"), word, speech.by_espeak) for word in _some_words(count)]


@cache
def phrases() -> list[Example]:
    """Phrases that training never hears, by throats of espeak-ng that it never hears either."""
    chosen = only_held_out(speech.phrases())
    return [speech.spoken(Dice(_random(5, phrase), "dev"), phrase, speech.by_espeak) for phrase in chosen]


@cache
def by_flite(voice: str, count: int = 150) -> list[Example]:
    """Single words by another synthesiser. voice: one of voices.FLITE."""
    return [_clean(word, voices.flite(word, voice), f"flite {voice}") for word in _some_words(count)]


@cache
def by_unseen_festival(count: int = 150) -> list[Example]:
    """Single words by the festival voice that the rule holds out."""
    words = _some_words(count)
    voice = only_held_out([f"festival {name}" for name in voices.FESTIVAL], "voice")[0].removeprefix("festival ")
    return [_clean(word, said, f"festival {voice}") for word, said in zip(words, voices.festival(words, voice))]


def speech_queries(examples: Sequence[Example]) -> list[Query]:
    """What each example says, in a prompt that training never says; every key once."""
    texts = {example.key: example.contents[0] for example in examples}
    return [
        Query(captions.unseen_caption(text, "speech", _random(6, text)), frozenset({key}))
        for key, text in texts.items()
    ]


def plain_queries(examples: Sequence[Example]) -> list[Query]:
    """What each example says or sounds like, alone; every key once."""
    texts = {example.key: example.contents[0] for example in examples}
    return [Query(text, frozenset({key})) for key, text in texts.items()]


def scene_clips(draw: Draw | None = None, count: int = 150) -> list[Clip]:
    """Scenes with sounds; others share the scene or the sound. draw: (key, rng) → picture; else pictures/scenes.py."""
    return clips(draw or _scene, CLIP_SCENES, CLIP_SOUNDS, count)


def _scene(kind: str, rng: np.random.Generator) -> Example:
    from ..pictures.scenes import draw_scene

    return draw_scene(kind, rng, "dev")


def _events(part: int, each: int) -> list[Example]:
    found = []
    for kind in sorted(SOUNDS):
        for number in range(each):
            found.append(event(Dice(_random(part, f"{kind} {number}"), "dev"), kind))
    return found


def _some_words(count: int) -> list[str]:
    """The same words for every voice, spread over the fields."""
    words = speech.words()
    order = np.random.default_rng(SEED).permutation(len(words))[:count]
    return [words[k] for k in sorted(order)]


def _clean(text: str, samples: np.ndarray, voice: str) -> Example:
    return Example(samples.astype(np.float32), f"say:{text}", (text,), (voice,))
