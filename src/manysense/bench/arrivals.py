"""When requests arrive: moments fixed before the first is sent, whatever the reranker does.

Knows: processes of arrival. Does not know: what arrives.
"""

from __future__ import annotations

from random import Random

from ..settings import choose

KINDS = ("poisson", "constant")


def arrivals(kind: str, rate: float, count: int, random: Random) -> tuple[float, ...]:
    """(count,) moments in seconds, ascending.  rate: requests a second.

    "poisson": independent of each other, as those of many users; gaps are exponential.  "constant": one every 1/rate
    seconds. Raises UsageError for another kind.
    """
    choose("arrivals", kind, KINDS)
    moment, moments = 0.0, []
    for _ in range(count):
        moment += random.expovariate(rate) if kind == "poisson" else 1 / rate
        moments.append(moment)
    return tuple(moments)
