"""What reading a model folder gives: plain data beside the modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from .source import Source


@dataclass(frozen=True, slots=True)
class Loaded:
    """modules: by name, in order.  config: of config_sentence_transformers.json.  own: of manysense.json.

    card: README.md as it is, or None.  folder: where they were read.
    """

    modules: Mapping[str, nn.Module]
    config: Mapping[str, Any] = field(default_factory=dict)
    card: str | None = None
    own: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the caller wants the modules built.

    device_type: where the model will go, "cpu" or "cuda".  weights: False builds networks of the right shapes without
    values.  source: where the model comes from, so that what it needs from elsewhere is asked for in the same way.
    family: the model class that asks, which decides the modules where a folder does not.
    """

    model_kwargs: Mapping[str, Any] = field(default_factory=dict)
    processor_kwargs: Mapping[str, Any] = field(default_factory=dict)
    config_kwargs: Mapping[str, Any] = field(default_factory=dict)
    trust_remote_code: bool = False
    device_type: str = "cpu"
    weights: bool = True
    source: Source | None = None
    family: str = "SentenceTransformer"

    def arguments(self) -> dict[str, Any]:
        """What `load_from` of a module is given."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "family"}
