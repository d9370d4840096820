"""Pooling against plain numpy, for padding on either side."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from manysense import ModelError
from manysense.modules.pooling import MODES, Pooling

WIDTH = 5


def plain(tokens: np.ndarray, mode: str, skip: int = 0) -> np.ndarray:
    """(length, width) of one item, no padding → (width,). skip: tokens of the prompt, which are left out."""
    ramp = np.arange(1, len(tokens) + 1)[skip:, None]
    tokens = tokens[skip:]
    match mode:
        case "cls":
            return tokens[0]
        case "max":
            return tokens.max(0)
        case "mean":
            return tokens.mean(0)
        case "mean_sqrt_len_tokens":
            return tokens.sum(0) / np.sqrt(len(tokens))
        case "weightedmean":
            return (tokens * ramp).sum(0) / ramp.sum()
        case "lasttoken":
            return tokens[-1]
    raise AssertionError(mode)


def batch(lengths, side):
    """Random items of these lengths, and the features of their padded batch; the padding holds large numbers."""
    random = np.random.default_rng(1)
    items = [random.normal(size=(length, WIDTH)).astype(np.float32) for length in lengths]
    longest = max(lengths)
    tokens = np.full((len(items), longest, WIDTH), 1e6, np.float32)
    mask = np.zeros((len(items), longest), np.int64)
    for i, item in enumerate(items):
        where = slice(0, len(item)) if side == "right" else slice(longest - len(item), longest)
        tokens[i, where], mask[i, where] = item, 1
    return items, {"token_embeddings": torch.from_numpy(tokens), "attention_mask": torch.from_numpy(mask)}


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("mode", MODES)
def test_a_mode_is_what_its_formula_says(mode, side):
    items, features = batch([4, 1, 7, 2], side)
    made = Pooling(WIDTH, mode)(features)["sentence_embedding"].numpy()
    np.testing.assert_allclose(made, [plain(item, mode) for item in items], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("mode", MODES)
def test_the_tokens_of_a_prompt_can_be_left_out(mode, side):
    items, features = batch([4, 3, 7, 5], side)
    features["prompt_length"] = 2
    made = Pooling(WIDTH, mode, include_prompt=False)(features)["sentence_embedding"].numpy()
    np.testing.assert_allclose(made, [plain(item, mode, skip=2) for item in items], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_prompts_of_different_lengths_are_left_out_item_by_item(mode):
    items, features = batch([4, 3, 7], "right")
    features["prompt_length"] = torch.tensor([1, 2, 0])
    made = Pooling(WIDTH, mode, include_prompt=False)(features)["sentence_embedding"].numpy()
    expected = [plain(item, mode, skip=skip) for item, skip in zip(items, (1, 2, 0))]
    np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_by_default_the_prompt_counts(mode):
    items, features = batch([4, 3], "right")
    features["prompt_length"] = 2
    made = Pooling(WIDTH, mode)(features)["sentence_embedding"].numpy()
    np.testing.assert_allclose(made, [plain(item, mode) for item in items], rtol=1e-5, atol=1e-6)


def test_the_mask_of_the_features_is_not_changed():
    _, features = batch([4, 3], "right")
    features["prompt_length"] = 2
    before = features["attention_mask"].clone()
    Pooling(WIDTH, "mean", include_prompt=False)(features)
    torch.testing.assert_close(features["attention_mask"], before)


@pytest.mark.parametrize("mode", MODES)
def test_an_item_without_any_token_gives_zeros_and_disturbs_nobody(mode):
    items, features = batch([4, 2], "right")
    features["attention_mask"][1] = 0
    made = Pooling(WIDTH, mode)(features)["sentence_embedding"].numpy()
    np.testing.assert_allclose(made[0], plain(items[0], mode), rtol=1e-5, atol=1e-6)
    assert made[1].tolist() == [0] * WIDTH


def test_several_modes_are_joined_in_the_order_given():
    items, features = batch([4, 2], "right")
    module = Pooling(WIDTH, ("lasttoken", "cls"))
    made = module(features)["sentence_embedding"].numpy()
    expected = [np.concatenate([item[-1], item[0]]) for item in items]
    np.testing.assert_allclose(made, expected)
    assert module.get_embedding_dimension() == 2 * WIDTH


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.sampled_from(MODES), st.sampled_from(["left", "right"]))
def test_a_pooled_vector_does_not_know_how_far_it_was_padded(lengths, mode, side):
    _, features = batch([*lengths, 12], side)
    made = Pooling(WIDTH, mode)(dict(features))["sentence_embedding"]
    alone = slice(0, lengths[0]) if side == "right" else slice(12 - lengths[0], 12)
    one = {"token_embeddings": features["token_embeddings"][:1, alone], "attention_mask": torch.ones(1, lengths[0])}
    torch.testing.assert_close(Pooling(WIDTH, mode)(one)["sentence_embedding"][0], made[0], atol=1e-6, rtol=1e-5)


def test_half_precision_is_summed_in_full():
    tokens = torch.full((1, 5_000, 1), 30.0, dtype=torch.float16)  # the sum, 150,000, is over what half can hold
    features = {"token_embeddings": tokens, "attention_mask": torch.ones(1, 5_000, dtype=torch.int64)}
    made = Pooling(1, "mean")(features)["sentence_embedding"]
    assert made.dtype == torch.float16
    assert made.item() == 30


@pytest.mark.parametrize(
    ("old", "modes"),
    [
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, ("mean",)),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, ("cls",)),
        ({"pooling_mode_lasttoken": True}, ("lasttoken",)),
        ({"pooling_mode_lasttoken": True, "pooling_mode_cls_token": True}, ("cls", "lasttoken")),
        ({}, ("mean",)),
    ],
)
def test_old_keys_name_the_same_modes(old, modes):
    assert Pooling(word_embedding_dimension=WIDTH, **old).modes == modes


def test_an_unknown_mode_is_answered_with_the_known_ones():
    with pytest.raises(ModelError, match="weightedmean"):
        Pooling(WIDTH, "median")


def test_a_saved_pooling_is_the_same_when_read(tmp_path):
    Pooling(WIDTH, ("cls", "mean"), include_prompt=False).save(str(tmp_path))
    again = Pooling.load_from(tmp_path)
    assert (again.modes, again.include_prompt, again.embedding_dimension) == (("cls", "mean"), False, WIDTH)


def test_a_prompt_is_left_out_through_a_model_as_the_reference_does(model, twin):
    import twins.bert

    variant = {"include_prompt": False, "pooling": "mean"}
    made = model("bert", **variant).encode(["a red house", "x"], prompt="find the dog: ")
    expected = [twins.bert.reference(twin("bert", **variant), t, "find the dog: ") for t in ("a red house", "x")]
    np.testing.assert_allclose(made, expected, atol=1e-5)
    assert not np.allclose(made, model("bert", pooling="mean").encode(["a red house", "x"], prompt="find the dog: "))
