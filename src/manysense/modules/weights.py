"""Read and write the weights of one module's folder.

Knows: model.safetensors first, pytorch_model.bin through `weights_only=True`. Does not know: transformers checkpoints.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor


def load_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a module folder. Raises ModelError when there are none or they cannot be read safely."""
    safe, pickled = folder / "model.safetensors", folder / "pytorch_model.bin"
    if safe.is_file():
        from safetensors.torch import load_file

        try:
            return load_file(safe)
        except Exception as error:
            raise ModelError(f"{safe} cannot be read: {error}") from error
    if pickled.is_file():
        import torch

        try:
            loaded = torch.load(pickled, map_location="cpu", weights_only=True)
        except Exception as error:
            raise ModelError(
                f"{pickled} cannot be read without running code from it: {error}\n"
                "  Convert it to model.safetensors where you trust it."
            ) from error
        return dict(loaded)
    raise ModelError(f"{folder} holds neither model.safetensors nor pytorch_model.bin")


def load_named(folder: Path, names: Collection[str]) -> dict[str, Tensor]:
    """Single tensors of a model's folder, whichever safetensors file each is in. Raises ModelError for one that is in
    none."""
    from safetensors import SafetensorError, safe_open

    found: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, "pt") as file:
                found |= {name: file.get_tensor(name) for name in set(file.keys()) & set(names)}
        except SafetensorError as error:
            raise ModelError(f"{path} cannot be read: {error}") from error
    missing = sorted(set(names) - set(found))
    if missing:
        raise ModelError(f"the safetensors files of {folder} hold no {', '.join(missing)}")
    return found


def tensor_count(folder: Path) -> int | None:
    """Number of tensors in the safetensors files of a folder, from their headers; None where there are none."""
    from safetensors import SafetensorError, safe_open

    count = 0
    for path in folder.glob("*.safetensors"):
        try:
            with safe_open(path, "pt") as file:
                count += len(file.keys())
        except SafetensorError as error:
            raise ModelError(f"{path} cannot be read: {error}") from error
    return count or None


def save_weights(
    tensors: dict[str, Tensor], folder: Path, safe_serialization: bool = True, name: str | None = None
) -> None:
    """name: of the file, without its suffix; None for the usual ones, model and pytorch_model."""
    if safe_serialization:
        from safetensors.torch import save_file

        save_file(
            {name: t.detach().contiguous() for name, t in tensors.items()}, folder / f"{name or 'model'}.safetensors"
        )
    else:
        import torch

        torch.save(tensors, folder / f"{name or 'pytorch_model'}.bin")
