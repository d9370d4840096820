"""Items of different lengths one after the other in one sequence: nothing is padded.

Knows: where each item is, attention of each over its own tokens and over a beginning that all share. Does not know:
layers, models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Pack:
    """lengths: tokens of each item, without what is shared.  shared: tokens of the beginning that stands first and
    belongs to every item; 0 for none."""

    lengths: tuple[int, ...]
    shared: int = 0

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """(first token, one past the last) of each item's own tokens."""
        ends = [self.shared]
        for length in self.lengths:
            ends.append(ends[-1] + length)
        return list(pairwise(ends))

    @property
    def size(self) -> int:
        return self.shared + sum(self.lengths)

    @cached_property
    def last(self) -> Tensor:
        """(items,) positions of each item's last token."""
        return torch.tensor([end - 1 for _, end in self.spans])

    @cached_property
    def first(self) -> Tensor:
        """(items,) positions of each item's first token."""
        return torch.tensor([start for start, _ in self.spans])

    @cached_property
    def numbered(self) -> Tensor:
        """(size,) number of each token within its item, from 0. Of items that share nothing."""
        assert not self.shared
        lengths = torch.tensor(self.lengths)
        return torch.arange(self.size) - torch.repeat_interleave(lengths.cumsum(0) - lengths, lengths)

    @cached_property
    def _runs(self) -> list[tuple[int, int, int]]:
        """(first token, items, length of each) for neighbours of one length, which attend in one call."""
        runs: list[tuple[int, int, int]] = []
        for (start, _), length in zip(self.spans, self.lengths):
            if runs and runs[-1][2] == length:
                runs[-1] = (runs[-1][0], runs[-1][1] + 1, length)
            else:
                runs.append((start, 1, length))
        return runs

    def attend(self, q: Tensor, k: Tensor, v: Tensor, scale: float, causal: bool) -> Tensor:
        """q: (heads, size, d), k, v: (heads or fewer, size, d) → (size, heads * d). Each item sees its own tokens and
        what is shared; with `causal` no later ones."""
        out = q.new_empty(q.shape[1], q.shape[0] * q.shape[2])
        grouped = q.shape[0] != k.shape[0]
        options: dict[str, Any] = {"scale": scale, "enable_gqa": grouped}
        n = self.shared
        if n:
            made = functional.scaled_dot_product_attention(
                q[None, :, :n], k[None, :, :n], v[None, :, :n], is_causal=causal, **options
            )
            out[:n] = _flat(made[0])
        for start, count, length in self._runs:
            own = slice(start, start + count * length)
            q1, k1, v1 = (_cut(part[:, own], count) for part in (q, k, v))
            if not n:
                made = functional.scaled_dot_product_attention(q1, k1, v1, is_causal=causal, **options)
            else:
                k1, v1 = (_behind(part[:, :n], one) for part, one in ((k, k1), (v, v1)))
                mask = _causal(length, n, q.device) if causal else None
                made = functional.scaled_dot_product_attention(q1, k1, v1, attn_mask=mask, **options)
            out[own] = made.transpose(1, 2).reshape(count * length, -1)
        return out

    def attend_from(self, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        """q: (heads, items, d), one position of each item, which sees all of its item and what is shared → (items,
        heads * d)."""
        rows: list[Tensor] = []
        options: dict[str, Any] = {"scale": scale, "enable_gqa": q.shape[0] != k.shape[0]}
        n, done = self.shared, 0
        for start, count, length in self._runs:
            own = slice(start, start + count * length)
            q1 = q[:, done : done + count].transpose(0, 1)[:, :, None]  # (count, heads, 1, d)
            k1, v1 = (_cut(part[:, own], count) for part in (k, v))
            if n:
                k1, v1 = (_behind(part[:, :n], one) for part, one in ((k, k1), (v, v1)))
            made = functional.scaled_dot_product_attention(q1, k1, v1, **options)
            rows.append(made[:, :, 0].reshape(count, -1))
            done += count
        return torch.cat(rows)


def _flat(made: Tensor) -> Tensor:
    """(heads, n, d) → (n, heads * d)"""
    return made.transpose(0, 1).reshape(made.shape[1], -1)


def _cut(part: Tensor, count: int) -> Tensor:
    """(heads, count * length, d) → (count, heads, length, d)"""
    heads, size, width = part.shape
    return part.view(heads, count, size // count, width).transpose(0, 1)


def _behind(shared: Tensor, own: Tensor) -> Tensor:
    """(heads, n, d), (count, heads, length, d) → (count, heads, n + length, d)"""
    return torch.cat([shared[None].expand(len(own), -1, -1, -1), own], 2)


def _causal(length: int, shared: int, device: Any) -> Tensor:
    """(length, shared + length): whether a position may be seen."""
    return torch.ones(length, shared + length, dtype=torch.bool, device=device).tril(shared)


def common_beginning(rows: Sequence[Any]) -> int:
    """Values that all rows (n_i,) of whole numbers begin with."""
    first = rows[0]
    size = min(len(row) for row in rows)
    for row in rows[1:]:
        differs = first[:size] != row[:size]
        if differs.any():
            size = int(differs.argmax())
    return size
