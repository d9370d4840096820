"""From the constructor's arguments to loaded modules.

Knows: old names of arguments. Does not know: what a SentenceTransformer does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import UsageError
from ..warn import warn

_OLD_NAMES = {
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
    "start_multi_process_pool stop_multi_process_pool encode_multi_process evaluate fit old_fit push_to_hub "
    "save_to_hub merge compile gradient_checkpointing_enable add_adapter load_adapter set_adapter active_adapters "
    "get_adapter_state_dict delete_adapter enable_adapters disable_adapters clear_placement_cache".split()
)
"""Names of the known library that are on their way."""


def renamed(old: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Arguments under their present names. Raises TypeError for unknown ones, as Python would."""
    unknown = sorted(set(old) - set(_OLD_NAMES))
    if unknown:
        raise TypeError(f"SentenceTransformer got unknown arguments {unknown}")
    for name in ("model_kwargs", "processor_kwargs", "config_kwargs"):
        if given[name] is not None and not isinstance(given[name], Mapping):
            raise UsageError(f"{name} is a dict of arguments for transformers, got {type(given[name]).__name__}")
    for name, value in old.items():
        if given.get(_OLD_NAMES[name]) is None:
            given[_OLD_NAMES[name]] = value
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
