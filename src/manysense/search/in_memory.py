"""Retrieve with vectors, then rerank the best: both stages in memory, in one call.

Knows: the two stages, and what each of them said of a document. Does not know: models (protocols.py), how the nearest
vectors are found (util/search.py).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from ..errors import ItemError, UsageError, first_line
from ..inputs.shape import as_items, is_single
from ..settings import choose, positive
from ..warn import warn
from .protocols import Embedder, Reranker

NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """One document, as both stages saw it. Ranks count from 1; what the reranker did not see has None.

    corpus_id: position in the caller's documents.
    """

    corpus_id: int
    document: Any
    retrieval_score: float
    retrieval_rank: int
    rerank_score: float | None = None
    rerank_rank: int | None = None

    @property
    def score(self) -> float:
        """What it is ranked by: the reranker's score where there is one."""
        return self.retrieval_score if self.rerank_score is None else self.rerank_score


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall time. embed, retrieve: of the whole call, which takes all queries at once.  rerank: of this query."""

    embed: float = 0.0
    retrieve: float = 0.0
    rerank: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Ranking(Sequence[Hit]):
    """What was found for one query: a sequence of its hits, best first.

    candidates: everything that was retrieved, in the order of retrieval, with the scores of both stages.
    skipped: with on_error="skip", position of a document → why it was left out.  error: why the query itself was.
    """

    query: Any
    hits: tuple[Hit, ...]
    candidates: tuple[Hit, ...]
    seconds: Seconds
    skipped: Mapping[int, ItemError] = field(default_factory=dict)
    error: ItemError | None = None

    def __getitem__(self, index: Any) -> Any:
        return self.hits[index]

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)


def retrieve_then_rerank(
    query: Any,
    documents: Any,
    embedder: Embedder,
    reranker: Reranker | None = None,
    top_k: int = 10,
    *,
    candidates: int = 50,
    document_embeddings: Any = None,
    on_error: Literal["raise", "skip"] = "raise",
    query_kwargs: Mapping[str, Any] = NONE,
    document_kwargs: Mapping[str, Any] = NONE,
    rerank_kwargs: Mapping[str, Any] = NONE,
) -> Any:
    """The `top_k` documents for a query: found by their vectors, then put in order by a reranker.

    query: one input, or a list of them.  documents: a list of inputs. Both of every form and modality that the models
    read.  embedder: has encode_query, encode_document and similarity.  reranker: has rank(query, documents,
    top_k=None); None leaves the order of retrieval.  candidates: documents that the reranker sees for each query, at
    least top_k.  document_embeddings: (documents, dims) from an earlier encode_document, which is then not called.
    on_error: "raise", or "skip" to leave out broken documents and queries; an embedder must know on_error="skip" as
    SentenceTransformer does.  query_kwargs, document_kwargs, rerank_kwargs: for encode_query, encode_document, rank.

    Returns a Ranking; for a list of queries a list of them, in order. Of equal scores the document that was retrieved
    first comes first. A document that the reranker leaves out of its answer is no hit; nor is one whose score is NaN,
    with a ManysenseWarning.  Raises UsageError before any work; ItemError and whatever else the models raise.
    """
    _check(embedder, reranker, top_k, candidates, on_error)
    single = is_single(query)
    queries = [query] if single else _listed(query, "query")
    held = _listed(documents, "documents")
    skip = on_error == "skip"
    start = time.perf_counter()
    if document_embeddings is None:
        there = _embed(embedder.encode_document, held, document_kwargs, skip)
    else:
        there = _given(document_embeddings, len(held))
    asked = _embed(embedder.encode_query, queries, query_kwargs, skip and not single)
    embedded = time.perf_counter()
    count = top_k if reranker is None else max(candidates, top_k)
    found = iter(_retrieved(embedder, asked, there, held, count))
    seconds = Seconds(embed=embedded - start, retrieve=time.perf_counter() - embedded)
    rankings = []
    for i, one in enumerate(queries):
        if i in asked.errors:
            rankings.append(Ranking(one, (), (), seconds, there.errors, asked.errors[i]))
            continue
        retrieved = next(found)
        ranking = Ranking(one, retrieved[:top_k], retrieved, seconds, there.errors)
        rankings.append(ranking if reranker is None else _reranked(ranking, reranker, top_k, rerank_kwargs, skip))
    return rankings[0] if single else rankings


def _check(embedder: Any, reranker: Any, top_k: Any, candidates: Any, on_error: Any) -> None:
    positive("top_k", top_k)
    positive("candidates", candidates)
    choose("on_error", on_error, ("raise", "skip"))
    if not isinstance(embedder, Embedder):
        raise UsageError(
            f"embedder must have encode_query, encode_document and similarity, as SentenceTransformer has; "
            f"got {type(embedder).__name__}"
        )
    if reranker is not None and not isinstance(reranker, Reranker):
        raise UsageError(f"reranker must have rank(query, documents, top_k=None), got {type(reranker).__name__}")


def _listed(values: Any, name: str) -> Sequence[Any]:
    items, _, single = as_items(values)
    if single:
        raise UsageError(f"{name} must be a list of inputs, got a single {type(values).__name__}; put it into a list")
    return items if isinstance(items, (list, tuple)) else list(items)


# ---- retrieve


@dataclass(frozen=True, slots=True)
class _Embedded:
    """embeddings: (kept, dims).  kept: their positions.  errors: of the others, by position."""

    embeddings: Any
    kept: Sequence[int]
    errors: Mapping[int, ItemError] = field(default_factory=dict)


def _embed(encode: Any, inputs: Sequence[Any], kwargs: Mapping[str, Any], skip: bool) -> _Embedded:
    if not len(inputs):
        return _Embedded([], ())
    if not skip:
        return _Embedded(encode(inputs, **kwargs), range(len(inputs)))
    made = encode(inputs, **kwargs, on_error="skip")
    errors = {error.index: error for error in made.errors}
    return _Embedded(made.embeddings, made.indices.tolist(), errors)


def _given(embeddings: Any, count: int) -> _Embedded:
    if len(embeddings) != count:
        raise UsageError(f"document_embeddings has {len(embeddings)} rows for {count} documents")
    return _Embedded(embeddings, range(count))


def _retrieved(
    embedder: Embedder, asked: _Embedded, there: _Embedded, documents: Sequence[Any], count: int
) -> list[tuple[Hit, ...]]:
    """For every query that could be embedded its best documents."""
    if not len(asked.kept) or not len(there.kept):
        return [() for _ in asked.kept]
    from ..util.search import semantic_search  # here, so that torch is loaded at the first search

    found = semantic_search(asked.embeddings, there.embeddings, top_k=count, score_function=embedder.similarity)
    return [
        tuple(
            Hit(there.kept[hit["corpus_id"]], documents[there.kept[hit["corpus_id"]]], hit["score"], rank)
            for rank, hit in enumerate(hits, 1)
        )
        for hits in found
    ]


# ---- rerank


def _reranked(ranking: Ranking, reranker: Reranker, top_k: int, kwargs: Mapping[str, Any], skip: bool) -> Ranking:
    """The ranking in the reranker's order, with its scores, ranks and time."""
    start = time.perf_counter()
    scores, broken = _scores(ranking, reranker, kwargs, skip)
    seconds = replace(ranking.seconds, rerank=time.perf_counter() - start)
    lost = [i for i, score in scores.items() if math.isnan(score)]
    if lost:
        warn(f"the reranker gave NaN for {len(lost)} of {len(scores)} documents, the first is {lost[0]}; left out")
    found = [hit.corpus_id for hit in ranking.candidates if hit.corpus_id in scores.keys() - set(lost)]
    better = sorted(found, key=lambda i: -scores[i])  # stable: equals stay as they were retrieved
    ranks = {i: rank for rank, i in enumerate(better, 1)}
    candidates = tuple(
        replace(hit, rerank_score=scores[hit.corpus_id], rerank_rank=ranks[hit.corpus_id])
        if hit.corpus_id in ranks
        else hit
        for hit in ranking.candidates
    )
    by_id = {hit.corpus_id: hit for hit in candidates}
    hits = tuple(by_id[i] for i in better[:top_k])
    return replace(ranking, hits=hits, candidates=candidates, seconds=seconds, skipped={**ranking.skipped, **broken})


def _scores(
    ranking: Ranking, reranker: Reranker, kwargs: Mapping[str, Any], skip: bool
) -> tuple[dict[int, float], dict[int, ItemError]]:
    """corpus_id → score, and → error of those that could not be read."""
    hits = list(ranking.candidates)
    broken: dict[int, ItemError] = {}
    while hits:
        try:
            answer = list(reranker.rank(ranking.query, [hit.document for hit in hits], top_k=None, **kwargs))
            return {hits[i].corpus_id: score for i, score in _answered(answer, len(hits)).items()}, broken
        except ItemError as error:
            if not skip or error.index is None or error.index >= len(hits):
                raise
            broken[hits.pop(error.index).corpus_id] = error
    return {}, broken


def _answered(answer: Any, count: int) -> dict[int, float]:
    """Position → score. Raises UsageError for an answer of another form."""
    try:
        pairs = [(int(one["corpus_id"]), float(one["score"])) for one in answer]
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f'the reranker must answer with a list of {{"corpus_id": …, "score": …}}: {first_line(error)}'
        ) from error
    scores = dict(pairs)
    if len(scores) < len(pairs) or not all(0 <= i < count for i in scores):
        raise UsageError(
            f"the reranker must name each of its {count} documents once at most; it named {[i for i, _ in pairs][:20]}"
        )
    return scores
