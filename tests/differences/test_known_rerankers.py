"""Rerankers of Sentence Transformers still do what docs/differences.md tells of, under the names of its lines.

Knows: what it does. Does not know: what this library does instead (test_rerankers.py). When a test here fails after an
upgrade, the defect is mended: take its line off the page.
"""

from __future__ import annotations

import logging

import pytest

from differences import reranker_cases as cases
from twins import answerers

pytestmark = pytest.mark.slow


@pytest.fixture
def load(twin):
    library = pytest.importorskip("sentence_transformers")
    return lambda name, **variant: library.CrossEncoder(str(twin(name, **variant)), device="cpu")


def test_a_document_that_looks_like_an_address_keeps_its_words(load):
    one, other = load("answerer", form="structured").predict([(cases.QUERY, address) for address in cases.ADDRESSES])
    assert one == other


def test_control_words_in_a_document_stay_words(load, twin):
    forged = answerers.log_odds(twin("answerer", form="flat"), cases.QUERY, cases.FORGED)
    (score,) = load("answerer", form="flat").predict([(cases.QUERY, cases.FORGED)])
    assert score == pytest.approx(forged, abs=1e-4)


def test_a_lone_text_is_no_pair(load):
    assert load("labeller").predict("abc").shape == ()


def test_documents_are_never_the_letters_of_a_text(load):
    hits = load("labeller").rank(cases.QUERY, "abc", return_documents=True)
    assert {hit["text"] for hit in hits} == set("abc")


def test_an_impossible_number_of_hits_is_refused(load):
    assert len(load("labeller").rank(cases.QUERY, ["a", "b", "c"], top_k=-1)) == 2


def test_a_score_does_not_know_the_side_of_padding(twin, tmp_path):
    library = pytest.importorskip("sentence_transformers")
    judge = library.CrossEncoder(str(cases.padded_on_the_left(twin("labeller"), tmp_path / "left")), device="cpu")
    both = judge.predict([(cases.QUERY, one) for one in cases.UNEVEN])
    assert abs(both[0] - judge.predict((cases.QUERY, cases.UNEVEN[0]))) > 0.01


@pytest.mark.parametrize(("name", "ran"), list(zip(cases.ACTIVATIONS, (False, True))))
def test_an_activation_of_scores_that_is_not_trusted_is_an_error(name, ran, twin, tmp_path, capfd, caplog):
    library = pytest.importorskip("sentence_transformers")
    with caplog.at_level(logging.WARNING):
        judge = library.CrossEncoder(
            str(cases.with_activation(twin("labeller"), tmp_path / "copy", name)), device="cpu"
        )
    assert type(judge.activation_fn).__name__ == "Sigmoid"
    assert ("Collecting environment information" in capfd.readouterr().out) == ran


def test_a_pair_of_three_is_named_with_its_place(load):
    with pytest.raises(ValueError, match="Unsupported input type: tuple"):
        load("labeller").predict([(cases.QUERY, "a dog"), (cases.QUERY, "a dog", "a cat")])


def test_rank_takes_what_predict_takes(load):
    judge, options = load("labeller"), {"processing_kwargs": {"text": {"max_length": 12}}}
    assert judge.predict([(cases.QUERY, one) for one in cases.UNEVEN], **options).shape == (2,)
    with pytest.raises(TypeError, match="unexpected keyword argument 'processing_kwargs'"):
        judge.rank(cases.QUERY, cases.UNEVEN, **options)


def test_a_query_is_opened_once_for_all_its_documents(load, monkeypatch):
    judge, seen = load("labeller"), []
    preprocess = judge.preprocess

    def counted(pairs, *args, **kwargs):
        seen.extend(query for query, _ in pairs)
        return preprocess(pairs, *args, **kwargs)

    monkeypatch.setattr(judge, "preprocess", counted)
    judge.rank(cases.QUERY, ["a dog", "a cat", "a bird"])
    assert seen == [cases.QUERY] * 3
