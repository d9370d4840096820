"""Percentiles: measured values, intervals that hold the truth, and none where there is too little to say."""

from __future__ import annotations

import math
from random import Random

import pytest
from loads import load

from manysense.bench.quality import mrr, ndcg, ranking
from manysense.bench.stats import estimates, needed, percentile
from manysense.bench.stub import exponential


@pytest.mark.parametrize(("level", "count"), [(0.5, 6), (0.95, 72), (0.99, 368)])
def test_a_percentile_needs_so_many_requests(level, count):
    assert needed(level) == count
    assert level**count <= 0.025 < level ** (count - 1)
    (few,), (enough,) = estimates([1.0] * (count - 1), [level]), estimates([1.0] * count, [level])
    assert not few.supported
    assert few.low is few.high is None
    assert (enough.value, enough.low, enough.high) == (1.0, 1.0, 1.0)


def test_a_percentile_is_a_latency_that_was_measured():
    latencies = [float(i) for i in range(1, 101)]
    Random(0).shuffle(latencies)
    assert [percentile(latencies, level) for level in (0.5, 0.95, 0.99)] == [50.0, 95.0, 99.0]
    assert [one.value for one in estimates(latencies, (0.5, 0.95))] == [50.0, 95.0]


def test_requests_without_an_answer_are_infinitely_late():
    """Leaving them out would make a target look better the more of its slow requests it drops."""
    latencies = [1.0] * 90 + [math.inf] * 10
    median, high = estimates(latencies, (0.5, 0.95))
    assert median.value == 1.0
    assert high.value == high.high == math.inf


@pytest.mark.slow
def test_an_interval_holds_the_true_median_of_a_queue():
    """M/M/1 at half load: the median time in the system is 2 ln 2. Said for 95 of 100; requests hang together, so a few
    fewer hold it, and never as few as with a bootstrap of single requests."""
    truth, held, narrow = 2 * math.log(2), 0, 0
    for seed in range(60):
        latencies = [s.latency for s in load(0.5, 500, exponential(1.0, Random(1000 + seed)), seed=seed)]
        (one,) = estimates(latencies, [0.5])
        held += one.low <= truth <= one.high
        shuffled = list(latencies)
        Random(seed).shuffle(shuffled)  # blocks of a shuffled list are as good as single requests
        (loose,) = estimates(shuffled, [0.5])
        narrow += loose.low <= truth <= loose.high
    assert held >= 50
    assert narrow <= held - 10


def test_intervals_come_out_the_same_every_time():
    latencies = [Random(i).random() for i in range(400)]
    assert estimates(latencies, (0.5, 0.99)) == estimates(latencies, (0.5, 0.99))


# ---- quality


def test_ndcg_and_mrr_by_hand():
    relevance = [0.0, 2.0, 1.0]
    assert ndcg([1, 2, 0], relevance) == 1.0
    ideal = 2 + 1 / math.log2(3)
    assert ndcg([0, 1, 2], relevance) == pytest.approx((2 / math.log2(3) + 1 / 2) / ideal)
    assert mrr([0, 1, 2], relevance) == 1 / 2
    assert mrr([0] * 10 + [1], relevance) == 0.0
    assert ndcg([0, 1], [0.0, 0.0]) is mrr([0, 1], [0.0, 0.0]) is None


def test_ndcg_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    random = Random(0)
    for _ in range(20):
        relevance = [float(random.randint(0, 3)) for _ in range(30)]
        scores = random.sample(range(100), 30)
        order = ranking([float(score) for score in scores], 30)
        assert ndcg(order, relevance) == pytest.approx(metrics.ndcg_score([relevance], [scores], k=10))


def test_equal_scores_and_the_rest_stay_as_retrieved():
    assert ranking([1.0, 2.0, 1.0], 5) == [1, 0, 2, 3, 4]
