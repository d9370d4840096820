"""Token vectors as a learned mean over a transformer's layers.

Knows: its weights, one a layer. Does not know: the transformer, which must hand out the vectors of every layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import nn

from ..errors import ModelError
from .base import Features
from .old_names import either
from .with_weights import WithWeights


class WeightedLayerPooling(WithWeights):
    """`all_layer_embeddings`, (batch, length, width) of each layer → `token_embeddings` (batch, length, width).

    num_hidden_layers: of the transformer, whose table of word vectors counts as layer 0 beside them.  layer_start: the
    first layer that takes part.  layer_weights: (num_hidden_layers + 1 - layer_start,), 1 for each when None.
    Raises ModelError when no layer is left.
    """

    config_keys: ClassVar[Sequence[str]] = ("word_embedding_dimension", "layer_start", "num_hidden_layers")
    """In the names that every version of the known library reads."""

    def __init__(
        self,
        embedding_dimension: int | None = None,
        num_hidden_layers: int = 12,
        layer_start: int = 4,
        layer_weights: Any = None,
        *,
        word_embedding_dimension: int | None = None,
    ) -> None:
        super().__init__()
        self.embedding_dimension = either(embedding_dimension, word_embedding_dimension, "embedding_dimension")
        self.num_hidden_layers, self.layer_start = num_hidden_layers, layer_start
        count = num_hidden_layers + 1 - layer_start
        if count < 1:
            raise ModelError(f"layer_start={layer_start} leaves out all of the {num_hidden_layers} layers")
        weights = torch.ones(count) if layer_weights is None else torch.as_tensor(layer_weights, dtype=torch.float32)
        self.layer_weights = weights if isinstance(weights, nn.Parameter) else nn.Parameter(weights)

    @property
    def word_embedding_dimension(self) -> int:
        """Old name of embedding_dimension."""
        return self.embedding_dimension

    def forward(self, features: Features) -> Features:
        """Raises ModelError for features without the vectors of every layer, or of another number of layers."""
        layers = features.get("all_layer_embeddings")
        if layers is None:
            raise ModelError(
                "WeightedLayerPooling needs the token vectors of every layer, and the transformer gives its last only\n"
                '  Build it with Transformer(…, config_kwargs={"output_hidden_states": True}), or load the model with '
                "these config_kwargs."
            )
        if len(layers) != self.num_hidden_layers + 1:
            raise ModelError(
                f"WeightedLayerPooling was built for {self.num_hidden_layers} layers, the transformer has "
                f"{len(layers) - 1}"
            )
        stacked = torch.stack(list(layers[self.layer_start :]))  # (layers, batch, length, width)
        weights = self.layer_weights.view(-1, 1, 1, 1)
        features["token_embeddings"] = (weights * stacked).sum(0) / self.layer_weights.sum()
        return features

    def get_embedding_dimension(self) -> int:
        return self.embedding_dimension

    get_word_embedding_dimension = get_sentence_embedding_dimension = get_embedding_dimension
