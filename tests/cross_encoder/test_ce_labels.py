"""Rerankers that label pairs give the scores that transformers gives, one pair at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cross_encoder.pairs import DOCUMENTS, LONG, MOVED, QUERIES, QUERY, assert_scores, gap
from manysense import CrossEncoder, ManysenseWarning
from manysense.errors import InputTooLong, UnsupportedModality
from twins import labellers

every_kind = pytest.mark.parametrize("kind", labellers.KINDS)
PAIRS = [(query, document) for query in QUERIES for document in DOCUMENTS]
IDENTITY = torch.nn.Identity()


def softmax(row):
    powers = np.exp(row - row.max())
    return powers / powers.sum()


@every_kind
def test_scores_of_one_label_equal_the_reference(kind, reranker, twin):
    folder, model = twin("labeller", kind=kind), reranker("labeller", kind=kind)
    logits = np.array([labellers.logits(folder, *pair)[0] for pair in PAIRS])
    assert_scores(model.predict(PAIRS, activation_fn=IDENTITY, on_truncate="ignore"), logits)
    assert_scores(model.predict(PAIRS, on_truncate="ignore"), 1 / (1 + np.exp(-logits)))
    assert np.std(logits) > 0.3


@every_kind
def test_logits_of_several_labels_equal_the_reference(kind, reranker, twin):
    folder, model = twin("labeller", kind=kind, labels=3), reranker("labeller", kind=kind, labels=3)
    expected = np.array([labellers.logits(folder, *pair) for pair in PAIRS[:12]])
    assert model.num_labels == 3
    assert_scores(model.predict(PAIRS[:12]), expected)
    made = model.predict(PAIRS[:12], apply_softmax=True)
    assert_scores(made, [softmax(row) for row in expected])
    assert_scores(model.predict(PAIRS[0], apply_softmax=True), softmax(expected[0]))


def test_one_label_has_nothing_to_be_shared_out(reranker):
    model = reranker("labeller")
    assert np.array_equal(model.predict(PAIRS[:5], apply_softmax=True), model.predict(PAIRS[:5]))


@every_kind
@pytest.mark.parametrize("limit", [5, 9, 24])
def test_the_longer_side_gives_way_as_the_tokenizer_has_it(kind, limit, twin):
    folder = twin("labeller", kind=kind)
    model = CrossEncoder(folder, device="cpu", max_length=limit)
    words = LONG.split()
    for first in (0, 1, 3, 7, 20):
        for second in (0, 1, 2, 8, 21, 60):
            pair = " ".join(words[:first]), " ".join(words[:second])
            wanted = labellers.tokens(folder, *pair, limit)
            made = model.preprocess([pair])
            assert made["input_ids"].tolist() == wanted["input_ids"].tolist(), (first, second)
            if "token_type_ids" in wanted:
                assert made["token_type_ids"].tolist() == wanted["token_type_ids"].tolist()


@pytest.mark.parametrize("limit", [7, 20, None])
def test_a_cut_pair_has_the_score_of_what_is_left(limit, twin):
    folder = twin("labeller")
    model = CrossEncoder(folder, max_length=limit, device="cpu")
    pairs = [(QUERY, LONG), (LONG, QUERY), (LONG, LONG), ("red", "dog")]
    with pytest.warns(ManysenseWarning, match="3 of 4 pairs are longer"):
        made = model.predict(pairs)
    assert_scores(made, [labellers.reference(folder, *pair, limit) for pair in pairs])


def test_the_limit_of_a_call_wins_for_that_call(reranker, twin):
    model, folder = reranker("labeller"), twin("labeller")
    options = {"text": {"max_length": 9}}
    made = model.predict((QUERY, LONG), processing_kwargs=options, on_truncate="ignore")
    assert_scores(made, labellers.reference(folder, QUERY, LONG, 9))
    (hit,) = model.rank(QUERY, [LONG], processing_kwargs=options, on_truncate="ignore")
    assert_scores(hit["score"], made)
    assert model.max_length == model.max_seq_length == labellers.POSITIONS


def test_a_cut_can_be_refused_or_passed_over(reranker, recwarn):
    model = reranker("labeller")
    with pytest.raises(InputTooLong) as caught:
        model.predict([("red", "dog"), (QUERY, LONG)], on_truncate="error")
    assert caught.value.index == 1
    with pytest.raises(InputTooLong) as caught:
        model.rank(QUERY, ["dog", "cat", LONG], on_truncate="error")
    assert caught.value.index == 2
    assert len(model.rank(QUERY, ["dog", LONG], on_truncate="ignore")) == 2
    assert [str(one.message) for one in recwarn if isinstance(one.message, ManysenseWarning)] == []


def test_a_prompt_stands_before_the_query(reranker, twin):
    model, folder = reranker("labeller"), twin("labeller")
    made = model.predict(PAIRS[:6], prompt="find : ", activation_fn=IDENTITY)
    assert_scores(made, [labellers.logits(folder, *pair, prompt="find : ")[0] for pair in PAIRS[:6]])
    assert gap(made, model.predict(PAIRS[:6], activation_fn=IDENTITY)) > MOVED


def test_wrong_token_types_would_be_seen(reranker):
    model = reranker("labeller")
    features = model.preprocess([(QUERY, DOCUMENTS[5])])
    with torch.no_grad():
        right = model(dict(features))["scores"]
        wrong = model({**features, "token_type_ids": torch.zeros_like(features["token_type_ids"])})["scores"]
    assert abs(float(right - wrong)) > MOVED


def test_the_order_of_a_pair_matters(reranker):
    model = reranker("labeller")
    assert abs(model.predict((QUERY, DOCUMENTS[5])) - model.predict((DOCUMENTS[5], QUERY))) > MOVED


@pytest.mark.parametrize("kind", ["bert", "roberta"])
@pytest.mark.parametrize(
    "document",
    ["https://example.org/cat.png", "red_circle.png", "data:image/png;base64,AAAA", "/etc/hostname", "a.mp4"],
)
def test_a_document_that_looks_like_an_address_stays_text(kind, document, reranker, twin, samples, monkeypatch):
    monkeypatch.chdir(samples)  # where red_circle.png is a file
    model, folder = reranker("labeller", kind=kind), twin("labeller", kind=kind)
    wanted = labellers.reference(folder, QUERY, document)
    assert_scores(model.predict((QUERY, document)), wanted)
    (hit,) = model.rank(QUERY, [document])
    assert_scores(hit["score"], wanted)


def test_a_picture_is_refused_before_anything_is_computed(reranker):
    from PIL import Image

    with pytest.raises(UnsupportedModality) as caught:
        reranker("labeller").predict([(QUERY, "a dog"), (QUERY, Image.new("RGB", (8, 8)))])
    assert caught.value.index == 1


def test_another_number_of_labels_is_a_new_head_with_a_warning(own):
    folder = own("bert-bare")
    with pytest.warns(ManysenseWarning, match="head is random"):
        model = CrossEncoder(folder, num_labels=4, device="cpu")
    assert model.num_labels == 4
    assert model.predict([(QUERY, "dog")] * 3).shape == (3, 4)
    assert isinstance(model.activation_fn, torch.nn.Identity)
