"""Retrieval counted honestly: right answers by meaning, beside chance, a ceiling and an interval.

Knows: vectors and keys. Does not know: models, media, which bar a number is held against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
DRAWS = 1000
"""Bootstrap samples behind an interval."""


@dataclass(frozen=True, slots=True)
class Score:
    """A share of queries.  low, high: the 95 % bootstrap interval.  chance: of a blind guess.

    ceiling: the same with the documents' own phrases in place of media, None where that says nothing.
    worst: the weakest group of queries and its value, None for one group.
    """

    value: float
    low: float
    high: float
    count: int
    chance: float
    ceiling: float | None = None
    worst: tuple[str, float] | None = None


def places(queries: Vectors, right: npt.NDArray[np.bool_], documents: Vectors) -> npt.NDArray[np.int64]:
    """How many documents stand before the first right one, for each query, (queries,).

    right: (queries, documents).  Equal scores count against the query; a query without a right one gets all.
    """
    scores = queries @ documents.T
    best = np.where(right, scores, -np.inf).max(1, keepdims=True)
    return ((scores >= best) & ~right).sum(1)


def alike(queries: Sequence[str], documents: Sequence[str]) -> npt.NDArray[np.bool_]:
    """(queries, documents): whether the keys are equal."""
    return np.asarray(queries)[:, None] == np.asarray(documents)[None]


def hit(
    queries: Vectors,
    right: npt.NDArray[np.bool_],
    documents: Vectors,
    k: int,
    phrases: Vectors | None = None,
    groups: Sequence[str] | None = None,
) -> Score:
    """The share of queries with a right document among the first k.

    phrases: vectors of the documents' own phrases, for the ceiling.  groups: of each query, for the worst one.
    """
    found = places(queries, right, documents) < k
    ceiling = None if phrases is None else float((places(queries, right, phrases) < k).mean())
    return share(found, by_chance(right, k), ceiling, groups)


def share(
    found: npt.NDArray[np.bool_], chance: float, ceiling: float | None = None, groups: Sequence[str] | None = None
) -> Score:
    """A Score of whatever was found, query by query."""
    low, high = interval(found.astype(float))
    worst = None
    if groups is not None and len(set(groups)) > 1:
        names = np.asarray(groups)
        value, name = min((float(found[names == name].mean()), str(name)) for name in sorted(set(groups)))
        worst = (name, value)
    return Score(float(found.mean()), low, high, len(found), chance, ceiling, worst)


def by_chance(right: npt.NDArray[np.bool_], k: int) -> float:
    """Expected share for a random order: 1 - (no right one among k), mean over queries."""
    total, missed = right.shape[1], np.ones(len(right))
    count = right.sum(1)
    for place in range(min(k, total)):
        missed *= np.clip((total - count - place) / (total - place), 0, 1)
    return float(1 - missed.mean())


def interval(values: npt.NDArray[Any]) -> tuple[float, float]:
    """95 % of the means of bootstrap samples."""
    rng = np.random.default_rng(0)
    means = [values[rng.integers(len(values), size=len(values))].mean() for _ in range(DRAWS)]
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))
