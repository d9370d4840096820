"""Token vectors of many items as a caller has them: a list of matrices, or a padded array with a mask.

Knows: shapes, masks, which tokens count, how the tokens of some items are brought together. Does not know: what is
computed with them (maxsim.py).

Nothing is converted, copied or moved before its piece is asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ..errors import UsageError

_READ = 2**22
"""Numbers that are looked at together when rows of zeros are sought."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """The items of one side in an order of their own, and what counts of them.

    held: the items' matrices, or all rows (items * width, dims) of a padded array.  dims: 0 where no item has tokens.
    order: (items,) positions with the caller.  counts: (items,) tokens that count.  offsets: where each item's tokens
    begin among all that count, and where the last end.  keep: of a list, (items, width), which tokens count.  rows: of
    a padded array, the rows that count. Both None where all do.  weights: (tokens,), None where all are 1. counts,
    offsets, keep, rows and weights are in this order, not the caller's.
    """

    held: Any
    dims: int
    order: Tensor
    counts: Tensor
    offsets: list[int]
    keep: Tensor | None
    rows: Tensor | None
    weights: Tensor | None

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def device(self) -> torch.device | None:
        """Of its tensors; None where it has none."""
        first = (self.held[0] if len(self.held) else None) if isinstance(self.held, list) else self.held
        return first.device if isinstance(first, Tensor) else None

    @property
    def dtype(self) -> torch.dtype:
        """What it is computed in: float64 stays, everything else becomes float32."""
        held = self.held if isinstance(self.held, list) else [self.held]
        return torch.float64 if any(one.dtype in (torch.float64, np.float64) for one in held) else torch.float32

    @property
    def empty(self) -> int:
        """Items without any token; where the shortest comes first, as in documents, they are the first ones."""
        return int((self.counts == 0).sum())

    @property
    def longest(self) -> int:
        return int(self.counts.max())

    def pieces(self, start: int, most: int) -> Iterator[tuple[int, int]]:
        """(start, stop) of consecutive items with at most `most` tokens; one item at least."""
        while start < len(self):
            stop = max(start + 1, bisect_right(self.offsets, self.offsets[start] + most) - 1)
            yield start, stop
            start = stop

    def runs(self, start: int, stop: int) -> list[tuple[int, int]]:
        """(items, length) of consecutive items that are equally long."""
        lengths, items = torch.unique_consecutive(self.counts[start:stop], return_counts=True)
        return list(zip(items.tolist(), lengths.tolist()))

    def tokens(self, start: int, stop: int, device: torch.device, dtype: torch.dtype) -> Tensor:
        """(tokens, dims) of the items, one after the other."""
        first, last = self.offsets[start], self.offsets[stop]
        if first == last:
            return torch.zeros((0, self.dims), device=device, dtype=dtype)
        if isinstance(self.held, list):
            here = self.device or torch.device("cpu")
            parts = [self._item(i).to(here) for i in range(start, stop) if self.counts[i]]
            return (parts[0] if len(parts) == 1 else torch.cat(parts)).to(device, dtype)
        which = slice(first, last) if self.rows is None else self.rows[first:last]
        return _taken(self.held, which).to(device, dtype)

    def _item(self, i: int) -> Tensor:
        matrix = self.held[int(self.order[i])]
        return _tensor(matrix) if self.keep is None else _taken(matrix, self.keep[i].nonzero().squeeze(1))

    def weighing(self, start: int, stop: int, device: torch.device, dtype: torch.dtype) -> Tensor | None:
        """(tokens,) weights of the items' tokens; None where all are 1."""
        if self.weights is None:
            return None
        return self.weights[self.offsets[start] : self.offsets[stop]].to(device, dtype)

    def repeated(self, start: int, stop: int, device: torch.device, dtype: torch.dtype) -> Tensor:
        """(items, longest, dims), each filled up with its last token, which changes no maximum. None may be empty."""
        flat = self.tokens(start, stop, device, dtype)
        counts = self.counts[start:stop]
        longest = int(counts.max())
        if int(counts.min()) < longest:
            starts = torch.tensor(self.offsets[start:stop]) - self.offsets[start]
            places = starts.unsqueeze(1) + torch.minimum(torch.arange(longest), counts.unsqueeze(1) - 1)
            flat = flat.index_select(0, places.flatten().to(device))
        return flat.view(stop - start, longest, self.dims)

    def padded(self, start: int, stop: int, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """(items, longest, dims) filled up with zeros, and (items, longest): what is no padding."""
        flat = self.tokens(start, stop, device, dtype)
        counts = self.counts[start:stop]
        real = (torch.arange(int(counts.max())) < counts.unsqueeze(1)).to(device)
        if len(flat) == real.numel():
            return flat.view(*real.shape, self.dims), real
        return flat.new_zeros((*real.shape, self.dims)).index_put((real,), flat), real

    def put_back(self, scores: Tensor, dim: int) -> Tensor:
        """The scores of this order, along `dim`, in the order of the caller."""
        if _sorted(self.order):
            return scores
        return scores.index_select(dim, torch.argsort(self.order).to(scores.device))


def pair(a: Any, b: Any, a_mask: Any, b_mask: Any, *, aligned: bool = False) -> tuple[Side, Side]:
    """Both sides, each shortest first; aligned: item i of one is to meet item i of the other, both in the order of b.

    Raises UsageError for what are no token vectors, for masks that do not fit, for sides that do not fit each other.
    """
    documents = side(b, b_mask, "b")
    queries = side(a, a_mask, "a", documents.order if aligned else None)
    if queries.dims and documents.dims and queries.dims != documents.dims:
        raise UsageError(f"token vectors of {queries.dims} dimensions (a) and of {documents.dims} (b) do not compare")
    if not queries.dims:  # none has a token; nothing times nothing still needs a width
        queries = replace(queries, dims=documents.dims)
    return queries, documents


def side(vectors: Any, mask: Any, name: str, order: Tensor | None = None) -> Side:
    """The side of these vectors. order: None puts the shortest first. Raises UsageError, with `name`."""
    listed = isinstance(vectors, (list, tuple))
    held, lengths, dims = _matrices(vectors, name) if listed else _rows(vectors, name)
    widest = int(lengths.max()) if len(lengths) else 0
    given = None if mask is None or not len(lengths) else _mask(mask, lengths, widest, name)
    keep: Tensor | None = None
    if given is not None:  # a mask says nothing of what lies beyond an item's tokens
        keep = (given.detach() != 0) & (torch.arange(widest) < lengths.unsqueeze(1))
    elif not listed:
        keep = _not_zero(held, len(lengths), widest)
    counts = lengths if keep is None else keep.sum(1)
    if order is None:
        order = torch.argsort(counts, stable=True)
    elif len(order) != len(counts):
        raise UsageError(f"pairs need as many queries as documents, got {len(counts)} and {len(order)}")
    counts = counts[order]
    keep = None if keep is None else keep[order]
    weights = None if given is None or keep is None else given[order][keep]
    if weights is not None and bool((weights == 1).all()):
        weights = None
    rows: Tensor | None = None
    if not listed and (keep is not None or not _sorted(order)):
        item, place = (torch.ones(len(order), widest) if keep is None else keep).nonzero().unbind(1)
        rows, keep = order[item] * widest + place, None
    return Side(held, dims, order, counts, [0, *counts.cumsum(0).tolist()], keep, rows, weights)


def _matrices(vectors: Any, name: str) -> tuple[list[Any], Tensor, int]:
    """The matrices of a list, their lengths, the dims they have in common."""
    held = [_numbers(item, f"{name}[{i}]") for i, item in enumerate(vectors)]
    dims = 0
    for i, item in enumerate(held):
        if len(item) and item.ndim != 2:
            raise UsageError(
                f"{name}[{i}] must be a matrix (tokens, dims), got the shape {tuple(item.shape)}\n"
                f"  A list holds one matrix for each item; the vectors of one item alone are one array."
            )
        if len(item) and dims not in (0, item.shape[1]):
            raise UsageError(f"{name}[{i}] has token vectors of {item.shape[1]} dimensions, those before it {dims}")
        dims = item.shape[1] if len(item) else dims
    return held, torch.tensor([len(item) for item in held], dtype=torch.long), dims


def _rows(vectors: Any, name: str) -> tuple[Any, Tensor, int]:
    """All rows of a padded array, as many lengths as it has items, its dims."""
    array = _numbers(vectors, name)
    array = array[None] if array.ndim == 2 else array
    if array.ndim != 3:
        raise UsageError(
            f"{name} must be a list of matrices (tokens, dims), an array (items, tokens, dims), or one matrix; "
            f"got the shape {tuple(array.shape)}"
        )
    items, width, dims = array.shape
    return array.reshape(items * width, dims), torch.full((items,), width), dims


def _numbers(value: Any, name: str) -> Any:
    """A dense tensor or an array of numbers: the caller's own, or what a nested list says."""
    if isinstance(value, Tensor):
        if value.is_complex():
            raise UsageError(f"{name} must hold real numbers, got {value.dtype}")
        return value.to_dense() if value.is_sparse else value
    if not isinstance(value, np.ndarray):
        try:
            value = np.asarray(value, np.float32)
        except (TypeError, ValueError):
            raise UsageError(f"{name} must be a matrix of numbers, got {type(value).__name__}") from None
    if value.ndim == 0 or value.dtype.kind not in "biuf":
        raise UsageError(f"{name} must be a matrix of numbers, got {value.dtype} of the shape {value.shape}")
    return value


def _not_zero(rows: Any, items: int, width: int) -> Tensor | None:
    """(items, width): whether a row has any number but 0; None where all have."""
    if not rows.shape[1]:
        return torch.zeros(items, width, dtype=torch.bool)
    suspects = _tensor(rows[:, 0] == 0).nonzero().squeeze(1)  # one number of each row is read, not all
    if not len(suspects):
        return None
    keep = torch.ones(items * width, dtype=torch.bool)
    for some in torch.split(suspects, max(1, _READ // rows.shape[1])):
        keep[some.cpu()] = (_taken(rows, some) != 0).any(1).cpu()
    return keep.view(items, width)


def _mask(mask: Any, lengths: Tensor, widest: int, name: str) -> Tensor:
    """(items, widest) on the CPU, in the mask's own number type."""
    try:
        if isinstance(mask, (list, tuple)):
            parts = [torch.as_tensor(part) for part in mask]
            mask = torch.stack(parts) if all(part.dim() == 0 for part in parts) else _joined(parts, lengths, widest)
        mask = torch.as_tensor(mask).cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"{name}_mask must be numbers, (items, tokens) or one row for each item: {error}") from None
    shape = tuple(mask.shape)
    mask = mask.unsqueeze(0) if mask.dim() == 1 else mask
    if mask.dim() != 2 or mask.shape[0] not in (1, len(lengths)) or mask.shape[1] != widest:
        raise UsageError(
            f"{name}_mask has the shape {shape}, and {name} {len(lengths)} items of up to {widest} tokens: "
            f"it must be ({len(lengths)}, {widest})"
        )
    whole: Tensor = mask.expand(len(lengths), -1)
    return whole


def _joined(parts: list[Tensor], lengths: Tensor, widest: int) -> Tensor:
    """A mask of its own for each item → (items, widest)."""
    if len(parts) != len(lengths):
        raise ValueError(f"{len(parts)} masks for {len(lengths)} items")
    for i, (part, length) in enumerate(zip(parts, lengths.tolist())):
        if part.dim() != 1 or len(part) not in (length, widest):
            raise ValueError(f"mask {i} has the shape {tuple(part.shape)} for {length} tokens")
    if max(map(len, parts)) < widest:
        parts = [*parts, parts[0].new_zeros(widest)]
    made: Tensor = pad_sequence(parts, batch_first=True)
    return made[: len(lengths)]


def _sorted(order: Tensor) -> bool:
    return torch.equal(order, torch.arange(len(order)))


def _taken(rows: Any, which: Any) -> Tensor:
    """Rows of a tensor or an array, as a tensor."""
    if isinstance(which, Tensor):
        which = which.to(rows.device) if isinstance(rows, Tensor) else which.cpu().numpy()
    return _tensor(rows[which])


def _tensor(rows: Any) -> Tensor:
    if isinstance(rows, Tensor):
        return rows
    if not rows.flags.writeable or any(step < 0 for step in rows.strides):  # what torch cannot share
        rows = rows.copy()
    return torch.from_numpy(rows)
