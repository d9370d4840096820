"""Clips of a scene and a sound, for development: pictures that move a little, and what is heard.

Knows: how a clip is put together, which clips stand beside each other. Does not know: how scenes are drawn (a callable
is passed in) or sounds made. Training needs no clips: a clip's vector is the mean of its frames' and its sound's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from .. import captions, vocabulary
from ..examples import Example
from .dice import Dice
from .events import event

SEED = 71_000
FRAMES = 4
Draw = Callable[[str, np.random.Generator], Example]
"""A scene by its key and a seed: a picture with contents ("a sandy beach")."""


@dataclass(frozen=True, slots=True)
class Clip:
    """frames: RGB pictures of one size. samples: float32 at 16 kHz. query: a caption of scene and sound together.

    key: "SCENE + SOUND". Others in the set share the scene or the sound, none both.
    """

    frames: Sequence[Image.Image]
    samples: np.ndarray[tuple[int], np.dtype[np.float32]]
    key: str
    query: str


def moving(picture: Image.Image, rng: np.random.Generator, frames: int = FRAMES) -> list[Image.Image]:
    """A camera that pans and comes a little nearer."""
    picture = picture.convert("RGB")
    wide, high = picture.size
    share = rng.uniform(0.82, 0.94)
    ends = rng.uniform(0, 1 - share, (2, 2))
    found = []
    for step in np.linspace(0, 1, frames):
        left, top = ends[0] * (1 - step) + ends[1] * step
        box = (left * wide, top * high, (left + share) * wide, (top + share) * high)
        found.append(picture.resize((wide, high), Image.Resampling.BICUBIC, box=box))
    return found


def clips(draw: Draw, scenes: Sequence[str], kinds: Sequence[str], count: int = 150) -> list[Clip]:
    """`count` clips out of scenes x kinds of sound, every pair once at most; new seeds, unseen prompts.

    With 15 scenes, 20 kinds and 150 clips every clip has about nine others with its scene and seven with its sound.
    """
    pairs = [(scene, kind) for scene in scenes for kind in kinds]
    order = np.random.default_rng(SEED).permutation(len(pairs))[:count]
    found = []
    for number in order:
        scene, kind = pairs[number]
        rng = np.random.default_rng([SEED, int(number)])
        seen, sounded = draw(scene, rng), event(Dice(rng, "dev"), kind)
        said = f"{rng.choice(list(seen.contents))} {_joint(rng)} {_heard(kind, rng)}"
        query = captions.unseen_caption(said, "clip", rng)
        found.append(Clip(moving(seen.media, rng), sounded.media, f"{scene} + {kind}", query))
    return found


def _heard(kind: str, rng: np.random.Generator) -> str:
    return str(rng.choice(vocabulary.section("sounds")[kind][:3]))


def _joint(rng: np.random.Generator) -> str:
    return str(rng.choice(["with the sound of", "while you hear", "and", "accompanied by"]))
