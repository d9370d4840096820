"""semantic_search: the right vectors in the right order, whatever the sizes of the pieces, ties, NaN and types."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import plain
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from manysense import ManysenseWarning, UsageError, util
from manysense.util import matrix, nearest


def ids(found):
    return [[hit["corpus_id"] for hit in hits] for hits in found]


def scores(found):
    return [[hit["score"] for hit in hits] for hits in found]


# ---- what is found


def test_each_query_gets_its_best_vectors_highest_score_first():
    queries, corpus = plain.rows(7, seed=1), plain.rows(40, seed=2)
    found = util.semantic_search(queries, corpus, top_k=5)
    wanted = plain.cosine(queries, corpus)
    assert ids(found) == plain.best(wanted, 5)
    np.testing.assert_allclose(scores(found), -np.sort(-wanted, axis=1)[:, :5], atol=1e-6)


def test_a_hit_is_a_dict_of_a_whole_number_and_a_float():
    ((hit,),) = util.semantic_search(plain.rows(1), plain.rows(3), top_k=1)
    assert set(hit) == {"corpus_id", "score"}
    assert (type(hit["corpus_id"]), type(hit["score"])) == (int, float)


@pytest.mark.parametrize("function", [util.cos_sim, util.dot_score, util.euclidean_sim, util.manhattan_sim])
def test_every_score_function_ranks_by_its_own_scores(function):
    queries, corpus = plain.rows(4, seed=1), plain.rows(30, seed=2)
    found = util.semantic_search(queries, corpus, top_k=6, score_function=function)
    assert ids(found) == plain.best(function(queries, corpus).numpy(), 6)


def test_a_score_function_of_the_callers_own_may_give_numpy():
    found = util.semantic_search(
        [[1.0], [2.0]], [[1.0], [5.0]], score_function=lambda a, b: -abs(a.numpy() - b.numpy().T)
    )
    assert ids(found) == [[0, 1], [0, 1]]
    assert scores(found) == [[0.0, -4.0], [-1.0, -3.0]]


def test_a_score_function_that_gives_another_shape_is_refused():
    with pytest.raises(UsageError, match=r"must give the shape \(2, 3\).*it gave \(3, 2\)"):
        util.semantic_search(plain.rows(2), plain.rows(3), score_function=lambda a, b: (a @ b.T).T)


def test_information_retrieval_is_the_same_function():
    assert util.information_retrieval is util.semantic_search


# ---- pieces, ties


@settings(max_examples=40, deadline=None)
@given(
    queries=st.integers(1, 9),
    corpus=st.integers(1, 30),
    k=st.integers(1, 12),
    query_chunk=st.integers(1, 10),
    corpus_chunk=st.integers(1, 31),
    seed=st.integers(0, 999),
)
def test_equal_scores_come_in_the_order_of_the_corpus_whatever_the_sizes_of_the_pieces(
    queries, corpus, k, query_chunk, corpus_chunk, seed
):
    a, b = plain.coarse(queries, seed=seed), plain.coarse(corpus, seed=seed + 1)
    found = util.semantic_search(a, b, query_chunk, corpus_chunk, k, util.dot_score)
    assert ids(found) == plain.best(plain.dot(a, b), k)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), share=st.sampled_from([0.1, 0.5, 1.0]), k=st.integers(1, 12), chunk=st.integers(1, 20))
def test_what_is_no_number_is_never_found_and_takes_no_place(seed, share, k, chunk):
    a, b = plain.coarse(5, seed=seed), plain.coarse(20, seed=seed + 1)
    table = plain.dot(a, b).astype(np.float32)
    dice = np.random.default_rng(seed)
    table[dice.random(table.shape) < share] = np.nan
    table[dice.random(table.shape) < share / 2] = -np.inf

    def score(left, right):
        return table[np.ix_(left[:, 0].numpy().astype(int), right[:, 0].numpy().astype(int))]

    with pytest.warns(ManysenseWarning) if np.isnan(table).any() else nullcontext():
        found = util.semantic_search(np.arange(5.0)[:, None], np.arange(20.0)[:, None], 2, chunk, k, score)
    assert ids(found) == plain.best(table, k)


def test_a_corpus_of_equal_vectors_gives_its_first():
    found = util.semantic_search(np.zeros((3, 4)), np.ones((1000, 4)), top_k=3)
    assert ids(found) == [[0, 1, 2]] * 3


def test_no_piece_of_scores_is_larger_than_a_block(monkeypatch):
    monkeypatch.setattr(matrix, "BLOCK", 64)
    shapes = []

    def score(a, b):
        shapes.append((len(a), len(b)))
        return a @ b.T

    queries, corpus = plain.rows(50, dims=4), plain.rows(90, dims=4, seed=1)
    found = util.semantic_search(queries, corpus, score_function=score)
    assert ids(found) == plain.best(plain.dot(queries, corpus), 10)
    assert max(a * b for a, b in shapes) <= 64
    assert max(max(shape) * 4 for shape in shapes) <= 64


# ---- NaN


def test_a_nan_vector_is_left_out_and_said_once():
    corpus = plain.rows(6)
    corpus[[1, 4]] = np.nan
    with pytest.warns(ManysenseWarning, match="4 scores are not a number.*query 0 with corpus vector 1") as told:
        found = util.semantic_search(plain.rows(2, seed=3), corpus, corpus_chunk_size=2)
    assert len(told) == 1
    assert [sorted(one) for one in ids(found)] == [[0, 2, 3, 5]] * 2


def test_a_query_of_nan_finds_nothing():
    with pytest.warns(ManysenseWarning, match="query 1 with corpus vector 0"):
        found = util.semantic_search(np.array([[1.0, 0], [np.nan, 1]]), np.eye(2))
    assert ids(found) == [[0, 1], []]


def test_infinite_scores_are_no_nan():
    found = util.semantic_search([[1.0, 0.0]], [[np.inf, 1.0], [-np.inf, 1.0], [2.0, 1.0]], score_function=_first)
    assert ids(found) == [[0, 2, 1]]


def _first(a, b):
    return b[:, 0].expand(len(a), -1)


# ---- forms


@pytest.mark.parametrize(
    "form",
    [
        torch.tensor,
        lambda rows: list(rows),
        lambda rows: list(torch.tensor(rows)),
        lambda rows: rows.tolist(),
        lambda rows: torch.tensor(rows).to_sparse(),
        lambda rows: torch.tensor(rows, requires_grad=True),
        lambda rows: rows.astype(np.float64),
        lambda rows: rows[::-1][::-1],
    ],
    ids=["tensor", "arrays", "tensors", "numbers", "sparse", "grad", "float64", "negative strides"],
)
def test_vectors_come_in_any_form(form):
    queries, corpus = plain.rows(3, seed=1), plain.rows(20, seed=2)
    wanted = plain.best(plain.cosine(queries, corpus), 10)
    assert ids(util.semantic_search(form(queries), form(corpus), corpus_chunk_size=7)) == wanted
    assert ids(util.semantic_search(queries, form(corpus))) == wanted


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_scored_in_float32(dtype):
    queries, corpus = (torch.tensor(plain.rows(n, seed=n)).to(dtype) for n in (3, 50))
    found = util.semantic_search(queries, corpus)
    wanted = plain.cosine(queries.float().numpy(), corpus.float().numpy())
    assert ids(found) == plain.best(wanted, 10)
    np.testing.assert_allclose(scores(found), -np.sort(-wanted, axis=1)[:, :10], atol=1e-6)


def test_integers_are_numbers_too():
    found = util.semantic_search(np.array([[1, 0]], np.int8), np.array([[-3, 1], [100, 1]], np.int8))
    assert ids(found) == [[1, 0]]


def test_float64_keeps_what_float32_would_round_away():
    found = util.semantic_search([[1.0]], np.array([[1.0], [1.0 + 1e-12]]), score_function=util.dot_score)
    assert ids(found) == [[1, 0]]


def test_one_vector_is_one_query():
    assert util.semantic_search(plain.rows(1)[0], plain.rows(4)) == util.semantic_search(plain.rows(1), plain.rows(4))


def test_a_read_only_memory_map_is_searched_without_being_copied(tmp_path):
    np.save(tmp_path / "corpus.npy", plain.rows(50))
    mapped = np.load(tmp_path / "corpus.npy", mmap_mode="r")
    assert matrix.Matrix(mapped, "corpus")._held is mapped
    found = util.semantic_search(mapped[:2], mapped, corpus_chunk_size=9)
    assert ids(found) == plain.best(plain.cosine(plain.rows(50)[:2], plain.rows(50)), 10)


# ---- little and wrong


def test_more_is_asked_for_than_there_is():
    assert [len(hits) for hits in util.semantic_search(plain.rows(2), plain.rows(3), top_k=10)] == [3, 3]


@pytest.mark.parametrize("nothing", [[], np.empty((0, 8)), np.array([]), torch.empty(0, 8), torch.tensor([])], ids=repr)
def test_an_empty_corpus_gives_no_hits_and_no_queries_give_no_rows(nothing):
    assert util.semantic_search(plain.rows(2), nothing) == [[], []]
    assert util.semantic_search(nothing, plain.rows(2)) == []


def test_no_hits_can_be_asked_for():
    assert util.semantic_search(plain.rows(2), plain.rows(3), top_k=0) == [[], []]
    with pytest.raises(UsageError, match="query_embeddings have 3 dimensions and corpus_embeddings 4"):
        util.semantic_search(plain.rows(2, dims=3), plain.rows(2, dims=4), top_k=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in ("query_chunk_size", "corpus_chunk_size") for value in (0, -1, 2.5, None, True)]
    + [("top_k", value) for value in (-1, 2.5, None, True, False)],
)
def test_a_count_that_is_none_is_refused(name, value):
    with pytest.raises(UsageError, match=f"{name} must be a positive whole number"):
        util.semantic_search(plain.rows(2), plain.rows(2), **{name: value})


def test_vectors_of_different_widths_are_refused_by_name():
    with pytest.raises(UsageError, match="query_embeddings have 3 dimensions and corpus_embeddings 4"):
        util.semantic_search(plain.rows(2, dims=3), plain.rows(2, dims=4))


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 3, 4)), np.float32(1), "text", [["a"]], [[1.0], [1.0, 2.0]], None], ids=repr
)
def test_what_is_no_matrix_of_numbers_is_refused(wrong):
    with pytest.raises(UsageError, match=r"vectors must be numbers|must be one vector or a matrix"):
        util.semantic_search(plain.rows(2), wrong)


# ---- the pieces below


def test_top_gives_the_lowest_indices_of_a_tie_at_the_edge():
    values, found = nearest.top(torch.tensor([[0.0, 1, 1, 1, 2, 1]]), 3)
    assert found.tolist() == [[4, 1, 2]]
    assert values.tolist() == [[2, 1, 1]]
