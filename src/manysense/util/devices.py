"""Devices, for programs that move tensors themselves.

Knows: the best device of this process. Does not know: where models are.
"""

from __future__ import annotations

import os
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..batching.devices import best_device

Batch = TypeVar("Batch", bound=dict[str, Any])


def get_device_name() -> str:
    """ "cuda:0", "mps" or "cpu": the best one there is; in a distributed run the GPU of this process (LOCAL_RANK)."""
    best = best_device()
    if best != "cuda":
        return best
    if "LOCAL_RANK" in os.environ:
        return f"cuda:{int(os.environ['LOCAL_RANK'])}"
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    rank = torch.distributed.get_rank() if distributed else 0
    return f"cuda:{rank if rank < torch.cuda.device_count() else 0}"


def batch_to_device(batch: Batch, target_device: Any) -> Batch:
    """The same dict, its tensors moved to `target_device`; other values stay."""
    for name, value in batch.items():
        if isinstance(value, Tensor):
            batch[name] = value.to(target_device)
    return batch
