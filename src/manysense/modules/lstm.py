"""An LSTM over token vectors.

Knows: its layers, and that padding is never read. Does not know: where tokens come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from .base import Features
from .old_names import either
from .with_weights import WithWeights


class LSTM(WithWeights):
    """`token_embeddings` (batch, length, width) → (batch, length, hidden_dim), twice as wide when `bidirectional`.

    dropout: between layers, while the model learns.
    """

    config_file_name: ClassVar[str] = "lstm_config.json"
    config_keys: ClassVar[Sequence[str]] = (
        "word_embedding_dimension",
        "hidden_dim",
        "num_layers",
        "dropout",
        "bidirectional",
    )
    """In the names that every version of the known library reads."""

    def __init__(
        self,
        embedding_dimension: int | None = None,
        hidden_dim: int | None = None,
        num_layers: int = 1,
        dropout: float = 0,
        bidirectional: bool = True,
        *,
        word_embedding_dimension: int | None = None,
    ) -> None:
        super().__init__()
        self.embedding_dimension = either(embedding_dimension, word_embedding_dimension, "embedding_dimension")
        self.hidden_dim = either(hidden_dim, None, "hidden_dim")
        self.num_layers, self.dropout, self.bidirectional = num_layers, dropout, bidirectional
        self.embeddings_dimension = self.hidden_dim * (2 if bidirectional else 1)
        self.encoder = nn.LSTM(
            self.embedding_dimension,
            self.hidden_dim,
            num_layers=num_layers,
            dropout=dropout,
            bidirectional=bidirectional,
            batch_first=True,
        )

    @property
    def word_embedding_dimension(self) -> int:
        """Old name of embedding_dimension."""
        return self.embedding_dimension

    def forward(self, features: Features) -> Features:
        tokens = features["token_embeddings"]  # (batch, length, width)
        lengths = _lengths(features).clamp_min(1).cpu()  # of an item without tokens one is read, and masked later
        packed = pack_padded_sequence(tokens, lengths, batch_first=True, enforce_sorted=False)
        made, _ = pad_packed_sequence(self.encoder(packed)[0], batch_first=True, total_length=tokens.shape[1])
        features["token_embeddings"] = made
        return features

    def get_embedding_dimension(self) -> int:
        return self.embeddings_dimension

    get_word_embedding_dimension = get_sentence_embedding_dimension = get_embedding_dimension


def _lengths(features: Features) -> Tensor:
    """(batch,) tokens of each item."""
    lengths = features.get("sentence_lengths")
    made: Tensor = features["attention_mask"].sum(1) if lengths is None else lengths
    return made
