"""Cut a window of measured items into batches.

Knows: costs, budgets, caps, groups. Does not know: models, media, tensors. A pure function, so that every batching
rule in the package can be read, and tested, here.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

SHARED = 6
"""A batch may cost so many times more than the budget as its items share."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one item. length: along the axis that a batch pads.  extra: what adds up on top, in the same unit.

    nbytes: of its prepared features.  group: items of different groups never share a batch.  shared: what a batch of
    the group costs once, in the same unit.
    """

    length: int
    extra: int = 0
    nbytes: int = 0
    group: Hashable = None
    shared: int = 0


def plan(
    costs: Sequence[Cost],
    *,
    budget: int,
    batch_size: int | None = None,
    most_bytes: int | None = None,
    streams: int = 1,
) -> list[list[int]]:
    """Positions of the items of each batch; the most expensive batches first.

    Items are sorted by length within their group and cut where padded length x items + extras would exceed `budget`,
    where there are `batch_size` of them, or where their features would exceed `most_bytes`. One item may exceed any
    budget: it gets a batch of its own. What a group shares is paid for by every batch: it may be several times as large
    there. With `streams` > 1 the budget shrinks so that every stream has work.
    """
    total = sum(cost.length + cost.extra for cost in costs)
    if streams > 1:
        budget = min(budget, max(budget // 8, -(-total // streams)))
    groups: dict[Hashable, list[int]] = {}
    for i, cost in enumerate(costs):
        groups.setdefault(cost.group, []).append(i)
    batches: list[list[int]] = []
    for members in groups.values():
        members.sort(key=lambda i: (-costs[i].length, -costs[i].extra, i))
        batches += _cut(members, costs, budget, batch_size, most_bytes)
    batches.sort(key=lambda batch: -padded_cost(batch, costs))
    return batches


def padded_cost(batch: Sequence[int], costs: Sequence[Cost]) -> int:
    """Longest length x items + extras + what they share."""
    own = max(costs[i].length for i in batch) * len(batch) + sum(costs[i].extra for i in batch)
    return own + costs[batch[0]].shared


def _cut(
    members: Sequence[int], costs: Sequence[Cost], budget: int, batch_size: int | None, most_bytes: int | None
) -> list[list[int]]:
    batches: list[list[int]] = []
    batch: list[int] = []
    longest = extras = size = 0
    for i in members:
        cost = costs[i]
        full = batch and (
            max(longest, cost.length) * (len(batch) + 1) + extras + cost.extra > budget + SHARED * cost.shared
            or (batch_size is not None and len(batch) >= batch_size)
            or (most_bytes is not None and size + cost.nbytes > most_bytes)
        )
        if full:
            batches.append(batch)
            batch, longest, extras, size = [], 0, 0, 0
        batch.append(i)
        longest, extras, size = max(longest, cost.length), extras + cost.extra, size + cost.nbytes
    return [*batches, batch] if batch else batches
