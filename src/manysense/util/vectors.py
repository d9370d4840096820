"""Small changes to vectors: shorter, of length 1, sparser.

Knows: arrays and tensors; each comes back as what it was. Does not know: models.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..errors import UsageError
from ..settings import positive
from .nearest import nans, top
from .similarity import as_float, as_tensor

Array = npt.NDArray[Any]


@overload
def truncate_embeddings(embeddings: Array, truncate_dim: int | None) -> Array: ...
@overload
def truncate_embeddings(embeddings: Tensor | list[Any], truncate_dim: int | None) -> Tensor: ...


def truncate_embeddings(embeddings: Any, truncate_dim: int | None) -> Any:
    """The first `truncate_dim` numbers of each vector, as a view; None keeps all. (…, dims) → (…, truncate_dim).

    A list becomes a tensor.  Raises UsageError for what is no whole number from 1 to dims.
    """
    vectors = _held(embeddings)
    if truncate_dim is None:
        return vectors
    positive("truncate_dim", truncate_dim)
    if vectors.size if isinstance(vectors, np.ndarray) else vectors.numel():
        dims = vectors.shape[-1]
        if truncate_dim > dims:
            raise UsageError(f"truncate_dim={truncate_dim} is more than the {dims} dimensions of the vectors")
    return vectors[..., :truncate_dim]


@overload
def normalize_embeddings(embeddings: Array) -> Array: ...
@overload
def normalize_embeddings(embeddings: Tensor | list[Any]) -> Tensor: ...


def normalize_embeddings(embeddings: Any) -> Any:
    """Vectors of length 1, in the float type they had; zeros stay zeros. (…, dims) → (…, dims).

    A list becomes a tensor, integers become float32.  The length is computed in float32 (float64 stays).
    """
    vectors = _held(embeddings)
    tensor = as_tensor(vectors)
    dtype = tensor.dtype if tensor.is_floating_point() else torch.float32
    if tensor.is_sparse:
        raise UsageError("sparse tensors are not supported yet; pass tensor.to_dense()")
    made = torch.nn.functional.normalize(as_float(tensor), dim=-1).to(dtype)
    return made.numpy() if isinstance(vectors, np.ndarray) else made


@overload
def select_max_active_dims(embeddings: Array, max_active_dims: None) -> Array: ...
@overload
def select_max_active_dims(embeddings: Any, max_active_dims: int) -> Tensor: ...
@overload
def select_max_active_dims(embeddings: Tensor, max_active_dims: None) -> Tensor: ...


def select_max_active_dims(embeddings: Any, max_active_dims: int | None) -> Any:
    """A new dense tensor with the `max_active_dims` numbers of each vector that are furthest from 0; the others are 0.

    (…, dims) → (…, dims), in the type they had. Of equals the lower dimension stays.  None returns `embeddings`
    unchanged.  Raises UsageError for counts below 1.
    """
    if max_active_dims is None:
        return embeddings
    positive("max_active_dims", max_active_dims)
    vectors = as_tensor(embeddings)
    vectors = vectors.to_dense() if vectors.is_sparse else vectors
    rows = vectors.reshape(-1, vectors.shape[-1])
    sizes = as_float(rows).abs()
    _, kept = top(sizes, max_active_dims, nans(sizes))
    found, place = (kept >= 0).nonzero(as_tuple=True)
    made = torch.zeros_like(rows)
    made[found, kept[found, place]] = rows[found, kept[found, place]]
    return made.reshape(vectors.shape)


def _held(embeddings: Any) -> Any:
    return embeddings if isinstance(embeddings, (np.ndarray, Tensor)) else as_tensor(embeddings)
