"""LSTM, CNN, WeightedLayerPooling, LayerNorm, Dropout: what they compute, and that padding has no part in it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from manysense import ModelError, SentenceTransformer
from manysense.modules import CNN, LSTM, Dropout, LayerNorm, Pooling, Transformer, WeightedLayerPooling

WIDTH = 5
LENGTHS = [4, 1, 7, 2]


def batch(lengths=LENGTHS, seed=1):
    """Random items of these lengths, and the features of their padded batch; the padding holds large numbers."""
    random = torch.Generator().manual_seed(seed)
    items = [torch.randn(length, WIDTH, generator=random) for length in lengths]
    tokens = torch.full((len(items), max(lengths), WIDTH), 1e3)
    mask = torch.zeros(len(items), max(lengths), dtype=torch.int64)
    for i, item in enumerate(items):
        tokens[i, : len(item)], mask[i, : len(item)] = item, 1
    return items, {"token_embeddings": tokens, "attention_mask": mask}


# ---- LSTM


@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": False}])
@pytest.mark.parametrize("told", ["by the mask", "by lengths"])
def test_an_lstm_reads_each_item_to_its_end(options, told):
    module = LSTM(WIDTH, 3, **options)
    items, features = batch()
    if told == "by lengths":
        features["sentence_lengths"] = torch.tensor(LENGTHS)
    with torch.no_grad():
        made = module(features)["token_embeddings"]
        for row, item in zip(made, items):
            torch.testing.assert_close(row[: len(item)], module.encoder(item[None])[0][0], atol=1e-6, rtol=1e-5)
    assert made.shape == (4, 7, module.get_embedding_dimension())


def test_an_lstm_takes_an_item_without_tokens():
    _, features = batch([3, 2])
    features["attention_mask"][1] = 0
    made = Pooling(6)(LSTM(WIDTH, 3)(features))["sentence_embedding"]
    assert made[1].tolist() == [0] * 6
    assert made[0].any()


# ---- CNN


@pytest.mark.parametrize("kernels", [[1], [1, 3, 5], [9]])
def test_a_cnn_sees_zeros_around_each_item(kernels):
    module = CNN(WIDTH, 2, kernels)
    items, features = batch()
    with torch.no_grad():
        made = module(features)["token_embeddings"]
        for row, item in zip(made, items):
            alone = [
                functional.conv1d(item.T[None], c.weight, c.bias, padding=k // 2) for k, c in zip(kernels, module.convs)
            ]
            torch.testing.assert_close(row[: len(item)], torch.cat(alone, 1)[0].T, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("kernels", "strides"), [([2, 4], None), ([3], [2]), ([2], [3])])
def test_places_of_a_shorter_result_are_counted_item_by_item(kernels, strides):
    """As many as the item has alone, and with the same values, so that a mean over them is the item's own."""
    module = Pooling(2 * len(kernels))
    cnn = CNN(WIDTH, 2, kernels, strides)
    items, features = batch([6, 2, 7, 3])
    with torch.no_grad():
        made = module(cnn(features))["sentence_embedding"]
        for row, item in zip(made, items):
            alone = torch.cat([conv(item.T[None]) for conv in cnn.convs], 1)[0].mean(1)
            torch.testing.assert_close(row, alone, atol=1e-5, rtol=1e-5)


def test_an_item_too_short_for_the_kernel_gives_zeros_alone_and_in_company():
    cnn, pooling = CNN(WIDTH, 2, [2]), Pooling(2)
    for lengths in ([1], [1, 6]):
        _, features = batch(lengths)
        assert pooling(cnn(features))["sentence_embedding"][0].tolist() == [0, 0]


@pytest.mark.parametrize("arguments", [([2, 3], None), ([1, 3], [1, 2]), ([1, 3], [1])])
def test_kernels_that_give_sequences_of_different_lengths_are_refused(arguments):
    with pytest.raises(ModelError, match="different lengths"):
        CNN(WIDTH, 2, *arguments)


# ---- WeightedLayerPooling


@pytest.fixture
def layers(twin):
    return Transformer(str(twin("bert-bare")), config_kwargs={"output_hidden_states": True})


def test_layers_are_weighed_as_their_weights_say(layers, twin):
    import twins.bert

    pooling = WeightedLayerPooling(32, num_hidden_layers=2, layer_start=1, layer_weights=[0.25, 0.75])
    model = SentenceTransformer(modules=[layers, pooling, Pooling(32)], device="cpu")
    folder, text = twin("bert-bare"), "the red house"
    ids = torch.tensor([twins.bert.token_ids(folder, text)])
    with torch.no_grad():
        states = twins.bert._load(folder)[1](ids, output_hidden_states=True).hidden_states
    expected = (0.25 * states[1] + 0.75 * states[2])[0].mean(0)
    np.testing.assert_allclose(model.encode(text), expected, atol=1e-5)
    np.testing.assert_allclose(model.encode(["x", text, "a longer text than that one"])[1], expected, atol=1e-5)


def test_every_layer_still_comes_when_the_model_was_saved(layers, tmp_path):
    pooling = WeightedLayerPooling(32, num_hidden_layers=2, layer_start=0)
    model = SentenceTransformer(modules=[layers, pooling, Pooling(32)], device="cpu")
    model.save_pretrained(tmp_path)
    np.testing.assert_array_equal(
        SentenceTransformer(str(tmp_path), device="cpu").encode("a dog"), model.encode("a dog")
    )


def test_without_every_layer_the_error_says_how_to_get_them(twin):
    modules = [Transformer(str(twin("bert-bare"))), WeightedLayerPooling(32, 2, 1), Pooling(32)]
    with pytest.raises(ModelError, match="output_hidden_states"):
        SentenceTransformer(modules=modules, device="cpu").encode("a dog")


def test_another_number_of_layers_is_an_error(layers):
    model = SentenceTransformer(modules=[layers, WeightedLayerPooling(32), Pooling(32)], device="cpu")
    with pytest.raises(ModelError, match="built for 12 layers, the transformer has 2"):
        model.encode("a dog")


def test_a_first_layer_behind_the_last_is_an_error():
    with pytest.raises(ModelError, match="layer_start=4 leaves out all of the 2 layers"):
        WeightedLayerPooling(32, num_hidden_layers=2)


# ---- LayerNorm and Dropout


def test_layer_norm_is_that_of_torch():
    module, given = LayerNorm(WIDTH), torch.randn(3, WIDTH)
    with torch.no_grad():
        module.norm.weight.copy_(torch.arange(WIDTH) + 1.0)
    expected = (given - given.mean(1, keepdim=True)) / (given.var(1, keepdim=True, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(
        module({"sentence_embedding": given})["sentence_embedding"], expected * module.norm.weight
    )


def test_dropout_drops_only_while_a_model_learns():
    module, given = Dropout(0.5), torch.ones(1, 1000)
    assert (module({"sentence_embedding": given})["sentence_embedding"] == 0).any()
    assert torch.equal(module.eval()({"sentence_embedding": given})["sentence_embedding"], given)


# ---- folders


MODULES = [
    lambda: LSTM(WIDTH, 3, num_layers=2, dropout=0.1, bidirectional=False),
    lambda: CNN(WIDTH, 3, [1, 5], [2, 2]),
    lambda: WeightedLayerPooling(WIDTH, num_hidden_layers=3, layer_start=1, layer_weights=nn.Parameter(torch.rand(3))),
    lambda: LayerNorm(WIDTH),
    lambda: Dropout(0.4),
]


@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize("make", MODULES)
def test_a_saved_module_is_the_same_when_read(make, safe, tmp_path):
    module = make()
    module.save(str(tmp_path), safe_serialization=safe)
    again = type(module).load_from(tmp_path)
    assert again.get_config_dict() == module.get_config_dict()
    assert again.state_dict().keys() == module.state_dict().keys()
    assert all(torch.equal(tensor, module.state_dict()[name]) for name, tensor in again.state_dict().items())


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        (LSTM, {"word_embedding_dimension": 4, "hidden_dim": 3}, {"embedding_dimension": 4, "hidden_dim": 3}),
        (CNN, {"in_word_embedding_dimension": 4}, {"in_embedding_dimension": 4}),
        (WeightedLayerPooling, {"word_embedding_dimension": 4}, {"embedding_dimension": 4}),
    ],
)
def test_the_old_name_of_a_width_and_the_new_one_say_the_same(kind, old, new):
    assert kind(**old).get_config_dict() == kind(**new).get_config_dict()
    with pytest.raises(TypeError, match="embedding_dimension is missing"):
        kind()
