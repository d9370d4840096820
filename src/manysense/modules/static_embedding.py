"""Mean of one trained vector per token: the fastest text encoder there is.

Knows: its table and tokenizer, and the on-disk forms `embedding.weight` and model2vec's `embeddings`, `mapping`,
`weights`.
Source: Sentence Transformers' StaticEmbedding; Tulkens & van Dongen 2024 (model2vec).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ItemError, ModelError
from ..inputs.types import Item, Route
from ..media.text import encodable
from .base import Features, InputModule, Measured
from .tokens import Tokens
from .weights import load_weights, save_weights

if TYPE_CHECKING:
    from ..media.reader import Reader
    from ..settings import Settings


class StaticEmbedding(InputModule):
    """Texts → `sentence_embedding` (batch, embedding_dim): the mean over tokens; no token gives zeros.

    tokenizer: a `tokenizers.Tokenizer` or a fast transformers tokenizer.  embedding_weights: (vocabulary, width).
    Special tokens are not added, and no length limit applies unless `max_seq_length` is set.
    """

    modalities: Sequence[str] = ("text",)
    save_in_root: ClassVar[bool] = False

    def __init__(
        self,
        tokenizer: Any,
        embedding_weights: Tensor | np.ndarray[Any, Any] | None = None,
        embedding_dim: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.tokenizer = getattr(tokenizer, "_tokenizer", tokenizer)
        if not hasattr(self.tokenizer, "to_str"):
            raise ValueError("StaticEmbedding needs a tokenizers.Tokenizer or a fast transformers tokenizer")
        self._tokens = Tokens(self.tokenizer)
        if embedding_weights is not None:
            self.embedding = nn.EmbeddingBag.from_pretrained(torch.as_tensor(embedding_weights), freeze=False)
        elif embedding_dim is not None:
            self.embedding = nn.EmbeddingBag(self.tokenizer.get_vocab_size(), embedding_dim)
        else:
            raise ValueError("StaticEmbedding needs embedding_weights or embedding_dim")
        self.max_seq_length: int | None = None
        self.base_model = kwargs.get("base_model")

    @property
    def num_embeddings(self) -> int:
        return self.embedding.num_embeddings

    @property
    def embedding_dim(self) -> int:
        return self.embedding.embedding_dim

    def get_embedding_dimension(self) -> int:
        return self.embedding_dim

    get_sentence_embedding_dimension = get_embedding_dimension

    # ---- the line

    def measure(self, items: Sequence[Item], reader: Reader, settings: Settings) -> list[Measured | ItemError]:
        from .transformer.texts import open_texts

        texts = open_texts(items, reader, encodable(settings.prompt or ""))
        limit = settings.max_length or self.max_seq_length
        ids = iter(self._tokens.encode([t for t in texts if isinstance(t, str)], limit, special=False))
        return [self._measured(next(ids), limit) if isinstance(text, str) else text for text in texts]

    @staticmethod
    def _measured(ids: Any, limit: int | None) -> Measured:
        cut = (ids.length, limit, "tokens") if limit is not None and ids.length > limit else None
        return Measured(route="text", length=1, extra=len(ids.ids) // 64, draft=ids.ids, cut=cut)

    def prepare(self, measured: Measured, reader: Reader, settings: Settings) -> Features:
        return {"input_ids": measured.draft}

    def collate(self, features: Sequence[Features], route: Route) -> Features:
        ids = [np.asarray(f["input_ids"], dtype=np.int64) for f in features]
        offsets = np.cumsum([0] + [len(i) for i in ids[:-1]], dtype=np.int64)
        return {"input_ids": torch.from_numpy(np.concatenate(ids)), "offsets": torch.from_numpy(offsets)}

    def forward(self, features: Features) -> Features:
        features["sentence_embedding"] = self.embedding(features["input_ids"], features["offsets"])
        return features

    # ---- the folder

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        save_weights(self.state_dict(), Path(output_path), safe_serialization)
        self.tokenizer.save(str(Path(output_path) / "tokenizer.json"))

    @classmethod
    def load_from(cls, folder: Path, **kwargs: Any) -> StaticEmbedding:
        from tokenizers import Tokenizer

        weights = load_weights(folder)
        table = weights["embedding.weight"] if "embedding.weight" in weights else _unfolded(weights, folder)
        return cls(Tokenizer.from_file(str(folder / "tokenizer.json")), embedding_weights=table)


def _unfolded(weights: Mapping[str, Tensor], folder: Path) -> Tensor:
    """One row for each token id from model2vec's tensors: embeddings (rows, width), mapping (ids,) of ids to rows where
    several share one, weights (ids,) by which a token's row counts."""
    table = weights.get("embeddings")
    if table is None:
        raise ModelError(f"{folder} holds no tensor embedding.weight or embeddings")
    if "mapping" in weights:
        table = table[weights["mapping"].long()]
    if "weights" in weights:
        table = (table.float() * weights["weights"].float()[:, None]).to(table.dtype)
    return table.contiguous()
