"""Open a transformers folder: configuration, tokenizer, processor files, weights, adapters.

Knows: which files a folder has and how transformers loads and saves them. Does not know: recipes, routes.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...batching.devices import SERIAL, best_device
from ...errors import MissingExtra, ModelError, UntrustedCode, first_line
from ...extras import need
from ...warn import warn
from ..base import read_json
from ..weights import save_weights, tensor_count
from .quiet import quiet
from .recipe import FolderFacts

if TYPE_CHECKING:
    from ...checkpoints.source import Source

logger = logging.getLogger("manysense")

PROCESSOR_FILES = (
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
    "chat_template.jinja",
    "chat_template.json",
)
_PICTURE_KEYS = (
    "min_pixels",
    "max_pixels",
    "size",
    "crop_size",
    "do_resize",
    "do_center_crop",
    "truncation",
    "padding",
)
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "vocab.json",
    "tokenizer.model",
    "spiece.model",
)
ADAPTER = "adapter_config.json"
_FALLBACK = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
building = threading.RLock()
"""Held while transformers builds: meanwhile it replaces functions of torch.nn.init, which all threads see."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A local folder and how it may be used. *_kwargs: the caller's, in transformers' names.

    weights: False gives networks of the right shapes, on the device "meta", without reading a weight.  adapter: a PEFT
    folder on top of this one; its tokenizer and processor files come first.  source: where the model comes from; code
    of other repositories is asked for in the same way.  device_type: where the model will go, None where that is not
    known.  words: another folder whose tokenizer and processor files come before all.
    """

    path: Path
    trust_remote_code: bool = False
    model_kwargs: Mapping[str, Any] = field(default_factory=dict)
    processor_kwargs: Mapping[str, Any] = field(default_factory=dict)
    config_kwargs: Mapping[str, Any] = field(default_factory=dict)
    weights: bool = True
    adapter: Path | None = None
    source: Source | None = None
    device_type: str | None = None
    words: Path | None = None

    def config(self) -> Any:
        """The transformers configuration. Raises ModelError, or UntrustedCode for one that needs remote code."""
        from transformers import AutoConfig

        raw = self.raw_config()
        with quiet():
            config = (
                AutoConfig.from_pretrained(self.path, **{**self._trust(), **self.config_kwargs})
                if self._known(raw)
                else None
            )
        if config is None:
            raise ModelError(
                f"{self.path / 'config.json'} names model type {raw.get('model_type')!r}, which the installed "
                "transformers does not know"
            )
        _without_cache(config)
        return config

    def _trust(self) -> dict[str, Any]:
        """Whether transformers may run code, and how it fetches what lies in another repository."""
        if not self.trust_remote_code or self.source is None:
            return {"trust_remote_code": self.trust_remote_code}
        asked, code = self.source, self.model_kwargs.get("code_revision")
        fetched = {"token": asked.token, "cache_dir": asked.cache, "local_files_only": asked.local_files_only}
        return {"trust_remote_code": True, **fetched, **({"code_revision": code} if code else {})}

    def raw_config(self) -> dict[str, Any]:
        """config.json as it is."""
        path = self.path / "config.json"
        if not path.is_file():
            raise ModelError(f"{self.path} is no model folder: it has neither modules.json nor config.json")
        raw: dict[str, Any] = read_json(path, default={})
        return raw

    def _known(self, raw: Mapping[str, Any]) -> bool:
        from transformers import CONFIG_MAPPING

        if raw.get("model_type") in CONFIG_MAPPING:
            return True
        if "auto_map" not in raw:
            return False
        if not self.trust_remote_code:
            raise UntrustedCode(
                f"{self.path} needs code of its own ({raw['auto_map'].get('AutoConfig', 'auto_map')})\n"
                "  Read that code, then pass trust_remote_code=True."
            )
        return True

    def tokenizer(self) -> Any:
        """The transformers tokenizer, or None where the folder has none."""
        from transformers import AutoTokenizer

        place = next((place for place in self._places() if any((place / n).is_file() for n in _TOKENIZER_FILES)), None)
        if place is None:
            return None
        given = {k: v for k, v in self.processor_kwargs.items() if k not in _PICTURE_KEYS}
        with quiet():
            return AutoTokenizer.from_pretrained(place, **{**self._trust(), **given})

    def _places(self) -> tuple[Path, ...]:
        return tuple(place for place in (self.words, self.adapter, self.path) if place is not None)

    def _file(self, name: str) -> Path:
        """A file that an adapter may bring instead of the folder; it need not exist."""
        return next((place / name for place in self._places() if (place / name).is_file()), self.path / name)

    def facts(self, config: Any) -> FolderFacts:
        """The sections that policies are built from, in the old layout of files and the new one."""
        whole = read_json(self._file("processor_config.json"), default={})
        single = read_json(self._file("preprocessor_config.json"), default={})
        image = {**_FALLBACK, **(whole.get("image_processor") or single)}
        video = {
            **image,
            **(whole.get("video_processor") or read_json(self._file("video_preprocessor_config.json"), default={})),
        }
        return FolderFacts(
            config=config.to_dict(),
            image=image,
            video=video,
            audio=whole.get("feature_extractor") or single,
            chat_template=self.processor_kwargs.get("chat_template") or self._chat_template(),
            overrides={k: v for k, v in self.processor_kwargs.items() if k in _PICTURE_KEYS},
        )

    def _chat_template(self) -> str | None:
        jinja = self._file("chat_template.jinja")
        if jinja.is_file():
            return jinja.read_text(encoding="utf-8")
        for name in ("chat_template.json", "processor_config.json", "tokenizer_config.json"):
            template = read_json(self._file(name), default={}).get("chat_template")
            if isinstance(template, str):
                return template
        return None

    def _outline(self, config: Any, auto_class: str) -> Any:
        import torch
        import transformers

        auto = getattr(transformers, auto_class)
        with torch.device("meta"), quiet(), building:
            if not hasattr(auto, "from_config"):  # a class of its own, such as T5EncoderModel
                return auto(config).eval()
            return auto.from_config(config, trust_remote_code=self.trust_remote_code).eval()

    def _check_layers(self, config: Mapping[str, Any]) -> None:
        """Raise ModelError, before anything is built, for more layers than there are tensors to fill them."""
        count = tensor_count(self.path)
        for section in (config, *(part for part in config.values() if isinstance(part, dict))):
            for name in ("num_hidden_layers", "num_layers", "depth"):
                layers = section.get(name)
                if isinstance(layers, int) and count is not None and layers > count:
                    raise ModelError(f"{self.path} names {layers:,} layers and holds {count:,} tensors")

    def files(self) -> dict[str, bytes]:
        """The processor's files as they are, so that saving writes back exactly what was read."""
        return {name: self._file(name).read_bytes() for name in PROCESSOR_FILES if self._file(name).is_file()}

    def model(self, config: Any, auto_class: str, *, new_head: bool = False) -> Any:
        """The network with its weights, in evaluation mode. new_head: those of its head may be missing, with a warning.

        Raises ModelError when weights are missing, MissingExtra without the package that a quantised model needs.
        """
        import transformers

        self._check_layers(config.to_dict())
        if not self.weights:
            return self._outline(config, auto_class)
        kwargs = dict(self.model_kwargs)
        if "torch_dtype" in kwargs:
            kwargs.setdefault("dtype", kwargs.pop("torch_dtype"))
        kwargs["dtype"] = as_dtype(kwargs.get("dtype", "auto"))
        kwargs.setdefault("use_safetensors", True if any(self.path.glob("*.safetensors")) else None)
        quantised = bool(kwargs.get("quantization_config") or getattr(config, "quantization_config", None))
        if quantised and self.device_type not in (None, best_device()):  # where transformers would put it by itself
            kwargs.setdefault("device_map", {"": self.device_type})
        auto = getattr(transformers, auto_class)
        try:
            with quiet(), building, _alone(kwargs["dtype"], config):
                model, info = auto.from_pretrained(
                    self.path,
                    config=config,
                    output_loading_info=True,
                    **{**self._trust(), **kwargs},
                )
        except ImportError as error:
            if not quantised:
                raise
            install = f": pip install {error.name}" if error.name else ""
            raise MissingExtra(
                f"to load {self.path} quantised, a package is missing: {first_line(error)}{install}", name=error.name
            ) from error
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelError(f"the weights in {self.path} cannot be loaded: {error}") from error
        missing = sorted(k for k in info["missing_keys"] if "pooler" not in k and not k.endswith("position_ids"))
        body = f"{model.base_model_prefix}."
        if new_head and missing and not any(key.startswith(body) for key in missing):
            warn(f"{self.path} has no weights for {missing[0]!r}: the head is random, and its scores mean nothing yet")
        elif missing:
            raise ModelError(
                f"{self.path} lacks {len(missing)} weights that {type(model).__name__} needs, among them {missing[0]!r}"
            )
        if self.adapter is not None:
            self._adapt(model)
        return model.eval()

    def _adapt(self, model: Any) -> None:
        need("peft", to="put an adapter on a model")
        assert self.adapter is not None
        safe = (self.adapter / "adapter_model.safetensors").is_file()  # transformers does not look what there is
        try:
            with quiet(), building:
                loaded = model.load_adapter(str(self.adapter), use_safetensors=safe)
        except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
            raise ModelError(f"the adapter in {self.adapter} does not fit the model in {self.path}: {error}") from error
        if loaded.missing_keys:
            raise ModelError(
                f"the adapter in {self.adapter} does not fit the model in {self.path}: it lacks "
                f"{len(loaded.missing_keys)} of the weights that its configuration names, among them "
                f"{min(loaded.missing_keys)!r}"
            )
        if loaded.unexpected_keys:
            warn(
                f"the adapter in {self.adapter} has weights that have no place in {type(model).__name__} and are left "
                f"out, {len(loaded.unexpected_keys)} in all, among them {min(loaded.unexpected_keys)!r}"
            )


def _adapter_to_save(model: Any) -> str:
    """The adapter that is active. Raises ModelError where several are: a folder holds one."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    names: list[str] = next(layer.active_adapters for layer in model.modules() if isinstance(layer, BaseTunerLayer))
    if len(names) != 1:
        raise ModelError(
            f"a folder holds one adapter, and {len(names)} are active: {', '.join(names)}\n"
            "  Choose one with set_adapter(name) before each save."
        )
    return names[0]


def save_network(model: Any, folder: Path, safe: bool) -> None:
    """Write the weights and config.json; of a model with an adapter the adapter alone, which names its base.

    Raises ModelError for a network that transformers cannot write.
    """
    with quiet():
        if not getattr(model, "peft_config", None):
            try:
                model.save_pretrained(folder, safe_serialization=safe)
            except ValueError as error:  # quantised in a way that has no form on the disk
                raise ModelError(f"the network cannot be saved: {first_line(error)}") from error
            return
        # transformers' own way out asks for a newer peft than is released
        from peft import PeftModel, get_peft_model_state_dict

        name = _adapter_to_save(model)
        before = "" if isinstance(model, PeftModel) else "base_model.model."  # a wrapped network has it in its names
        tensors = get_peft_model_state_dict(model, adapter_name=name)
        save_weights({f"{before}{key}": value for key, value in tensors.items()}, folder, safe, "adapter_model")
        model.peft_config[name].save_pretrained(folder)


def _alone(dtype: Any, config: Any) -> contextlib.AbstractContextManager[None]:
    """Building a model changes torch's default dtype for every thread, unless it is the default already."""
    import torch

    wanted = getattr(config, "dtype", None) if dtype == "auto" else dtype
    usual = wanted in (None, torch.get_default_dtype())
    return contextlib.nullcontext() if usual else SERIAL.exclusive()


def as_dtype(value: Any) -> Any:
    import torch

    if not isinstance(value, str) or value == "auto":
        return value
    found = getattr(torch, value.removeprefix("torch."), None)
    if not isinstance(found, torch.dtype):
        raise ModelError(f"dtype {value!r} is not known; for example float32, float16, bfloat16")
    return found


def _without_cache(config: Any) -> None:
    """No key-value cache: an encoder reads every token once."""
    if hasattr(config, "use_cache"):
        config.use_cache = False
    for name in getattr(config, "sub_configs", {}):
        if getattr(config, name, None) is not None:
            _without_cache(getattr(config, name))
