"""Two texts → the ids of one sequence, as the tokenizer's own template puts them together.

Knows: the special tokens around and between two texts, token types, which text gives way when both are too long. Does
not know: chat templates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from .tokens import Ids, Tokens

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PairIds:
    """ids: (n,) token ids after truncation. types: (n,) 0 for the first text, 1 for the second, as the tokenizer says.

    length: tokens before truncation.
    """

    ids: Numbers
    types: Numbers
    length: int


class PairTemplate:
    """What a tokenizer writes before, between and after two texts: read off once, so that each text is tokenised once
    however many pairs it is in."""

    def __init__(self, tokens: Tokens) -> None:
        """Raises ModelError where the tokenizer does more than to put special tokens around."""
        first, second, joint = tokens.probe_pair()
        start = _place(joint.ids, first, 0)
        end = start + len(first)
        start2 = _place(joint.ids, second, end) if start >= 0 else -1
        if start < 0 or start2 < 0:
            raise ModelError("the tokenizer does not put two texts one after the other, so it cannot make pairs")
        end2 = start2 + len(second)
        ids, types = np.array(joint.ids, np.int64), np.array(joint.type_ids, np.int64)
        self._spans = [(ids[a:b], types[a:b]) for a, b in ((0, start), (end, start2), (end2, len(ids)))]
        self._types = int(types[start]), int(types[start2])
        self.added = len(ids) - len(first) - len(second)

    def pair(self, first: Ids, second: Ids, limit: int | None) -> PairIds:
        """The longer text gives way first, as transformers' "longest_first" does."""
        length = first.length + second.length + self.added
        a, b = first.ids, second.ids
        if limit is not None and length > limit:  # told by whole lengths: the ids may have been cut to the limit before
            keep_a, keep_b = longest_first(first.length, second.length, max(0, limit - self.added))
            a, b = a[:keep_a], b[:keep_b]
        (lead, lead_types), (middle, middle_types), (tail, tail_types) = self._spans
        kinds = (
            *(lead_types, np.full(len(a), self._types[0], np.int64), middle_types),
            *(np.full(len(b), self._types[1], np.int64), tail_types),
        )
        return PairIds(np.concatenate((lead, a, middle, b, tail)), np.concatenate(kinds), length)


def longest_first(first: int, second: int, room: int) -> tuple[int, int]:
    """How many tokens of two texts stay in `room`. Source: tokenizers, utils/truncation.rs."""
    short, long = sorted((first, second))
    if short + long <= room:
        return first, second
    long = short if short > room else max(short, room - short)
    if short + long > room:
        short, long = room // 2, room // 2 + room % 2
    return (long, short) if first > second else (short, long)


def _place(ids: Any, piece: Any, start: int) -> int:
    """Where `piece` begins in `ids` from `start` on; -1 where it does not."""
    size = len(piece)
    return next((i for i in range(start, len(ids) - size + 1) if list(ids[i : i + size]) == list(piece)), -1)
