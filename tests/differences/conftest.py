"""Sentence Transformers itself, where it is installed, reading the twins that this library reads.

Knows: how its models are loaded, and what they need. Does not know: what differs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def known(twin: Callable[..., Path]) -> Callable[..., Any]:
    """known(name, **variant) → the twin's model in the known library, loaded once. Skips where that is missing."""
    library = pytest.importorskip("sentence_transformers")
    loaded: dict[Path, Any] = {}

    def load(name: str, **variant: Any) -> Any:
        if name == "qwen3_vl":
            pytest.importorskip("torchvision", reason="the known library reads no Qwen3-VL folder without torchvision")
        folder = twin(name, **variant)
        if folder not in loaded:
            loaded[folder] = library.SentenceTransformer(str(folder), device="cpu")
        return loaded[folder]

    return load
