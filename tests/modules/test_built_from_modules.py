"""A model put together from modules, as scripts for the known library do."""

from __future__ import annotations

import numpy as np

from manysense import SentenceTransformer, modules


def test_transformer_and_pooling_make_the_model_of_the_folder(twin, model):
    folder = twin("bert-bare")
    transformer = modules.Transformer(str(folder), max_seq_length=20)
    pooling = modules.Pooling(transformer.get_word_embedding_dimension(), pooling_mode="mean")
    made = SentenceTransformer(modules=[transformer, pooling], device="cpu")
    text = "the red house"
    np.testing.assert_array_equal(made.encode(text), model("bert-bare").encode(text))
    assert made.max_seq_length == 20


def test_dense_and_normalize_follow(twin):
    transformer = modules.Transformer(str(twin("bert-bare")))
    width = transformer.get_embedding_dimension()
    made = SentenceTransformer(
        modules=[transformer, modules.Pooling(width), modules.Dense(width, 8), modules.Normalize()], device="cpu"
    )
    vector = made.encode("the red house")
    assert vector.shape == (8,)
    assert abs(np.linalg.norm(vector) - 1) < 1e-6
    assert made.get_embedding_dimension() == 8


def test_every_public_module_resolves():
    assert all(isinstance(getattr(modules, name), type) for name in modules.__all__)
