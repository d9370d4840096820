"""The open loop against queueing theory, in virtual time; and what a closed loop would have said."""

from __future__ import annotations

import math
import threading
import time
from random import Random
from statistics import fmean

import pytest
from loads import ONE, load

from manysense.bench.clock import VirtualClock, WallClock
from manysense.bench.load import Step, run
from manysense.bench.stats import percentile
from manysense.bench.stub import Stub, constant, exponential

MANY = 20_000


def waits(samples):
    return [sample.started - sample.scheduled for sample in samples]


# ---- equal to theory. Tolerances are two to three standard errors of the mean of so many waits that hang together.


@pytest.mark.parametrize(("rate", "tolerance"), [(0.3, 0.05), (0.5, 0.06), (0.8, 0.12)])
def test_a_constant_service_waits_as_in_m_d_1(rate, tolerance):
    """Pollaczek-Khinchine: W = ρ S / (2 (1 - ρ)), with S = 1."""
    measured = fmean(waits(load(rate, MANY, constant(1.0))))
    assert measured == pytest.approx(rate / (2 * (1 - rate)), rel=tolerance)


@pytest.mark.parametrize(("rate", "tolerance"), [(0.3, 0.06), (0.5, 0.08), (0.8, 0.2)])
def test_an_exponential_service_waits_as_in_m_m_1(rate, tolerance):
    """W = ρ S / (1 - ρ), twice that of a constant service."""
    measured = fmean(waits(load(rate, MANY, exponential(1.0, Random(1)))))
    assert measured == pytest.approx(rate / (1 - rate), rel=tolerance)


def test_percentiles_are_those_of_m_m_1():
    """Time in the system is exponential with mean S / (1 - ρ)."""
    latencies = [sample.latency for sample in load(0.5, MANY, exponential(1.0, Random(1)))]
    for level, tolerance in ((0.5, 0.08), (0.95, 0.1), (0.99, 0.15)):
        assert percentile(latencies, level) == pytest.approx(-math.log(1 - level) * 2, rel=tolerance)


def test_two_workers_wait_as_in_m_m_2():
    """Erlang's C formula: at 1.5 a second, W = C / (2 - 1.5) with C = 9/14."""
    samples = load(1.5, MANY, exponential(1.0, Random(1)), workers=2)
    assert fmean(waits(samples)) == pytest.approx(9 / 14 / 0.5, rel=0.12)


def test_constant_arrivals_below_capacity_never_wait():
    samples = load(0.99, 1000, constant(1.0), process="constant")
    assert max(waits(samples)) == pytest.approx(0, abs=1e-9)
    assert max(sample.latency for sample in samples) == pytest.approx(1.0)


# ---- coordinated omission


def test_a_closed_loop_would_have_hidden_the_wait():
    """One stall of 10 s in a service of 10 ms. A closed loop sends nothing meanwhile, and has one slow request of a
    thousand; those that would have come meanwhile are a third."""
    calls = iter(range(10_000))

    def stalls_once(count):
        return 10.0 if next(calls) == 500 else 0.01

    samples = load(50, 1500, stalls_once, process="constant")
    closed = [sample.service for sample in samples]  # the time from sending to the answer
    opened = [sample.latency for sample in samples]
    assert percentile(closed, 0.99) == pytest.approx(0.01)
    assert percentile(opened, 0.99) > 9
    assert sum(latency > 1 for latency in closed) == 1
    assert sum(latency > 1 for latency in opened) / len(opened) > 0.3


# ---- the queue


def test_requests_start_in_the_order_of_their_arrival():
    samples = load(3, 2000, exponential(1.0, Random(3)), workers=2)
    started = [sample.started for sample in samples]
    assert started == sorted(started)
    assert all(sample.started >= sample.scheduled for sample in samples)


def test_no_more_requests_run_at_a_time_than_there_are_workers():
    samples = load(100, 300, constant(1.0), workers=3)
    for one in samples:
        assert sum(other.started <= one.started < other.finished for other in samples) <= 3


def test_a_load_comes_out_the_same_every_time():
    first, second = (load(1.2, 500, exponential(1.0, Random(2)), workers=2) for _ in range(2))
    assert first == second


def test_a_request_that_waits_longer_than_its_patience_is_dropped():
    samples = load(10, 100, constant(1.0), process="constant", patience=5.0)
    dropped = [sample for sample in samples if sample.started is None]
    assert dropped
    assert all(sample.latency == math.inf and "over 5 s" in sample.error for sample in dropped)
    assert all(sample.started - sample.scheduled <= 5.0 for sample in samples if sample.answered)


# ---- what can go wrong


class Broken:
    """Gives its answers one after the other; raises those that are exceptions."""

    def __init__(self, *answers):
        self._answers = iter(answers)

    def rank(self, query, documents, /, *, top_k=None):
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def hits(*pairs):
    return [{"corpus_id": i, "score": score} for i, score in pairs]


def served(*answers):
    step = Step(1, "load", 1.0, [ONE] * len(answers), [0.0] * len(answers))
    return list(run(Broken(*answers), step, 1, VirtualClock()))


def test_scores_are_those_of_the_documents_in_their_order():
    (sample,) = served(hits((1, 0.9), (0, 0.1)))
    assert sample.scores == (0.1, 0.9)


def test_an_exception_is_the_error_of_its_request_alone():
    broken, fine = served(RuntimeError("out of\nmemory"), hits((0, 1.0), (1, 2.0)))
    assert broken.error == "RuntimeError: out of"
    assert broken.latency == math.inf
    assert fine.answered


@pytest.mark.parametrize(
    "answer",
    [
        hits((0, 1.0)),
        hits((0, 1.0), (0, 2.0)),
        hits((0, 1.0), (2, 2.0)),
        hits((0, 1.0), (1, 2.0), (1, 2.0)),
        hits((0, 1.0), (1, math.nan)),
        [{"index": 0}],
        None,
    ],
)
def test_an_answer_that_does_not_rank_every_document_once_has_failed(answer):
    (sample,) = served(answer)
    assert not sample.answered
    assert sample.scores is None


def test_closing_it_finishes_what_runs_and_sends_nothing_more():
    """On the real clock: the rest of the schedule is an hour away, and nobody waits for it."""
    asked = []

    class Slow(Stub):
        def rank(self, query, documents, /, *, top_k=None):
            asked.append(query)
            return super().rank(query, documents, top_k=top_k)

    step = Step(1, "load", 1.0, [ONE] * 4, [0.0, 0.0, 3600.0, 3600.0])
    loop = run(Slow(constant(0.01), WallClock()), step, 2, WallClock())
    next(loop)
    loop.close()
    assert len(asked) <= 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("manysense-bench")]


def test_real_time_has_the_same_loop():
    """Nothing timed is asserted but what cannot be otherwise: a wait ends after its moment, a service lasts."""
    step = Step(1, "load", 100.0, [ONE] * 20, [i / 100 for i in range(20)])
    samples = list(run(Stub(constant(0.002), WallClock()), step, 2, WallClock()))
    assert sorted(sample.number for sample in samples) == list(range(20))
    assert all(sample.answered and sample.started >= sample.scheduled for sample in samples)
    assert all(sample.service >= 0.002 for sample in samples)


# ---- clocks


def test_a_virtual_hour_takes_no_time():
    clock, began = VirtualClock(), time.monotonic()
    clock.sleep_until(3600.0)
    assert clock.now() == 3600.0
    assert time.monotonic() - began < 60


def test_waking_a_clock_ends_waits_also_those_to_come():
    clock = WallClock()
    threading.Timer(0.01, clock.wake).start()
    clock.sleep_until(clock.now() + 3600)
    clock.sleep_until(clock.now() + 3600)
