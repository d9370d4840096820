"""The network's steps, each features → features. Names are resolved on first touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import InputModule, Module
    from .bow import BoW
    from .cnn import CNN
    from .dense import Dense
    from .dropout import Dropout
    from .layer_norm import LayerNorm
    from .logit_score import LogitScore
    from .lstm import LSTM
    from .normalize import Normalize
    from .pooling import Pooling
    from .router import Asym, Router
    from .static_embedding import StaticEmbedding
    from .towers import Towers
    from .transformer import Transformer
    from .weighted_layer_pooling import WeightedLayerPooling
    from .word_embeddings import WordEmbeddings
    from .word_weights import WordWeights

_HOMES = {
    "Asym": "router",
    "BoW": "bow",
    "CNN": "cnn",
    "Dense": "dense",
    "Dropout": "dropout",
    "InputModule": "base",
    "LSTM": "lstm",
    "LayerNorm": "layer_norm",
    "LogitScore": "logit_score",
    "Module": "base",
    "Normalize": "normalize",
    "Pooling": "pooling",
    "Router": "router",
    "StaticEmbedding": "static_embedding",
    "Towers": "towers",
    "Transformer": "transformer",
    "WeightedLayerPooling": "weighted_layer_pooling",
    "WordEmbeddings": "word_embeddings",
    "WordWeights": "word_weights",
}

__all__ = [
    "CNN",
    "LSTM",
    "Asym",
    "BoW",
    "Dense",
    "Dropout",
    "InputModule",
    "LayerNorm",
    "LogitScore",
    "Module",
    "Normalize",
    "Pooling",
    "Router",
    "StaticEmbedding",
    "Towers",
    "Transformer",
    "WeightedLayerPooling",
    "WordEmbeddings",
    "WordWeights",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
