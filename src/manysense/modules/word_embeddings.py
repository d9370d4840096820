"""A trained vector for each word: the first step of models over GloVe, word2vec and the like.

Knows: its table, its folder, and text files of word vectors. Does not know: how a text is cut into words (words/).
"""

from __future__ import annotations

import gzip
import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..errors import ModelError, ModelNotFound, UsageError
from ..inputs.types import Route
from ..warn import warn
from .base import Features, read_json, write_json
from .weights import load_weights, save_weights
from .words.module import WordModule
from .words.tokenizers import TransformersTokenizerWrapper, WhitespaceTokenizer, WordTokenizer

_HOME = "manysense.modules.words.tokenizers"
_OLD_HOMES = {
    "WhitespaceTokenizer": "sentence_transformers.models.tokenizer.WhitespaceTokenizer",
    "PhraseTokenizer": "sentence_transformers.models.tokenizer.PhraseTokenizer",
    "TransformersTokenizerWrapper": "sentence_transformers.models.tokenizer.WordTokenizer",
}
"""Modules in which every version of the known library finds these classes."""
_DOWNLOADS = "https://public.ukp.informatik.tu-darmstadt.de/reimers/embeddings/"
PADDING = "PADDING_TOKEN"


class WordEmbeddings(WordModule):
    """Texts → `token_embeddings` (batch, words, width), a row of the table for each known word.

    tokenizer: a WordTokenizer, or a tokenizer of transformers.  embedding_weights: (words, width) in the order of the
    tokenizer's ids.  update_embeddings: whether training changes them.  max_seq_length: in words.
    """

    config_file_name: ClassVar[str] = "wordembedding_config.json"

    def __init__(
        self,
        tokenizer: WordTokenizer | Any,
        embedding_weights: Tensor | npt.NDArray[Any] | Sequence[Sequence[float]],
        update_embeddings: bool = False,
        max_seq_length: int = 1_000_000,
    ) -> None:
        super().__init__()
        if not isinstance(tokenizer, WordTokenizer):
            if not hasattr(tokenizer, "save_pretrained"):
                raise UsageError(
                    "WordEmbeddings needs a WordTokenizer or a tokenizer of transformers, got a "
                    f"{type(tokenizer).__name__}"
                )
            tokenizer = TransformersTokenizerWrapper(tokenizer)
        given = embedding_weights
        table = given if isinstance(given, Tensor) else torch.from_numpy(np.asarray(given))
        rows = table.detach().float().clone()
        self.emb_layer = nn.Embedding.from_pretrained(rows, freeze=not update_embeddings)  # type: ignore[no-untyped-call]
        self.embeddings_dimension: int = rows.shape[1]
        self.tokenizer = tokenizer
        self.update_embeddings = update_embeddings
        self.max_seq_length = max_seq_length

    def get_embedding_dimension(self) -> int:
        return self.embeddings_dimension

    get_word_embedding_dimension = get_sentence_embedding_dimension = get_embedding_dimension

    # ---- the line

    def collate(self, features: Sequence[Features], route: Route) -> Features:
        lengths = [len(one["input_ids"]) for one in features]
        ids = torch.zeros(len(features), max(1, *lengths), dtype=torch.int64)
        for row, one in zip(ids, features, strict=True):
            row[: len(one["input_ids"])] = torch.tensor(one["input_ids"], dtype=torch.int64)
        counts = torch.tensor(lengths)
        mask = (torch.arange(ids.shape[1]) < counts[:, None]).to(torch.int64)
        return {"input_ids": ids, "attention_mask": mask, "sentence_lengths": counts}

    def forward(self, features: Features) -> Features:
        features["token_embeddings"] = self.emb_layer(features["input_ids"])
        return features

    # ---- the folder

    def get_config_dict(self) -> dict[str, Any]:
        kind = type(self.tokenizer)
        own = kind.__module__ == _HOME
        return {
            "tokenizer_class": f"{_OLD_HOMES[kind.__name__] if own else kind.__module__}.{kind.__qualname__}",
            "update_embeddings": self.update_embeddings,
            "max_seq_length": self.max_seq_length,
        }

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        folder = Path(output_path)
        write_json(folder / self.config_file_name, self.get_config_dict())
        save_weights(self.state_dict(), folder, safe_serialization)
        self.tokenizer.save(output_path)

    @classmethod
    def load_from(cls, folder: Path, **kwargs: Any) -> WordEmbeddings:
        """Raises ModelError, also for a tokenizer class outside the known ones."""
        config = read_json(folder / cls.config_file_name)
        kind = _tokenizer_class(str(config.pop("tokenizer_class", "")))
        table = load_weights(folder).get("emb_layer.weight")
        if table is None:
            raise ModelError(f"{folder} holds no tensor emb_layer.weight")
        return cls(kind.load(str(folder)), table, **config)

    @classmethod
    def from_text_file(
        cls,
        embeddings_file_path: str | Path,
        update_embeddings: bool = False,
        item_separator: str = " ",
        tokenizer: WordTokenizer | None = None,
        max_vocab_size: int | None = None,
    ) -> WordEmbeddings:
        """The vectors of a text file, plain or .gz: a word and its numbers on each line, as GloVe and word2vec have it.

        tokenizer: None for a WhitespaceTokenizer; it gets the words of the file, after one for padding.
        max_vocab_size: words that are read, None for all.  Lines of another width than the first are left out, with a
        warning.  Raises ModelNotFound.
        """
        path = Path(embeddings_file_path)
        if not path.is_file():
            known = f"\n  Some are at {_DOWNLOADS}{path.name}" if path.name == str(embeddings_file_path) else ""
            raise ModelNotFound(f"there is no file of word vectors {str(embeddings_file_path)!r}{known}")
        words, rows, skipped = _read_vectors(path, item_separator, max_vocab_size)
        if not words:
            raise ModelError(f"{path} holds no word vectors separated by {item_separator!r}")
        if skipped:
            warn(f"{skipped:,} lines of {path.name} have another number of values than its first and were left out")
        tokenizer = tokenizer if tokenizer is not None else WhitespaceTokenizer()
        tokenizer.set_vocab([PADDING, *words])
        return cls(tokenizer, np.stack([np.zeros_like(rows[0]), *rows]), update_embeddings)


def _read_vectors(path: Path, separator: str, most: int | None) -> tuple[list[str], list[npt.NDArray[np.float32]], int]:
    """(words, a row for each, lines that were left out)."""
    words: list[str] = []
    rows: list[npt.NDArray[np.float32]] = []
    skipped = 0
    for line in _lines(path):
        word, *values = line.rstrip().split(separator)
        if not words and len(values) <= 1:  # word2vec says first how many there are
            continue
        if words and len(values) != len(rows[0]):
            skipped += 1
            continue
        words.append(word)
        rows.append(np.array([float(value) for value in values]).astype(np.float32))
        if most and len(words) >= most:
            break
    return words, rows, skipped


def _lines(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from file


def _tokenizer_class(name: str) -> Any:
    """The class of a stored tokenizer. Raises ModelError for one that is not known, without importing it."""
    last = name.rpartition(".")[2]
    if name.startswith(("sentence_transformers.", "manysense.")) and last in _OLD_HOMES:
        return getattr(importlib.import_module(_HOME), last)
    raise ModelError(
        f"tokenizer class {name!r} is not known and was not imported; known: {', '.join(_OLD_HOMES)}\n"
        "  Load the tokenizer yourself, and build the model from modules=[WordEmbeddings(tokenizer, …), …]."
    )
