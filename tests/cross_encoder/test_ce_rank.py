"""A ranking is the documents in the order of their scores: ties, lengths, thresholds, what is broken, many queries."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cross_encoder.pairs import DOCUMENTS, QUERIES, QUERY, assert_scores, by_document
from manysense import CrossEncoder
from manysense.errors import ForwardError, ItemError, UnsupportedInput, UsageError

TEXTS = list(DOCUMENTS)
OWN = [["a dog", "the red cat"], ["piano"], []]


@pytest.fixture
def model(reranker):
    return reranker("labeller")


class Known(nn.Module):
    """A reranker of a user's own: the number that a document is, after the query's sign."""

    def preprocess(self, inputs, prompt=None, **kwargs):
        return {"values": torch.tensor([[float(document) * (-1 if query == "-" else 1)] for query, document in inputs])}

    def forward(self, features):
        return {**features, "scores": features["values"]}


def known():
    return CrossEncoder(modules=[Known()], activation_fn=nn.Identity(), device="cpu")


def order(ranking):
    return [hit["corpus_id"] for hit in ranking]


# ---- one query


def test_documents_come_in_the_order_of_their_scores(model):
    scores = model.predict([(QUERY, text) for text in TEXTS], on_truncate="ignore")
    ranking = model.rank(QUERY, TEXTS)
    assert order(ranking) == np.argsort(-scores, kind="stable").tolist()
    assert_scores(by_document(ranking), scores)
    assert all(type(hit["score"]) is float and type(hit["corpus_id"]) is int for hit in ranking)
    assert set(ranking[0]) == {"corpus_id", "score"}


def test_of_equal_scores_the_earlier_document_comes_first():
    assert order(known().rank("+", ["1", "3", "1.0", "3", "2", "1"])) == [1, 3, 4, 0, 2, 5]


def test_equal_documents_have_equal_scores_and_keep_their_order(model):
    ranking = model.rank(QUERY, ["a dog", "the red cat", "a dog", "the red cat", "a dog"])
    groups = [[hit["corpus_id"] for hit in ranking if hit["corpus_id"] % 2 == side] for side in (0, 1)]
    assert groups == [[0, 2, 4], [1, 3]]
    assert len({hit["score"] for hit in ranking}) == 2


@pytest.mark.parametrize("top_k", [1, 3, 12, 99, None])
def test_top_k_is_at_most_so_many(top_k, model):
    assert order(model.rank(QUERY, TEXTS, top_k=top_k)) == order(model.rank(QUERY, TEXTS))[:top_k]


@pytest.mark.parametrize("top_k", [0, -1, 1.5])
def test_top_k_below_one_is_refused(top_k, model):
    with pytest.raises(UsageError, match="top_k"):
        model.rank(QUERY, TEXTS, top_k=top_k)


def test_what_scores_below_min_score_is_left_out(model):
    whole = model.rank(QUERY, TEXTS)
    edge = whole[4]["score"]
    assert order(model.rank(QUERY, TEXTS, min_score=edge)) == order(whole)[:5]
    assert model.rank(QUERY, TEXTS, min_score=1.1) == []
    assert order(model.rank(QUERY, TEXTS, min_score=edge, top_k=2)) == order(whole)[:2]


def test_documents_are_returned_where_asked_for(model):
    for hit in model.rank(QUERY, TEXTS, return_documents=True, top_k=4):
        assert hit["text"] == TEXTS[hit["corpus_id"]]


def test_no_document_one_document_and_an_empty_document(model):
    assert model.rank(QUERY, []) == []
    assert order(model.rank(QUERY, ["a dog"])) == [0]
    assert_scores(model.rank("", [""])[0]["score"], model.predict(("", "")))


@pytest.mark.parametrize(
    "kind", [tuple, np.array, lambda texts: (text for text in texts)], ids=["tuple", "numpy", "generator"]
)
def test_documents_may_be_any_collection(kind, model):
    assert order(model.rank(QUERY, kind(TEXTS[:5]))) == order(model.rank(QUERY, TEXTS[:5]))


@pytest.mark.parametrize("documents", ["a dog", None, {"text": "a"}])
def test_a_single_document_in_the_place_of_a_list_is_refused(documents, model):
    with pytest.raises(UsageError, match="documents"):
        model.rank(QUERY, documents)


def test_rank_takes_a_query_or_queries(model):
    with pytest.raises(UsageError):
        model.rank(documents=TEXTS)
    with pytest.raises(UsageError):
        model.rank(QUERY, TEXTS, queries=[QUERY])


# ---- not a number


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf"])
def test_what_is_no_number_never_wins(bad):
    documents = ["1", bad, "3", "2"]
    with pytest.raises(ForwardError) as caught:
        known().rank("+", documents)
    assert caught.value.index == 1
    ranking = known().rank("+", documents, on_error="skip")
    assert order(ranking) == [2, 3, 0]
    assert [error.index for error in ranking.errors] == [1]


def test_predict_marks_what_is_no_number():
    pairs = [("+", "1"), ("+", "nan"), ("+", "3")]
    assert np.isnan(known().predict(pairs, on_error="nan")).tolist() == [False, True, False]
    made = known().predict(pairs, on_error="skip")
    assert made.indices.tolist() == [0, 2]
    assert made.scores.tolist() == [1, 3]
    assert [error.index for error in made.errors] == [1]
    with pytest.raises(ForwardError) as caught:
        known().predict(pairs)
    assert caught.value.index == 1


def test_a_weight_that_is_no_number_gives_no_ranking(twin):
    model = CrossEncoder(twin("labeller"), device="cpu")
    with torch.no_grad():
        model.model.classifier.bias.fill_(float("nan"))
    with pytest.raises(ForwardError):
        model.rank(QUERY, TEXTS)
    assert model.rank(QUERY, TEXTS, on_error="skip") == []


# ---- many queries


def test_many_queries_share_their_documents(model):
    made = model.rank(queries=QUERIES, documents=TEXTS, top_k=4)
    for query, ranking in zip(QUERIES, made):
        alone = model.rank(query, TEXTS, top_k=4)
        assert order(ranking) == order(alone)
        assert_scores([hit["score"] for hit in ranking], [hit["score"] for hit in alone])


def test_every_query_may_have_documents_of_its_own(model):
    made = model.rank(queries=QUERIES, documents=OWN, return_documents=True)
    assert [sorted(order(ranking)) for ranking in made] == [[0, 1], [0], []]
    for query, ranking, documents in zip(QUERIES, made, OWN):
        for hit in ranking:
            assert hit["text"] == documents[hit["corpus_id"]]
            assert_scores(hit["score"], model.predict((query, hit["text"])))


def test_as_many_lists_of_documents_as_queries(model):
    with pytest.raises(UsageError, match="2 queries and 3 lists"):
        model.rank(queries=QUERIES[:2], documents=OWN)


def test_no_query_and_no_document(model):
    assert model.rank(queries=[], documents=TEXTS) == []
    assert model.rank(queries=QUERIES, documents=[]) == [[], [], []]


def test_an_error_names_its_document_and_its_query(model):
    with pytest.raises(ItemError, match="of query 1") as caught:
        model.rank(queries=["+", "a"], documents=[["a", "b"], ["c", 7]])
    assert caught.value.index == 1
    rankings = model.rank(queries=["+", "a"], documents=[["a", "b"], ["c", 7]], on_error="skip")
    assert [sorted(order(ranking)) for ranking in rankings] == [[0, 1], [0]]
    assert [[error.index for error in ranking.errors] for ranking in rankings] == [[], [1]]


def test_a_broken_query_is_said_before_any_document_is_read(model):
    with pytest.raises(ItemError, match="the query") as caught:
        model.rank(queries=["a", 7.5], documents=TEXTS)
    assert caught.value.index == 1


# ---- the stream


@pytest.mark.parametrize("batch_size", [None, 1, 5])
def test_the_stream_yields_every_ranking_once_and_as_rank_gives_it(batch_size, model):
    made = list(model.rank_stream(QUERIES, TEXTS, top_k=5, batch_size=batch_size))
    assert sorted(query for query, _ in made) == [0, 1, 2]
    for query, ranking in made:
        wanted = model.rank(QUERIES[query], TEXTS, top_k=5)
        assert order(ranking) == order(wanted)
        assert_scores([hit["score"] for hit in ranking], [hit["score"] for hit in wanted])


def test_the_stream_knows_documents_of_their_own_thresholds_and_errors(model):
    made = dict(model.rank_stream(QUERIES, [*OWN[:2], ["a", 7]], on_error="skip", return_documents=True))
    assert [sorted(order(made[query])) for query in range(3)] == [[0, 1], [0], [0]]
    assert [error.index for error in made[2].errors] == [1]
    assert dict(model.rank_stream(QUERIES, [["a"], [], ["b"]]))[1] == []
    assert all(ranking == [] for _, ranking in model.rank_stream(QUERIES, TEXTS, min_score=1.1))
    with pytest.raises(ItemError):
        list(model.rank_stream(QUERIES, [["a"], ["b"], ["a", 7]]))


def test_a_stream_that_is_left_leaves_nothing_running(model):
    stream = model.rank_stream(list(QUERIES) * 20, TEXTS * 3, batch_size=2)
    next(stream)
    stream.close()  # the fixture of all tests sees threads that stay


def test_a_side_may_be_no_chat(reranker):
    chat = [{"role": "user", "content": "a dog"}]
    with pytest.raises(UnsupportedInput, match="chat"):
        reranker("answerer").predict([(QUERY, "a"), (QUERY, chat)])


def test_what_was_finished_is_kept_with_its_places_when_a_document_fails(tmp_path):
    numbers = [str(n) for n in range(2099)]  # more than one window, so that the first is done
    with pytest.raises(ItemError) as caught:
        known().rank("+", [*numbers, tmp_path / "missing.txt"])
    scores, places = caught.value.partial
    assert caught.value.index == 2099
    assert len(scores) > 1000
    assert scores.tolist() == places.tolist()

    with pytest.raises(ItemError) as caught:
        known().rank(queries=["+", "-"], documents=[numbers, ["7", tmp_path / "missing.txt"]])
    scores, places = caught.value.partial
    assert len(scores) > 1000
    assert [float(n) if q == 0 else -7.0 for q, n in places.tolist()] == scores.tolist()
