"""Bag of words: one dimension for each word of a vocabulary.

Knows: words and their weights. Does not know: their order in a text, nor what they mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch

from ..inputs.types import Route
from .base import Features
from .word_weights import weights_of
from .words.module import WordModule
from .words.tokenizers import WhitespaceTokenizer


class BoW(WordModule):
    """Texts → `sentence_embedding` (batch, words of the vocabulary).

    Each value is the weight of a word that the text holds, as often as it holds it unless cumulative_term_frequency is
    False.  word_weights: by word, looked up as it is, then in lower case.  unknown_word_weight: of words of the
    vocabulary without one.
    """

    save_in_root: ClassVar[bool] = False
    config_keys: ClassVar[Sequence[str]] = (
        "vocab",
        "word_weights",
        "unknown_word_weight",
        "cumulative_term_frequency",
    )

    def __init__(
        self,
        vocab: Sequence[str],
        word_weights: Mapping[str, float] | None = None,
        unknown_word_weight: float = 1,
        cumulative_term_frequency: bool = True,
    ) -> None:
        super().__init__()
        self.vocab = list(dict.fromkeys(vocab))
        self.word_weights = word_weights or {}
        self.unknown_word_weight = unknown_word_weight
        self.cumulative_term_frequency = cumulative_term_frequency
        self.weights = weights_of(self.vocab, self.word_weights, unknown_word_weight)
        self.tokenizer = WhitespaceTokenizer(self.vocab, stop_words=())

    def get_embedding_dimension(self) -> int:
        return len(self.vocab)

    get_sentence_embedding_dimension = get_embedding_dimension

    def _length(self, ids: list[int]) -> int:
        return 1

    def _nbytes(self, ids: list[int]) -> int:
        return 4 * len(self.vocab)

    def collate(self, features: Sequence[Features], route: Route) -> Features:
        vectors = np.zeros((len(features), len(self.vocab)), dtype=np.float32)
        for vector, one in zip(vectors, features, strict=True):
            ids = np.asarray(one["input_ids"], dtype=np.int64)
            weights = np.array([self.weights[i] for i in ids], dtype=np.float32)
            if self.cumulative_term_frequency:
                np.add.at(vector, ids, weights)
            else:
                vector[ids] = weights
        return {"sentence_embedding": torch.from_numpy(vectors)}

    def forward(self, features: Features) -> Features:
        return features
