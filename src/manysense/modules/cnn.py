"""Convolutions of several widths over token vectors.

Knows: its kernels, and that padding is read as zeros. Does not know: where tokens come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import ModelError
from .base import Features
from .old_names import either
from .with_weights import WithWeights


class CNN(WithWeights):
    """`token_embeddings` (batch, length, width) → (batch, length, out_channels x number of kernels).

    kernel_sizes: in tokens.  stride_sizes: 1 for each when None.  With even kernels or larger strides the result is
    shorter, and `attention_mask` with it. What stands behind an item's last token is zero, as at its beginning, so that
    a vector does not depend on how far its batch was padded.
    """

    config_file_name: ClassVar[str] = "cnn_config.json"
    config_keys: ClassVar[Sequence[str]] = (
        "in_word_embedding_dimension",
        "out_channels",
        "kernel_sizes",
        "stride_sizes",
    )
    """In the names that every version of the known library reads."""

    def __init__(
        self,
        in_embedding_dimension: int | None = None,
        out_channels: int = 256,
        kernel_sizes: Sequence[int] = (1, 3, 5),
        stride_sizes: Sequence[int] | None = None,
        *,
        in_word_embedding_dimension: int | None = None,
    ) -> None:
        super().__init__()
        self.in_embedding_dimension = either(
            in_embedding_dimension, in_word_embedding_dimension, "in_embedding_dimension"
        )
        self.out_channels = out_channels
        self.kernel_sizes = list(kernel_sizes)
        self.stride_sizes = [1] * len(self.kernel_sizes) if stride_sizes is None else list(stride_sizes)
        self._check()
        self.embeddings_dimension = out_channels * len(self.kernel_sizes)
        self.convs = nn.ModuleList(
            nn.Conv1d(self.in_embedding_dimension, out_channels, size, stride, padding=(size - 1) // 2)
            for size, stride in zip(self.kernel_sizes, self.stride_sizes, strict=True)
        )

    def _check(self) -> None:
        """Raise ModelError for kernels whose results cannot stand beside each other."""
        parities, strides = {size % 2 for size in self.kernel_sizes}, set(self.stride_sizes)
        if len(self.kernel_sizes) != len(self.stride_sizes) or len(parities) != 1 or len(strides) != 1:
            raise ModelError(
                f"CNN kernels {self.kernel_sizes} with strides {self.stride_sizes} give results of different lengths; "
                "take kernels that are all odd or all even, and one stride for all"
            )

    @property
    def in_word_embedding_dimension(self) -> int:
        """Old name of in_embedding_dimension."""
        return self.in_embedding_dimension

    def forward(self, features: Features) -> Features:
        tokens = features["token_embeddings"]  # (batch, length, width)
        mask = features.get("attention_mask")
        if mask is not None:
            tokens = tokens * mask.unsqueeze(-1).to(tokens.dtype)
            if self.stride_sizes[0] > 1 or self._reach > 1:
                self._shorten(features, mask)
        tokens = functional.pad(tokens.transpose(1, 2), (0, max(0, self._reach - tokens.shape[1])))
        made = torch.cat([conv(tokens) for conv in self.convs], 1)  # (batch, channels, length)
        features["token_embeddings"] = made.transpose(1, 2)
        return features

    @property
    def _reach(self) -> int:
        """Tokens that one place of the result needs beside the zeros around: 1 for odd kernels, 2 for even ones."""
        return 2 - self.kernel_sizes[0] % 2

    def _shorten(self, features: Features, mask: Tensor) -> None:
        """The mask of the shorter sequence: as many places of an item as it would have had alone."""
        lengths = _places(mask.sum(1), self._reach, self.stride_sizes[0])  # (batch,)
        most = int(_places(torch.tensor(max(mask.shape[1], self._reach)), self._reach, self.stride_sizes[0]))
        features["attention_mask"] = (torch.arange(most, device=mask.device) < lengths[:, None]).to(mask.dtype)
        if "sentence_lengths" in features:
            features["sentence_lengths"] = lengths

    def get_embedding_dimension(self) -> int:
        return self.embeddings_dimension

    get_word_embedding_dimension = get_sentence_embedding_dimension = get_embedding_dimension


def _places(lengths: Tensor, reach: int, stride: int) -> Tensor:
    """How many places of the result fit on so many tokens."""
    return ((lengths - reach).div(stride, rounding_mode="floor") + 1).clamp_min(0)
