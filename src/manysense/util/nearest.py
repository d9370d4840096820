"""The best rows of one matrix for every row of another, found piece by piece.

Knows: how the best of pieces are merged, which of two equals comes first, what is no number. Does not know: what the
rows are, how results are shown.

Never more than a block of scores is held, and the sizes of the pieces change nothing but the rounding of scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..errors import UsageError
from .matrix import Matrix, pieces, same_width
from .similarity import Score, as_float, cos_sim, dot_score


@dataclass(slots=True)
class Nearest:
    """values, ids: (queries, k) on the device of the corpus, best first, the lower id first among equals; id -1 where
    a query has fewer.  missing: how many scores were NaN.  first: (query, corpus) of the first of them."""

    values: Tensor
    ids: Tensor
    missing: int = 0
    first: tuple[int, int] | None = None


@torch.no_grad()
def nearest(queries: Matrix, corpus: Matrix, k: int, score: Score, query_chunk: int, corpus_chunk: int) -> Nearest:
    """The k best corpus rows of every query; NaN is never among them. Raises UsageError for other widths.

    query_chunk, corpus_chunk: rows that are scored at once, at most.
    """
    same_width(queries, corpus)
    dtype, device = torch.promote_types(queries.dtype, corpus.dtype), corpus.device
    found = Nearest(torch.empty((len(queries), 0), device=device), torch.empty((len(queries), 0), dtype=torch.long))
    if not len(queries) or not len(corpus):
        return found
    k = min(k, len(corpus))
    unit = score is cos_sim  # each piece is brought to length 1 once, not once for every other piece
    score = dot_score if unit else score
    corpus_step = corpus.step(corpus_chunk)
    query_step = min(queries.step(query_chunk), queries.step(query_chunk, corpus_step))
    best: dict[int, tuple[Tensor, Tensor]] = {}
    for start, stop in pieces(len(corpus), corpus_step):
        documents = corpus.piece(start, stop, dtype, device)
        documents = normalize(documents, dim=-1) if unit else documents
        for begin, end in pieces(len(queries), query_step):
            asked = queries.piece(begin, end, dtype, device)
            scores = scored(score, normalize(asked, dim=-1) if unit else asked, documents)
            missing = nans(scores)
            if missing is not None:
                found.missing += int(missing.sum())
                row, column = missing.nonzero()[0].tolist()
                found.first = min(found.first or (begin + row, start + column), (begin + row, start + column))
            values, ids = top(scores, k, missing)
            ids = torch.where(ids < 0, ids, ids + start)
            if begin in best:  # what was found before has the lower ids, and so comes first among equals
                values, ids = torch.cat([best[begin][0], values], 1), torch.cat([best[begin][1], ids], 1)
                values, ids = (kept[:, :k] for kept in _ordered(values, ids))
            best[begin] = values, ids
    found.values = torch.cat([values for values, _ in best.values()])
    found.ids = torch.cat([ids for _, ids in best.values()])
    return found


def scored(score: Score, a: Tensor, b: Tensor) -> Tensor:
    """(n, dims), (m, dims) → (n, m) float scores. Raises UsageError where a caller's function gives another shape."""
    made = as_float(score(a, b))
    if made.shape != (len(a), len(b)):
        raise UsageError(
            f"score_function must give the shape ({len(a)}, {len(b)}) for {len(a)} and {len(b)} vectors, "
            f"it gave {tuple(made.shape)}"
        )
    return made


def nans(scores: Tensor) -> Tensor | None:
    """Which numbers are NaN, or None when none is."""
    if not bool(scores.sum().isnan()):  # one pass without a mask: a NaN makes the sum NaN
        return None
    found = scores.isnan()
    return found if bool(found.any()) else None


def top(scores: Tensor, k: int, missing: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """(n, m) → values and indices (n, min(k, m)) of the k highest of each row, highest first.

    Among equals the lower index comes first, also where only some of them have a place, which torch.topk leaves open.
    missing: (n, m), true where there is no number; index -1 stands where a row has fewer than k numbers.
    """
    k = min(k, scores.shape[1])
    if missing is not None:
        scores = scores.masked_fill(missing, -torch.inf)
    values, ids = torch.topk(scores, min(k + 1, scores.shape[1]), dim=1)
    if k < values.shape[1]:
        crowded = values[:, k - 1] == values[:, k]  # the last that has a place, and the first that has none
        values, ids = values[:, :k], ids[:, :k]
        _lowest_of_equals(scores, values, ids, missing, crowded)
    ids = ids.sort(dim=1).values
    values = scores.gather(1, ids)
    if missing is not None:
        ids = torch.where(missing.gather(1, ids), -1, ids)
    return _ordered(values, ids)


def _lowest_of_equals(scores: Tensor, values: Tensor, ids: Tensor, missing: Tensor | None, crowded: Tensor) -> None:
    """In crowded rows, put the lowest indices of the scores that equal the last one into `ids`."""
    for row in crowded.nonzero().flatten().tolist():
        last = values[row, -1]
        candidates = (scores[row] == last).nonzero().flatten()
        if missing is not None:  # what is no number stands as -inf, and comes after what is
            none = missing[row, candidates]
            candidates = torch.cat([candidates[~none], candidates[none]])
        placed = values[row] == last
        ids[row, placed] = candidates[: int(placed.sum())]


def _ordered(values: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Highest first, equals as they stand, what has no id last."""
    values, order = values.sort(dim=1, descending=True, stable=True)
    ids = ids.gather(1, order)
    if bool((ids < 0).any()):
        order = (ids < 0).to(torch.uint8).argsort(dim=1, stable=True)
        values, ids = values.gather(1, order), ids.gather(1, order)
    return values, ids
