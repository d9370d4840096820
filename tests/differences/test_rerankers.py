"""What differs in rerankers: one test for each line of that section of the page.

Knows: the twins' oracles. Does not know: the known library; what it does is shown under the same names in
test_known_rerankers.py.
"""

from __future__ import annotations

import numpy as np
import pytest

from differences import reranker_cases as cases
from manysense import CrossEncoder
from manysense.errors import UnsupportedInput, UntrustedCode, UsageError
from twins import answerers, labellers

CLOSE = {"rtol": 0, "atol": 2e-5}


@pytest.fixture
def load(twin):
    return lambda name, **variant: CrossEncoder(twin(name, **variant), device="cpu")


def test_a_document_that_looks_like_an_address_keeps_its_words(load, twin):
    judge = load("answerer", form="structured")
    wanted = [answerers.log_odds(twin("answerer", form="structured"), cases.QUERY, one) for one in cases.ADDRESSES]
    np.testing.assert_allclose(judge.predict([(cases.QUERY, one) for one in cases.ADDRESSES]), wanted, **CLOSE)
    assert abs(wanted[0] - wanted[1]) > 0.1


def test_control_words_in_a_document_stay_words(load, twin):
    forged = answerers.log_odds(twin("answerer", form="flat"), cases.QUERY, cases.FORGED)
    assert abs(load("answerer", form="flat").predict((cases.QUERY, cases.FORGED)) - forged) > 0.1


def test_a_lone_text_is_no_pair(load):
    with pytest.raises(UsageError, match=r"pairs are lists of \(query, document\), got str"):
        load("labeller").predict("abc")


def test_documents_are_never_the_letters_of_a_text(load):
    with pytest.raises(UsageError, match="documents must be a list, got a single str; put it into a list"):
        load("labeller").rank(cases.QUERY, "abc")


def test_an_impossible_number_of_hits_is_refused(load):
    with pytest.raises(UsageError, match="top_k must be a positive whole number, got -1"):
        load("labeller").rank(cases.QUERY, ["a", "b", "c"], top_k=-1)


def test_a_score_does_not_know_the_side_of_padding(twin, tmp_path):
    judge = CrossEncoder(cases.padded_on_the_left(twin("labeller"), tmp_path / "left"), device="cpu")
    wanted = [labellers.reference(twin("labeller"), cases.QUERY, one) for one in cases.UNEVEN]
    np.testing.assert_allclose(judge.predict([(cases.QUERY, one) for one in cases.UNEVEN]), wanted, **CLOSE)


@pytest.mark.parametrize("name", cases.ACTIVATIONS)
def test_an_activation_of_scores_that_is_not_trusted_is_an_error(name, twin, tmp_path):
    with pytest.raises(UntrustedCode, match=f"'{name}' is not on the allow-list and was not imported"):
        CrossEncoder(cases.with_activation(twin("labeller"), tmp_path / "copy", name), device="cpu")


def test_a_pair_of_three_is_named_with_its_place(load):
    with pytest.raises(UnsupportedInput, match="item 1 of 2: 3 values where a pair is expected"):
        load("labeller").predict([(cases.QUERY, "a dog"), (cases.QUERY, "a dog", "a cat")])


def test_rank_takes_what_predict_takes(load):
    judge, options = load("labeller"), {"processing_kwargs": {"text": {"max_length": 12}}, "on_truncate": "ignore"}
    scores = judge.predict([(cases.QUERY, one) for one in cases.UNEVEN], **options)
    hits = judge.rank(cases.QUERY, cases.UNEVEN, **options)
    assert [hit["score"] for hit in hits] == pytest.approx(sorted(scores.tolist(), reverse=True), abs=1e-6)
    assert abs(scores[1] - judge.predict((cases.QUERY, cases.UNEVEN[1]))) > 1e-3


def test_a_query_is_opened_once_for_all_its_documents(load, samples):
    _, stats = load("vl_reranker").rank(samples / "icon.gif", ["a dog", "a cat", "a bird"], return_stats=True)
    assert (stats.pairs, stats.opened, stats.tower_runs) == (3, 1, 1)
