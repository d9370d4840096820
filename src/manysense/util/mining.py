"""Paraphrase mining: the pairs of one collection that are most alike.

Knows: pairs, each once, and how many of them are kept. Does not know: how neighbours are found (nearest.py).
"""

from __future__ import annotations

import inspect
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..settings import positive
from .matrix import Matrix, pieces
from .nearest import Nearest, nearest
from .search import say_missing
from .similarity import Score, cos_sim


class Encodes(Protocol):
    """Any model that turns inputs into vectors."""

    def encode(self, inputs: Any, /, **kwargs: Any) -> Any: ...


def paraphrase_mining(
    model: Encodes,
    sentences: Any,
    show_progress_bar: bool = False,
    batch_size: int | None = None,
    query_chunk_size: int = 5000,
    corpus_chunk_size: int = 100_000,
    max_pairs: int = 500_000,
    top_k: int = 100,
    score_function: Score = cos_sim,
    truncate_dim: int | None = None,
    prompt_name: str | None = None,
    prompt: str | None = None,
) -> list[list[Any]]:
    """The most alike pairs of `sentences`, which may be inputs of any modality: [[score, i, j], …].

    model: anything with `encode`; show_progress_bar, batch_size, truncate_dim, prompt_name and prompt go to it where
    they are given. The rest is as in paraphrase_mining_embeddings.
    """
    given = {
        "show_progress_bar": show_progress_bar or None,
        "batch_size": batch_size,
        "truncate_dim": truncate_dim,
        "prompt_name": prompt_name,
        "prompt": prompt,
        "convert_to_tensor": True if "convert_to_tensor" in inspect.signature(model.encode).parameters else None,
    }
    embeddings = model.encode(sentences, **{name: value for name, value in given.items() if value is not None})
    return paraphrase_mining_embeddings(
        embeddings, query_chunk_size, corpus_chunk_size, max_pairs, top_k, score_function
    )


def paraphrase_mining_embeddings(
    embeddings: Any,
    query_chunk_size: int = 5000,
    corpus_chunk_size: int = 100_000,
    max_pairs: int = 500_000,
    top_k: int = 100,
    score_function: Score = cos_sim,
) -> list[list[Any]]:
    """The most alike pairs of (n, dims) vectors: [[score, i, j], …] with i < j, highest score first.

    top_k: neighbours that are looked at for each vector.  max_pairs: pairs that are kept.  score_function: symmetric.
    Chunk sizes, number types and memory are as in semantic_search; never more is held than max_pairs pairs and the
    neighbours of query_chunk_size vectors.  Of equal scores the pair with the lower i, then the lower j comes first.
    Scores that are NaN are left out, with a ManysenseWarning.  Raises UsageError for counts below 1.
    """
    for name, value in (
        ("query_chunk_size", query_chunk_size),
        ("corpus_chunk_size", corpus_chunk_size),
        ("max_pairs", max_pairs),
        ("top_k", top_k),
    ):
        positive(name, value)
    corpus = Matrix(embeddings, "embeddings")
    pairs = _Pairs(len(corpus), max_pairs)
    all_found = Nearest(torch.empty(0), torch.empty(0))
    for start, stop in pieces(
        len(corpus), corpus.step(query_chunk_size, max(corpus.dims, min(top_k, len(corpus)) + 1))
    ):
        queries = Matrix(corpus.piece(start, stop, corpus.dtype, corpus.device), "embeddings")
        found = nearest(queries, corpus, top_k + 1, score_function, query_chunk_size, corpus_chunk_size)
        pairs.add(*_without_self(found.values, found.ids, start, top_k))
        if found.first is not None:
            all_found.missing += found.missing
            all_found.first = all_found.first or (start + found.first[0], found.first[1])
    say_missing(all_found, "vectors {} and {}")
    return pairs.best()


def _without_self(
    values: Tensor, ids: Tensor, start: int, top_k: int
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(scores, i, j) of the top_k neighbours of rows start, start + 1 …, other than themselves."""
    scores, others = values.cpu().numpy(), ids.cpu().numpy()
    rows = np.broadcast_to(np.arange(start, start + len(others))[:, None], others.shape)
    kept = (others >= 0) & (others != rows)
    kept &= kept.cumsum(axis=1) <= top_k
    return scores[kept], rows[kept], others[kept]


class _Pairs:
    """The best pairs so far, each once: a pair is found from both of its ends, and the first finding counts."""

    def __init__(self, total: int, most: int) -> None:
        self._total, self._most = total, most
        self._scores: npt.NDArray[Any] = np.empty(0, np.float32)
        self._keys: npt.NDArray[np.int64] = np.empty(0, np.int64)

    def add(self, scores: npt.NDArray[Any], i: npt.NDArray[np.int64], j: npt.NDArray[np.int64]) -> None:
        keys = np.minimum(i, j) * self._total + np.maximum(i, j)
        keys = np.concatenate([self._keys, keys])
        scores = np.concatenate([self._scores, scores])
        self._keys, first = np.unique(keys, return_index=True)
        self._scores = scores[first]
        if len(self._keys) > self._most:
            kept = np.sort(self._order()[: self._most])
            self._scores, self._keys = self._scores[kept], self._keys[kept]

    def best(self) -> list[list[Any]]:
        order = self._order()
        first, second = np.divmod(self._keys[order], max(1, self._total))
        return [list(pair) for pair in zip(self._scores[order].tolist(), first.tolist(), second.tolist())]

    def _order(self) -> npt.NDArray[np.intp]:
        """Highest score first, among equals the lower pair."""
        return np.lexsort((self._keys, -self._scores))
