"""What a call is given → its frozen Settings.

Knows: what a call may be given, names that are still to come. Does not know: what a SentenceTransformer does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from ..construct import verbose
from ..errors import UsageError
from ..inputs.prompts import resolve_prompt
from ..settings import Settings
from ..warn import warn

if TYPE_CHECKING:
    from ..media.policy import Policy
    from ..settings import Precision
    from .model import SentenceTransformer

LATER = frozenset({"evaluate", "fit", "old_fit", "merge"})
"""Names of the known library that are on their way."""

AFTER_PROMPT = (
    *("batch_size", "show_progress_bar", "output_value", "precision", "convert_to_numpy", "convert_to_tensor"),
    *("device", "normalize_embeddings", "truncate_dim", "pool", "chunk_size"),
)
"""Arguments of encode that may be given by place, in their order behind the prompt."""

INSTRUCTORS = frozenset({"hkunlp/instructor-base", "hkunlp/instructor-large", "hkunlp/instructor-xl"})
"""Models whose prompt is an instruction that is not pooled, though their folders do not say so."""


def read_as_instructor(model: SentenceTransformer, name: str) -> None:
    """Leave the instruction out of the mean for the models that are known to need it; warn for others of that kind."""
    place = PurePath(name)
    if "/".join(place.parts[-2:]) in INSTRUCTORS:
        model.set_pooling_include_prompt(False)
    elif "instructor" in place.name.lower() and any(getattr(part, "include_prompt", False) for part in model.modules()):
        warn(
            f"{name} pools the tokens of a prompt, which INSTRUCTOR models leave out; "
            "model.set_pooling_include_prompt(False) does so, and a saved copy keeps it"
        )


def call_settings(
    model: SentenceTransformer,
    kwargs: Mapping[str, Any],
    *,
    prompt: str | None,
    prompt_name: str | None,
    truncate_dim: int | None,
    progress: bool | None,
    policy: Policy | None,
    precision: Precision | None,
    **named: Any,
) -> Settings:
    """The call, frozen: model attributes may change meanwhile. Raises UsageError."""
    known = model.get_model_kwargs()
    unknown = set(kwargs) - set(known) - {"task", "processing_kwargs"}
    if unknown:
        raise UsageError(
            f"encode got unknown arguments {sorted(unknown)}; this model takes {known or 'no further ones'}"
        )
    dims = truncate_dim if truncate_dim is not None else model.truncate_dim
    check_dims(model, dims)
    return Settings(
        prompt=resolve_prompt(prompt, prompt_name, model.prompts, model.default_prompt_name),
        task=kwargs.get("task"),
        max_length=model.max_seq_length,
        truncate_dim=dims,
        precision="float32" if precision is None else precision,
        progress=verbose() if progress is None else progress,
        policy=policy or model.policy,
        processing=kwargs.get("processing_kwargs") or {},
        forward={k: v for k, v in kwargs.items() if k in known},
        **named,
    )


def check_dims(model: SentenceTransformer, dims: int | None) -> None:
    """Raise UsageError unless vectors of this model can be cut to `dims` numbers."""
    if dims is None:
        return
    full = model._full_dimension()
    if isinstance(dims, bool) or not isinstance(dims, (int, np.integer)) or dims < 1 or (full and dims > full):
        raise UsageError(f"truncate_dim={dims!r} must be a whole number from 1 to {full or 'the width of the model'}")
