"""Weights in eight bits each, where that loses nothing.

Knows: tensors of integers from -127 to 127 with one scale per row. Does not know: what the tensors are.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

_CODES, _SCALES = ".codes", ".scales"


def rounded(weights: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest codes (int8, of the same shape) and scales (float32, one per row) of a tensor of rows."""
    rows = weights.flatten(1).float()
    scales = (rows.abs().amax(1) / 127).clamp_min(torch.finfo(torch.float32).tiny)
    scales = (scales.view(torch.int32) & ~0xFF).view(torch.float32)  # 16 bits: codes times scales are exact
    return (rows / scales[:, None]).round().clamp(-127, 127).to(torch.int8).view(weights.shape), scales


def restored(codes: Tensor, scales: Tensor) -> Tensor:
    return (codes.flatten(1).float() * scales.float()[:, None]).view(codes.shape)


def pack(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What to store: codes and scales of a tensor that they give back exactly, any other tensor as it is."""
    stored: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        rows = tensor.ndim > 1 and tensor.is_floating_point()
        codes, scales = rounded(tensor) if rows else (tensor, tensor)
        if rows and torch.equal(restored(codes, scales), tensor):
            stored[name + _CODES], stored[name + _SCALES] = codes, scales
        else:
            stored[name] = tensor
    return stored


def unpack(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that `pack` was given, in float32."""
    tensors = {}
    for name, tensor in stored.items():
        if name.endswith(_CODES):
            own = name.removesuffix(_CODES)
            tensors[own] = restored(tensor, stored[own + _SCALES])
        elif not name.endswith(_SCALES):
            tensors[name] = tensor.float() if tensor.is_floating_point() else tensor
    return tensors
