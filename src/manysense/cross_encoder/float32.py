"""Single linear layers in float32, in a model of half precision.

Knows: which layers can be. Does not know: models, scores.
Source: Sentence Transformers 6.2, `keep_in_fp32_modules`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import UsageError


class Float32Linear(nn.Linear):
    """A linear layer that computes in float32; its weights stay as they are."""

    def forward(self, input: Tensor) -> Tensor:
        with torch.autocast(input.device.type, enabled=False):
            bias = None if self.bias is None else self.bias.float()
            return functional.linear(input.float(), self.weight.float(), bias)


def keep_in_float32(model: nn.Module, names: Any, before: Iterable[str] = ()) -> list[str]:
    """Let these layers of `model` compute in float32, and those of `before` no longer; their names, each once.

    Raises UsageError for what is no plain linear layer; nothing is changed then.
    """
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise UsageError("keep_in_fp32_modules is a list of names of linear layers, as in model.named_modules()")
    chosen = {name: _layer(model, name) for name in dict.fromkeys(names)}
    for layer in [_layer(model, name) for name in before]:
        layer.__class__ = nn.Linear
    for layer in chosen.values():
        layer.__class__ = Float32Linear
    return list(chosen)


def _layer(model: nn.Module, name: str) -> nn.Module:
    layer: nn.Module | None = dict(model.named_modules()).get(name)
    if type(layer) not in (nn.Linear, Float32Linear):
        what = "no module" if layer is None else f"a {type(layer).__name__}"
        raise UsageError(f"keep_in_fp32_modules: {name!r} is {what}; only plain torch.nn.Linear layers can be kept")
    assert layer is not None
    return layer
