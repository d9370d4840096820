"""Loads in virtual time: what the tests of the harness send, and to what.

Knows: stubs with known service times. Nothing here waits for a real clock.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from manysense.bench.arrivals import arrivals
from manysense.bench.clock import VirtualClock
from manysense.bench.load import Sample, Step, run
from manysense.bench.stub import Stub
from manysense.bench.workload import Request

ONE = Request("a query", ("a document", "another"))


def load(
    rate: float,
    count: int,
    service: Callable[[int], float],
    *,
    process: str = "poisson",
    workers: int = 1,
    seed: int = 0,
    patience: float = float("inf"),
) -> list[Sample]:
    """The samples of one step at a stub, in the order of arrival."""
    clock = VirtualClock(workers)
    step = Step(1, "load", rate, [ONE] * count, arrivals(process, rate, count, Random(seed)), patience)
    return sorted(run(Stub(service, clock), step, workers, clock), key=lambda sample: sample.number)
