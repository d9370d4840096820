"""The starter model's text tower: a table of token vectors, summed, and one small layer over the sum.

Knows: its files, how words become rows, how rows become a vector. Does not know: torch, how it was trained
(training/starter/text), other towers. numpy, tokenizers and safetensors are all it needs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file
from tokenizers import Tokenizer

Array = npt.NDArray[np.float32]

_WORDS = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
"""How BERT's pre-tokenizer cuts printable ASCII in lower case."""
_REMEMBERED = 100_000
"""Words whose pieces are kept; after that they are learned anew."""
_AT_ONCE = 1024
"""Texts in one matrix product; sums of more do not stay in the cache."""


class Pieces:
    """Texts to token ids, without special tokens: the same as the tokenizer's, only quicker for plain English."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._known: dict[str, list[int]] = {}

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Safe to call from several threads."""
        found: list[list[int]] = []
        for text in texts:
            if not (text.isascii() and text.isprintable()):
                found.append(self._slow_ids(text))
                continue
            row: list[int] = []
            for word in _WORDS.findall(text.lower()):
                known = self._known.get(word)
                row += self._learn(word) if known is None else known
            found.append(row)
        return found

    def _slow_ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _learn(self, word: str) -> list[int]:
        if len(self._known) >= _REMEMBERED:
            self._known = {}
        self._known[word] = ids = self._slow_ids(word)
        return ids


class StaticText:
    """Texts to vectors in the space of all-MiniLM-L6-v2, by 10,000s a second.

    With e the rows of a text's tokens and s their sum divided by its length, the vector is the direction of
    s·basis + max(0, s·inner + bias)·outer.
    """

    def __init__(self, tokenizer: Tokenizer, weights: dict[str, Array]) -> None:
        self.tokenizer = tokenizer
        self._rows = weights["rows"]
        self._linear = np.ascontiguousarray(np.concatenate([weights["inner"], weights["basis"]], 1))
        self._bias, self._outer = weights["bias"], weights["outer"]
        self._pieces = Pieces(tokenizer)

    @classmethod
    def load(cls, folder: Path) -> StaticText:
        """Read config.json, tokenizer.json and model.safetensors of a folder."""
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        assert config["kind"] == "static text", config
        stored = load_file(folder / "model.safetensors")
        weights = {name: stored[name].astype(np.float32) for name in ("basis", "inner", "bias", "outer")}
        if "codes" in stored:
            stored["rows"] = stored["codes"].astype(np.float32) * stored["scales"].astype(np.float32)[:, None]
        weights["rows"] = stored["rows"]
        return cls(Tokenizer.from_file(str(folder / "tokenizer.json")), weights)

    @property
    def vocab_size(self) -> int:
        return len(self._rows)

    @property
    def dimension(self) -> int:
        return int(self._outer.shape[1])

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, without special tokens."""
        return self._pieces.ids(texts)

    def embed(self, ids: Sequence[Sequence[int]]) -> Array:
        """(n, dimension) float32 of length 1; a text without tokens gives zeros."""
        vectors = np.zeros((len(ids), self.dimension), np.float32)
        for start in range(0, len(ids), _AT_ONCE):
            vectors[start : start + _AT_ONCE] = self._embed(ids[start : start + _AT_ONCE])
        return vectors

    def encode(self, texts: Sequence[str], batch_size: int = 4096) -> Array:
        """Vectors of texts: (n, dimension) float32 of length 1."""
        batches = list(self._batches(texts, batch_size))
        return np.concatenate(batches) if batches else np.zeros((0, self.dimension), np.float32)

    def _batches(self, texts: Sequence[str], size: int) -> Iterator[Array]:
        for start in range(0, len(texts), size):
            yield self.embed(self.ids(texts[start : start + size]))

    def _embed(self, ids: Sequence[Sequence[int]]) -> Array:
        lengths = np.fromiter(map(len, ids), np.intp, len(ids))
        filled = np.flatnonzero(lengths)
        vectors = np.zeros((len(ids), self.dimension), np.float32)
        if len(filled):
            flat = np.fromiter((token for text in ids for token in text), np.intp, int(lengths.sum()))
            starts = (np.cumsum(lengths) - lengths)[filled]
            sums = np.add.reduceat(self._rows[flat], starts)  # (filled, rank)
            sums /= np.linalg.norm(sums, axis=1, keepdims=True) + 1e-12
            both = sums @ self._linear  # (filled, hidden + dimension)
            hidden = np.maximum(both[:, : len(self._bias)] + self._bias, 0)
            out = both[:, len(self._bias) :] + hidden @ self._outer
            vectors[filled] = out / (np.linalg.norm(out, axis=1, keepdims=True) + 1e-12)
        return vectors
