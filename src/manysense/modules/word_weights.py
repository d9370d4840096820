"""Word vectors scaled by how much a word tells, such as its inverse document frequency.

Knows: a weight for each word. Does not know: where word vectors come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import nn

from .base import Features, read_json
from .with_weights import WithWeights


class WordWeights(WithWeights):
    """`token_embeddings` (batch, length, width) times the weight of each token; `token_weights_sum` (batch,) beside.

    Pooling with "mean" divides by that sum.  vocab: the words in the order of the tokenizer's ids.  word_weights: by
    word, looked up as it is, then in lower case.  unknown_word_weight: of words of the vocabulary without one.
    """

    config_keys: ClassVar[Sequence[str]] = ("vocab", "word_weights", "unknown_word_weight")

    def __init__(self, vocab: Sequence[str], word_weights: Mapping[str, float], unknown_word_weight: float = 1) -> None:
        super().__init__()
        self.vocab, self.word_weights, self.unknown_word_weight = list(vocab), word_weights, unknown_word_weight
        weights = torch.tensor(weights_of(self.vocab, word_weights, unknown_word_weight), dtype=torch.float32)
        self.emb_layer = nn.Embedding.from_pretrained(weights[:, None], freeze=False)  # type: ignore[no-untyped-call]

    def forward(self, features: Features) -> Features:
        weights = self.emb_layer(features["input_ids"]).squeeze(-1) * features["attention_mask"].float()
        features["token_embeddings"] = features["token_embeddings"] * weights.unsqueeze(-1)
        features["token_weights_sum"] = weights.sum(1)
        return features

    @classmethod
    def load_from(cls, folder: Path, **kwargs: Any) -> Self:
        """With the weights that training left, where the folder has them."""
        made = cls(**read_json(folder / cls.config_file_name))
        trained = any((folder / name).is_file() for name in ("model.safetensors", "pytorch_model.bin"))
        return made.filled(folder) if trained else made


def weights_of(vocab: Sequence[str], weights: Mapping[str, float], unknown: float) -> list[float]:
    """The weight of each word: its own, that of its lower case, or that of unknown words."""
    return [weights.get(word, weights.get(word.lower(), unknown)) for word in vocab]
