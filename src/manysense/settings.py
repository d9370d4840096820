"""Everything that one call decides, frozen before the first item is touched.

Knows: the names and allowed values of per-call options. Does not know: models, tensors.

Prompts, lengths and dimensions may be changed on a model by another thread while a call runs; a call keeps the values
it started with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from .errors import UsageError
from .inputs.types import Modality
from .media.policy import DEFAULT, Policy

OutputValue = Literal["sentence_embedding", "token_embeddings"]
Precision = Literal["float32", "int8", "uint8", "binary", "ubinary"]
OnError = Literal["raise", "skip", "nan"]
OnTruncate = Literal["warn", "error", "ignore"]

PROCESSING_SECTIONS = ("common", "text", "image", "audio", "video", "chat_template")


@dataclass(frozen=True, slots=True)
class Settings:
    """One call. Lengths are in tokens, dimensions in numbers per vector.

    prompt: text put before texts, or the system turn of a chat model; None for none.
    task: "query" or "document" where the call said so.  modality: what every plain input is, None to decide by form.
    max_length: token limit of this call, None for the model's.  batch_size: a cap on items per batch, None for none.
    output: which feature is returned, None for all.  processing: per-call overrides by section.  keep_media: what a
    model's towers make of media is kept for other items and later calls.
    """

    prompt: str | None = None
    task: str | None = None
    modality: Modality | None = None
    max_length: int | None = None
    batch_size: int | None = None
    output: OutputValue | None = "sentence_embedding"
    normalize: bool = False
    truncate_dim: int | None = None
    precision: Precision = "float32"
    on_error: OnError = "raise"
    on_truncate: OnTruncate = "warn"
    processing: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    forward: Mapping[str, Any] = field(default_factory=dict)
    policy: Policy = DEFAULT
    progress: bool = False
    keep_media: bool = False

    def __post_init__(self) -> None:
        choose("output_value", self.output, (*get_args(OutputValue), None))
        choose("precision", self.precision, get_args(Precision))
        choose("on_error", self.on_error, get_args(OnError))
        choose("on_truncate", self.on_truncate, get_args(OnTruncate))
        choose("modality", self.modality, (*get_args(Modality), None))
        if self.batch_size is not None:
            positive("batch_size", self.batch_size)
        if self.max_length is not None:
            positive("max_length", self.max_length)
        if self.on_error == "nan" and self.precision != "float32":
            raise UsageError(f'on_error="nan" cannot be written into {self.precision} vectors; use on_error="skip"')
        if not isinstance(self.policy, Policy):
            raise UsageError(f"policy must be a manysense.Policy, got {type(self.policy).__name__}")
        if not isinstance(self.processing, Mapping):
            raise UsageError(f"processing_kwargs is a dict of sections, got {type(self.processing).__name__}")
        for section, options in self.processing.items():
            choose("processing_kwargs section", section, PROCESSING_SECTIONS)
            if not isinstance(options, Mapping):
                raise UsageError(f"processing_kwargs[{section!r}] is a dict of options, got {options!r}")

    def section(self, name: str) -> dict[str, Any]:
        """Overrides of one section: those of "common", then its own."""
        return {**self.processing.get("common", {}), **self.processing.get(name, {})}


def choose(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Raise UsageError unless `value` is one of `allowed`."""
    if value not in allowed:
        raise UsageError(f"{name}={value!r} is not known; choose one of {', '.join(repr(a) for a in allowed)}")


def positive(name: str, value: Any) -> None:
    """Raise UsageError unless `value` is a whole number above zero."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 1:
        raise UsageError(f"{name} must be a positive whole number, got {value!r}")
