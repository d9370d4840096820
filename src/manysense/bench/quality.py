"""How good a ranking is, by judgements: nDCG and MRR.

Knows: the two definitions. Does not know: rerankers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

DEPTH = 10


def ranking(scores: Sequence[float], count: int) -> list[int]:
    """Positions of `count` documents, the best first: those with a score by it, equals as they were retrieved; behind
    them, as retrieved, those that were not reranked."""
    return [*sorted(range(len(scores)), key=lambda i: -scores[i]), *range(len(scores), count)]


def ndcg(order: Sequence[int], relevance: Sequence[float], depth: int = DEPTH) -> float | None:
    """Normalised discounted cumulative gain of the first `depth`; None where nothing is relevant.

    The gain is the relevance itself, its discount log2(rank + 1), the ideal order that of all judged documents, as in
    trec_eval.  Source: Järvelin & Kekäläinen 2002.
    """
    ideal = _dcg(sorted(relevance, reverse=True)[:depth])
    return _dcg([relevance[i] for i in order[:depth]]) / ideal if ideal else None


def _dcg(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def mrr(order: Sequence[int], relevance: Sequence[float], depth: int = DEPTH) -> float | None:
    """1 / rank of the first relevant document, 0 where none is among the first `depth`; None where nothing is relevant.

    Source: Voorhees 1999.
    """
    if not any(relevance):
        return None
    return next((1 / rank for rank, i in enumerate(order[:depth], 1) if relevance[i] > 0), 0.0)
