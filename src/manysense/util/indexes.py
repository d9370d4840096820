"""Semantic search in an index of faiss or usearch, over full or quantised vectors.

Knows: how the two libraries are asked, what rescoring is. Does not know: the formulas of quantisation.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import UsageError, first_line
from ..extras import need
from ..outputs.precision import DTYPES
from ..settings import choose, positive
from ..warn import warn
from .matrix import BLOCK, pieces
from .quantization import as_array, quantize_embeddings, ranges_for, refuse_nan
from .search import Hits

Array = npt.NDArray[Any]
BITS = ("binary", "ubinary")
LEVELS = ("int8", "uint8")


def semantic_search_faiss(
    query_embeddings: Any,
    corpus_embeddings: Any = None,
    corpus_index: Any = None,
    corpus_precision: Literal["float32", "uint8", "ubinary"] = "float32",
    top_k: int = 10,
    ranges: Any = None,
    calibration_embeddings: Any = None,
    rescore: bool = True,
    rescore_multiplier: int = 2,
    exact: bool = True,
    output_index: bool = False,
) -> Any:
    """For every query its best corpus vectors, by faiss (`pip install "manysense[faiss]"`).

    corpus_embeddings: (n, dims) as quantize_embeddings gives them in `corpus_precision`; or corpus_index, an index of
    them from an earlier call.  query_embeddings: (m, dims) float; quantised here, with `ranges` (2, dims) or the ranges
    of `calibration_embeddings`, which must be those of the corpus.  rescore: of a quantised corpus,
    top_k * rescore_multiplier vectors are found and ordered anew by the dot product of the float query with them.
    exact: False builds an HNSW graph: faster, may miss some.

    Returns (hits, seconds), with output_index (hits, seconds, index): hits as semantic_search gives them, the seconds
    that searching took.  Scores are dot products; of "ubinary" without rescoring they are Hamming distances, the
    lowest first.  Raises MissingExtra, UsageError.
    """
    choose("corpus_precision", corpus_precision, ("float32", "uint8", "ubinary"))
    faiss = need("faiss", to="search with faiss")
    corpus = _corpus(corpus_embeddings, corpus_index, corpus_precision)
    if corpus is not None:
        bits = corpus_precision == "ubinary"
        width = corpus.shape[1] * 8 if bits else corpus.shape[1]
        if bits:
            corpus_index = faiss.IndexBinaryFlat(width) if exact else faiss.IndexBinaryHNSW(width, 16)
        else:
            dot = faiss.METRIC_INNER_PRODUCT
            corpus_index = faiss.IndexFlatIP(width) if exact else faiss.IndexHNSWFlat(width, 16, dot)
        corpus_index.add(corpus)
    index = _faiss(corpus_index, isinstance(corpus_index, faiss.IndexBinary), corpus)
    call = _Call(corpus_precision, top_k, ranges, calibration_embeddings, rescore, rescore_multiplier)
    found = _search(index, query_embeddings, call)
    return (*found, corpus_index) if output_index else found


def semantic_search_usearch(
    query_embeddings: Any,
    corpus_embeddings: Any = None,
    corpus_index: Any = None,
    corpus_precision: Literal["float32", "int8", "ubinary", "binary"] = "float32",
    top_k: int = 10,
    ranges: Any = None,
    calibration_embeddings: Any = None,
    rescore: bool = True,
    rescore_multiplier: int = 2,
    exact: bool = True,
    output_index: bool = False,
) -> Any:
    """For every query its best corpus vectors, by usearch (`pip install "manysense[usearch]"`).

    Arguments and results are as in semantic_search_faiss. Without rescoring scores are the index's own distances, the
    lowest first: 1 - cosine ("float32"), 1 - dot product ("int8"), Hamming ("binary", "ubinary"); rescored they are dot
    products, the highest first.  exact: False searches the graph of the index.  Raises MissingExtra, UsageError.
    """
    choose("corpus_precision", corpus_precision, ("float32", "int8", "ubinary", "binary"))
    need("usearch", to="search with usearch")
    usearch = need("usearch.index", to="search with usearch")
    corpus = _corpus(corpus_embeddings, corpus_index, corpus_precision)
    if corpus is not None:
        corpus = _unsigned(corpus, corpus_precision)
        kind = {"float32": ("cos", "f32"), "int8": ("ip", "i8")}.get(corpus_precision, ("hamming", "b1"))
        width = corpus.shape[1] * 8 if corpus_precision in BITS else corpus.shape[1]
        corpus_index = usearch.Index(ndim=width, metric=kind[0], dtype=kind[1])
        corpus_index.add(np.arange(len(corpus)), corpus)
    stored = str(corpus_index.dtype)
    index = _usearch(corpus_index, "B1" in stored, corpus, exact)
    if (corpus_precision == "int8") != ("I8" in stored):
        raise UsageError(f"the index stores {stored}, which does not go with corpus_precision={corpus_precision!r}")
    call = _Call(corpus_precision, top_k, ranges, calibration_embeddings, rescore, rescore_multiplier)
    found = _search(index, query_embeddings, call)
    return (*found, corpus_index) if output_index else found


# ---- what both libraries are asked


@dataclass(frozen=True, slots=True)
class _Index:
    """bits, width: what it stores, in bits or numbers.  ask(queries, k) → (m, k) scores and ids, -1 for none.
    stored(ids) → (len(ids), width) what is stored there.  rising: whether the best score is the lowest."""

    bits: bool
    width: int
    size: int
    rising: bool
    ask: Callable[[Array, int], tuple[Array, Array]]
    stored: Callable[[Array], Array]


def _faiss(index: Any, bits: bool, corpus: Array | None) -> _Index:
    def ask(queries: Array, k: int) -> tuple[Array, Array]:
        scores, ids = index.search(queries, k)
        return scores, ids

    def stored(ids: Array) -> Array:
        try:
            return np.stack([index.reconstruct(int(i)) for i in ids]) if bits else index.reconstruct_batch(ids)
        except RuntimeError as error:
            raise UsageError(
                f"this index cannot give its vectors back ({first_line(error)}); pass rescore=False, or the corpus"
            ) from error

    return _Index(bits, index.d, index.ntotal, bits, ask, stored if corpus is None else corpus.__getitem__)


def _usearch(index: Any, bits: bool, corpus: Array | None, exact: bool) -> _Index:
    def ask(queries: Array, k: int) -> tuple[Array, Array]:
        found = index.search(queries, k, exact=exact)
        scores, ids = np.atleast_2d(found.distances), np.atleast_2d(found.keys).astype(np.int64)
        counts = found.counts if hasattr(found, "counts") else [ids.shape[1]]  # one query alone has none
        return scores, np.where(np.arange(ids.shape[1]) < np.reshape(counts, (-1, 1)), ids, -1)

    def stored(ids: Array) -> Array:
        return np.stack(index.get(ids))

    return _Index(bits, index.ndim, len(index), True, ask, stored if corpus is None else corpus.__getitem__)


def _corpus(embeddings: Any, index: Any, precision: str) -> Array | None:
    """The vectors to build an index of, None where the caller has one. Raises UsageError."""
    if (embeddings is None) == (index is None):
        raise UsageError("pass either corpus_embeddings or corpus_index")
    if embeddings is None:
        return None
    corpus = _rows(embeddings)
    if precision != "float32" and corpus.dtype != DTYPES[precision]:
        raise UsageError(
            f"corpus_precision={precision!r} needs vectors as quantize_embeddings(…, {precision!r}) gives them, "
            f"got {corpus.dtype}"
        )
    refuse_nan(corpus, 0, "an index")
    return np.ascontiguousarray(corpus, np.float32 if precision == "float32" else None)


def _rows(vectors: Any) -> Array:
    """(n, dims); one vector is one row."""
    rows = as_array(vectors)
    return rows.reshape(1 if len(rows) else 0, -1 if len(rows) else 0) if rows.ndim == 1 else rows


def _unsigned(bits: Array, precision: str) -> Array:
    """Packed bits as they are, without the -128 that "binary" takes from every byte."""
    return bits.view(np.uint8) ^ np.uint8(0x80) if precision == "binary" else bits


# ---- the search


@dataclass(frozen=True, slots=True)
class _Call:
    precision: Any
    top_k: int
    ranges: Any
    calibration: Any
    rescore: bool
    multiplier: int

    def __post_init__(self) -> None:
        positive("top_k", self.top_k)
        positive("rescore_multiplier", self.multiplier)


def _search(index: _Index, query_embeddings: Any, call: _Call) -> tuple[list[Hits], float]:
    queries = _rows(query_embeddings)
    is_float = queries.dtype not in (np.int8, np.uint8)
    _check(index, queries, call.precision, is_float)
    refuse_nan(queries, 0, "an index")
    if not len(queries) or not index.size:
        return [[] for _ in queries], 0.0
    rescored = is_float and call.rescore and call.precision != "float32"
    ranges = _ranges(queries, call) if is_float and call.precision in LEVELS else None
    asked = quantize_embeddings(queries, call.precision, ranges) if is_float else queries
    start = time.perf_counter()
    scores, ids = _best(index, np.ascontiguousarray(_unsigned(asked, call.precision)), call, rescored)
    if rescored:
        scores = _rescored(index, np.asarray(queries, np.float32), ids, call.precision, ranges)
        scores, ids = _ordered(scores, ids, False, call.top_k)
    seconds = time.perf_counter() - start
    hits = [
        [{"corpus_id": i, "score": score} for i, score in zip(*row) if i >= 0]
        for row in zip(ids.tolist(), scores.tolist())
    ]
    return hits, seconds


def _best(index: _Index, queries: Array, call: _Call, rescored: bool) -> tuple[Array, Array]:
    """(m, k) scores and ids, k the candidates that are rescored, else the hits.

    The libraries leave open which of several equals they give. So one more is asked for, and more and more while the
    last is equal to the one that has the last place; then the lower ids are taken.
    """
    k = min(index.size, call.top_k * (call.multiplier if rescored else 1))
    wide = min(index.size, k + 1)
    while True:
        scores, ids = index.ask(queries, wide)
        open_end = (scores[:, k - 1] == scores[:, -1]) & (ids[:, -1] >= 0)
        if wide == index.size or len(queries) * wide > BLOCK or not open_end.any():
            return _ordered(scores, ids, index.rising, k)
        wide = min(index.size, 2 * wide)


def _ordered(scores: Array, ids: Array, rising: bool, k: int) -> tuple[Array, Array]:
    """The k best of each row, best first, the lower id first among equals; what is no number has id -1 and is last."""
    ids = np.where(np.isnan(scores), -1, ids)
    scores = np.where(ids < 0, np.inf if rising else -np.inf, scores.astype(np.float64))
    order = np.lexsort((ids, scores if rising else -scores), axis=-1)[:, :k]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(ids, order, 1)


def _check(index: _Index, queries: Array, precision: str, is_float: bool) -> None:
    """Raise UsageError, rather than let the index fail, where queries and index do not go together."""
    if index.bits != (precision in BITS):
        what = "bits" if index.bits else "numbers"
        raise UsageError(f"the index stores {what}, which does not go with corpus_precision={precision!r}")
    if not is_float and queries.dtype != DTYPES[precision]:
        raise UsageError(f"the queries are {queries.dtype}, and {precision} needs {np.dtype(DTYPES[precision])}")
    width = queries.shape[1] if not index.bits else 8 * (-(-queries.shape[1] // 8) if is_float else queries.shape[1])
    if len(queries) and width != index.width:
        raise UsageError(f"queries of {queries.shape[1]} numbers do not go with an index of {index.width} dimensions")


def _ranges(queries: Array, call: _Call) -> npt.NDArray[np.float32]:
    if call.ranges is None and call.calibration is None and len(queries) > 1:
        warn(
            f"the {call.precision} ranges are taken from the queries, and are right only if the corpus has the same; "
            "pass ranges= or calibration_embeddings= as for quantize_embeddings"
        )
        return ranges_for(queries, call.precision, None, queries)
    return ranges_for(queries, call.precision, call.ranges, call.calibration)


def _rescored(index: _Index, queries: Array, ids: Array, precision: str, ranges: Any) -> Array:
    """(m, k) dot products of float queries with what is stored at their ids."""
    scores = np.empty(ids.shape, np.float64)
    for start, stop in pieces(len(ids), max(1, BLOCK // (ids.shape[1] * index.width))):
        wanted = ids[start:stop]
        some = wanted[wanted >= 0]
        if not len(some):
            continue
        held = index.stored(np.where(wanted < 0, some[0], wanted).ravel())  # whatever stands for none is dropped later
        vectors = _floats(held, queries.shape[1], precision, ranges)
        vectors = vectors.reshape(*wanted.shape, queries.shape[1])
        scores[start:stop] = np.einsum("id,ikd->ik", queries[start:stop], vectors)
    return scores


def _floats(stored: Array, dims: int, precision: str, ranges: Any) -> Array:
    """(n, width) stored numbers → (n, dims) float64: the value a level stands for; 0 and 1 for bits."""
    if precision in BITS:
        return np.unpackbits(stored.astype(np.uint8), axis=-1)[:, :dims].astype(np.float64)
    low, high = ranges.astype(np.float64)
    steps = np.where(high > low, (high - low) / 255, 1)
    values: Array = (stored.astype(np.float64) + (128 if precision == "int8" else 0)) * steps + low
    return values
