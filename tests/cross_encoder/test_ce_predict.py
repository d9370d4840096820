"""What predict takes as pairs, and the forms in which it returns scores."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from cross_encoder.pairs import DOCUMENTS, QUERY, assert_scores
from manysense import CrossEncoder
from manysense.errors import ItemError, UnsupportedInput, UsageError

PAIRS = [(QUERY, document) for document in DOCUMENTS[:5]]


@pytest.fixture
def model(reranker):
    return reranker("labeller")


def test_scores_are_float32_in_the_order_of_the_pairs(model):
    made = model.predict(PAIRS)
    assert made.shape == (5,)
    assert made.dtype == np.float32
    assert_scores(made[::-1], model.predict(PAIRS[::-1]))


def test_a_single_pair_has_a_single_score(model, reranker):
    for pair in (PAIRS[1], list(PAIRS[1]), np.array(PAIRS[1])):
        made = model.predict(pair)
        assert np.ndim(made) == 0
        assert_scores(made, model.predict(PAIRS)[1])
    assert reranker("labeller", labels=3).predict(PAIRS[1]).shape == (3,)


@pytest.mark.parametrize(
    "kind",
    [
        lambda pairs: (pair for pair in pairs),
        lambda pairs: tuple(list(pair) for pair in pairs),
        lambda pairs: np.array(pairs),
        lambda pairs: np.array(pairs, dtype=object),
    ],
    ids=["generator", "tuple of lists", "strings", "objects"],
)
def test_pairs_may_come_in_any_collection(kind, model):
    assert_scores(model.predict(kind(PAIRS)), model.predict(PAIRS))


def test_tensors_and_lists_of_tensors_hold_the_same_scores(model, reranker):
    for labels in (1, 3):
        model = reranker("labeller", labels=labels)
        wanted = model.predict(PAIRS)
        tensor = model.predict(PAIRS, convert_to_tensor=True)
        rows = model.predict(PAIRS, convert_to_numpy=False)
        assert isinstance(tensor, torch.Tensor)
        assert_scores(tensor.numpy(), wanted)
        assert isinstance(rows, list)
        assert all(isinstance(row, torch.Tensor) for row in rows)
        assert_scores(torch.stack(rows).numpy(), wanted)


def test_no_pairs_are_no_scores(model, reranker):
    assert model.predict([]).shape == (0,)
    assert reranker("labeller", labels=3).predict([]).shape[0] == 0
    assert model.predict([], convert_to_tensor=True).shape == (0,)
    assert model.predict([], convert_to_numpy=False) == []


@pytest.mark.parametrize("value", ["a dog", {"a", "b"}, {"text": "a"}, 7, None, b"ab"])
def test_what_can_be_no_pairs_is_refused(value, model):
    with pytest.raises(UsageError, match="pairs"):
        model.predict(value)


@pytest.mark.parametrize("bad", [("a",), ("a", "b", "c"), "ab"])
def test_a_pair_has_two_sides(bad, model):
    with pytest.raises(UnsupportedInput, match="pair") as caught:
        model.predict([("a", "b"), bad])
    assert caught.value.index == 1


def test_what_was_finished_is_kept_when_a_pair_fails(twin):
    model = CrossEncoder(twin("labeller"), device="cpu")
    forwards: list[int] = []
    model[0].model.register_forward_hook(lambda *_: forwards.append(1))

    def pairs():
        yield from PAIRS * 600
        end = time.monotonic() + 60
        while len(forwards) < 2 and time.monotonic() < end:  # of the windows before
            time.sleep(0.01)
        time.sleep(0.2)  # until their scores lie ready
        yield (QUERY, 7)

    with pytest.raises(ItemError) as caught:
        model.predict(pairs(), batch_size=5)
    assert caught.value.index == 3000
    scores, indices = caught.value.partial
    assert len(scores) >= 256
    assert_scores(scores, model.predict(PAIRS)[indices % 5])


def test_broken_pairs_may_be_skipped_or_marked(model):
    pairs = [PAIRS[0], (QUERY, 7), PAIRS[2]]
    marked = model.predict(pairs, on_error="nan")
    assert np.isnan(marked).tolist() == [False, True, False]
    kept, indices = model.predict(pairs, on_error="skip")
    assert indices.tolist() == [0, 2]
    assert_scores(kept, marked[[0, 2]])


def test_the_progress_bar_and_the_batch_size_change_no_score(model):
    wanted = model.predict(PAIRS)
    for batch_size in (1, 2, 64):
        assert_scores(model.predict(PAIRS, batch_size=batch_size, show_progress_bar=False), wanted)
    with pytest.raises(UsageError, match="batch_size"):
        model.predict(PAIRS, batch_size=0)


def test_statistics_come_beside_the_scores(model):
    scores, stats = model.predict([*PAIRS, PAIRS[0]], return_stats=True)
    assert_scores(scores, model.predict([*PAIRS, PAIRS[0]]))
    assert (stats.pairs, stats.forwards) == (6, 5)
    features = model.preprocess(PAIRS)
    assert stats.tokens == int(features["attention_mask"].sum())
    assert stats.padding == 0
    assert stats.pairs_per_second == pytest.approx(6 / stats.seconds)
    assert set(stats.stages) == {"measure", "forward"}


def test_the_share_of_padding_is_what_was_padded(twin):
    from manysense import CrossEncoder

    model = CrossEncoder(twin("labeller"), device="cpu")
    model[0].fast = False
    _, stats = model.predict(PAIRS, return_stats=True)
    mask = model.preprocess(PAIRS)["attention_mask"]
    assert stats.padding == pytest.approx(1 - float(mask.float().mean()))


@pytest.mark.parametrize("name", ["labeller", "answerer"])
def test_features_for_a_program_of_ones_own_are_the_same_with_and_without_gradients(reranker, name):
    model = reranker(name)
    with_gradients = model.preprocess(PAIRS)
    with torch.no_grad():
        features = model.preprocess(PAIRS)
        assert set(features) == set(with_gradients)
        assert torch.equal(features["input_ids"], with_gradients["input_ids"])
        scores = model(features)["scores"][:, 0]
    assert_scores(model.activation_fn(scores).numpy(), model.predict(PAIRS))


@pytest.mark.parametrize("elsewhere", [{"device": ["cpu", "cpu"]}])
def test_statistics_of_other_processes_are_refused(model, elsewhere):
    with pytest.raises(UsageError, match="return_stats"):
        model.predict(PAIRS, return_stats=True, **elsewhere)
    with pytest.raises(UsageError, match="return_stats"):
        model.rank(QUERY, DOCUMENTS, return_stats=True, **elsewhere)
