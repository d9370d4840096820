"""What a Transformer's folder says of it beside the transformers files: sentence_bert_config.json and its kin.

Knows: keys of every version, old and new, and which of them a folder may decide. Does not know: weights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ModelError
from ..base import read_json
from .folder import ADAPTER, ModelFolder
from .recipe import Call, Recipe

if TYPE_CHECKING:
    from ...checkpoints.source import Source

NAMES = tuple(
    f"sentence_{name}_config.json" for name in "bert roberta distilbert camembert albert xlm-roberta xlnet".split()
)
_OWN = (
    "max_seq_length",
    "do_lower_case",
    "transformer_task",
    "processing_kwargs",
    "modality_config",
    "module_output_name",
    "query_length",
    "document_length",
    "query_expansion",
)
_NOT_ITS_OWN = (
    *("trust_remote_code", "code_revision", "revision", "token", "cache_dir", "auto_map"),
    *("weights_only", "use_kernels", "kernel_config", "allow_all_kernels", "adapter_kwargs"),
    *("subfolder", "gguf_file", "device_map", "offload_folder"),
)
"""By these a folder would trust itself, fetch code, unpickle more than tensors, or read and write elsewhere."""
_METHODS = re.compile(r"forward|get_[a-z]+_features")
"""Of a network, what a folder may have called: nothing else computes and does no more than that."""
_ATTENTIONS = ("eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention")


def read(
    folder: Path,
    *,
    trust_remote_code: bool = False,
    model_kwargs: Mapping[str, Any] | None = None,
    processor_kwargs: Mapping[str, Any] | None = None,
    config_kwargs: Mapping[str, Any] | None = None,
    weights: bool = True,
    source: Source | None = None,
    device_type: str | None = None,
) -> tuple[ModelFolder, dict[str, Any]]:
    """(the folder with the arguments for transformers, the arguments for Transformer); the caller's win."""
    name = next((name for name in NAMES if (folder / name).is_file()), None)
    config = read_json(folder / name) if name else {}

    def merged(given: Mapping[str, Any] | None, *keys: str) -> dict[str, Any]:
        own: Mapping[str, Any] = next((config[key] for key in keys if config.get(key)), {})
        return {**_allowed(own), **(given or {})}

    base = _base(folder, source)
    words = config.get("tokenizer_name_or_path")
    opened = ModelFolder(
        base or folder,
        trust_remote_code or _trusted(model_kwargs, processor_kwargs, config_kwargs),
        merged(model_kwargs, "model_kwargs", "model_args"),
        merged(processor_kwargs, "processor_kwargs", "tokenizer_args"),
        merged(config_kwargs, "config_kwargs", "config_args"),
        weights,
        folder if base else None,
        source,
        device_type,
        _beside(folder, source, words) if isinstance(words, str) and words else None,
    )
    return opened, {key: config[key] for key in _OWN if config.get(key) is not None}


def opened(
    name: str | Path | ModelFolder, words: str | Path | None, cache: Any, given: Mapping[str, Mapping[str, Any] | None]
) -> ModelFolder:
    """A folder, or a Hub name, as Transformer's constructor has it; words: where its tokenizer is, if elsewhere.

    given: model_kwargs, processor_kwargs, config_kwargs.  Raises ModelNotFound, ModelError.
    """
    if isinstance(name, ModelFolder):
        return name
    from ...checkpoints.source import Source

    trust = _trusted(*given.values())
    source = Source(str(name), cache_folder=cache, trust_remote_code=trust)
    return ModelFolder(
        source.folder(),
        trust,
        given["model_kwargs"] or {},
        given["processor_kwargs"] or {},
        given["config_kwargs"] or {},
        words=source.beside(str(words)).folder() if words is not None else None,
    )


def _trusted(*given: Mapping[str, Any] | None) -> bool:
    """Whether the caller trusts the folder's code in one of the arguments for transformers."""
    return any((kwargs or {}).get("trust_remote_code") for kwargs in given)


def _base(folder: Path, source: Source | None) -> Path | None:
    """Where the model is that an adapter's folder goes on top of; None for a folder with weights of its own.

    source: the adapter's. The base is asked for in the same way, at the revision that the adapter names, if any.
    """
    if not (folder / ADAPTER).is_file():
        return None
    config = read_json(folder / ADAPTER, default={})
    name, revision = config.get("base_model_name_or_path"), config.get("revision")
    if not isinstance(name, str) or not name:
        raise ModelError(f"{folder / ADAPTER} does not say which model it adapts (base_model_name_or_path)")
    return _beside(folder, source, name, str(revision) if revision else None)


def _beside(folder: Path, source: Source | None, name: str, revision: str | None = None) -> Path:
    """The folder of another model that this one names, asked for as this one was."""
    from ...checkpoints.source import Source

    return (source or Source(str(folder))).beside(name, revision).folder()


def _allowed(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """A folder's own arguments, without those that are for the caller alone."""
    kept = {key: value for key, value in kwargs.items() if key not in _NOT_ITS_OWN}
    if kept.get("attn_implementation") not in (None, *_ATTENTIONS):  # the name of a repository of kernels
        del kept["attn_implementation"]
    return kept


def with_calls(recipe: Recipe, config: Mapping[str, Any] | None, feature: str | None) -> Recipe:
    """The recipe with the calls that a folder, or a caller, names. Raises ModelError for calls that are not known.

    config: modality_config: by modality, `method` of the network and `method_output_name`, the name of its output or
    the path to it.  feature: module_output_name, the feature that the output becomes.
    """
    if not config:
        return recipe
    routes = {}
    for route, call in recipe.routes.items():
        own = config.get(_named(route), config.get("text") if route == "message" else None)
        routes[route] = replace(_called(call, own) if own is not None else call, feature=feature or call.feature)
    return replace(recipe, routes=routes)


def _called(call: Call, own: Any) -> Call:
    if not isinstance(own, Mapping) or not isinstance(own.get("method"), str):
        raise ModelError(f"modality_config holds a method and a method_output_name for each modality, not {own!r}")
    method, output = own["method"], own.get("method_output_name")
    if not _METHODS.fullmatch(method):
        raise ModelError(
            f"modality_config asks for the method {method!r}; known are forward and get_…_features\n"
            "  A module of your own can call any other."
        )
    path = [output] if isinstance(output, (str, int)) else output
    if path is None:  # what older versions of transformers returned was the output itself
        return replace(call, method=method, output=call.output if method == call.method else ())
    if not isinstance(path, (list, tuple)) or not all(isinstance(step, (str, int)) for step in path):
        raise ModelError(f"method_output_name is a name, or a list of names and places, not {output!r}")
    return replace(call, method=method, output=tuple(path))


def _named(route: Any) -> str:
    """A route in the known library's words, where two texts are "text" too."""
    return "+".join(route) if isinstance(route, tuple) else "text" if route == "pair" else str(route)


def modality_config(recipe: Recipe, structured: bool = True) -> dict[str, Any]:
    """The recipe's routes in the known library's keys. structured: what its chats hold, typed parts or a string."""
    calls = {_named(route): call for route, call in recipe.routes.items()}
    if "message" in calls:  # every modality takes the same way
        calls = dict.fromkeys(recipe.modalities, calls["message"])
    made: dict[str, Any] = {
        name: {
            "method": call.method,
            "method_output_name": call.output[0] if len(call.output) == 1 else list(call.output),
        }
        for name, call in calls.items()
    }
    if "message" in made:
        made["message"]["format"] = "structured" if structured else "flat"
    return {"modality_config": made, "module_output_name": next(iter(recipe.routes.values())).feature}
