"""MaxSim of given token vectors: a search over documents of many lengths, its shortlist, pairs, and equal pages.

Each side scores the same vectors with its defaults; the rows that are compared are the scores.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import material
from .harness import Benchmark

DIMS = 128
Case = tuple[str, Any, Any]


def _vectors(lengths: Any, seed: int) -> list[Any]:
    """A (tokens, DIMS) float32 matrix of vectors of length 1 for each length."""
    dice = np.random.default_rng(material.SEED + seed)
    made = [dice.normal(size=(length, DIMS)).astype(np.float32) for length in lengths]
    return [matrix / np.linalg.norm(matrix, axis=1, keepdims=True) for matrix in made]


def _lengths(count: int) -> Any:
    """Of documents: 20 to 300 tokens, few of them long."""
    return np.random.default_rng(material.SEED).gamma(3.0, 30.0, count).astype(int).clip(20, 300)


def ragged(queries: int, documents: int) -> Callable[[bool], Case]:
    def prepare(quick: bool) -> Case:
        return "maxsim", _vectors([32] * queries, 1), _vectors(_lengths(100 if quick else documents), 2)

    return prepare


def pages(quick: bool) -> Case:
    """Queries as long as texts are, pages of 1,030 patches each, in one array."""
    lengths = np.random.default_rng(material.SEED).integers(8, 40, 4 if quick else 16)
    return "maxsim", _vectors(lengths, 3), np.stack(_vectors([1030] * (8 if quick else 200), 4))


def pairs(quick: bool) -> Case:
    count = 100 if quick else 4000
    return "maxsim_pairwise", _vectors([32] * count, 5), _vectors(_lengths(count), 6)


def ours(case: Case) -> Callable[[], Any]:
    from manysense import util

    return _call(util, case)


def peer(case: Case) -> Callable[[], Any]:
    from sentence_transformers import util

    return _call(util, case)


def _call(util: Any, case: Case) -> Callable[[], Any]:
    import torch

    name, queries, documents = case
    score = getattr(util, name)
    queries = [torch.from_numpy(query) for query in queries]
    documents = (
        torch.from_numpy(documents) if isinstance(documents, np.ndarray) else list(map(torch.from_numpy, documents))
    )
    score(queries[:1], documents[:1])
    return lambda: np.atleast_2d(score(queries, documents).numpy())


BENCHMARKS = [
    Benchmark("maxsim_search", "MaxSim of 1 query with 5,000 documents", ours, peer, ragged(1, 5000)),
    Benchmark("maxsim_queries", "MaxSim of 50 queries with 1,000 documents", ours, peer, ragged(50, 1000)),
    Benchmark("maxsim_pages", "MaxSim of 16 queries with 200 pages of 1,030 patches", ours, peer, pages),
    Benchmark("maxsim_pairs", "MaxSim of 4,000 pairs", ours, peer, pairs),
]
