"""Networks that watch or disturb a call, put behind a twin's own modules."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def behind(model) -> Callable[..., Any]:
    """behind(watch, name, **variant) → the twin's model with one more module, which calls `watch(features)`."""
    import torch

    from manysense import SentenceTransformer

    class Watch(torch.nn.Module):
        def __init__(self, watch: Callable[[dict[str, Any]], None]) -> None:
            super().__init__()
            self.watch = watch

        def forward(self, features):
            self.watch(features)
            return features

    def build(watch: Callable[[dict[str, Any]], None], name: str = "bert", **variant: Any) -> Any:
        twin = model(name, **variant)
        return SentenceTransformer(modules=[*twin, Watch(watch)], device="cpu", prompts=dict(twin.prompts))

    return build


class Rows:
    """Counts the rows of every forward pass."""

    def __init__(self) -> None:
        self.lock, self.batches = threading.Lock(), []

    def __call__(self, features: dict[str, Any]) -> None:
        with self.lock:
            self.batches.append(len(features["sentence_embedding"]))

    @property
    def total(self) -> int:
        return sum(self.batches)


@pytest.fixture
def rows() -> Rows:
    return Rows()
