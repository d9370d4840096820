"""Programs written for older versions of the known library call with other names, and by position."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cross_encoder.pairs import DOCUMENTS, QUERY, assert_scores
from manysense import CrossEncoder, ManysenseWarning
from manysense.errors import UsageError
from twins import labellers

PAIRS = [(QUERY, document) for document in DOCUMENTS[:4]]


def expected(folder, limit=None):
    return [labellers.logits(folder, *pair, limit)[0] for pair in PAIRS]


def test_the_first_arguments_may_be_given_by_position(twin):
    folder = str(twin("labeller"))
    model = CrossEncoder(folder, 1, 12, nn.Identity(), "cpu")
    assert (model.num_labels, model.max_length, str(model.device)) == (1, 12, "cpu")
    assert_scores(model.predict(PAIRS, on_truncate="ignore"), expected(twin("labeller"), 12))


def test_old_names_of_the_constructor_do_what_the_new_ones_do(twin):
    folder = twin("labeller")
    model = CrossEncoder(
        model_name=str(folder),
        device="cpu",
        automodel_args={"dtype": torch.float64},
        tokenizer_args={"model_max_length": 12},
        config_args={"hidden_dropout_prob": 0.5},
        cache_dir=None,
        default_activation_function=nn.Identity(),
    )
    assert model.dtype == torch.float64
    assert model.max_length == 12
    assert model.config.hidden_dropout_prob == 0.5
    assert isinstance(model.default_activation_function, nn.Identity)
    assert_scores(model.predict(PAIRS, on_truncate="ignore"), expected(folder, 12))


def test_tokenizer_kwargs_is_an_old_name_too(twin):
    model = CrossEncoder(str(twin("labeller")), device="cpu", tokenizer_kwargs={"model_max_length": 9})
    assert model.max_length == 9


def test_classifier_dropout_reaches_the_configuration(twin):
    model = CrossEncoder(str(twin("labeller")), device="cpu", classifier_dropout=0.25)
    assert model.config.classifier_dropout == 0.25
    assert model.model.dropout.p == 0.25


def test_a_new_number_of_labels_goes_with_a_new_head(own):
    with pytest.warns(ManysenseWarning, match="head is random"):
        model = CrossEncoder(str(own("bert-bare")), 2, device="cpu", classifier_dropout=0.1)
    assert model.predict(PAIRS).shape == (4, 2)


def test_old_names_of_calls_do_what_the_new_ones_do(twin):
    folder = twin("labeller")
    model = CrossEncoder(str(folder), device="cpu")
    made = model.predict(sentences=PAIRS, activation_fct=nn.Identity(), num_workers=0, show_progress_bar=False)
    assert_scores(made, expected(folder))
    hits = model.rank(QUERY, DOCUMENTS[:4], activation_fct=nn.Identity(), num_workers=2, apply_softmax=False)
    assert_scores(sorted(hit["score"] for hit in hits), sorted(expected(folder)))


def test_the_length_may_be_set_under_both_names(twin):
    folder = twin("labeller")
    model = CrossEncoder(str(folder), device="cpu", activation_fn=nn.Identity())
    model.max_length = 9
    assert model.max_seq_length == model[0].max_seq_length == 9
    assert_scores(model.predict(PAIRS, on_truncate="ignore"), expected(folder, 9))


def test_arguments_may_be_given_in_the_old_order(reranker):
    model = reranker("labeller")
    wanted = model.predict(PAIRS)
    assert_scores(model.predict(PAIRS, None, None, 2, False), wanted)
    assert model.rank(QUERY, list(DOCUMENTS[:4]), 2, True)[0].keys() == {"corpus_id", "score", "text"}


@pytest.mark.parametrize("name", ["shiny", "similarity_fn_name"])
def test_an_unknown_name_is_refused(name, twin, reranker):
    with pytest.raises(TypeError, match=name):
        CrossEncoder(str(twin("labeller")), device="cpu", **{name: 1})
    with pytest.raises(UsageError, match=name):
        reranker("labeller").predict(PAIRS, **{name: 1})


def test_the_network_and_the_tokenizer_are_where_old_programs_look(reranker):
    model = reranker("labeller")
    assert type(model.model).__name__ == "BertForSequenceClassification"
    assert model.config.num_labels == model.num_labels == 1
    assert model.tokenizer("a dog")["input_ids"][0] == model.tokenizer.cls_token_id
