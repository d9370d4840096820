"""Batch features → one row of scores per item.

Knows: the order of the known library: float32, activation, softmax. Does not know: models, what a score means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..errors import ModelError

Activation = Callable[[Tensor], Tensor]


def scores(features: dict[str, Any], count: int, activation: Activation | None, softmax: bool) -> Tensor:
    """(batch, labels) float32: the model's scores, in at least float32, through the activation; then softmax over
    several labels where asked for. Raises ModelError for a model without scores."""
    made = features.get("scores")
    if made is None:
        raise ModelError("the model makes no scores: its last module has to write the feature 'scores'")
    assert isinstance(made, Tensor)
    made = made.float() if made.dtype in (torch.float16, torch.bfloat16) else made
    made = made.reshape(count, -1)
    if activation is not None:
        made = activation(made).reshape(count, -1)
    return made.softmax(1) if softmax and made.shape[1] > 1 else made
