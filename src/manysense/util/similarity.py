"""How alike two vectors are: higher is more alike, always.

Knows: the four functions of the field, for all pairs and pairwise; names of similarity functions. Does not know:
models, many vectors of one item (maxsim.py).

Everything is computed in float32 (float64 stays), so that half precision and integers do not round scores into ties.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..errors import UsageError, first_line
from .maxsim import maxsim, maxsim_pairwise, mean_maxsim, mean_maxsim_pairwise

Score = Callable[[Any, Any], Tensor]


def as_matrix(vectors: Any) -> Tensor:
    """(n, dims) float tensor of a tensor, array, list of either, or one vector (n = 1); memory is shared."""
    made = as_float(vectors)
    if made.dim() == 1:
        return made.unsqueeze(0) if len(made) else made.reshape(0, 0)
    return made


def as_float(vectors: Any) -> Tensor:
    """A dense float32 (or float64) tensor. Raises UsageError for what is no number array."""
    made = as_tensor(vectors)
    made = made.to_dense() if made.is_sparse else made
    return made if made.dtype in (torch.float32, torch.float64) else made.float()


def as_tensor(vectors: Any) -> Tensor:
    """A tensor in the caller's own number type and layout. Raises UsageError for what is no number array."""
    try:
        return _tensor(vectors)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"vectors must be numbers of one shape: {first_line(error)}") from None


def _tensor(vectors: Any) -> Tensor:
    if isinstance(vectors, Tensor):
        return vectors
    if isinstance(vectors, (list, tuple)) and len(vectors) and isinstance(vectors[0], Tensor):
        return torch.stack([_tensor(vector).to_dense() for vector in vectors])
    if isinstance(vectors, (list, tuple)):
        arrays = len(vectors) and isinstance(vectors[0], np.ndarray)
        vectors = np.asarray(vectors, None if arrays else np.float32) if len(vectors) else np.empty((0, 0), np.float32)
    if isinstance(vectors, np.ndarray) and (not vectors.flags.writeable or any(s < 0 for s in vectors.strides)):
        vectors = vectors.copy()
    return torch.as_tensor(vectors)


def _pair(a: Any, b: Any, convert: Callable[[Any], Tensor]) -> tuple[Tensor, Tensor]:
    left, right = convert(a), convert(b)
    if left.shape[-1] != right.shape[-1] and left.numel() and right.numel():
        raise UsageError(f"vectors of {left.shape[-1]} and of {right.shape[-1]} dimensions cannot be compared")
    if left.device != right.device:
        right = right.to(left.device)
    if left.dtype != right.dtype:
        left, right = left.double(), right.double()
    return left, right


def _matrices(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    left, right = _pair(a, b, as_matrix)
    width = max(left.shape[-1], right.shape[-1])
    if not left.numel():
        left = left.new_zeros((len(left), width))
    if not right.numel():
        right = right.new_zeros((len(right), width))
    return left, right


def cos_sim(a: Any, b: Any) -> Tensor:
    """(n, dims), (m, dims) → (n, m) cosines; a zero vector has cosine 0 with everything."""
    left, right = _matrices(a, b)
    return normalize(left, dim=-1) @ normalize(right, dim=-1).T


def dot_score(a: Any, b: Any) -> Tensor:
    """(n, dims), (m, dims) → (n, m) dot products."""
    left, right = _matrices(a, b)
    return left @ right.T


def euclidean_sim(a: Any, b: Any) -> Tensor:
    """(n, dims), (m, dims) → (n, m) negative Euclidean distances."""
    left, right = _matrices(a, b)
    return -torch.cdist(left, right, p=2.0)


def manhattan_sim(a: Any, b: Any) -> Tensor:
    """(n, dims), (m, dims) → (n, m) negative sums of absolute differences."""
    left, right = _matrices(a, b)
    return -torch.cdist(left, right, p=1.0)


def pairwise_cos_sim(a: Any, b: Any) -> Tensor:
    """(n, dims), (n, dims) → (n,) cosines of row i with row i."""
    left, right = _rows(a, b)
    return (normalize(left, dim=-1) * normalize(right, dim=-1)).sum(-1)


def pairwise_dot_score(a: Any, b: Any) -> Tensor:
    """(n, dims), (n, dims) → (n,) dot products."""
    left, right = _rows(a, b)
    return (left * right).sum(-1)


def pairwise_euclidean_sim(a: Any, b: Any) -> Tensor:
    """(n, dims), (n, dims) → (n,) negative Euclidean distances."""
    left, right = _rows(a, b)
    distances: Tensor = torch.linalg.vector_norm(left - right, dim=-1)
    return -distances


def pairwise_manhattan_sim(a: Any, b: Any) -> Tensor:
    """(n, dims), (n, dims) → (n,) negative sums of absolute differences."""
    left, right = _rows(a, b)
    return -(left - right).abs().sum(-1)


def pairwise_angle_sim(x: Any, y: Any) -> Tensor:
    """(n, dims), (n, dims) → (n,) absolute normalised angle in complex space. Source: Li & Li 2023 (AnglE)."""
    left, right = _rows(x, y)
    a, b = left.chunk(2, dim=-1)
    c, d = right.chunk(2, dim=-1)
    z = (c**2 + d**2).sum(-1, keepdim=True)
    real, imaginary = (a * c + b * d) / z, (b * c - a * d) / z
    ratio = (c**2 + d**2).sum(-1, keepdim=True) ** 0.5 / (a**2 + b**2).sum(-1, keepdim=True) ** 0.5
    summed: Tensor = torch.cat([real, imaginary], dim=-1).mul(ratio).sum(-1)
    return summed.abs().nan_to_num(0.0)  # a zero vector has no angle


def _rows(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    left, right = _pair(a, b, as_float)
    if left.dim() == right.dim() == 2 and len(left) != len(right) and 1 not in (len(left), len(right)):
        raise UsageError(f"pairwise similarity needs equal numbers of vectors, got {len(left)} and {len(right)}")
    return left, right


pytorch_cos_sim = cos_sim


class SimilarityFunction(Enum):
    """The similarity functions a model can name; the last two are of models with a vector for each token."""

    COSINE = "cosine"
    DOT_PRODUCT = "dot"
    DOT = "dot"  # noqa: PIE796  both names are in use
    EUCLIDEAN = "euclidean"
    MANHATTAN = "manhattan"
    MAXSIM = "maxsim"
    MEAN_MAXSIM = "meanmaxsim"

    @staticmethod
    def to_similarity_fn(similarity_function: str | SimilarityFunction) -> Score:
        """The function for all pairs. Raises UsageError for an unknown name."""
        return _ALL[_named(similarity_function)]

    @staticmethod
    def to_similarity_pairwise_fn(similarity_function: str | SimilarityFunction) -> Score:
        """The function for row i with row i."""
        return _PAIRWISE[_named(similarity_function)]

    @staticmethod
    def possible_values() -> list[str]:
        return [member.value for member in SimilarityFunction]


def _named(name: str | SimilarityFunction) -> SimilarityFunction:
    try:
        return SimilarityFunction(name)
    except ValueError:
        known = ", ".join(SimilarityFunction.possible_values())
        raise UsageError(f"similarity function {name!r} is not known; choose from {known}") from None


_ALL: dict[SimilarityFunction, Score] = {
    SimilarityFunction.COSINE: cos_sim,
    SimilarityFunction.DOT_PRODUCT: dot_score,
    SimilarityFunction.EUCLIDEAN: euclidean_sim,
    SimilarityFunction.MANHATTAN: manhattan_sim,
    SimilarityFunction.MAXSIM: maxsim,
    SimilarityFunction.MEAN_MAXSIM: mean_maxsim,
}
_PAIRWISE: dict[SimilarityFunction, Score] = {
    SimilarityFunction.COSINE: pairwise_cos_sim,
    SimilarityFunction.DOT_PRODUCT: pairwise_dot_score,
    SimilarityFunction.EUCLIDEAN: pairwise_euclidean_sim,
    SimilarityFunction.MANHATTAN: pairwise_manhattan_sim,
    SimilarityFunction.MAXSIM: maxsim_pairwise,
    SimilarityFunction.MEAN_MAXSIM: mean_maxsim_pairwise,
}
