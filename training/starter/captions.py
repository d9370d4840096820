"""Sentences around content: the same thing asked for in many ways.

Knows: the prompts, which of them are held out. Does not know: what the content is.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from .split import Side, allowed, only_held_out

PROMPTS = Path(__file__).parent / "prompts.txt"
BARE = 0.4
"""How often the content stands alone."""


@cache
def prompts(kind: str) -> tuple[str, ...]:
    """Prompts of one kind ("picture", "sound", "speech", "clip"); each holds one {}."""
    found: dict[str, list[str]] = {}
    current = ""
    for line in PROMPTS.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = line.strip("[]")
        elif line.strip() and not line.startswith("#"):
            found.setdefault(current, []).append(line.strip())
    return tuple(found[kind])


def caption(content: str, kind: str, rng: np.random.Generator, side: Side = "train") -> str:
    """The content alone or in a prompt that this side may use."""
    if rng.random() < BARE:
        return content
    return str(rng.choice(allowed(prompts(kind), side, "prompt"))).replace("{}", content)


def unseen_caption(content: str, kind: str, rng: np.random.Generator) -> str:
    """The content in a prompt that training never saw."""
    return str(rng.choice(only_held_out(prompts(kind), "prompt"))).replace("{}", content)
