"""Dropout on the finished vector, while a model learns.

Knows: its probability. Does not know: anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import nn

from .base import Features, Module


class Dropout(Module):
    """In training mode, zeros values of `sentence_embedding` with probability `dropout`; else changes nothing."""

    config_keys: ClassVar[Sequence[str]] = ("dropout",)

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        self.dropout = dropout
        self.dropout_layer = nn.Dropout(dropout)

    def forward(self, features: Features) -> Features:
        features["sentence_embedding"] = self.dropout_layer(features["sentence_embedding"])
        return features
