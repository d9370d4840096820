"""Token vectors → one vector.

Knows: the pooling modes of the field and their on-disk names, old and new. Does not know: where tokens come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..errors import ModelError
from .base import Features, Module, read_json

MODES = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
"""In the order in which several are concatenated."""

_OLD_KEYS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


class Pooling(Module):
    """Pool `token_embeddings` (batch, length, width) into `sentence_embedding` (batch, width x number of modes).

    pooling_mode: one of MODES or several, concatenated in the order given.  include_prompt: False leaves the tokens
    of the prompt out.  Padding never counts; sums are taken in float32.  An item without any token gives zeros.
    Means divide by `token_weights_sum` (batch,) where a module before has weighted the tokens (WordWeights).
    """

    config_keys: ClassVar[Sequence[str]] = ("embedding_dimension", "pooling_mode", "include_prompt")

    def __init__(
        self,
        embedding_dimension: int | None = None,
        pooling_mode: str | Sequence[str] | None = None,
        include_prompt: bool = True,
        *,
        word_embedding_dimension: int | None = None,
        **old: bool,
    ) -> None:
        super().__init__()
        dimension = embedding_dimension if embedding_dimension is not None else word_embedding_dimension
        if dimension is None:
            raise TypeError("Pooling needs embedding_dimension")
        modes = _modes(pooling_mode, old)
        self.embedding_dimension = int(dimension)
        self.pooling_mode: str | tuple[str, ...] = modes[0] if len(modes) == 1 else modes
        self.include_prompt = include_prompt
        self.pooling_output_dimension = len(modes) * self.embedding_dimension

    @property
    def modes(self) -> tuple[str, ...]:
        return (self.pooling_mode,) if isinstance(self.pooling_mode, str) else self.pooling_mode

    @property
    def word_embedding_dimension(self) -> int:
        """Old name of embedding_dimension."""
        return self.embedding_dimension

    def get_embedding_dimension(self) -> int:
        return self.pooling_output_dimension

    get_sentence_embedding_dimension = get_embedding_dimension

    def get_config_dict(self) -> dict[str, Any]:
        """In the keys that every version of the known library reads, where these can say it."""
        if self.modes != tuple(mode for mode in MODES if mode in self.modes):
            return super().get_config_dict()
        config: dict[str, Any] = {"word_embedding_dimension": self.embedding_dimension}
        config.update({key: mode in self.modes for key, mode in _OLD_KEYS.items()})
        return {**config, "include_prompt": self.include_prompt}

    def forward(self, features: Features) -> Features:
        tokens = features["token_embeddings"]  # (batch, length, width)
        mask = _mask_of(features, tokens)  # (batch, length)
        kept = mask if self.include_prompt else without_prompt(mask, features.get("prompt_length"))
        pooled = [self._pool(mode, tokens, mask, kept, features) for mode in self.modes]
        features["sentence_embedding"] = torch.cat(pooled, dim=-1)
        return features

    def _pool(self, mode: str, tokens: Tensor, mask: Tensor, kept: Tensor, features: Features) -> Tensor:
        if mode == "cls":
            given = features.get("cls_token_embeddings")
            return given if given is not None else first_token(tokens, kept)
        if mode == "lasttoken":
            return last_token(tokens, kept)
        if mode == "max":
            return max_pool(tokens, kept)
        total = features.get("token_weights_sum")
        if mode == "weightedmean":
            return weighted_mean_pool(tokens, mask, kept, total)
        return mean_pool(tokens, kept, 0.5 if mode == "mean_sqrt_len_tokens" else 1.0, total)

    @classmethod
    def load_from(cls, folder: Path, **kwargs: Any) -> Pooling:
        return cls(**read_json(folder / cls.config_file_name))


def _modes(pooling_mode: str | Sequence[str] | None, old: dict[str, bool]) -> tuple[str, ...]:
    unknown = sorted(set(old) - set(_OLD_KEYS))
    if unknown:
        raise TypeError(f"Pooling got unknown arguments {unknown}")
    if pooling_mode is None:
        modes = tuple(mode for key, mode in _OLD_KEYS.items() if old.get(key))
        return modes or ("mean",)
    modes = (pooling_mode,) if isinstance(pooling_mode, str) else tuple(pooling_mode)
    for mode in modes:
        if mode not in MODES:
            raise ModelError(f"pooling_mode {mode!r} is not known; choose from {', '.join(MODES)}")
    return modes


def _mask_of(features: Features, tokens: Tensor) -> Tensor:
    mask = features.get("attention_mask")
    if mask is None or mask.shape[-1] != tokens.shape[1]:
        return torch.ones(tokens.shape[:-1], device=tokens.device, dtype=torch.int64)
    assert isinstance(mask, Tensor)
    return mask


def without_prompt(mask: Tensor, prompt_length: Any) -> Tensor:
    """The mask without each row's first `prompt_length` attended tokens; a new tensor.

    mask: (batch, length) 0/1.  prompt_length: None, a number, or (batch,) numbers.
    """
    if prompt_length is None:
        return mask
    lengths = torch.as_tensor(prompt_length, device=mask.device).reshape(-1, 1)
    return mask * (mask.cumsum(1) > lengths).to(mask.dtype)


def mean_pool(tokens: Tensor, mask: Tensor, power: float = 1.0, total: Tensor | None = None) -> Tensor:
    """Sum of the token vectors that are not padding, over `total` to `power` (1: mean, 0.5: mean_sqrt_len).

    tokens: (batch, length, width) float. mask: (batch, length) 0/1.  total: (batch,), None for the number of tokens.
    Returns (batch, width) in the dtype of `tokens`.  Source: Reimers & Gurevych 2019, section 3.
    """
    weights = mask.unsqueeze(-1).float()  # (batch, length, 1)
    return ((tokens.float() * weights).sum(1) / _divisor(weights, total) ** power).to(tokens.dtype)


def weighted_mean_pool(tokens: Tensor, mask: Tensor, kept: Tensor, total: Tensor | None = None) -> Tensor:
    """Mean weighted by position, 1 for the first attended token; leaving out a prompt keeps the others' weights.

    total: (batch,) what the sum is divided by, None for the sum of the weights.  Source: Muennighoff 2022 (SGPT),
    section 3.
    """
    weights = (mask.cumsum(1) * kept).unsqueeze(-1).float()
    return ((tokens.float() * weights).sum(1) / _divisor(weights, total)).to(tokens.dtype)


def _divisor(weights: Tensor, total: Tensor | None) -> Tensor:
    """(batch, 1): `total`, or the sum of the weights (batch, length, 1); never 0."""
    return (weights.sum(1) if total is None else total.unsqueeze(-1).float()).clamp_min(1e-9)


def max_pool(tokens: Tensor, mask: Tensor) -> Tensor:
    """The largest value of each dimension over the tokens that are not padding; zeros where there is none."""
    hidden = tokens.masked_fill(mask.unsqueeze(-1) == 0, torch.finfo(tokens.dtype).min)
    return hidden.amax(1) * mask.any(1, keepdim=True).to(tokens.dtype)


def first_token(tokens: Tensor, mask: Tensor) -> Tensor:
    """The first attended token of each row, whichever side the padding is on."""
    return _pick(tokens, mask.to(torch.int32).argmax(1), mask)


def last_token(tokens: Tensor, mask: Tensor) -> Tensor:
    """The last attended token of each row, whichever side the padding is on."""
    last = mask.shape[1] - 1 - mask.to(torch.int32).flip(1).argmax(1)
    return _pick(tokens, last, mask)


def _pick(tokens: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
    rows = torch.arange(tokens.shape[0], device=tokens.device)
    return tokens[rows, positions] * mask.any(1, keepdim=True).to(tokens.dtype)
