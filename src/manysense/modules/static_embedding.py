"""Mean of one trained vector per token: the fastest text encoder there is.

Knows: its table and tokenizer, and the on-disk forms `embedding.weight` and model2vec's `embeddings`, `mapping`,
`weights`.
Source: Sentence Transformers' StaticEmbedding; Tulkens & van Dongen 2024 (model2vec).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ItemError, MissingExtra, ModelError, UsageError
from ..inputs.types import Item, Route
from ..media.text import encodable
from .base import Features, InputModule, Measured
from .tokens import Tokens, words_added
from .weights import load_weights, save_weights

if TYPE_CHECKING:
    from ..media.reader import Reader
    from ..settings import Settings


class StaticEmbedding(InputModule):
    """Texts → `sentence_embedding` (batch, embedding_dim): the mean over tokens; no token gives zeros.

    tokenizer: a `tokenizers.Tokenizer` or a fast transformers tokenizer.  embedding_weights: (vocabulary, width).
    Special tokens are not added.  max_seq_length: tokens read of a text; at first what the tokenizer's own truncation
    says, None for all. A saved copy keeps it.
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
        self._reading = self._made()
        if embedding_weights is not None:
            self.embedding = nn.EmbeddingBag.from_pretrained(torch.as_tensor(embedding_weights), freeze=False)
        elif embedding_dim is not None:
            self.embedding = nn.EmbeddingBag(self.tokenizer.get_vocab_size(), embedding_dim)
        else:
            raise ValueError("StaticEmbedding needs embedding_weights or embedding_dim")
        self.max_seq_length: int | None = (self.tokenizer.truncation or {}).get("max_length")
        self.base_model = kwargs.get("base_model")

    def _made(self) -> tuple[Any, int, Tokens]:
        """(the tokenizer, how many words were added to it, what it is as of then)."""
        backend = getattr(self.tokenizer, "_tokenizer", self.tokenizer)
        return self.tokenizer, words_added(backend), Tokens(backend)

    @property
    def _tokens(self) -> Tokens:
        """Made anew where the tokenizer is another one, or words were added to it."""
        tokenizer, words, _ = self._reading
        if tokenizer is not self.tokenizer or words != words_added(self.tokenizer):
            self._reading = self._made()
        return self._reading[2]

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

        texts, prompt = open_texts(items, reader, ""), encodable(settings.prompt or "")
        limit = settings.max_length or self.max_seq_length
        plain, left = [t for t in texts if isinstance(t, str)], self._truncation()["direction"] == "left"
        ids = iter(self._tokens.encode(plain, limit, prompt=prompt, special=False, left=left))
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

    def _truncation(self) -> dict[str, Any]:
        """The tokenizer's own, with the limit as it is now."""
        own = getattr(self.tokenizer, "_tokenizer", self.tokenizer).truncation or {"direction": "right"}
        return {**own, "max_length": self.max_seq_length}

    # ---- the folder

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        from tokenizers import Tokenizer

        save_weights(self.state_dict(), Path(output_path), safe_serialization)
        written = Tokenizer.from_str(getattr(self.tokenizer, "_tokenizer", self.tokenizer).to_str())
        if self.max_seq_length is None:
            written.no_truncation()
        else:
            written.enable_truncation(**self._truncation())
        written.save(str(Path(output_path) / "tokenizer.json"))

    @classmethod
    def load_from(cls, folder: Path, **kwargs: Any) -> StaticEmbedding:
        from tokenizers import Tokenizer

        weights = load_weights(folder)
        table = weights["embedding.weight"] if "embedding.weight" in weights else _unfolded(weights, folder)
        return cls(Tokenizer.from_file(str(folder / "tokenizer.json")), embedding_weights=table)

    # ---- from elsewhere

    @classmethod
    def from_model2vec(cls, model_id_or_path: str | Path) -> StaticEmbedding:
        """The table of a model2vec model, a folder or a Hub name. Read here; model2vec itself is not needed.

        It reads a text to its end, where model2vec stops at 512 tokens: set `max_seq_length`. Most of these models give
        vectors of length 1, for which a `Normalize` belongs behind it; SentenceTransformer(model_id_or_path) has both.
        Raises ModelNotFound, ModelError.
        """
        from ..checkpoints.source import Source

        folder = Source(str(model_id_or_path)).folder()
        inner = folder / "0_StaticEmbedding"
        made = cls.load_from(inner if inner.is_dir() else folder)
        made.base_model = str(model_id_or_path)
        return made

    @classmethod
    def from_distillation(
        cls,
        model_name: str,
        vocabulary: list[str] | None = None,
        device: str | None = None,
        pca_dims: int | None = 256,
        apply_zipf: bool = True,
        sif_coefficient: float | None = 1e-4,
        token_remove_pattern: str | None = r"\[unused\d+\]",
        quantize_to: str = "float32",
        use_subword: bool = True,
        **kwargs: Any,
    ) -> StaticEmbedding:
        """A table of what a transformers model makes of each of its tokens alone, by the package model2vec.

        model_name: a folder or a Hub name.  vocabulary: further words to have rows of their own.  pca_dims: numbers per
        vector, None for the model's own.  sif_coefficient: how much less frequent tokens count; None for all alike.
        token_remove_pattern: tokens that are left out.  apply_zipf, use_subword: of earlier versions of model2vec, as
        kwargs may be those of later ones.

        Raises MissingExtra, ModelNotFound, UsageError for what the installed model2vec does not take, and whatever it
        raises itself.  Source: Tulkens & van Dongen 2024.
        """
        from ..checkpoints.source import Source

        distill = _distill()
        taken = inspect.signature(distill).parameters
        given: dict[str, Any] = {"vocabulary": vocabulary, "device": device, "pca_dims": pca_dims}
        given |= {"sif_coefficient": sif_coefficient, "token_remove_pattern": token_remove_pattern}
        given |= {"quantize_to": quantize_to, **kwargs}
        earlier = {"apply_zipf": apply_zipf, "use_subword": use_subword}
        given |= {name: value for name, value in earlier.items() if not value}
        refused = sorted(set(given) - set(taken))
        if refused:
            raise UsageError(f"the installed model2vec does not take {', '.join(refused)}; it takes {', '.join(taken)}")
        source = Source(str(model_name), trust_remote_code=bool(given.get("trust_remote_code")))
        found = distill(str(source.folder()), **given)
        found.tokenizer.no_truncation()  # which it set for its own use
        parts = {"embeddings": found.embedding, "mapping": found.token_mapping, "weights": found.weights}
        tensors = {name: torch.as_tensor(part) for name, part in parts.items() if part is not None}
        return cls(found.tokenizer, embedding_weights=_unfolded(tensors, model_name), base_model=str(model_name))


def _distill() -> Any:
    """The function of model2vec. Raises MissingExtra."""
    try:
        from model2vec.distill import distill
    except ImportError as error:  # its own extra for this asks for an older transformers
        raise MissingExtra(
            'to distill a model, manysense needs model2vec and skeletoken:  pip install model2vec "skeletoken<0.7"',
            name="model2vec",
        ) from error
    return distill


def _unfolded(weights: Mapping[str, Tensor], source: Any) -> Tensor:
    """One row for each token id from model2vec's tensors: embeddings (rows, width), mapping (ids,) of ids to rows where
    several share one, weights (ids,) by which a token's row counts."""
    table = weights.get("embeddings")
    if table is None:
        raise ModelError(f"{source} holds no tensor embedding.weight or embeddings")
    if "mapping" in weights:
        table = table[weights["mapping"].long()]
    if "weights" in weights:
        table = (table.float() * weights["weights"].float()[:, None]).to(table.dtype)
    return table.contiguous()
