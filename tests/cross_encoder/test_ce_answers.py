"""Language models that answer "yes" or "no" give the scores of their authors' formulas, one prompt at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from cross_encoder.pairs import DOCUMENTS, LONG, MOVED, QUERY, assert_scores, gap, ids_of
from manysense import CrossEncoder, ManysenseWarning
from manysense.errors import InputTooLong, ModelError
from twins import answerers

pytestmark = pytest.mark.slow

PAIRS = [(QUERY, document) for document in DOCUMENTS]
OWN = "Find what was said of the piano"


def probabilities(folder, pairs=PAIRS, instruction=answerers.INSTRUCTION):
    return [answerers.probability(folder, *pair, instruction) for pair in pairs]


def log_odds(folder, pairs=PAIRS, instruction=answerers.INSTRUCTION):
    return [answerers.log_odds(folder, *pair, instruction) for pair in pairs]


def plain(folder, words, instruction=None):
    prompts = [answerers.plain_layout(*pair, instruction) for pair in PAIRS]
    return np.array([answerers.logits(folder, answerers.token_ids(folder, prompt), words) for prompt in prompts])


# ---- Qwen3-Reranker


@pytest.mark.parametrize("tied", [True, False])
def test_a_raw_folder_gives_the_authors_probability(tied, reranker, twin):
    folder = twin("answerer", tied=tied)
    made = reranker("answerer", tied=tied).predict(PAIRS)
    assert_scores(made, probabilities(folder))
    assert np.std(made) > 0.1


def test_a_raw_folder_is_asked_in_the_authors_words(reranker, twin):
    model = reranker("answerer")
    for pair in PAIRS:
        assert ids_of(model, pair) == answerers.token_ids(twin("answerer"), answerers.layout(*pair))


@pytest.mark.parametrize("form", ["flat", "structured"])
@pytest.mark.parametrize(("activation", "expected"), [("Identity", log_odds), ("Sigmoid", probabilities)])
def test_a_folders_own_template_and_activation_are_used(form, activation, expected, reranker, twin):
    variant = {"form": form, "activation": activation}
    model = reranker("answerer", **variant)
    assert type(model.activation_fn).__name__ == activation
    assert_scores(model.predict(PAIRS), expected(twin("answerer", **variant)))


def test_the_answers_are_whole_tokens_of_the_vocabulary(reranker, twin):
    raw, saved = reranker("answerer"), reranker("answerer", form="flat")
    wanted = tuple(raw.tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    assert (raw[1].true_token_id, raw[1].false_token_id) == wanted
    assert (saved[1].true_token_id, saved[1].false_token_id) == wanted


@pytest.mark.parametrize("form", ["raw", "flat", "structured"])
def test_an_instruction_is_the_prompt(form, reranker, twin):
    model, folder = reranker("answerer", form=form), twin("answerer", form=form)
    made = model.predict(PAIRS, prompt=OWN, activation_fn=nn.Identity())
    assert_scores(made, log_odds(folder, instruction=OWN))
    assert gap(made, model.predict(PAIRS, activation_fn=nn.Identity())) > MOVED


def test_an_instruction_may_be_one_of_the_folders_prompts(reranker, twin):
    variant = {"form": "flat", "prompts": (("query", "Find a song"), ("piano", OWN)), "default_prompt_name": "query"}
    model, folder = reranker("answerer", **variant), twin("answerer", **variant)
    assert_scores(model.predict(PAIRS), log_odds(folder, instruction="Find a song"))
    assert_scores(model.predict(PAIRS, prompt_name="piano"), log_odds(folder, instruction=OWN))
    best = model.rank(QUERY, list(DOCUMENTS), prompt_name="piano", top_k=1)[0]
    wanted = log_odds(folder, instruction=OWN)
    assert best["corpus_id"] == int(np.argmax(wanted))
    assert_scores(best["score"], max(wanted))


@pytest.mark.parametrize("form", ["raw", "flat", "structured"])
@pytest.mark.parametrize("limit", [200, 213, 260])
def test_truncation_takes_the_end_of_the_document_and_keeps_the_suffix(form, limit, twin):
    folder = twin("answerer", form=form)
    model = CrossEncoder(folder, max_length=limit, device="cpu")
    whole = answerers.token_ids(folder, answerers.layout(QUERY, LONG))
    suffix = answerers.token_ids(folder, answerers.SUFFIX)
    wanted = [*whole[: limit - len(suffix)], *suffix]
    assert ids_of(model, (QUERY, LONG)) == wanted
    with pytest.warns(ManysenseWarning, match=f"{limit} tokens are read"):
        made = model.predict([(QUERY, LONG)], activation_fn=nn.Identity())
    no, yes = answerers.logits(folder, wanted, ("no", "yes"))
    assert_scores(made, [yes - no])


def test_a_query_gives_way_when_the_document_is_gone(twin):
    folder = twin("answerer")
    model = CrossEncoder(folder, max_length=200, device="cpu")
    ids = ids_of(model, (LONG, "a dog"))
    suffix = answerers.token_ids(folder, answerers.SUFFIX)
    assert len(ids) <= 200
    assert ids[-len(suffix) :] == suffix


def test_a_limit_below_the_template_is_an_error_of_the_item(twin):
    model = CrossEncoder(twin("answerer"), max_length=60, device="cpu")
    with pytest.raises(InputTooLong, match="chat around its text"):
        model.predict([(QUERY, "a dog")])


# ---- others


def test_a_model_that_answers_one_or_zero(reranker, twin):
    model, folder = reranker("answerer", form="mxbai"), twin("answerer", form="mxbai")
    one, zero = plain(folder, ("1", "0")).T
    assert_scores(model.predict(PAIRS), one - zero)
    made = model.predict(PAIRS, prompt="look", activation_fn=nn.Sigmoid())
    one, zero = plain(folder, ("1", "0"), "look").T
    assert_scores(made, 1 / (1 + np.exp(zero - one)))


def test_a_model_with_a_true_token_alone_is_scored_by_its_logit(reranker, twin):
    model, folder = reranker("answerer", form="bge"), twin("answerer", form="bge")
    assert model[1].false_token_id is None
    assert_scores(model.predict(PAIRS), plain(folder, ("yes",))[:, 0])


def test_the_softmax_over_both_answers_is_the_sigmoid_of_their_difference(reranker, twin):
    made = reranker("answerer", form="flat").predict(PAIRS[0])
    assert 1 / (1 + math.exp(-made)) == pytest.approx(
        answerers.probability(twin("answerer", form="flat"), *PAIRS[0]), abs=1e-5
    )


def test_padding_without_a_mask_would_be_seen(twin):
    model = CrossEncoder(twin("answerer", form="flat"), device="cpu")
    model[0].fast = False
    features = model.preprocess([(QUERY, "dog"), (QUERY, DOCUMENTS[6])])
    assert features["attention_mask"][0, 0] == 0  # padding stands on the left
    with torch.no_grad():
        right = model(dict(features))["scores"][0]
        unmasked = {**features, "attention_mask": torch.ones_like(features["attention_mask"])}
        wrong = model({key: value for key, value in unmasked.items() if key != "position_ids"})["scores"][0]
    assert abs(float(right - wrong)) > MOVED


def test_a_language_model_without_the_words_says_what_to_do(own):
    folder = own("qwen3_vl")
    with pytest.raises(ModelError, match='no tokens "yes" and "no"'):
        CrossEncoder(folder, device="cpu")


def test_a_template_that_leaves_out_a_side_is_refused_before_any_work(own):
    folder = own("answerer", form="flat")
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"qwen3"', '"llama"').replace("Qwen3For", "LlamaFor"))
    (folder / "chat_template.jinja").write_text(answerers.CHAT)
    with pytest.raises(ModelError, match='no "query" and no "document"'):
        CrossEncoder(folder, device="cpu").predict([(QUERY, "a dog")])
