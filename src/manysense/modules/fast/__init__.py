"""Forward passes of our own for networks of transformers, from the same parameters: inference only.

`executor_of(network)` gives one for the architectures that these files know, None for every other. A test compares each
with the network that it stands in for.
"""

from __future__ import annotations

from typing import Any

from .decoder import PackedDecoder
from .encoder import PackedEncoder

Executor = PackedDecoder | PackedEncoder


def executor_of(network: Any, task: str) -> Executor | None:
    """For what `task` reads of a network: one position of each item."""
    if task == "sequence-classification":
        return PackedEncoder.of(network)
    if task in ("text-generation", "any-to-any", "image-text-to-text"):
        return PackedDecoder.of(network)
    return None


__all__ = ["Executor", "PackedDecoder", "PackedEncoder", "executor_of"]
