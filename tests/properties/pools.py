"""Inputs of every kind that a family reads, cheap enough to encode hundreds of times.

Knows: what each family accepts. Does not know: what comes out.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from manysense import Audio, Video
from twins.samples import RATE, TEXTS, clip, pictures, sounds

SAMPLES = Path(__file__).parents[2] / "samples"
WORDY = [*TEXTS, "", "a red", "a red circle again", "water " * 20, "the dog " * 30, "night and music " * 30, "42"]

FAMILIES: dict[str, dict[str, Any]] = {
    "bert": {},
    "bert-new": {"pooling": ("lasttoken", "mean", "cls", "max"), "style": "new", "normalize": False},
    "bert-bare": {},
    "static": {},
    "clip": {},
    "clap": {},
    "clap-fusion": {"truncation": "fusion"},
    "qwen3_vl": {},
    "towers": {},
}
"""Name here → variant of the twin whose name it starts with."""


def twin_name(family: str) -> str:
    return "bert" if family == "bert-new" else "clap" if family == "clap-fusion" else family


@cache
def pool(family: str) -> list[Any]:
    """At least a dozen inputs; media of several sizes, lengths and forms."""
    if family == "clip":
        return [*TEXTS, "the dog " * 20, *pictures(), pictures()[0].convert("L"), *_files("red_circle.png")]
    if family.startswith("clap"):
        tone, clicks, rumble, _ = sounds()
        short = {"array": tone[::3], "sampling_rate": RATE // 3}
        return [*TEXTS, "the song " * 30, tone, (clicks, RATE), rumble[: 11 * RATE], short, *_files("weather.wav")]
    if family == "towers":
        tone, clicks, rumble, _ = sounds()
        heard = [Audio(tone, RATE), Audio(clicks, RATE), Audio(rumble[: 7 * RATE], RATE)]
        return [*TEXTS, *pictures(), *heard, Video(clip(3, 64, 48)), *_files("red_circle.png"), *_files("weather.wav")]
    if family == "qwen3_vl":
        first, second, third = (picture.resize((80, 64)) for picture in pictures())
        frames = clip(3, 64, 48)
        talk = [{"role": "user", "content": TEXTS[0]}, {"role": "assistant", "content": "a dog"}]
        return [
            *TEXTS,
            "",
            first,
            pictures()[1],
            {"text": TEXTS[0], "image": first},
            {"image": [second, third], "text": TEXTS[3]},
            {"video": frames},
            np.stack([np.asarray(frame) for frame in frames[:2]]),
            talk,
            *_files("blue_square.png"),
        ]
    return WORDY


def _files(name: str) -> list[str]:
    return [str(SAMPLES / name)]
