"""Batch features → one vector, one matrix of tokens, or one dict per item.

Knows: feature names and shapes. Does not know: models, items.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..errors import ModelError

Features = dict[str, Any]


def vectors(features: Features, truncate_dim: int | None, normalize: bool) -> Tensor:
    """(batch, dims): `sentence_embedding`, its first `truncate_dim` values, of length 1 where asked for."""
    made = features.get("sentence_embedding")
    if made is None:
        raise ModelError(
            "the model makes no sentence_embedding: add a pooling module, or ask for output_value='token_embeddings'"
        )
    assert isinstance(made, Tensor)
    if truncate_dim is not None:
        made = made[..., :truncate_dim]
    return functional.normalize(made, p=2, dim=-1) if normalize else made


def token_matrices(features: Features) -> list[Tensor]:
    """(tokens, width) of each item, without padding."""
    made = features.get("token_embeddings")
    if made is None:
        raise ModelError("the model makes no token_embeddings for this input")
    mask = features.get("attention_mask")
    if mask is None or mask.shape != made.shape[:2]:
        return list(made)
    return [row[keep] for row, keep in zip(made, mask.bool())]


def items(features: Features, count: int, truncate_dim: int | None, normalize: bool) -> list[Features]:
    """Every feature of each item; those without a batch axis as they are."""
    shown = dict(features)
    if "sentence_embedding" in shown:
        shown["sentence_embedding"] = vectors(features, truncate_dim, normalize)
    return [{name: _of_item(value, i, count) for name, value in shown.items()} for i in range(count)]


def _of_item(value: Any, i: int, count: int) -> Any:
    return value[i] if isinstance(value, Tensor) and value.ndim and value.shape[0] == count else value


def storable(tensor: Tensor) -> Tensor:
    """As numpy can hold it: bfloat16 becomes float32."""
    return tensor.float() if tensor.dtype == torch.bfloat16 else tensor
