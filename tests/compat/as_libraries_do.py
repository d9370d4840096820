"""Code as libraries over the known library write it: their imports, their checks, their classes.

Knows: what KeyBERT 0.9, BERTopic 0.17 and SetFit 1.2 do. Does not know: manysense.
"""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec

from sentence_transformers import CrossEncoder, SentenceTransformer, SentenceTransformerTrainer, __version__, util
from sentence_transformers.cross_encoder import CrossEncoder as FromItsPackage
from sentence_transformers.cross_encoder.CrossEncoder import CrossEncoder as FromItsOldModule
from sentence_transformers.models import StaticEmbedding
from sentence_transformers.sentence_transformer import losses
from sentence_transformers.sentence_transformer.modules import Dense
from sentence_transformers.sentence_transformer.training_args import BatchSamplers

FOUND = find_spec("sentence_transformers") is not None
VERSIONS = (__version__, version("sentence-transformers"), version("Sentence_Transformers"))


class Head(Dense):
    """SetFit's head is a Dense."""


class Trainer(SentenceTransformerTrainer):
    """SetFit subclasses the trainer, and takes defaults from classes, when it is imported."""

    distance = losses.BatchHardTripletLossDistanceFunction.cosine_distance
    sampler = BatchSamplers.GROUP_BY_LABEL


LOSSES = {"CosineSimilarityLoss": losses.CosineSimilarityLoss, "TripletLoss": losses.TripletLoss}


def backend(model: object) -> str:
    """Which backend KeyBERT and BERTopic choose for a model: any other than the first would load another model."""
    if "sentence_transformers" in str(type(model)):
        assert isinstance(model, SentenceTransformer)
        return "the model itself"
    return "a default model"


def nearest(model: SentenceTransformer, query: str, texts: list[str]) -> int:
    """The position of the text that is most like the query."""
    embeddings = model.encode([query, *texts], show_progress_bar=False, convert_to_tensor=True)
    return int(util.cos_sim(embeddings[0], embeddings[1:]).argmax())


def best(model: CrossEncoder, query: str, texts: list[str]) -> int:
    """The position of the text that fits best, as LangChain's and Haystack's rerankers find it."""
    assert isinstance(model, FromItsPackage)
    assert CrossEncoder is FromItsOldModule
    scores = model.predict([[query, text] for text in texts])
    return int(scores.argmax())


def static(table: object, tokenizer: object) -> SentenceTransformer:
    """BERTopic builds a model from a static module."""
    return SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=table)])
