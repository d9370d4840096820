"""From arguments to what they mean: the constructor's → loaded modules, a call's → its frozen Settings.

Knows: old names of arguments, what a call may be given. Does not know: what a SentenceTransformer does.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UsageError
from ..inputs.prompts import resolve_prompt
from ..settings import Settings
from ..warn import warn

if TYPE_CHECKING:
    from ..media.policy import Policy
    from .model import SentenceTransformer

logger = logging.getLogger("manysense")

OLD_NAMES = {
    "tokenizer_kwargs": "processor_kwargs",
    "tokenizer_args": "processor_kwargs",
    "automodel_args": "model_kwargs",
    "model_args": "model_kwargs",
    "config_args": "config_kwargs",
    "use_auth_token": "token",
    "cache_dir": "cache_folder",
    "model_name": "model_name_or_path",
}

LATER = frozenset(
    "evaluate fit old_fit merge compile gradient_checkpointing_enable add_adapter load_adapter "
    "set_adapter active_adapters get_adapter_state_dict delete_adapter enable_adapters disable_adapters "
    "clear_placement_cache".split()
)
"""Names of the known library that are on their way."""


def renamed(old: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Arguments under their present names. Raises TypeError for unknown ones, as Python would."""
    unknown = sorted(set(old) - set(OLD_NAMES))
    if unknown:
        raise TypeError(f"SentenceTransformer got unknown arguments {unknown}")
    for name, value in old.items():
        if given.get(OLD_NAMES[name]) is None:
            given[OLD_NAMES[name]] = value
    for name in ("model_kwargs", "processor_kwargs", "config_kwargs"):
        if given[name] is not None and not isinstance(given[name], Mapping):
            raise UsageError(f"{name} is a dict of arguments for transformers, got {type(given[name]).__name__}")
    return given


def load_named(
    name: str,
    device_type: str,
    given: Mapping[str, Any],
    revision: str | None,
    local_files_only: bool,
    trust_remote_code: bool,
) -> Any:
    from ..checkpoints.load import load
    from ..checkpoints.source import Source
    from ..checkpoints.types import Wanted

    source = Source(name, revision, given["token"], given["cache_folder"], local_files_only, trust_remote_code)
    wanted = Wanted(
        given["model_kwargs"] or {},
        given["processor_kwargs"] or {},
        given["config_kwargs"] or {},
        trust_remote_code,
        device_type,
    )
    loaded = load(source, wanted)
    saved_as = loaded.config.get("model_type", "SentenceTransformer")
    if saved_as != "SentenceTransformer":
        warn(f"{name} was saved as a {saved_as}; its modules are used to make embeddings")
    return loaded


def call_settings(
    model: SentenceTransformer,
    kwargs: Mapping[str, Any],
    *,
    prompt: str | None,
    prompt_name: str | None,
    truncate_dim: int | None,
    progress: bool | None,
    policy: Policy | None,
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
    verbose = logger.getEffectiveLevel() in (logging.INFO, logging.DEBUG)
    return Settings(
        prompt=resolve_prompt(prompt, prompt_name, model.prompts, model.default_prompt_name),
        task=kwargs.get("task"),
        max_length=model.max_seq_length,
        truncate_dim=dims,
        progress=verbose if progress is None else progress,
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
