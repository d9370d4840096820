"""Features of single items → one batch.

Knows: which features are padded, joined or stacked. Does not know: models, routes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..base import Features, numbers

SEQUENCES = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids")
"""One value per token: padded."""
_JOINED = ("image_grid_thw", "video_grid_thw", "pixel_values_videos", "second_per_grid_ts")
_HEARD = ("input_features", "feature_attention_mask")
"""Of sounds that are as long as they are, and not cut into windows: padded at the end, the second says where."""


def collate(features: Sequence[Features], pad: int, *, to: int | None, mask: bool, left: bool = False) -> Features:
    """pad: the id of padding.  to: pad to this length, None for the longest.  mask: make an attention mask.  left: pad
    on the left, so that every row ends in a token."""
    batch: Features = {}
    names = {name for one in features for name in one}
    if "input_ids" in names:
        ids = [one["input_ids"] for one in features]
        length = to or max(len(i) for i in ids)
        batch["input_ids"] = _pad(ids, length, pad, left)
        if mask:
            batch["attention_mask"] = _pad([np.ones(len(i), np.int64) for i in ids], length, 0, left)
    if "media" in names:
        batch["media"] = [medium for one in features for medium in one.get("media", ())]
    for name in sorted(names - {"input_ids", "media"}):
        values = [one[name] for one in features if name in one]
        if name in _HEARD and _HEARD[1] in names:
            batch[name] = padded([numbers(sound) for value in values for sound in value])
        else:
            batch[name] = _collated(name, values, batch, left)
    return batch


def padded(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors of different last sizes as one, zeros at their ends."""
    longest = max(one.shape[-1] for one in tensors)
    return torch.stack([functional.pad(one, (0, longest - one.shape[-1])) for one in tensors])


def joined(name: str, arrays: list[Any]) -> Any:
    """The arrays of several media of one item as one array; of sounds of any length they stay a list."""
    if name in _HEARD:
        return arrays
    return np.concatenate(arrays) if np.ndim(arrays[0]) == 2 else np.stack(arrays)


def _collated(name: str, values: list[Any], batch: Features, left: bool) -> Tensor:
    if name in SEQUENCES:
        return _pad(values, batch["input_ids"].shape[1], 0, left)
    tensors = [numbers(value) for value in values]
    if name in _JOINED or (name == "pixel_values" and tensors[0].ndim == 2):  # patches of any number
        return torch.cat(tensors)
    return torch.stack(tensors)


def _pad(rows: Sequence[Any], length: int, value: int, left: bool) -> Tensor:
    """(rows, length) int64, padded on one side."""
    padded = torch.full((len(rows), length), value, dtype=torch.int64)
    for i, row in enumerate(rows):
        start = length - len(row) if left else 0
        padded[i, start : start + len(row)] = numbers(row)
    return padded
