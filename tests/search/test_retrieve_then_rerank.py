"""Retrieve, then rerank: the order of both stages, what the trace says, many queries, any modality, broken inputs."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from manysense import ManysenseWarning, UsageError
from manysense.errors import ItemError, MediaError
from manysense.search import Embedder, Reranker, retrieve_then_rerank

DOCUMENTS = [
    "a small red circle",
    "two blue squares on a white page",
    "the weather in the mountains",
    "a circle, a square and a red triangle",
    "bread with butter",
    "a dog that barks at night",
]


class SharedWords:
    """A reranker: how many words of the query a document has."""

    def __init__(self) -> None:
        self.seen: list[list[Any]] = []

    def rank(self, query: str, documents: list[str], top_k: int | None = None) -> list[dict[str, Any]]:
        self.seen.append(documents)
        scores = [len(set(query.split()) & set(document.split())) for document in documents]
        found = [{"corpus_id": i, "score": float(score)} for i, score in enumerate(scores)]
        return sorted(found, key=lambda one: -one["score"])[:top_k]


class Answers:
    """A reranker that gives one answer, as a model of somebody else might."""

    def __init__(self, *answer: Any) -> None:
        self.answer = answer

    def rank(self, query: Any, documents: Any, top_k: int | None = None) -> Any:
        return self.answer


def order(ranking):
    return [hit.corpus_id for hit in ranking]


# ---- the two stages


def test_without_a_reranker_the_order_is_that_of_the_vectors(model):
    embedder = model("bert")
    found = retrieve_then_rerank("a red circle", DOCUMENTS, embedder, top_k=4)
    scores = embedder.similarity(embedder.encode_query("a red circle"), embedder.encode_document(DOCUMENTS))[0]
    assert order(found) == scores.argsort(descending=True).tolist()[:4]
    np.testing.assert_allclose([hit.score for hit in found], scores.sort(descending=True).values[:4], atol=1e-5)
    assert [(hit.retrieval_rank, hit.rerank_score, hit.rerank_rank) for hit in found] == [
        (i, None, None) for i in (1, 2, 3, 4)
    ]
    assert found.candidates == found.hits
    assert found.seconds.rerank == 0


def test_the_reranker_orders_what_was_retrieved(model):
    reranker = SharedWords()
    found = retrieve_then_rerank("a red circle", DOCUMENTS, model("bert"), reranker, 2, candidates=4)
    retrieved = retrieve_then_rerank("a red circle", DOCUMENTS, model("bert"), top_k=4)
    assert reranker.seen == [[DOCUMENTS[i] for i in order(retrieved)]]
    best = sorted(order(retrieved), key=lambda i: -len({"a", "red", "circle"} & set(DOCUMENTS[i].split())))
    assert order(found) == best[:2]
    assert [hit.document for hit in found] == [DOCUMENTS[i] for i in best[:2]]


def test_the_trace_tells_what_each_stage_said_of_each_candidate(model):
    found = retrieve_then_rerank("a red circle", DOCUMENTS, model("bert"), SharedWords(), 2, candidates=4)
    retrieved = retrieve_then_rerank("a red circle", DOCUMENTS, model("bert"), top_k=4)
    assert [(c.corpus_id, c.retrieval_score, c.retrieval_rank) for c in found.candidates] == [
        (hit.corpus_id, hit.retrieval_score, hit.retrieval_rank) for hit in retrieved
    ]
    assert sorted(c.rerank_rank for c in found.candidates) == [1, 2, 3, 4]
    by_rank = sorted(found.candidates, key=lambda c: c.rerank_rank)
    assert tuple(by_rank[:2]) == found.hits
    assert all(c.score == c.rerank_score for c in found.candidates)
    assert min(found.seconds.embed, found.seconds.retrieve, found.seconds.rerank) > 0


def test_equal_scores_stay_in_the_order_of_retrieval(model):
    answer = [{"corpus_id": i, "score": 1.0} for i in (3, 0, 2, 1)]
    found = retrieve_then_rerank("a red circle", DOCUMENTS, model("bert"), Answers(*answer), candidates=4, top_k=4)
    assert [hit.retrieval_rank for hit in found] == [1, 2, 3, 4]


def test_the_reranker_sees_at_least_top_k_documents(model):
    reranker = SharedWords()
    assert len(retrieve_then_rerank("a", DOCUMENTS, model("bert"), reranker, 5, candidates=2)) == 5
    assert len(reranker.seen[0]) == 5


def test_a_query_prompt_and_options_reach_the_models(twin):
    from manysense import SentenceTransformer

    embedder = SentenceTransformer(str(twin("bert")), device="cpu", prompts={"query": "the weather in the mountains"})
    found = retrieve_then_rerank("", DOCUMENTS, embedder, top_k=1)
    assert order(found) == [2]
    bare = {"prompt": "bread with butter"}
    assert order(retrieve_then_rerank("", DOCUMENTS, embedder, top_k=1, query_kwargs=bare)) == [4]


# ---- many queries, no documents, vectors from before


def test_many_queries_give_a_ranking_each(model):
    queries = ["a red circle", "bread", "dog at night"]
    found = retrieve_then_rerank(queries, DOCUMENTS, model("bert"), SharedWords(), 3)
    assert [ranking.query for ranking in found] == queries
    for query, ranking in zip(queries, found):
        assert order(ranking) == order(retrieve_then_rerank(query, DOCUMENTS, model("bert"), SharedWords(), 3))


def test_vectors_from_before_are_used_and_documents_not_encoded(model):
    vectors = model("bert").encode_document(DOCUMENTS)
    wanted = order(retrieve_then_rerank("a red circle", DOCUMENTS, model("bert")))
    labels = [f"document {i}" for i in range(len(DOCUMENTS))]
    found = retrieve_then_rerank("a red circle", labels, model("bert"), document_embeddings=vectors)
    assert order(found) == wanted
    assert found[0].document == f"document {wanted[0]}"


def test_no_documents_give_no_hits_and_no_queries_no_rankings(model):
    assert list(retrieve_then_rerank("a", [], model("bert"), SharedWords())) == []
    assert retrieve_then_rerank([], DOCUMENTS, model("bert"), SharedWords()) == []


def test_documents_and_queries_may_come_from_generators(model):
    (found,) = retrieve_then_rerank(iter(["a red circle"]), (d for d in DOCUMENTS), model("bert"))
    assert order(found) == order(retrieve_then_rerank("a red circle", DOCUMENTS, model("bert")))


# ---- any modality


def test_pictures_are_found_by_text_and_by_a_picture(model, samples):
    pictures = [samples / name for name in ("red_circle.png", "blue_square.png", "cat.png", "dog.png")]
    found = retrieve_then_rerank(samples / "cat.png", pictures, model("clip"), top_k=2)
    assert found[0].document == samples / "cat.png"
    assert len(retrieve_then_rerank("a cat", pictures, model("clip"))) == 4


def test_texts_and_pictures_lie_in_one_list_of_documents(model, samples):
    mixed = [samples / "cat.png", "a cat", samples / "dog.png", "a dog"]
    first, second = retrieve_then_rerank([samples / "dog.png", "a cat"], mixed, model("clip"))
    assert (first[0].document, second[0].document) == (mixed[2], mixed[1])


# ---- broken inputs


def test_a_broken_document_is_an_error_that_names_it(model, samples, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(MediaError) as caught:
        retrieve_then_rerank("a", [samples / "cat.png", tmp_path / "broken.png"], model("clip"))
    assert caught.value.index == 1


def test_broken_documents_and_queries_are_left_out_on_request(model, samples, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    broken, cat, dog = tmp_path / "broken.png", samples / "cat.png", samples / "dog.png"
    first, second, third = retrieve_then_rerank([cat, broken, dog], [broken, dog, cat], model("clip"), on_error="skip")
    assert (first[0].corpus_id, third[0].corpus_id) == (2, 1)
    assert [list(one.skipped) for one in (first, second, third)] == [[0], [0], [0]]
    assert isinstance(first.skipped[0], MediaError)
    assert (first.error, len(second), second.error.index) == (None, 0, 1)


def test_a_single_query_that_is_broken_is_an_error_always(model, samples, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(MediaError):
        retrieve_then_rerank(tmp_path / "broken.png", [samples / "cat.png"], model("clip"), on_error="skip")


class ReadsNoBread(SharedWords):
    """A reranker that cannot read one of the documents."""

    def rank(self, query, documents, top_k=None):
        for i, document in enumerate(documents):
            if "bread" in document:
                raise ItemError("cannot read bread", index=i)
        return super().rank(query, documents, top_k)


def test_what_the_reranker_cannot_read_is_an_error_or_left_out(model):
    with pytest.raises(ItemError, match="cannot read bread"):
        retrieve_then_rerank("a red circle", DOCUMENTS, model("bert"), ReadsNoBread())
    found = retrieve_then_rerank("a red circle", DOCUMENTS, model("bert"), ReadsNoBread(), on_error="skip")
    assert sorted(order(found)) == [0, 1, 2, 3, 5]
    assert str(found.skipped[4]).endswith("cannot read bread")
    (lost,) = [c for c in found.candidates if c.corpus_id == 4]
    assert (lost.rerank_score, lost.rerank_rank) == (None, None)


# ---- answers of rerankers


def test_what_the_reranker_leaves_out_is_no_hit_but_a_candidate(model):
    found = retrieve_then_rerank("a", DOCUMENTS, model("bert"), Answers({"corpus_id": 1, "score": 0.5}))
    assert [hit.retrieval_rank for hit in found] == [2]
    assert len(found.candidates) == len(DOCUMENTS)


def test_a_score_that_is_no_number_is_left_out_and_said(model):
    answer = [{"corpus_id": 0, "score": float("nan")}, {"corpus_id": 1, "score": np.float32(2)}]
    with pytest.warns(ManysenseWarning, match="the reranker gave NaN for 1 of 2 documents"):
        found = retrieve_then_rerank("a", DOCUMENTS, model("bert"), Answers(*answer))
    assert [(hit.retrieval_rank, hit.score) for hit in found] == [(2, 2.0)]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([{"corpus_id": 0, "score": 1}, {"corpus_id": 0, "score": 2}], "once at most"),
        ([{"corpus_id": 6, "score": 1}], "once at most"),
        ([{"corpus_id": -1, "score": 1}], "once at most"),
        ([{"index": 0, "relevance": 1}], "must answer with a list of"),
        ([(0, 1.0)], "must answer with a list of"),
        ([{"corpus_id": 0, "score": "high"}], "must answer with a list of"),
    ],
)
def test_an_answer_of_another_form_is_refused(model, answer, said):
    with pytest.raises(UsageError, match=said):
        retrieve_then_rerank("a", DOCUMENTS, model("bert"), Answers(*answer))


# ---- wrong arguments


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"embedder": "all-MiniLM-L6-v2"}, "embedder must have encode_query.*got str"),
        ({"reranker": "cross-encoder"}, "reranker must have rank.*got str"),
        ({"documents": "one text"}, "documents must be a list of inputs, got a single str"),
        ({"documents": [{"role": "user", "content": "hi"}]}, "documents must be a list of inputs"),
        ({"top_k": 0}, "top_k must be a positive"),
        ({"candidates": 0}, "candidates must be a positive"),
        ({"on_error": "nan"}, "on_error='nan' is not known"),
        ({"document_embeddings": np.ones((2, 3))}, "document_embeddings has 2 rows for 6 documents"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_makes_no_sense_is_refused_before_any_work(model, wrong, said):
    given = {"query": "a", "documents": DOCUMENTS, "embedder": model("bert")}
    with pytest.raises(UsageError, match=said):
        retrieve_then_rerank(**{**given, **wrong})


# ---- the seam


def test_models_enter_by_what_they_can_do(model):
    assert isinstance(model("bert"), Embedder)
    assert isinstance(SharedWords(), Reranker)


def test_importing_search_loads_no_torch():
    check = "import sys, manysense.search; assert not {'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)
