"""Processes of a pool give the scores, the order and the errors that this process gives."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from cross_encoder.pairs import DOCUMENTS, QUERIES, QUERY, assert_scores
from manysense import CrossEncoder
from manysense.errors import ItemError
from twins.samples import pictures

PAIRS = [(query, document) for query in QUERIES for document in DOCUMENTS]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pooled(twin):
    """(model, its pool of two processes)"""
    model = CrossEncoder(twin("labeller"), device="cpu")
    with model.start_multi_process_pool(["cpu", "cpu"]) as pool:
        yield model, pool


@pytest.mark.parametrize("chunk_size", [None, 1, 7])
def test_scores_come_in_the_order_of_the_pairs(chunk_size, pooled):
    model, pool = pooled
    made = model.predict(PAIRS, pool=pool, chunk_size=chunk_size, on_truncate="ignore")
    assert_scores(made, model.predict(PAIRS, on_truncate="ignore"))


def test_rankings_are_those_of_one_process(pooled):
    model, pool = pooled
    made = model.rank(queries=QUERIES, documents=list(DOCUMENTS), pool=pool, chunk_size=5, on_truncate="ignore")
    for ranking, wanted in zip(made, model.rank(queries=QUERIES, documents=list(DOCUMENTS), on_truncate="ignore")):
        assert [hit["corpus_id"] for hit in ranking] == [hit["corpus_id"] for hit in wanted]
        assert_scores([hit["score"] for hit in ranking], [hit["score"] for hit in wanted])


def test_a_broken_document_is_named_as_in_one_process(pooled):
    model, pool = pooled
    documents = ["a", 7, "b"]
    with pytest.raises(ItemError) as caught:
        model.rank(QUERY, documents, pool=pool, chunk_size=1)
    assert caught.value.index == 1
    ranking = model.rank(QUERY, documents, pool=pool, chunk_size=1, on_error="skip")
    assert sorted(hit["corpus_id"] for hit in ranking) == [0, 2]
    assert [error.index for error in ranking.errors] == [1]


def test_prompts_activations_and_truncation_reach_the_processes(pooled):
    model, pool = pooled
    options = {"prompt": "find : ", "activation_fn": nn.Tanh(), "on_truncate": "ignore"}
    options["processing_kwargs"] = {"text": {"max_length": 12}}
    assert_scores(model.predict(PAIRS, pool=pool, **options), model.predict(PAIRS, **options))


def test_no_pairs_are_no_scores(pooled):
    model, pool = pooled
    assert model.predict([], pool=pool).shape == (0,)
    assert model.rank(QUERY, [], pool=pool) == []


def test_a_list_of_devices_is_a_pool_for_one_call(twin):
    model = CrossEncoder(twin("labeller", labels=3), device="cpu")
    made = model.predict(PAIRS[:8], device=["cpu", "cpu"], apply_softmax=True)
    assert_scores(made, model.predict(PAIRS[:8], apply_softmax=True))


def test_pictures_travel_to_processes(twin):
    model = CrossEncoder(twin("vl_reranker"), device="cpu")
    documents = [picture.resize((64, 64)) for picture in pictures()] + ["a dog"]
    wanted = model.predict([(QUERY, document) for document in documents])
    with model.start_multi_process_pool(["cpu", "cpu"]) as pool:
        made = model.predict([(QUERY, document) for document in documents], pool=pool, chunk_size=2)
    assert_scores(made, wanted)
    assert np.std(made) > 0.01
