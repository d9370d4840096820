"""What reading a model folder gives: plain data beside the modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Loaded:
    """modules: by name, in order.  config: of config_sentence_transformers.json.  own: of manysense.json.

    card: README.md as it is, or None.
    """

    modules: Mapping[str, nn.Module]
    config: Mapping[str, Any] = field(default_factory=dict)
    card: str | None = None
    own: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the caller wants the modules built. weights: False builds networks of the right shapes without values."""

    model_kwargs: Mapping[str, Any] = field(default_factory=dict)
    processor_kwargs: Mapping[str, Any] = field(default_factory=dict)
    config_kwargs: Mapping[str, Any] = field(default_factory=dict)
    trust_remote_code: bool = False
    device_type: str = "cpu"
    weights: bool = True
