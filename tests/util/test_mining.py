"""Paraphrase mining: each pair once, the best of them, over any model with `encode`."""

from __future__ import annotations

import numpy as np
import plain
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from manysense import ManysenseWarning, UsageError, util
from manysense.util import matrix


def same(found, wanted):
    assert [pair[1:] for pair in found] == [list(pair[1:]) for pair in wanted]
    np.testing.assert_allclose([pair[0] for pair in found], [pair[0] for pair in wanted], atol=1e-6)


def test_every_pair_comes_once_highest_score_first():
    vectors = plain.rows(30)
    found = util.paraphrase_mining_embeddings(vectors)
    same(found, plain.pairs(plain.cosine(vectors, vectors), 100, 500_000))
    assert len(found) == 30 * 29 / 2


def test_a_pair_is_a_list_of_a_float_and_two_whole_numbers():
    (pair,) = util.paraphrase_mining_embeddings(plain.rows(2))
    assert isinstance(pair, list)
    assert [type(one) for one in pair] == [float, int, int]


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(1, 25),
    top_k=st.integers(1, 30),
    most=st.integers(1, 40),
    chunks=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    seed=st.integers(0, 999),
)
def test_the_pairs_do_not_depend_on_the_sizes_of_the_pieces(count, top_k, most, chunks, seed):
    vectors = plain.coarse(count, seed=seed)
    found = util.paraphrase_mining_embeddings(vectors, *chunks, most, top_k, util.dot_score)
    same(found, plain.pairs(plain.dot(vectors, vectors), top_k, most))


def test_only_the_best_pairs_are_kept():
    vectors = plain.rows(40)
    found = util.paraphrase_mining_embeddings(vectors, query_chunk_size=7, max_pairs=5)
    same(found, plain.pairs(plain.cosine(vectors, vectors), 100, 5))


def test_top_k_neighbours_of_each_are_looked_at():
    vectors = plain.rows(40)
    found = util.paraphrase_mining_embeddings(vectors, top_k=2, corpus_chunk_size=11)
    same(found, plain.pairs(plain.cosine(vectors, vectors), 2, 500_000))


def test_no_piece_of_scores_is_larger_than_a_block(monkeypatch):
    monkeypatch.setattr(matrix, "BLOCK", 64)
    sizes = []

    def score(a, b):
        sizes.append(len(a) * len(b))
        return util.cos_sim(a, b)

    vectors = plain.rows(60, dims=4)
    same(
        util.paraphrase_mining_embeddings(vectors, score_function=score, top_k=5),
        plain.pairs(plain.cosine(vectors, vectors), 5, 500_000),
    )
    assert max(sizes) <= 64


def test_a_nan_vector_is_in_no_pair_and_said_once():
    vectors = plain.rows(6)
    vectors[2] = np.nan
    with pytest.warns(ManysenseWarning, match="11 scores are not a number.*vectors 0 and 2") as told:
        found = util.paraphrase_mining_embeddings(vectors, query_chunk_size=2)
    assert len(told) == 1
    assert {i for _, *pair in found for i in pair} == {0, 1, 3, 4, 5}


@pytest.mark.parametrize("few", [[], np.empty((0, 4)), np.ones((1, 4)), np.ones(4), torch.empty(0, 4)], ids=repr)
def test_fewer_than_two_vectors_make_no_pair(few):
    assert util.paraphrase_mining_embeddings(few) == []


@pytest.mark.parametrize("name", ["top_k", "max_pairs", "query_chunk_size", "corpus_chunk_size"])
def test_a_count_below_one_is_refused(name):
    with pytest.raises(UsageError, match=f"{name} must be a positive whole number"):
        util.paraphrase_mining_embeddings(plain.rows(3), **{name: 0})


# ---- with a model


def test_a_model_gives_the_vectors(model):
    texts = ["a red circle", "one small blue square", "a circle that is red", "the weather in May"]
    vectors = model("bert").encode(texts)
    same(util.paraphrase_mining(model("bert"), texts), plain.pairs(plain.cosine(vectors, vectors), 100, 10))


def test_what_is_given_for_encoding_reaches_the_model(model):
    texts = ["a red circle", "one small blue square", "a circle that is red"]
    vectors = model("bert").encode(texts, truncate_dim=4, prompt="about: ")
    found = util.paraphrase_mining(model("bert"), texts, truncate_dim=4, prompt="about: ", batch_size=2)
    same(found, plain.pairs(plain.cosine(vectors, vectors), 100, 10))


def test_the_inputs_may_be_pictures(model, samples):
    files = [samples / name for name in ("red_circle.png", "blue_square.png", "cat.png")]
    vectors = model("clip").encode(files)
    same(util.paraphrase_mining(model("clip"), files), plain.pairs(plain.cosine(vectors, vectors), 100, 10))


def test_anything_with_encode_is_a_model():
    class Lengths:
        def encode(self, sentences):
            return [[len(sentence), 1.0] for sentence in sentences]

    found = util.paraphrase_mining(Lengths(), ["aaa", "b", "ccc"])
    assert found[0][1:] == [0, 2]
