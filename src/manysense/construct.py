"""The arguments of a model's constructor → its loaded modules.

Knows: old names of arguments, where a name is looked for. Does not know: what a family does with its modules.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from .batching.devices import as_device
from .errors import UsageError
from .media.policy import Policy
from .warn import warn

if TYPE_CHECKING:
    from torch import nn

    from .checkpoints.types import Loaded
    from .model import Model

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


def renamed(family: str, old: Mapping[str, Any], **given: Any) -> dict[str, Any]:
    """Arguments under their present names. Raises TypeError for unknown ones, as Python would."""
    unknown = sorted(set(old) - set(OLD_NAMES))
    if unknown:
        raise TypeError(f"{family} got unknown arguments {unknown}")
    for name, value in old.items():
        if given.get(OLD_NAMES[name]) is None:
            given[OLD_NAMES[name]] = value
    for name in ("model_kwargs", "processor_kwargs", "config_kwargs"):
        if given[name] is not None and not isinstance(given[name], Mapping):
            raise UsageError(f"{name} is a dict of arguments for transformers, got {type(given[name]).__name__}")
    return given


def load_named(model: type[Model], name: str, device_type: str, given: Mapping[str, Any]) -> Loaded:
    """given: token, cache_folder, revision, local_files_only, trust_remote_code; *_kwargs for transformers.

    Raises ModelNotFound, ModelError, UntrustedCode, NotEnoughMemory.
    """
    from .checkpoints.load import load
    from .checkpoints.source import Source
    from .checkpoints.types import Wanted

    trusted = given["trust_remote_code"]
    asked = {key: given[key] for key in ("revision", "token", "cache_folder", "local_files_only")}
    wanted: Any = {key: given[key] or {} for key in ("model_kwargs", "processor_kwargs", "config_kwargs")}
    source = Source(name, **asked, trust_remote_code=trusted, organisation=model.organisation)
    return load(source, Wanted(**wanted, trust_remote_code=trusted, device_type=device_type, family=model.model_type))


@dataclass(frozen=True, slots=True)
class Opened:
    """What a model is built from. device: where it goes.  spread: a device_map put it on several."""

    loaded: Loaded
    device: torch.device
    spread: bool = False


def opened(
    model: type[Model], given: Mapping[str, Any], modules: Any, device: Any, backend: str, policy: Policy
) -> Opened:
    """The modules that a name stands for, or those that were given. Raises UsageError, and what `load_named` raises."""
    from .checkpoints.types import Loaded

    name, mapped = given["model_name_or_path"], "device_map" in (given["model_kwargs"] or {})
    if backend != "torch":
        raise UsageError(f"backend={backend!r} is not supported; leave it away to run the model with torch")
    if not isinstance(policy, Policy):
        raise UsageError(f"policy must be a manysense.Policy, got {type(policy).__name__}")
    placed = as_device(device)
    if name is None:
        if modules is None:
            raise UsageError("pass a model's name or folder, or modules")
        return Opened(Loaded(modules), placed, mapped)
    if modules is not None:
        warn(f"the modules are those of {str(name)!r}; modules= is for a model without a name, and was left aside")
    loaded = load_named(model, str(name), placed.type, given)
    if not mapped:
        return Opened(loaded, placed)
    there = placed_by_map(loaded.modules.values())
    return Opened(loaded, there or placed, there is None)


def placed_by_map(modules: Iterable[nn.Module]) -> torch.device | None:
    """The one device that a device_map put every weight of the networks on; None where it spread them over several, or
    left some on the disk or without values."""
    networks = [inner for module in modules for inner in module.modules() if hasattr(inner, "get_input_embeddings")]
    devices = {weight.device for network in networks for weight in network.parameters()}
    return devices.pop() if len(devices) == 1 and torch.device("meta") not in devices else None


def verbose() -> bool:
    """Whether progress is shown where a call does not say."""
    return logger.getEffectiveLevel() in (logging.INFO, logging.DEBUG)
