"""A score knows its pair and the model alone: no neighbours, order, batches, threads, nor how it is computed."""

from __future__ import annotations

import random
import threading
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cross_encoder.pairs import DOCUMENTS, LONG, QUERIES, assert_scores, by_document, gap, loader
from manysense import CrossEncoder
from twins.samples import clip, pictures

pytestmark = pytest.mark.slow

BATCHES = st.sampled_from([None, 1, 2, 3, 5, 32])
few = settings(deadline=None, max_examples=5, derandomize=True, suppress_health_check=list(HealthCheck))
RERANKERS: dict[str, dict[str, object]] = {
    "labeller": {},
    "labeller-modernbert": {"kind": "modernbert"},
    "labeller-deberta": {"kind": "deberta-v3"},
    "labeller-3": {"labels": 3},
    "answerer": {"form": "flat"},
    "answerer-head": {"form": "head"},
    "vl_reranker": {},
}
"""Name here → variant of the twin whose name it starts with."""
every_reranker = pytest.mark.parametrize("name", RERANKERS)
QUIET = {"on_truncate": "ignore"}


@pytest.fixture(scope="module")
def reranker(twin):
    load = loader(twin)
    return lambda name: load(name.partition("-")[0], **RERANKERS[name])


@cache
def sides(name):
    """Queries, and documents."""
    if name != "vl_reranker":
        return QUERIES, (*DOCUMENTS[:9], LONG, "")
    small = [picture.resize((64, 64)) for picture in pictures()]
    mixed = {"text": "a dog", "image": small[1]}
    return (QUERIES[0], small[2], mixed), (
        *DOCUMENTS[3:6],
        *small[:2],
        mixed,
        {"image": small[::-1]},
        {"video": clip(2, 64, 48)},
    )


@pytest.fixture(scope="module")
def alone(reranker):
    """name → the score of each pair from a call of its own."""

    @cache
    def scores(name):
        queries, documents = sides(name)
        model = reranker(name)
        return [[model.predict((query, document), **QUIET) for document in documents] for query in queries]

    return scores


def picked(name, picks):
    queries, documents = sides(name)
    return [(queries[q % len(queries)], documents[d % len(documents)]) for q, d in picks]


def wanted(scores, picks):
    return [scores[q % len(scores)][d % len(scores[0])] for q, d in picks]


PICKS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 10)), min_size=1, max_size=12)


@every_reranker
@few
@given(picks=PICKS, batch_size=BATCHES)
def test_any_pairs_in_any_batches_have_the_scores_they_have_alone(name, picks, batch_size, reranker, alone):
    made = reranker(name).predict(picked(name, picks), batch_size=batch_size, **QUIET)
    assert_scores(made, wanted(alone(name), picks))


@every_reranker
def test_distinct_pairs_have_distinct_scores(name, alone):
    """Without this, the other properties would hold for a model that gives one score to all."""
    scores = np.array(alone(name)).reshape(3, -1)
    assert scores.std(1).min() > 0.02
    assert gap(scores[0], scores[1]) > 1e-2


@pytest.mark.parametrize("name", [name for name in RERANKERS if name != "labeller-3"])  # which has no order
@few
@given(seed=st.integers(0, 99), batch_size=BATCHES)
def test_the_order_and_the_doubles_of_documents_change_no_score(name, seed, batch_size, reranker, alone):
    rng = random.Random(seed)
    order = [rng.randrange(len(sides(name)[1])) for _ in range(14)]
    query = rng.randrange(3)
    documents = [sides(name)[1][place] for place in order]
    made = reranker(name).rank(sides(name)[0][query], documents, batch_size=batch_size, **QUIET)
    assert_scores(by_document(made), [alone(name)[query][place] for place in order])


@pytest.mark.parametrize("name", ["labeller", "answerer", "vl_reranker"])
@few
@given(picks=st.lists(st.integers(0, 10), min_size=1, max_size=9), batch_size=BATCHES)
def test_many_queries_at_once_have_the_scores_of_each_alone(name, picks, batch_size, reranker, alone):
    queries, documents = sides(name)
    chosen = [documents[pick % len(documents)] for pick in picks]
    made = reranker(name).rank(queries=queries, documents=chosen, batch_size=batch_size, **QUIET)
    streamed = dict(reranker(name).rank_stream(queries, chosen, batch_size=batch_size, **QUIET))
    for query, ranking in enumerate(made):
        expected = [alone(name)[query][pick % len(documents)] for pick in picks]
        assert_scores(by_document(ranking), expected)
        assert_scores(by_document(streamed[query]), expected)


@every_reranker
def test_packed_and_padded_passes_give_equal_scores(name, reranker, alone):
    model = reranker(name)
    pairs = picked(name, [(q, d) for q in range(3) for d in range(len(sides(name)[1]))])
    expected = np.array(alone(name)).reshape(len(pairs), -1).squeeze(-1 if model.num_labels == 1 else ())
    assert model[0].fast
    model[0].fast = False
    try:
        assert not model[0].packs()
        padded = model.predict(pairs, **QUIET)
    finally:
        model[0].fast = True
    assert_scores(padded, expected)
    assert_scores(model.predict(pairs, **QUIET), expected)


def test_the_families_that_can_be_packed_are_packed(reranker):
    packs = [name for name in RERANKERS if reranker(name)[0].packs()]
    assert packs == ["labeller", "labeller-3", "answerer", "vl_reranker"]


@pytest.mark.parametrize(("keep", "batch_size"), [(0, None), (5_000, 2), (20_000, 1), (1 << 30, 3)])
def test_what_the_cache_of_media_holds_changes_no_score(keep, batch_size, reranker, alone):
    model, (queries, documents) = reranker("vl_reranker"), sides("vl_reranker")
    cache = model[0].media_cache
    usual, cache.limit = cache.limit, keep
    cache.clear()
    try:
        for _ in range(2):
            made = model.rank(queries=queries, documents=documents, batch_size=batch_size)
            for ranking, expected in zip(made, alone("vl_reranker")):
                assert_scores(by_document(ranking), expected)
    finally:
        cache.limit = usual


# ---- threads


PROMPTS = (None, "Find a song", "Find what was said")


@pytest.mark.parametrize("name", ["labeller", "answerer", "vl_reranker"])
def test_threads_that_call_at_once_with_other_prompts_get_their_own_scores(name, reranker):
    model, (queries, documents) = reranker(name), sides(name)

    def call(number):
        prompt, query = PROMPTS[number % 3], queries[number // 3 % 3]
        return by_document(model.rank(query, list(documents), prompt=prompt, **QUIET))

    expected = [call(number) for number in range(9)]
    assert gap(expected[0], expected[1]) > 1e-3
    model[0].media_cache.clear()
    made: dict[int, np.ndarray] = {}
    barrier = threading.Barrier(9)

    def run(number):
        barrier.wait()
        made[number] = call(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(9):
        assert_scores(made[number], expected[number])


# ---- half precision


@pytest.mark.parametrize(("dtype", "spread"), [("bfloat16", 0.13), ("float16", 0.02)])
@pytest.mark.parametrize("name", ["labeller", "answerer", "vl_reranker"])
def test_in_half_precision_a_batch_moves_a_score_by_no_more_than_is_said(name, dtype, spread, twin):
    """Alone against in a batch; of the size of a logit."""
    model = CrossEncoder(twin(name, **RERANKERS[name]), device="cpu", model_kwargs={"dtype": dtype})
    pairs = picked(name, [(q, d) for q in range(3) for d in range(len(sides(name)[1]))])
    options = {"activation_fn": lambda scores: scores, **QUIET}
    made = model.predict(pairs, **options)
    single = [model.predict(pair, **options) for pair in pairs]
    assert made.dtype == np.float32
    assert gap(made, single) <= spread
