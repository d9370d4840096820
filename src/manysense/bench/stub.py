"""A reranker with a known service time and no model: what the harness itself is checked with.

Knows: clocks, distributions of service times. Does not know: documents. The order it gives is that of retrieval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from .clock import Clock


class Stub:
    """service(count) → seconds that a request with `count` documents takes."""

    def __init__(self, service: Callable[[int], float], clock: Clock) -> None:
        self._service, self._clock = service, clock

    def rank(self, query: Any, documents: Sequence[Any], /, *, top_k: int | None = None) -> list[dict[str, Any]]:
        self._clock.sleep_until(self._clock.now() + self._service(len(documents)))
        return [{"corpus_id": i, "score": -float(i)} for i in range(len(documents))][:top_k]


def constant(seconds: float) -> Callable[[int], float]:
    return lambda count: seconds


def exponential(seconds: float, random: Random) -> Callable[[int], float]:
    """Without memory, `seconds` on average."""
    return lambda count: random.expovariate(1 / seconds)
