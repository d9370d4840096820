"""Queries and documents that tests of rerankers share, and when two scores are equal.

Knows: tolerances, how a twin's reranker is loaded. Does not know: references.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from twins._parts import phrases
from twins.samples import TEXTS

QUERY = "red dog night"
QUERIES = (QUERY, "¿Dónde está the piano", "find")
DOCUMENTS = (*phrases()[:7], *TEXTS, "")
LONG = "the dog and the cat " * 40

CLOSE = 1e-5
"""Of a score's size, and at least of 1: what other kernels and batch shapes may differ by in float32."""
MOVED = 1e-3
"""What a wrong mask, token type or order moves a score by at least."""


def loader(twin: Callable[..., Path]) -> Callable[..., Any]:
    """(name, **variant) → the twin's CrossEncoder, loaded once by each loader."""
    from manysense import CrossEncoder

    loaded: dict[Path, Any] = {}

    def load(name: str, **variant: Any) -> Any:
        folder = twin(name, **variant)
        if folder not in loaded:
            loaded[folder] = CrossEncoder(folder, device="cpu")
        return loaded[folder]

    return load


def ids_of(model: Any, pair: Any, **options: Any) -> list[int]:
    """Token ids that one pair becomes."""
    features = model.preprocess([pair], **options)
    rows = features["rows"][0]["input_ids"] if "rows" in features else features["input_ids"][0]
    return [int(token) for token in rows]


def gap(made: Any, expected: Any) -> float:
    """The largest difference, of the size of the expected score where that is over 1."""
    made, expected = np.asarray(made, np.float64), np.asarray(expected, np.float64)
    assert made.shape == expected.shape, (made.shape, expected.shape)
    assert np.isfinite(made).all()
    return float((np.abs(made - expected) / np.maximum(1, np.abs(expected))).max()) if made.size else 0.0


def assert_scores(made: Any, expected: Any, limit: float = CLOSE) -> None:
    far = gap(made, expected)
    assert far <= limit, f"a score is {far:.2e} away: {np.asarray(made)} for {np.asarray(expected)}"


def by_document(ranking: Sequence[dict[str, Any]]) -> np.ndarray:
    """Scores of a whole ranking in the order of its documents."""
    assert sorted(hit["corpus_id"] for hit in ranking) == list(range(len(ranking)))
    return np.array([hit["score"] for hit in sorted(ranking, key=lambda hit: hit["corpus_id"])])
