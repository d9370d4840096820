"""Rerankers whose score is a Dense module on a pooled vector."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from cross_encoder.pairs import DOCUMENTS, QUERY, assert_scores
from manysense import CrossEncoder
from manysense.errors import ModelError
from manysense.modules import Dense, Pooling, Transformer
from twins import answerers, bert

PAIRS = [(QUERY, document) for document in DOCUMENTS]


@pytest.fixture
def pooled(twin, tmp_path):
    """pooled(pooling, labels) → a BERT folder with Pooling and Dense to "scores"."""

    def build(pooling, labels):
        folder = shutil.copytree(twin("bert", style="new", pooling=pooling, normalize=False), tmp_path / "model")
        answerers.write_score_head(folder / "2_Dense", bert.WIDTH, seed=3, labels=labels)
        listed = json.loads((folder / "modules.json").read_text())
        dense = {"idx": 2, "name": "2", "path": "2_Dense", "type": bert.NEW["Dense"]}
        (folder / "modules.json").write_text(json.dumps([*listed, dense]))
        config = {"model_type": "CrossEncoder", "activation_fn": "torch.nn.modules.linear.Identity"}
        (folder / "config_sentence_transformers.json").write_text(json.dumps(config))
        return folder

    return build


def reference(folder, pooling, query, document):
    """(labels,) of one pair: the tokenizer's pair, BertModel with its token types, pooling, the linear layer."""
    tokenizer, model = bert._load(folder)
    given = tokenizer([query], [document], truncation=True, max_length=bert._limit(folder), return_tensors="pt")
    weights = load_file(folder / "2_Dense" / "model.safetensors")
    with torch.inference_mode():
        vector = bert.pool(model(**given).last_hidden_state[0], pooling)
        return (weights["linear.weight"] @ vector + weights["linear.bias"]).double().numpy()


@pytest.mark.parametrize("pooling", ["cls", "mean", "lasttoken"])
@pytest.mark.parametrize("labels", [1, 3])
def test_an_encoder_with_pooling_and_a_head_equals_the_reference(pooling, labels, pooled):
    folder = pooled(pooling, labels)
    model = CrossEncoder(folder, device="cpu")
    expected = np.array([reference(folder, pooling, *pair) for pair in PAIRS])
    assert model.num_labels == labels
    made = model.predict(PAIRS, on_truncate="ignore")
    assert_scores(made, expected[:, 0] if labels == 1 else expected)
    assert np.std(made) > 0.1


def test_a_language_model_with_a_head_equals_the_reference(reranker, twin):
    folder = twin("answerer", form="head")
    made = reranker("answerer", form="head").predict(PAIRS)
    assert_scores(made, [answerers.head_score(folder, *pair) for pair in PAIRS])


def test_a_model_with_several_labels_has_no_one_order(pooled):
    model = CrossEncoder(pooled("cls", 3), device="cpu")
    with pytest.raises(ModelError, match="3 labels"):
        model.rank(QUERY, list(DOCUMENTS))
    with pytest.raises(ModelError, match="3 labels"):
        model.rank_stream([QUERY], list(DOCUMENTS))


def test_a_model_built_from_modules_scores_as_its_saved_folder(twin, tmp_path):
    transformer = Transformer(str(twin("bert-bare")))
    dense = Dense(bert.WIDTH, 1, activation_function=torch.nn.Identity(), module_output_name="scores")
    model = CrossEncoder(modules=[transformer, Pooling(bert.WIDTH, "mean"), dense], device="cpu")
    made = model.predict(PAIRS, on_truncate="ignore")
    model.save(str(tmp_path / "saved"))
    assert_scores(CrossEncoder(tmp_path / "saved", device="cpu").predict(PAIRS, on_truncate="ignore"), made)
    assert ((made > 0) & (made < 1)).all()  # one label is a probability where nothing else is said


def test_a_model_without_scores_says_what_is_missing(twin):
    transformer = Transformer(str(twin("bert-bare")))
    model = CrossEncoder(modules=[transformer, Pooling(bert.WIDTH, "mean")], device="cpu")
    with pytest.raises(ModelError, match="scores"):
        model.predict(PAIRS[:2])
