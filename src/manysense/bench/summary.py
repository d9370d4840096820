"""Samples → what people ask: how late, how many, whether it keeps up, how good.

Knows: samples, groups of them. Does not know: how a reader sees it (table.py, page.py).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from .load import Sample
from .quality import mrr, ndcg, ranking
from .stats import Estimate, estimates

LEVELS = (0.5, 0.95, 0.99)
GROUPS = 6
"""More different sizes than these are put together by powers of two."""


@dataclass(frozen=True)
class Latencies:
    """Of some samples, in the order of their arrival. Seconds."""

    samples: tuple[Sample, ...]

    @property
    def count(self) -> int:
        return len(self.samples)

    @cached_property
    def answered(self) -> int:
        return sum(sample.answered for sample in self.samples)

    @cached_property
    def reasons(self) -> Counter[str]:
        """Why the others were not."""
        return Counter(sample.error for sample in self.samples if sample.error is not None)

    @property
    def dropped(self) -> int:
        return sum(sample.started is None for sample in self.samples)

    @cached_property
    def percentiles(self) -> list[Estimate]:
        """(p50, p95, p99) over all requests; one that was not answered is infinitely late."""
        return estimates([sample.latency for sample in self.samples], LEVELS)

    @property
    def mean(self) -> float:
        """Of the answered; NaN without one."""
        return fmean(self._answered) if self.answered else math.nan

    @property
    def longest(self) -> float:
        """Of the answered; NaN without one."""
        return max(self._answered, default=math.nan)

    @cached_property
    def _answered(self) -> list[float]:
        return [sample.latency for sample in self.samples if sample.answered]


@dataclass(frozen=True, slots=True)
class Summary:
    """One step.

    throughput: answers a second, from the first arrival to the last answer.  load: rate x mean service time / workers,
    the share of the workers that the rate asks for; from 1 on the queue grows without end.  utilisation: the share of
    the time that the workers were busy.  growth: how many more requests were unfinished when the last one arrived than
    when the middle one did; a queue inside an endpoint shows there before it shows in the load.
    """

    number: int
    rate: float
    workers: int
    latencies: Latencies
    throughput: float
    load: float
    utilisation: float
    growth: int

    @property
    def keeps_up(self) -> bool:
        """Below full load, the backlog not growing by a tenth of what arrives, one request in a hundred unanswered at
        most."""
        count = self.latencies.count
        steady = self.growth <= max(10, count / 20)  # in half of the requests
        return self.load < 1 and steady and self.latencies.answered >= 0.99 * count


def summary(samples: Iterable[Sample], workers: int) -> Summary:
    """samples: of one step, in any order, at least one."""
    ordered = tuple(sorted(samples, key=lambda sample: sample.number))
    first, last = ordered[0].scheduled, ordered[-1].scheduled
    middle = ordered[len(ordered) // 2].scheduled
    ends = [sample.finished for sample in ordered if sample.finished is not None]
    span = max([last, *ends]) - first or math.nan
    services = [sample.service for sample in ordered if sample.answered]
    return Summary(
        number=ordered[0].step,
        rate=ordered[0].rate,
        workers=workers,
        latencies=Latencies(ordered),
        throughput=len(services) / span,
        load=ordered[0].rate * fmean(services) / workers if services else math.nan,
        utilisation=sum(sample.service for sample in ordered) / (workers * span),
        growth=len(ordered) - len(ordered) // 2 - 1 - sum(middle < end <= last for end in ends),
    )


def grouped(samples: Iterable[Sample], size: Callable[[Sample], int]) -> dict[int, Latencies]:
    """Size → its samples, ascending.  size: of a sample, as candidates or pixels; many different ones are put together
    at the nearest power of two."""
    ordered = sorted(samples, key=lambda sample: sample.number)
    many = len({size(sample) for sample in ordered}) > GROUPS
    held: dict[int, list[Sample]] = {}
    for sample in ordered:
        held.setdefault(_near(size(sample)) if many else size(sample), []).append(sample)
    return {key: Latencies(tuple(held[key])) for key in sorted(held)}


def _near(size: int) -> int:
    return 2 ** round(math.log2(size)) if size else 0


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over `queries` distinct queries with a relevant document; None without one."""

    queries: int
    ndcg: float | None
    mrr: float | None


def quality(samples: Iterable[Sample], judgements: Sequence[Sequence[float]]) -> Quality:
    """Each query once, by its first answer.  judgements: of all its documents; those that were not reranked stand
    behind those that were, as they were retrieved."""
    first: dict[int, Sample] = {}
    for sample in samples:
        if sample.judged is not None and sample.scores is not None:
            first.setdefault(sample.judged, sample)
    gains, ranks = [], []
    for place, sample in first.items():
        relevance = judgements[place]
        order = ranking(sample.scores or (), len(relevance))
        gain, rank = ndcg(order, relevance), mrr(order, relevance)
        if gain is not None and rank is not None:
            gains.append(gain)
            ranks.append(rank)
    return Quality(len(gains), fmean(gains) if gains else None, fmean(ranks) if ranks else None)
