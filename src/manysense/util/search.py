"""Semantic search: for every query the corpus vectors with the highest scores.

Knows: the arguments and the form of the answer. Does not know: how the best are found (nearest.py), where vectors
come from.
"""

from __future__ import annotations

from typing import Any

from ..settings import positive
from ..warn import warn
from .matrix import Matrix, same_width
from .nearest import Nearest, nearest
from .similarity import Score, cos_sim

Hits = list[dict[str, Any]]


def semantic_search(
    query_embeddings: Any,
    corpus_embeddings: Any,
    query_chunk_size: int = 100,
    corpus_chunk_size: int = 500_000,
    top_k: int = 10,
    score_function: Score = cos_sim,
) -> list[Hits]:
    """For every query its best corpus vectors: [{"corpus_id": int, "score": float}, …], highest score first.

    query_embeddings, corpus_embeddings: (n, dims) tensors, arrays, memory maps or lists of them, in any float or
    integer type; one vector is one query.  Scores are computed in float32 (float64 stays) on the device of the corpus.
    query_chunk_size, corpus_chunk_size: vectors that are scored at once, at most; fewer are where 64 MiB would not hold
    them or their scores. They change nothing but the rounding of scores.  top_k: hits for each query, also none; all,
    where the corpus has fewer.  score_function: (n, dims), (m, dims) → (n, m), higher is more alike.

    Among equal scores the lower corpus_id comes first. Scores that are NaN are left out, with a ManysenseWarning.
    Raises UsageError for vectors of different widths, for sizes below 1 and a top_k below 0.
    """
    none = type(top_k) is int and top_k == 0
    sizes = {"query_chunk_size": query_chunk_size, "corpus_chunk_size": corpus_chunk_size}
    for name, value in (sizes if none else {**sizes, "top_k": top_k}).items():
        positive(name, value)
    queries, corpus = Matrix(query_embeddings, "query_embeddings"), Matrix(corpus_embeddings, "corpus_embeddings")
    if none:
        same_width(queries, corpus)
        return [[] for _ in range(len(queries))]
    found = nearest(queries, corpus, top_k, score_function, query_chunk_size, corpus_chunk_size)
    say_missing(found, "query {} with corpus vector {}")
    return [
        [{"corpus_id": i, "score": score} for i, score in zip(ids, scores) if i >= 0]
        for ids, scores in zip(found.ids.tolist(), found.values.tolist())
    ]


information_retrieval = semantic_search


def say_missing(found: Nearest, pair: str) -> None:
    """One warning for all scores that are no numbers. pair: what a score is of, with two places for positions."""
    if found.first is not None:
        one = found.missing == 1
        warn(
            f"{found.missing} {'score is' if one else 'scores are'} not a number (NaN), "
            f"{'that' if one else 'the first one'} of {pair.format(*found.first)}; left out"
        )
