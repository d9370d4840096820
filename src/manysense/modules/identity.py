"""Which model made a vector: a digest that is equal where a network, its weights and its tokenizer are.

Knows: tensors, configurations, tokenizers of modules. Does not know: prompts of a call, folders, names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from .base import Module


def digest(modules: Iterable[nn.Module]) -> str:
    """32 hexadecimal digits. Reads every weight once: about a second for each gigabyte."""
    seen = hashlib.blake2b(digest_size=16)
    for module in modules:
        for part in module.modules():
            seen.update(type(part).__qualname__.encode())
            if isinstance(part, Module):
                seen.update(json.dumps(part.get_config_dict(), sort_keys=True, default=str).encode())
            tokenizer: Any = getattr(part, "tokenizer", None)
            tokenizer = getattr(tokenizer, "_tokenizer", tokenizer)
            if hasattr(tokenizer, "to_str"):
                seen.update(tokenizer.to_str().encode())
            elif hasattr(tokenizer, "get_vocab"):  # written in Python
                seen.update(json.dumps(tokenizer.get_vocab(), sort_keys=True).encode())
        for name, tensor in module.state_dict().items():
            if hasattr(tensor, "dequantize") and type(tensor) is not torch.Tensor:
                tensor = tensor.dequantize()
            seen.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            seen.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return seen.hexdigest()
