"""A module whose folder holds its configuration and its weights.

Knows: that both are written and read together. Does not know: what the module computes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from .base import Module, read_json
from .weights import load_weights, save_weights


class WithWeights(Module):
    """A Module that also keeps its parameters and buffers."""

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        super().save(output_path)
        weights = {name: tensor.cpu() for name, tensor in self.state_dict().items()}  # on a GPU some share their memory
        save_weights(weights, Path(output_path), safe_serialization)

    @classmethod
    def load_from(cls, folder: Path, **kwargs: Any) -> Self:
        """Raises ModelError for a folder without configuration or weights, RuntimeError for weights that do not fit."""
        return cls(**read_json(folder / cls.config_file_name)).filled(folder)

    def filled(self, folder: Path) -> Self:
        """This module with the weights of its folder."""
        self.load_state_dict(load_weights(folder))
        return self
