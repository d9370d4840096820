"""The list of sounds: which kinds there are and who makes them.

Knows: names of kinds and their synthesisers, several a kind. Does not know: how they are made, rooms, captions.
"""

from __future__ import annotations

from collections.abc import Callable

from .dice import Dice
from .synth import Array

Synthesiser = Callable[[Dice], Array]
SOUNDS: dict[str, list[Synthesiser]] = {}
"""Kind → its synthesisers, each another algorithm."""


def sound(kind: str) -> Callable[[Synthesiser], Synthesiser]:
    """Put a synthesiser on the list. It gives 0.3-6 s at 16 kHz, of any loudness."""

    def listed(make: Synthesiser) -> Synthesiser:
        SOUNDS.setdefault(kind, []).append(make)
        return make

    return listed
