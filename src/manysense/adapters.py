"""Adapters: small networks of peft beside the frozen weights of a model's transformers network.

Knows: the known library's methods, and what peft has for each of them; that an adapter may lie on the Hub. Does not
know: how adapters compute (peft), how a model with one is written (modules/transformer/folder.py).

transformers has the same methods, and refuses most of them without a peft that is newer than any release. Of it, its
reading of adapter files alone is used, which knows what weights are called in each of its versions.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from .errors import ModelError, UsageError
from .extras import need
from .modules.transformer.quiet import quiet

_WHERE = {"revision": "revision", "token": "token", "cache_dir": "cache_folder", "local_files_only": "local_files_only"}
"""How transformers names what says where on the Hub an adapter is → how a Source does."""
_CACHED = re.compile(r"models--([^/\\]+)[/\\]snapshots[/\\][^/\\]+[/\\]?$")


class Adapters:
    """What a model can do with adapters. Copies of it on other devices follow every change.

    All methods raise UsageError for a model without a transformers network, MissingExtra without peft. Several adapters
    can be on one model under names of their own; `save_pretrained` writes the one that is active.
    """

    if TYPE_CHECKING:

        def clear_placement_cache(self) -> None: ...

    def add_adapter(self, adapter_config: Any, adapter_name: str | None = None) -> None:
        """Put a fresh adapter on the network, to be trained, and use it. adapter_config: a peft.PeftConfig.

        adapter_name: None for "default".  Raises UsageError for a name that is taken, and for a configuration that does
        not fit the network.
        """
        network = _network(self)
        if not isinstance(adapter_config, _peft().PeftConfig):
            raise UsageError(
                f"adapter_config must be a peft.PeftConfig, such as LoraConfig(…), got {type(adapter_config).__name__}"
            )
        name = _free(network, adapter_name)
        adapter_config.base_model_name_or_path = _published(str(network.name_or_path))
        try:
            with _whole_or_not_at_all(network, name):
                _peft().inject_adapter_in_model(adapter_config, network, name)
                network._hf_peft_config_loaded = True
                _functional().set_adapter(network, name)
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(f"this adapter does not fit {type(network).__name__}: {error}") from error
        self.clear_placement_cache()

    def load_adapter(
        self, peft_model_id: str | Path | None = None, adapter_name: str | None = None, **kwargs: Any
    ) -> Any:
        """Put the adapter of a folder, or of a repository of the Hub, on the network, and use it.

        adapter_name: None for "default".  kwargs: revision, token, cache_dir, local_files_only, subfolder say where on
        the Hub (`adapter_kwargs` may hold them too); the others go to transformers: is_trainable, hotswap=True to take
        the place of an adapter, peft_config with adapter_state_dict in the place of a folder.
        Raises ModelNotFound, ModelError for an adapter that does not fit, UsageError for a name that is taken.
        """
        network = _network(self)
        _peft()
        name = (adapter_name or "default") if kwargs.get("hotswap") is True else _free(network, adapter_name)
        inner = dict(kwargs.pop("adapter_kwargs", None) or {})
        where = {key: given.pop(key) for given in (inner, kwargs) for key in (*_WHERE, "subfolder") if key in given}
        folder = None if peft_model_id is None else _folder(str(peft_model_id), where)
        if folder is not None and not (folder / "adapter_model.safetensors").is_file():
            kwargs.setdefault("use_safetensors", False)  # transformers does not look what there is
        try:
            with _whole_or_not_at_all(network, name), quiet():
                made = network.load_adapter(folder and str(folder), name, adapter_kwargs=inner, **kwargs)
                missing = [key for key in getattr(made, "missing_keys", ()) if f".{name}." in key]
                if missing:
                    raise ValueError(f"it lacks {len(missing)} weights, among them {min(missing)!r}")
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
            what = "the given adapter" if folder is None else f"the adapter in {folder}"
            raise ModelError(f"{what} does not fit {type(network).__name__}: {error}") from error
        self.clear_placement_cache()
        return made

    def set_adapter(self, adapter_name: str | Sequence[str]) -> None:
        """Use this adapter and no other, or several at once. Raises UsageError for a name that is not there."""
        network = _network(self)
        names = [adapter_name] if isinstance(adapter_name, str) else list(adapter_name)
        _check(network, names)
        _functional().set_adapter(network, names)
        self.clear_placement_cache()

    def enable_adapters(self) -> None:
        """Use the active adapters again. Raises UsageError where there is none."""
        _switch(self, True)

    def disable_adapters(self) -> None:
        """Compute as if there were no adapter, until `enable_adapters`. Raises UsageError where there is none."""
        _switch(self, False)

    def delete_adapter(self, adapter_names: str | Sequence[str]) -> None:
        """Take adapters off the network. Raises UsageError for a name that is not there."""
        network = _network(self)
        names = [adapter_names] if isinstance(adapter_names, str) else list(adapter_names)
        _check(network, names)
        for name in names:
            _delete(network, name)
        self.clear_placement_cache()

    def active_adapters(self) -> list[str]:
        """Names of the adapters that are used, also while they are disabled. Raises UsageError where there is none."""
        network = _network(self)
        _check(network)
        return _active(network)

    def get_adapter_state_dict(
        self, adapter_name: str | None = None, state_dict: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The tensors of one adapter by name; None for the active one. state_dict: the network's, where it has changed
        hands. Raises UsageError for a name that is not there."""
        network = _network(self)
        _check(network, [] if adapter_name is None else [adapter_name])
        name = adapter_name or _active(network)[0]
        return dict(_peft().get_peft_model_state_dict(network, state_dict, name))


def _network(model: Any) -> Any:
    """The transformers network of the model. Raises UsageError."""
    network = model.transformers_model
    if not hasattr(network, "load_adapter"):
        raise UsageError("adapters go on a transformers network, and this model has none (no Transformer module)")
    return network


def _peft() -> Any:
    return need("peft", to="use adapters")


def _known(network: Any) -> list[str]:
    return list(getattr(network, "peft_config", None) or {})


def _free(network: Any, name: str | None) -> str:
    """The name of a new adapter. Raises UsageError for one that is there."""
    name = name or "default"
    if name in _known(network):
        raise UsageError(
            f"there is an adapter {name!r} already\n  Give this one another adapter_name, or take that one off with "
            f"delete_adapter({name!r})."
        )
    return name


def _check(network: Any, names: Sequence[str] = ()) -> None:
    """Raise UsageError where the network has no adapter, or none of one of these names."""
    _peft()
    known = _known(network)
    if not known:
        raise UsageError("there is no adapter on this model\n  add_adapter makes one, load_adapter reads one.")
    for name in names:
        if name not in known:
            raise UsageError(f"there is no adapter {name!r} on this model; there are: {', '.join(known)}")


def _folder(name: str, where: dict[str, Any]) -> Path:
    """The local folder of an adapter. Raises ModelNotFound, ModelError."""
    from .checkpoints.source import Source

    inside = where.pop("subfolder", None) or ""
    folder = Source(name, **{_WHERE[key]: value for key, value in where.items()}).folder() / inside
    if not (folder / "adapter_config.json").is_file():
        raise ModelError(f"{folder} holds no adapter: it has no adapter_config.json")
    return folder


def _published(base: str) -> str:
    """The name under which other machines find the network that an adapter goes on: a repository in the Hub's cache by
    its name, a folder by its path."""
    cached = _CACHED.search(base)
    return cached[1].replace("--", "/") if cached else base


def _functional() -> Any:
    """The functions of peft for networks that it did not wrap."""
    return need("peft.functional", to="use adapters")


def _layers(network: Any) -> list[Any]:
    """What peft has put into the network: layers with adapters, and layers that an adapter brings a copy of."""
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils.other import AuxiliaryTrainingWrapper

    return [module for module in network.modules() if isinstance(module, (BaseTunerLayer, AuxiliaryTrainingWrapper))]


def _active(network: Any) -> list[str]:
    """The names that are active; the same in every layer."""
    return list(_layers(network)[0].active_adapters)


def _switch(model: Any, on: bool) -> None:
    network = _network(model)
    _check(network)
    for layer in _layers(network):
        layer.enable_adapters(on)
    model.clear_placement_cache()


def _delete(network: Any, name: str) -> None:
    prefix = f"{network.peft_config[name].peft_type.value.lower()}_"
    _functional().delete_adapter(network, adapter_name=name, prefix=prefix)
    del network.peft_config[name]
    if not network.peft_config:
        del network.peft_config
        network._hf_peft_config_loaded = False


@contextlib.contextmanager
def _whole_or_not_at_all(network: Any, name: str) -> Iterator[None]:
    """A new adapter is put on with its layers in the mode of the network; where that fails, the network stays as it
    was."""
    there = _known(network)
    active = _active(network) if there else []
    try:
        yield
    except BaseException:
        if name not in there and name in _known(network):
            _delete(network, name)
            if active:
                _functional().set_adapter(network, active)
        raise
    for layer in _layers(network):
        layer.train(network.training)
