"""A step summed up, groups of sizes, and the search for the rate that is too much."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from loads import load

from manysense.bench.clock import VirtualClock
from manysense.bench.load import Sample
from manysense.bench.measure import Plan, StepEnd, measure
from manysense.bench.stub import Stub, constant, exponential
from manysense.bench.summary import grouped, quality, summary
from manysense.bench.sweep import CLOSE, MOST, bounds, next_rate
from manysense.bench.targets import Target
from manysense.bench.workload import Request, Shape, Workload
from manysense.errors import ModelError, UsageError

WORKLOAD = Workload((Shape("2 texts", lambda random: Request("a", ("b", "c"))),), {})


@pytest.mark.parametrize(("rate", "keeps_up"), [(0.5, True), (0.8, True), (1.05, False), (2.0, False)])
def test_it_keeps_up_below_its_capacity_and_not_above(rate, keeps_up):
    told = summary(load(rate, 600, constant(1.0)), 1)
    assert told.keeps_up == keeps_up
    assert told.load == pytest.approx(rate)


def test_throughput_is_the_rate_below_capacity_and_the_capacity_above():
    below, above = (summary(load(rate, 2000, constant(1.0)), 1) for rate in (0.5, 3.0))
    assert below.throughput == pytest.approx(0.5, rel=0.1)
    assert below.utilisation == pytest.approx(0.5, rel=0.1)
    assert above.throughput == pytest.approx(1.0, rel=0.01)
    assert above.utilisation == pytest.approx(1.0, rel=0.01)


def test_a_queue_inside_an_endpoint_is_seen_before_its_connections_are_full():
    """A server with one slow worker behind 64 connections: each call waits inside, and the load still looks small."""
    inside = load(1.2, 200, constant(1.0))
    seen = [replace(sample, started=sample.scheduled) for sample in inside]
    told = summary(seen, 64)
    assert told.load < 1
    assert not told.keeps_up


def test_one_unanswered_request_in_fifty_is_not_keeping_up():
    samples = load(0.5, 100, constant(1.0))
    samples = [replace(s, error="no", scores=None) if s.number % 50 == 0 else s for s in samples]
    told = summary(samples, 1)
    assert told.latencies.answered == 98
    assert told.latencies.reasons == {"no": 2}
    assert not told.keeps_up


def test_many_sizes_are_put_together_by_powers_of_two():
    (one,) = load(1, 1, constant(1.0))
    few = [replace(one, number=i, pixels=i * 100) for i in range(5)]
    assert list(grouped(few, lambda s: s.pixels)) == [0, 100, 200, 300, 400]
    many = [replace(one, number=i, pixels=i * 100) for i in range(12)]
    groups = grouped(many, lambda s: s.pixels)
    assert list(groups) == [0, 128, 256, 512, 1024]
    assert sum(group.count for group in groups.values()) == 12


def test_quality_counts_each_query_once_and_what_was_not_reranked():
    (one,) = load(1, 1, constant(1.0))
    judgements = [[0, 0, 1], [0, 1], [0, 0]]
    samples = [replace(one, number=n, judged=j, scores=(0.0, 1.0)) for n, j in enumerate([0, 0, 1, 2, 0])]
    good = quality(samples, judgements)
    assert good.queries == 2  # the third has nothing relevant
    assert good.mrr == pytest.approx((1 / 3 + 1) / 2)


# ---- the search


@pytest.mark.parametrize("capacity", [0.07, 1.0, 9.0, 800.0])
def test_the_search_closes_in_on_the_capacity(capacity):
    tried: list[tuple[float, bool]] = []
    while (rate := next_rate(tried, 1.0)) is not None:
        tried.append((rate, rate < capacity))
    low, high = bounds(tried)
    assert low < capacity <= high
    assert high / low <= CLOSE or len(tried) == MOST


def target(service, clock):
    return Target("stub", Stub(service, clock), 1, None, None)


def test_a_measurement_finds_where_a_stub_falls_behind():
    clock = VirtualClock()
    plan = Plan(requests=400)
    steps: dict[int, list[Sample]] = {}
    for event in measure(target(constant(0.02), clock), WORKLOAD, plan, clock):
        if isinstance(event, Sample) and event.phase == "load":
            steps.setdefault(event.step, []).append(event)
    low, high = bounds([(samples[0].rate, summary(samples, 1).keeps_up) for samples in steps.values()])
    assert low <= 50 <= high * 1.001
    assert high / low <= CLOSE * 1.01


def test_given_rates_are_measured_in_their_order_after_a_warm_up():
    clock = VirtualClock()
    plan = Plan(rates=(3.0, 1.0), requests=10, warm_up=2)
    events = list(measure(target(exponential(0.1, Random(0)), clock), WORKLOAD, plan, clock))
    samples = [event for event in events if isinstance(event, Sample)]
    assert [sample.rate for sample in samples] == [0.0] * 2 + [3.0] * 10 + [1.0] * 10
    assert sum(isinstance(event, StepEnd) for event in events) == 3


def test_two_targets_are_asked_at_the_same_moments():
    def asked(service):
        clock = VirtualClock()
        events = measure(target(service, clock), WORKLOAD, Plan(rates=(5.0,), requests=50, seed=7), clock)
        samples = [event for event in events if isinstance(event, Sample) and event.phase == "load"]
        return [sample.scheduled for sample in sorted(samples, key=lambda sample: sample.number)]

    assert asked(constant(0.01)) == asked(constant(0.5))


class Refuses:
    """Answers the first `good` calls."""

    def __init__(self, good):
        self.left = good

    def rank(self, query, documents, /, *, top_k=None):
        self.left -= 1
        if self.left < 0:
            raise OSError("connection refused")
        return [{"corpus_id": i, "score": 0.0} for i in range(len(documents))]


@pytest.mark.parametrize(("good", "said"), [(0, "cannot rank 2 texts"), (1, "answered none of 20")])
def test_a_target_that_answers_nothing_ends_the_measurement(good, said):
    clock = VirtualClock()
    events = measure(Target("it", Refuses(good), 1, None, None), WORKLOAD, Plan(requests=20, warm_up=1), clock)
    with pytest.raises(ModelError, match=said) as caught:
        list(events)
    assert "connection refused" in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{"rates": (0.0,)}, {"requests": 0}, {"process": "often"}, {"patience": 0.0}, {"warm_up": 0}]
)
def test_a_plan_that_cannot_be_is_refused(wrong):
    with pytest.raises(UsageError):
        Plan(**wrong)
