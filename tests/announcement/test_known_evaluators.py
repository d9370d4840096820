"""Evaluators of Sentence Transformers measure a model of this library as they measure their own."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch.utils.data import DataLoader

from manysense import SentenceTransformer

pytestmark = pytest.mark.slow

ONE = ["a dog", "the cat sat", "red house", "rain at night", "old song"]
OTHER = ["a cat", "a cat sat", "blue house", "night rain", "new song"]
SCORES = [0.1, 0.9, 0.5, 0.3, 0.7]
QUERIES = {"q1": "dog", "q2": "house"}
CORPUS = {"d1": "a dog", "d2": "red house", "d3": "song"}
RELEVANT = {"q1": {"d1"}, "q2": {"d2"}}


@pytest.fixture(scope="module")
def library():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, of old import paths
        library = pytest.importorskip("sentence_transformers")
        import sentence_transformers.sentence_transformer.evaluation  # noqa: F401
    return library


def _labelled(library, evaluation, model):
    """Of pairs: the label is the larger of the first two numbers of their vectors' sum."""
    examples = [library.InputExample(texts=[a, b], label=i % 2) for i, (a, b) in enumerate(zip(ONE, OTHER))]

    def classify(features, labels):
        return None, sum(model(dict(column))["sentence_embedding"] for column in features)[:, :2]

    return evaluation.LabelAccuracyEvaluator(DataLoader(examples, batch_size=2), softmax_model=classify)


EVALUATORS = {
    "similarity": lambda _, e, m: e.EmbeddingSimilarityEvaluator(ONE, OTHER, SCORES),
    "int8": lambda _, e, m: e.EmbeddingSimilarityEvaluator(ONE * 30, OTHER * 30, SCORES * 30, precision="int8"),
    "ubinary": lambda _, e, m: e.EmbeddingSimilarityEvaluator(ONE, OTHER, SCORES, precision="ubinary", truncate_dim=16),
    "classes": lambda _, e, m: e.BinaryClassificationEvaluator(ONE, OTHER, [0, 1, 0, 1, 0]),
    "triplets": lambda _, e, m: e.TripletEvaluator(ONE, OTHER, OTHER[::-1]),
    "retrieval": lambda _, e, m: e.InformationRetrievalEvaluator(QUERIES, CORPUS, RELEVANT, truncate_dim=8),
    "mining": lambda _, e, m: e.ParaphraseMiningEvaluator(dict(enumerate(ONE + OTHER)), [(0, 5), (1, 6)]),
    "reranking": lambda _, e, m: e.RerankingEvaluator(
        [{"query": "dog", "positive": ["a dog"], "negative": ["a cat", "rain"]}]
    ),
    "translation": lambda _, e, m: e.TranslationEvaluator(ONE, OTHER),
    "teacher": lambda _, e, m: e.MSEEvaluator(ONE, OTHER, teacher_model=m),
    "teacher's table": lambda _, e, m: e.MSEEvaluatorFromDataFrame(
        [{"en": a, "de": b} for a, b in zip(ONE, OTHER)], m, [("en", "de")]
    ),
    "labels": _labelled,
    "several": lambda _, e, m: e.SequentialEvaluator(
        [e.TripletEvaluator(ONE, OTHER, OTHER[::-1], name="x"), e.EmbeddingSimilarityEvaluator(ONE, OTHER, SCORES)]
    ),
}


@pytest.mark.filterwarnings("ignore::manysense.ManysenseWarning")
@pytest.mark.parametrize("name", EVALUATORS)
def test_an_evaluator_measures_the_same(name, library, twin):
    evaluation = library.sentence_transformer.evaluation
    measured = []
    for kind in (SentenceTransformer, library.SentenceTransformer):
        model = kind(str(twin("bert")), device="cpu")
        with torch.no_grad():
            measured.append(EVALUATORS[name](library, evaluation, model)(model))
    mine, theirs = measured
    assert mine.keys() == theirs.keys()
    assert mine == pytest.approx(theirs, abs=1e-4, nan_ok=True)
