"""What a call gives back: vectors, matrices of tokens, every feature; as numpy, tensors, lists."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from manysense import ModelError, SentenceTransformer
from manysense.outputs import dense

TEXTS = ["a dog", "the red house on the hill by the water", "x"]


def test_vectors_are_cut_before_they_are_normalised():
    made = dense.vectors({"sentence_embedding": torch.tensor([[3.0, 4.0, 12.0]])}, 2, True)
    torch.testing.assert_close(made, torch.tensor([[0.6, 0.8]]))


def test_a_vector_of_zeros_stays_zero_when_normalised():
    assert dense.vectors({"sentence_embedding": torch.zeros(1, 3)}, None, True).tolist() == [[0, 0, 0]]


def test_a_model_without_pooling_says_what_is_missing():
    with pytest.raises(ModelError, match="pooling"):
        dense.vectors({"token_embeddings": torch.zeros(1, 2, 3)}, None, False)


@pytest.mark.parametrize("mask", [[[1, 1, 0], [1, 0, 0]], [[0, 1, 1], [0, 0, 1]]], ids=["right", "left"])
def test_token_matrices_lose_their_padding_on_either_side(mask):
    tokens = torch.arange(12.0).reshape(2, 3, 2)
    made = dense.token_matrices({"token_embeddings": tokens, "attention_mask": torch.tensor(mask)})
    assert [len(matrix) for matrix in made] == [2, 1]
    for matrix, row, keep in zip(made, tokens, torch.tensor(mask).bool()):
        torch.testing.assert_close(matrix, row[keep])


def test_token_matrices_have_a_row_for_each_token(model, twin):
    import twins.bert

    made = model("bert").encode(TEXTS, output_value="token_embeddings")
    assert isinstance(made, list)
    for matrix, text in zip(made, TEXTS):
        ids = twins.bert.token_ids(twin("bert"), text)
        torch.testing.assert_close(matrix, twins.bert.hidden(twin("bert"), ids), atol=1e-5, rtol=1e-4)


def test_token_matrices_of_a_single_input_are_one(model):
    assert model("bert").encode(TEXTS[0], output_value="token_embeddings").shape == (4, 32)


def test_token_matrices_do_not_know_their_neighbours(model):
    together = model("bert").encode(TEXTS, output_value="token_embeddings")
    for matrix, text in zip(together, TEXTS):
        torch.testing.assert_close(
            matrix, model("bert").encode(text, output_value="token_embeddings"), atol=1e-5, rtol=1e-4
        )


def test_no_output_value_gives_every_feature_of_each_item(model):
    made = model("bert").encode(TEXTS, output_value=None)
    assert [type(item) for item in made] == [dict] * 3
    vectors = model("bert").encode(TEXTS)
    for item, vector in zip(made, vectors):
        np.testing.assert_allclose(item["sentence_embedding"].numpy(), vector, atol=1e-6)
        assert {"input_ids", "attention_mask", "token_embeddings"} <= set(item)
        assert item["input_ids"].ndim == 1


def test_a_feature_without_a_batch_axis_is_given_whole():
    (one, two) = dense.items(
        {"sentence_embedding": torch.eye(2), "prompt_length": 3, "scale": torch.tensor(2.0)}, 2, None, False
    )
    assert one["prompt_length"] == two["prompt_length"] == 3
    assert one["scale"] == 2
    assert one["sentence_embedding"].tolist() == [1, 0]


def test_the_form_of_the_result_is_the_callers_choice(model):
    model = model("bert")
    array = model.encode(TEXTS)
    assert isinstance(array, np.ndarray)
    assert (array.shape, array.dtype) == ((3, 32), np.float32)
    tensor = model.encode(TEXTS, convert_to_tensor=True)
    assert isinstance(tensor, torch.Tensor)
    np.testing.assert_allclose(tensor.numpy(), array, atol=1e-6)
    listed = model.encode(TEXTS, convert_to_numpy=False)
    assert isinstance(listed, list)
    np.testing.assert_allclose(torch.stack(listed).numpy(), array, atol=1e-6)


def test_a_single_input_gives_its_row_alone(model):
    model = model("bert")
    assert model.encode("a dog").shape == (32,)
    assert model.encode("a dog", convert_to_tensor=True).shape == (32,)
    assert model.encode("a dog", convert_to_numpy=False).shape == (32,)
    assert model.encode(["a dog"]).shape == (1, 32)


def test_no_input_gives_nothing_of_the_right_kind(model):
    model = model("bert")
    assert model.encode([]).shape == (0,)
    assert model.encode([], convert_to_tensor=True).shape == (0,)
    assert model.encode([], convert_to_numpy=False) == []
    assert model.encode([], output_value="token_embeddings") == []


def test_bfloat16_becomes_float32_in_numpy_only(twin):
    model = SentenceTransformer(str(twin("bert")), device="cpu", model_kwargs={"dtype": "bfloat16"})
    assert model.encode(TEXTS).dtype == np.float32
    assert model.encode(TEXTS, convert_to_tensor=True).dtype == torch.bfloat16


def test_half_precision_stays_half(twin):
    model = SentenceTransformer(str(twin("bert")), device="cpu").half()
    assert model.encode(TEXTS).dtype == np.float16


def test_a_result_carries_no_gradient(model):
    assert not model("bert").encode(TEXTS, convert_to_tensor=True).requires_grad


def test_a_shorter_vector_is_normalised_only_when_asked(model):
    plain = model("bert").encode(TEXTS, truncate_dim=8)
    np.testing.assert_allclose(plain, model("bert").encode(TEXTS)[:, :8], atol=1e-6)
    unit = model("bert").encode(TEXTS, truncate_dim=8, normalize_embeddings=True)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-5)
