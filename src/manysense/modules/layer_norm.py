"""Layer normalisation of the finished vector.

Knows: its two parameters. Does not know: what made the vector. Source: Ba, Kiros & Hinton 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import nn

from .base import Features
from .with_weights import WithWeights


class LayerNorm(WithWeights):
    """`sentence_embedding` (batch, dimension) → the same: mean 0, deviation 1, then a learned scale and shift."""

    config_keys: ClassVar[Sequence[str]] = ("dimension",)

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.dimension = dimension
        self.norm = nn.LayerNorm(dimension)

    def forward(self, features: Features) -> Features:
        features["sentence_embedding"] = self.norm(features["sentence_embedding"])
        return features

    def get_embedding_dimension(self) -> int:
        return self.dimension

    get_sentence_embedding_dimension = get_embedding_dimension
