"""Scale one feature to length 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from torch.nn import functional

from .base import Features, Module, read_json


class Normalize(Module):
    """L2-normalise `module_input_name` along its last axis; a zero vector stays zero."""

    config_keys: ClassVar[Sequence[str]] = ("module_input_name", "module_output_name")

    def __init__(self, module_input_name: str = "sentence_embedding", module_output_name: str | None = None) -> None:
        super().__init__()
        self.module_input_name = module_input_name
        self.module_output_name = module_output_name or module_input_name

    def forward(self, features: Features) -> Features:
        given = features.get(self.module_input_name)
        if given is not None:
            features[self.module_output_name] = functional.normalize(given, p=2, dim=-1)
        return features

    @classmethod
    def load_from(cls, folder: Path, **kwargs: Any) -> Normalize:
        config = read_json(folder / cls.config_file_name, default={})
        return cls(**{key: value for key, value in config.items() if key in cls.config_keys})
