"""Texts as bags of word pieces, ready to be summed.

Knows: flat ids and where each text begins. Does not know: what the ids mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bags:
    """ids: all pieces of all texts, one after the other. starts: (n + 1,) where each begins, and the end."""

    ids: Ints
    starts: Ints

    @classmethod
    def of(cls, texts_ids: Sequence[Sequence[int]]) -> Bags:
        lengths = np.fromiter(map(len, texts_ids), np.int64, len(texts_ids))
        ids = np.fromiter((piece for text in texts_ids for piece in text), np.int64, int(lengths.sum()))
        return cls(ids, np.concatenate([[0], np.cumsum(lengths)]))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, rows: Ints, keep: float = 1.0, rng: np.random.Generator | None = None) -> tuple[Ints, Ints]:
        """(ids, starts without the end) of some texts; each piece is kept by chance, at least one of each text."""
        lengths = (self.starts[1:] - self.starts[:-1])[rows]
        begins = np.cumsum(lengths) - lengths
        ids = self.ids[np.repeat(self.starts[:-1][rows] - begins, lengths) + np.arange(lengths.sum())]
        if rng is None or keep >= 1:
            return ids, begins
        stays = rng.random(len(ids)) < keep
        stays[begins] |= np.add.reduceat(stays, begins) == 0
        return ids[stays], np.concatenate([[0], np.cumsum(np.add.reduceat(stays, begins))[:-1]])

    def matrix(self, width: int) -> scipy.sparse.csr_matrix:
        """(n, width) how often each text has each piece."""
        ones = np.ones(len(self.ids), np.float32)
        counts = scipy.sparse.csr_matrix((ones, self.ids, self.starts), (len(self), width))
        counts.sum_duplicates()
        return counts
