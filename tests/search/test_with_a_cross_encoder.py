"""Retrieve with our embedder, then rerank with our CrossEncoder."""

from __future__ import annotations

import numpy as np
import pytest

from manysense import CrossEncoder, ItemError
from manysense.search import Reranker, retrieve_then_rerank

DOCUMENTS = [
    "a small red circle",
    "two blue squares on a white page",
    "the weather in the mountains",
    "a circle, a square and a red triangle",
    "bread with butter",
    "a dog that barks at night",
]
QUERY = "a red circle"


@pytest.fixture(scope="module")
def judge(twin) -> CrossEncoder:
    return CrossEncoder(twin("labeller"), device="cpu")


def test_a_cross_encoder_is_a_reranker(judge):
    assert isinstance(judge, Reranker)


def test_the_candidates_stand_in_the_order_of_the_cross_encoder(model, judge):
    found = retrieve_then_rerank(QUERY, DOCUMENTS, model("bert"), judge, 3, candidates=5)
    retrieved = [hit.corpus_id for hit in found.candidates]
    ranked = judge.rank(QUERY, [DOCUMENTS[i] for i in retrieved])
    assert [hit.corpus_id for hit in found] == [retrieved[hit["corpus_id"]] for hit in ranked[:3]]
    assert [hit.score for hit in found] == pytest.approx([hit["score"] for hit in ranked[:3]], abs=1e-6)
    assert [hit.corpus_id for hit in found] != retrieved[:3]


def test_options_reach_the_cross_encoder(model, judge):
    ranked = judge.rank(QUERY, DOCUMENTS, prompt="find the ")
    options = {"min_score": (ranked[2]["score"] + ranked[3]["score"]) / 2, "prompt": "find the "}
    found = retrieve_then_rerank(QUERY, DOCUMENTS, model("bert"), judge, 6, rerank_kwargs=options)
    assert [hit.corpus_id for hit in found] == [hit["corpus_id"] for hit in ranked[:3]]


def test_many_queries_are_reranked_each(model, judge):
    queries = [QUERY, "bread", "the dog at night"]
    found = retrieve_then_rerank(queries, DOCUMENTS, model("bert"), judge, 6)
    for query, ranking in zip(queries, found):
        assert [hit.corpus_id for hit in ranking] == [hit["corpus_id"] for hit in judge.rank(query, DOCUMENTS)]


@pytest.mark.slow
def test_a_mixed_shortlist_is_found_and_reranked_and_what_is_broken_is_named(model, twin, samples):
    judge = CrossEncoder(twin("vl_reranker"), device="cpu")
    documents = [
        samples / "red_circle.png",
        "a small red circle",
        {"text": "a page", "image": samples / "icon.gif"},
        samples / "missing.png",
    ]
    vectors = np.concatenate([model("qwen3_vl").encode_document(documents[:3]), model("qwen3_vl").encode(["a dog"])])
    given = (QUERY, documents, model("qwen3_vl"), judge)
    found = retrieve_then_rerank(*given, document_embeddings=vectors, on_error="skip")
    wanted = judge.rank(QUERY, documents[:3])
    assert [hit.corpus_id for hit in found] == [hit["corpus_id"] for hit in wanted]
    assert list(found.skipped) == [3]
    with pytest.raises(ItemError, match=r"missing\.png"):
        retrieve_then_rerank(*given, document_embeddings=vectors)
