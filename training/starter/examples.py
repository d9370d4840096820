"""What every generator of media gives: content with its meaning, and what it was made of.

Knows: the value and the protocol. Does not know: any generator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from .split import Side


@dataclass(frozen=True, slots=True)
class Example:
    """media: a PIL RGB picture of any size, or float32 samples (n,) at 16 kHz.

    key: what it means; examples of one key are right answers to each other's captions.
    contents: phrases for it, without a prompt ("a red circle", "a crimson disc").
    uses: items of split.py that went into it ("red circle", "1F600", "synonym crimson", "font Lato-Bold").
    """

    media: Any
    key: str
    contents: Sequence[str]
    uses: Sequence[str] = field(default_factory=tuple)


class Family(Protocol):
    """A kind of media that is drawn or synthesised. weight: its share of a mix."""

    name: str
    weight: float

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        """One example; everything that varies comes from `rng`. On "train" nothing held out is used."""
