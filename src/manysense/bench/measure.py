"""A whole measurement: the warm-up, then a step for each rate, given or searched.

Knows: the plan, the order of steps. Does not know: files, screens; events go to the caller as they happen.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean

from ..errors import ModelError, UsageError
from ..settings import choose, positive
from .arrivals import KINDS, arrivals
from .clock import Clock
from .load import Sample, Step, run
from .memory import Peak
from .summary import summary
from .sweep import next_rate
from .targets import Target
from .workload import Workload


@dataclass(frozen=True, slots=True)
class Plan:
    """rates: requests a second, one step each; () searches the rate from which the target no longer keeps up.

    requests: a step.  process: of arrivals, see arrivals.py.  patience: seconds that a request waits for a worker.
    warm_up: rounds over all shapes, whose times are kept and not counted.
    """

    rates: tuple[float, ...] = ()
    requests: int = 400
    process: str = "poisson"
    patience: float = 60.0
    warm_up: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        positive("--requests", self.requests)
        positive("--warm-up", self.warm_up)
        choose("--arrivals", self.process, KINDS)
        wrong = [rate for rate in self.rates if not 0 < rate < math.inf]
        if wrong:
            raise UsageError(f"--rates are requests a second, above 0, got {wrong[0]!r}")
        if not self.patience > 0:
            raise UsageError(f"--patience is in seconds, above 0, got {self.patience!r}")


@dataclass(frozen=True, slots=True)
class StepEnd:
    """peak: most bytes that the target's process held in memory during the step, None where that is unknown."""

    number: int
    peak: int | None


Event = Step | Sample | StepEnd


def measure(target: Target, workload: Workload, plan: Plan, clock: Clock) -> Generator[Event, None, None]:
    """A Step, its samples as they finish, a StepEnd; and so on.

    Every step draws its requests and arrivals from the seed and its number alone, so two targets are asked the same.
    Raises ModelError where a shape is never answered in the warm-up, and after a step in which nothing is answered;
    what came before stands.
    """
    warm: list[Sample] = []
    requests = [one for _ in range(plan.warm_up) for one in workload.one_of_each(Random(plan.seed))]
    for event in _events(target, Step(0, "warm-up", 0.0, requests, [0.0] * len(requests)), 1, clock):
        yield event
        if isinstance(event, Sample):
            warm.append(event)
    capacity = target.workers / max(1e-6, _service(target, workload, warm))
    tried: list[tuple[float, bool]] = []
    while (rate := _next(plan, tried, capacity / 2)) is not None:
        step = _step(workload, plan, rate, len(tried) + 1)
        samples = []
        for event in _events(target, step, target.workers, clock):
            yield event
            if isinstance(event, Sample):
                samples.append(event)
        told = summary(samples, target.workers)
        if not told.latencies.answered:
            raise ModelError(f"{target.name} answered none of {len(samples)} requests: {samples[0].error}")
        tried.append((rate, told.keeps_up))


def _service(target: Target, workload: Workload, warm: Sequence[Sample]) -> float:
    """Mean seconds of the last answer to each shape. Raises ModelError where a shape was never answered."""
    every = len(workload.shapes)
    last = []
    for shape in range(every):
        rounds = warm[shape::every]
        answered = [sample for sample in rounds if sample.answered]
        if not answered:
            raise ModelError(f"{target.name} cannot rank {workload.shapes[shape].label}: {rounds[-1].error}")
        last.append(answered[-1].service)
    return fmean(last)


def _next(plan: Plan, tried: Sequence[tuple[float, bool]], first: float) -> float | None:
    if plan.rates:
        return plan.rates[len(tried)] if len(tried) < len(plan.rates) else None
    rate = next_rate(tried, first)
    return None if rate is None else float(f"{rate:.3g}")


def _step(workload: Workload, plan: Plan, rate: float, number: int) -> Step:
    random = Random(f"{plan.seed} {number}")
    requests = workload.draw(plan.requests, random)
    moments = arrivals(plan.process, rate, plan.requests, random)
    return Step(number, "load", rate, requests, moments, plan.patience)


def _events(target: Target, step: Step, workers: int, clock: Clock) -> Iterator[Event]:
    yield step
    if target.pid is None:
        yield from run(target.reranker, step, workers, clock)
        yield StepEnd(step.number, None)
        return
    with Peak(target.pid) as peak:
        yield from run(target.reranker, step, workers, clock)
    yield StepEnd(step.number, peak.bytes)
