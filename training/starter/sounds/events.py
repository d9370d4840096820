"""Everyday sounds: every kind of the vocabulary, in some place.

Knows: kinds, names, rooms. Does not know: how a kind is made (the modules listed here), windows, captions.
"""

from __future__ import annotations

import numpy as np

from .. import vocabulary
from ..examples import Example
from ..split import Side
from . import animals, household, instruments, people, signals, small, tools, vehicles, weather
from .dice import Dice
from .kinds import SOUNDS
from .rooms import heard, resampled

MADE_BY = (animals, household, instruments, people, signals, small, tools, vehicles, weather)


class Events:
    """Family of everyday sounds, each kind as often as the others."""

    name = "sounds"
    weight = 1.0

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        return event(Dice(rng, side), Dice(rng).pick(sorted(SOUNDS)))


def event(d: Dice, kind: str) -> Example:
    """One sound of a kind, by one of its synthesisers, heard somewhere; its key is "sound:KIND"."""
    samples = d.pick(SOUNDS[kind])(d)
    if d.chance(0.5):
        samples = resampled(samples, d.between(0.88, 1.14))
    names = vocabulary.names(vocabulary.section("sounds")[kind], d.side)
    uses = tuple(f"synonym {name}" for name in names[1:])
    return Example(heard(d, samples).astype(np.float32), f"sound:{kind}", tuple(names), uses)
