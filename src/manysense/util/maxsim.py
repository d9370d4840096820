"""MaxSim: how well the tokens of a query find their like among the tokens of a document (late interaction).

Knows: token vectors as lists of matrices or padded arrays, their masks; how much is compared at once. Does not know:
models, documents, similarities of single vectors (similarity.py).

Items are taken shortest first, and equally long ones share a matrix product, so that no padding is ever compared.
Everything is computed in float32, or float64 where a side has it, so that half precision does not round scores into
ties. Source: Khattab & Zaharia 2020 (ColBERT), equation 3.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..settings import positive
from ..warn import warn
from .tokens import Side, pair

ELEMENTS = 2**24
"""Numbers of one chunk, unless the caller says how many: 64 MiB in float32."""

EMPTY = -1e9
"""The score of a document without tokens: below what vectors give, and still finite when a loss squares it."""


def maxsim(
    a: Any,
    b: Any,
    a_mask: Any = None,
    b_mask: Any = None,
    chunk_elements: int | None = None,
    length_normalize: bool = False,
    device: str | torch.device | None = None,
) -> Tensor:
    """n queries, m documents → (n, m) sums, over the tokens of a query, of the highest dot product with any token of
    a document.

    a, b: queries, documents: a list of (tokens, dims) matrices, a padded array (items, tokens, dims), or one matrix,
    which is one item; tensors or arrays of any number type.  a_mask, b_mask: (items, tokens), or (tokens,) for all
    items, or a list with one for each item; where it is 0 a token does not count. Other numbers of a_mask weigh the
    tokens of a query. Without a mask a row of zeros in a padded array is padding.  chunk_elements: how many numbers
    (vectors of both sides and their products) are held at once, at most, however many items there are; one query with
    one document always is. None: 64 MiB of float32. It changes nothing but the rounding of scores.  length_normalize:
    divide by the number of query tokens.  device: where chunks are computed; None: where the documents are.

    Returns float32, on the device of the documents (of the queries, where documents are arrays); it has gradients where
    the vectors have. A document without tokens scores -1e9, before `length_normalize`, with a ManysenseWarning; a
    query without tokens 0. NaN in a vector makes the scores of that item NaN, with a ManysenseWarning.  Raises
    UsageError for shapes that do not fit.
    """
    budget = _budget(chunk_elements)
    queries, documents = pair(a, b, a_mask, b_mask)
    home = documents.device or queries.device or torch.device("cpu")
    if not len(queries) or not len(documents):
        return torch.zeros(len(queries), len(documents), device=home)
    place = torch.device(device) if device is not None else home
    dtype = torch.promote_types(queries.dtype, documents.dtype)
    dims, empty = max(queries.dims, documents.dims), documents.empty
    strips = []
    for q_start, q_stop in queries.pieces(0, budget // 2 // (dims + documents.longest or 1)):
        asked = queries.tokens(q_start, q_stop, place, dtype)
        weights = queries.weighing(q_start, q_stop, place, dtype)
        q_runs = queries.runs(q_start, q_stop)
        blocks = [torch.full((q_stop - q_start, empty), EMPTY, device=home)]
        for start, stop in documents.pieces(empty, (budget - asked.numel()) // (dims + len(asked) or 1)):
            found = _best(documents.tokens(start, stop, place, dtype), documents.runs(start, stop), asked)
            blocks.append(_summed(found if weights is None else found * weights, q_runs).T.float().to(home))
        strips.append(torch.cat(blocks, 1))
    scores = torch.cat(strips)
    if length_normalize:
        scores = scores / queries.counts.clamp_min(1).to(home).unsqueeze(1)
    scores = documents.put_back(queries.put_back(scores, 0), 1)
    _report(scores, documents)
    return scores


def maxsim_pairwise(
    a: Any,
    b: Any,
    a_mask: Any = None,
    b_mask: Any = None,
    chunk_elements: int | None = None,
    length_normalize: bool = False,
    device: str | torch.device | None = None,
) -> Tensor:
    """n queries, n documents → (n,) MaxSim of query i with document i; all else as in `maxsim`."""
    budget = _budget(chunk_elements)
    queries, documents = pair(a, b, a_mask, b_mask, aligned=True)
    home = documents.device or queries.device or torch.device("cpu")
    if not len(queries):
        return torch.zeros(0, device=home)
    place = torch.device(device) if device is not None else home
    dtype = torch.promote_types(queries.dtype, documents.dtype)
    blocks = [torch.full((documents.empty,), EMPTY, device=home)]
    for start, stop in _pair_pieces(queries, documents, budget):
        found = documents.repeated(start, stop, place, dtype)  # (pairs, document tokens, dims)
        asked, real = queries.padded(start, stop, place, dtype)  # (pairs, query tokens, dims), (pairs, query tokens)
        best = _highest(found @ asked.transpose(1, 2))  # (pairs, query tokens)
        weights = queries.weighing(start, stop, place, dtype)
        if weights is not None:
            best = best * torch.ones_like(best).masked_scatter(real, weights)
        blocks.append(best.masked_fill(~real, 0).sum(1).float().to(home))
    scores = torch.cat(blocks)
    if length_normalize:
        scores = scores / queries.counts.clamp_min(1).to(home)
    scores = documents.put_back(scores, 0)
    _report(scores, documents)
    return scores


def mean_maxsim(
    a: Any,
    b: Any,
    a_mask: Any = None,
    b_mask: Any = None,
    chunk_elements: int | None = None,
    length_normalize: bool = True,
    device: str | torch.device | None = None,
) -> Tensor:
    """`maxsim` divided by the number of query tokens: from -1 to 1 for vectors of length 1, however long the query."""
    return maxsim(a, b, a_mask, b_mask, chunk_elements, length_normalize, device)


def mean_maxsim_pairwise(
    a: Any,
    b: Any,
    a_mask: Any = None,
    b_mask: Any = None,
    chunk_elements: int | None = None,
    length_normalize: bool = True,
    device: str | torch.device | None = None,
) -> Tensor:
    """`maxsim_pairwise` divided by the number of query tokens."""
    return maxsim_pairwise(a, b, a_mask, b_mask, chunk_elements, length_normalize, device)


def _budget(chunk_elements: int | None) -> int:
    if chunk_elements is None:
        return ELEMENTS
    positive("chunk_elements", chunk_elements)
    return int(chunk_elements)


def _pair_pieces(queries: Side, documents: Side, budget: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of the pairs whose documents have tokens; padding and its source are held at once."""
    dims, wide, start = max(queries.dims, documents.dims), queries.longest, documents.empty
    lengths: list[int] = documents.counts.tolist()  # shortest first, so the last of a piece is its longest

    def held(stop: int) -> int:
        return (stop - start) * (2 * dims * wide + lengths[stop - 1] * (2 * dims + wide))

    while start < len(documents):
        fitting = bisect_right(range(start + 1, len(documents) + 1), budget, key=held)
        stop = start + max(1, fitting)
        yield start, stop
        start = stop


def _best(found: Tensor, runs: list[tuple[int, int]], asked: Tensor) -> Tensor:
    """(document tokens, dims), (query tokens, dims) → (documents, query tokens): the best of each document."""
    products = found @ asked.T  # (document tokens, query tokens)
    parts = torch.split(products, [items * length for items, length in runs])
    return torch.cat([_highest(part.view(items, length, len(asked))) for part, (items, length) in zip(parts, runs)])


def _summed(best: Tensor, runs: list[tuple[int, int]]) -> Tensor:
    """(documents, query tokens) → (documents, queries)."""
    parts = torch.split(best, [items * length for items, length in runs], 1)
    return torch.cat([part.view(len(best), items, length).sum(2) for part, (items, length) in zip(parts, runs)], 1)


def _highest(products: Tensor) -> Tensor:
    """(items, tokens, query tokens) → (items, query tokens)."""
    if products.requires_grad:
        return products.max(1).values  # keeps only positions for the way back, amax would keep all products
    return products.amax(1)


def _report(scores: Tensor, documents: Side) -> None:
    """Warn of documents without tokens, and of scores that are no numbers. scores: as they are returned."""
    if documents.empty:
        first = ", ".join(map(str, sorted(documents.order[: documents.empty].tolist())[:5]))
        warn(
            f"{documents.empty} of {len(documents)} documents have no token that counts; they score {EMPTY:.0e}. "
            f"First of them: {first}"
        )
    missing = scores.detach().isnan()
    if bool(missing.any()):
        where = missing.nonzero()[0].tolist()
        spoken = f"query {where[0]} with document {where[-1]}"
        warn(f"{int(missing.sum())} of {scores.numel()} MaxSim scores are NaN, the first is that of {spoken}")
