"""Landscapes and places.

Knows: the scenes, what is said about them. Does not know: what is drawn in each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..examples import Example, Family
from ..split import Side
from . import canvas
from .land import Land
from .nature import NATURE
from .places import PLACES
from .wording import Wording, article, keys, pick

SCALE = 2
SCENES: dict[str, Callable[[Land], None]] = {**NATURE, **PLACES}


COLOURFUL = {"rainbow", "autumn", "farm", "sunset", "volcano"}
"""Scenes that their colours tell."""


@dataclass
class Scene:
    """A place or weather."""

    name: str = "scene"
    weight: float = 7

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        return draw_scene(pick(rng, keys("scenes")), rng, side)


def draw_scene(kind: str, rng: np.random.Generator, side: Side) -> Example:
    """The scene, drawn afresh."""
    size = canvas.final_size(rng, pick(rng, (1, 1, 1.33, 1.5, 1.78)))
    land = Land((size[0] * SCALE, size[1] * SCALE), rng)
    SCENES[kind](land)
    words = Wording(rng, side)
    contents = [_said(words, kind) for _ in range(3)]
    image = canvas.reduced(land.image, SCALE, rng)
    if rng.random() < 0.25:
        image = canvas.restyled(image, rng, kind in COLOURFUL)
    media = canvas.worn(image, rng, 0.3)
    return Example(media, f"scene:{kind}", contents, tuple(words.uses))


def _said(words: Wording, kind: str) -> str:
    return words.pattern(
        ("{s}",) * 5 + ("a scene of {s}", "a view of {s}", "scenery: {s}"), s=article(words.name("scenes", kind))
    )


FAMILIES: list[Family] = [Scene()]
