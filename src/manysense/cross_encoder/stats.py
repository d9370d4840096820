"""What a call on a reranker cost: counted while it runs, told with return_stats=True.

Knows: names of stages and of counts. Does not know: who counts.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..modules.base import Measured


@dataclass(frozen=True, slots=True)
class Stats:
    """Of one call. pairs: scored, equal ones too.  seconds: wall time.  forwards: distinct pairs that the network saw.

    tokens: computed for these.  padding: share of the positions computed that were padding.  shared_tokens: that pairs
    had of a common beginning which was computed for another of them.  opened: media that were decoded and prepared.
    tower_runs: media that a tower saw.  cache_hits: times that a tower's output was there already.  stages: seconds
    that each stage took, added up over threads, so that they may be more than `seconds`; "forward" holds "towers".
    """

    pairs: int
    seconds: float
    forwards: int
    tokens: int
    padding: float
    shared_tokens: int = 0
    opened: int = 0
    tower_runs: int = 0
    cache_hits: int = 0
    stages: Mapping[str, float] = field(default_factory=dict)

    @property
    def pairs_per_second(self) -> float:
        return self.pairs / self.seconds if self.seconds else 0.0


class Counts:
    """Counts of a call that runs. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}
        self._forwards = self._tokens = self._positions = self._shared = 0

    @contextlib.contextmanager
    def during(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self._spent(stage, time.perf_counter() - start)

    def _spent(self, stage: str, seconds: float) -> None:
        with self._lock:
            self._stages[stage] = self._stages.get(stage, 0.0) + seconds

    def forwarded(self, measured: Sequence[Measured], packed: bool, seconds: float) -> None:
        lengths = [one.length for one in measured]
        shared = measured[0].shared
        with self._lock:
            self._forwards += len(lengths)
            self._tokens += sum(lengths) + shared
            self._shared += shared * (len(lengths) - 1)
            self._positions += (sum(lengths) if packed else max(lengths) * len(lengths)) + shared
        self._spent("forward", seconds)

    def told(self, pairs: int, tally: Mapping[str, int]) -> Stats:
        """tally: what was opened and seen, by name."""
        with self._lock:
            towers = tally.get("tower_microseconds", 0) / 1e6
            stages = {**self._stages, "towers": towers} if towers else dict(self._stages)
            return Stats(
                pairs,
                time.perf_counter() - self._start,
                self._forwards,
                self._tokens,
                1 - self._tokens / self._positions if self._positions else 0.0,
                shared_tokens=self._shared,
                opened=tally.get("opened", 0),
                tower_runs=tally.get("tower_runs", 0),
                cache_hits=tally.get("cache_hits", 0),
                stages=stages,
            )
