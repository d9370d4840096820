"""What every module of a network is, and what its first one also does.

Knows: the known feature names and the seam `measure → prepare → collate`. Does not know: any particular network.

A module maps features to features. The first one, an InputModule, also turns items into features. Feature names that
others rely on: input_ids, attention_mask, token_embeddings, sentence_embedding, prompt_length, scores.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ItemError, ModelError, UnsupportedModality, UsageError
from ..inputs.parse import Parser
from ..inputs.shape import as_items
from ..inputs.types import Item, Route
from ..media.reader import Reader, peek
from ..settings import Settings

if TYPE_CHECKING:
    from .custom import Adapted

Features = dict[str, Any]


@dataclass(slots=True)
class Measured:
    """One item, as far as it can be known before its media are opened.

    route: what the model does with it.  length: tokens along the padded axis.  extra: further cost, in tokens, that
    adds up over a batch (patches).  nbytes: of the prepared features, about.  draft: what `prepare` goes on from.
    cut: (length given, limit) where the item is truncated.  group: items of different groups never share a batch.
    opens: whether `prepare` opens media, so that it is worth running ahead.  shared: further tokens, which every item
    of the group begins with and a batch computes once.
    """

    route: Route
    length: int
    draft: Any
    extra: int = 0
    nbytes: int = 0
    cut: tuple[float, float, str] | None = None
    group: Hashable = None
    opens: bool = False
    shared: int = 0


class Module(nn.Module):
    """A step features → features that can be saved in a folder of its own.

    config_keys: the constructor arguments that are written to `config_file_name` and read back.
    forward_kwargs: names of per-call arguments that `forward` takes beside the features.
    """

    config_file_name: ClassVar[str] = "config.json"
    config_keys: ClassVar[Sequence[str]] = ()
    forward_kwargs: ClassVar[frozenset[str]] = frozenset()
    save_in_root: ClassVar[bool] = False

    def get_config_dict(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in self.config_keys}

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        """Write the configuration; modules with weights write those too."""
        write_json(Path(output_path) / self.config_file_name, self.get_config_dict())

    @classmethod
    def load_from(cls, folder: Path, **kwargs: Any) -> Module:
        """Build the module from its folder; a module without arguments needs no file."""
        return cls(**read_json(folder / cls.config_file_name, default={}))

    # ---- what a caller's own module finds here under the known library's names

    @classmethod
    def load(cls, model_name_or_path: str, subfolder: str = "", **kwargs: Any) -> Self:
        """`load_from` for a folder or a Hub name.

        kwargs: token, cache_folder, revision, local_files_only; trust_remote_code, model_kwargs, processor_kwargs,
        config_kwargs.
        """
        given = ("trust_remote_code", "model_kwargs", "processor_kwargs", "config_kwargs")
        folder = _place(model_name_or_path, subfolder, kwargs)
        asked = {name: kwargs[name] for name in given if name in kwargs}
        return cls.load_from(folder, source=_source(model_name_or_path, kwargs), **asked)  # type: ignore[return-value]

    @classmethod
    def load_config(
        cls, model_name_or_path: str, subfolder: str = "", config_filename: str | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """The module's configuration file; empty where there is none. kwargs: as of `load`."""
        path = _place(model_name_or_path, subfolder, kwargs) / (config_filename or cls.config_file_name)
        return dict(read_json(path, default={}))

    @staticmethod
    def load_file_path(model_name_or_path: str, filename: str, subfolder: str = "", **kwargs: Any) -> str | None:
        """Where a file of the module is; None where there is none. kwargs: as of `load`."""
        path = _place(model_name_or_path, subfolder, kwargs) / filename
        return str(path) if path.is_file() else None

    @staticmethod
    def load_dir_path(model_name_or_path: str, subfolder: str = "", **kwargs: Any) -> str | None:
        """Where the module's folder is; None where there is none. kwargs: as of `load`."""
        path = _place(model_name_or_path, subfolder, kwargs)
        return str(path) if path.is_dir() else None

    @classmethod
    def load_torch_weights(
        cls, model_name_or_path: str, subfolder: str = "", model: nn.Module | None = None, **kwargs: Any
    ) -> Any:
        """The module's weights by name, or `model` with them in place. kwargs: as of `load`. Raises ModelError."""
        from .weights import load_weights

        weights = load_weights(_place(model_name_or_path, subfolder, kwargs))
        if model is None:
            return weights
        model.load_state_dict(weights)
        return model

    def save_config(self, output_path: str, filename: str | None = None) -> None:
        write_json(Path(output_path) / (filename or self.config_file_name), self.get_config_dict())

    def save_torch_weights(self, output_path: str, safe_serialization: bool = True) -> None:
        from .weights import save_weights

        save_weights(dict(self.state_dict()), Path(output_path), safe_serialization)


def _source(name: str, kwargs: Mapping[str, Any]) -> Any:
    from ..checkpoints.source import Source

    names = ("revision", "token", "cache_folder", "local_files_only", "trust_remote_code")
    return Source(str(name), **{key: kwargs[key] for key in names if key in kwargs})


def _place(name: str, subfolder: str, kwargs: Mapping[str, Any]) -> Path:
    """The folder of one module of a model."""
    folder: Path = _source(name, kwargs).folder()
    return folder / subfolder


class InputModule(Module):
    """A module that turns items into features.

    `prepare(item) → features of one item` and `collate(list of features) → batch` are the seam that batching, caches
    and training share. `measure` says, before anything heavy is opened, what an item will cost.
    """

    modalities: Sequence[str] = ("text",)
    save_in_root: ClassVar[bool] = True

    @abstractmethod
    def measure(self, items: Sequence[Item], reader: Reader, settings: Settings) -> list[Measured | ItemError]:
        """One result per item, in order. An item that cannot be used gives its error instead of raising it."""

    @abstractmethod
    def prepare(self, measured: Measured, reader: Reader, settings: Settings) -> Features:
        """Features of one item, without a batch axis. Raises ItemError. Safe to call from many threads."""

    @abstractmethod
    def collate(self, features: Sequence[Features], route: Route) -> Features:
        """One batch from features of items of one group."""

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any) -> Features:
        """Features of one batch of inputs of one kind, ready for `forward`.

        kwargs: task, max_length, processing_kwargs.  A class that has the old name `tokenize` alone is asked for that.
        Raises ItemError, UsageError.
        """
        if type(self).measure is not InputModule.measure:
            return features_of(self, inputs, prompt, **kwargs)
        if type(self).tokenize is InputModule.tokenize:
            raise NotImplementedError(f"{type(self).__name__} has no preprocess(inputs)")
        return self.tokenize([prompt + text for text in inputs] if prompt else inputs, **kwargs)

    def tokenize(self, texts: Sequence[Any], **kwargs: Any) -> Features:
        """Old name of `preprocess`."""
        return self.preprocess(texts, **kwargs)

    def save_tokenizer(self, output_path: str, **kwargs: Any) -> None:
        """Write `self.tokenizer`, of transformers or of tokenizers, where there is one."""
        tokenizer: Any = getattr(self, "tokenizer", None)
        if hasattr(tokenizer, "save_pretrained"):
            tokenizer.save_pretrained(output_path, **kwargs)
        elif tokenizer is not None:
            tokenizer.save(str(Path(output_path) / "tokenizer.json"), **kwargs)


def features_of(
    first: InputModule | Adapted,
    inputs: Any,
    prompt: str | None = None,
    task: str | None = None,
    max_length: int | None = None,
    processing_kwargs: Mapping[str, Mapping[str, Any]] | None = None,
) -> Features:
    """One batch of inputs through the seam, without a model around it. Raises ItemError, UsageError."""
    settings = Settings(
        prompt=prompt or None,
        task=task,
        max_length=max_length,
        on_truncate="ignore",
        processing=processing_kwargs or {},
    )
    modalities = frozenset(first.modalities)
    parser = Parser(modalities - {"message"}, peek(settings.policy), chat="message" in modalities)  # type: ignore[arg-type]
    if (check := getattr(first, "check", None)) is not None:
        check(settings)
    parse, reader = getattr(first, "parse", None), Reader(settings.policy)
    values = list(as_items(inputs)[0])
    if not values:
        raise UsageError("there is nothing to prepare: the list of inputs is empty")
    items: list[Item] = []
    drafts: list[Measured] = []
    try:
        for value in values:
            items.append(parser(value) if parse is None else parse(value, parser))
        for made in first.measure(items, reader, settings):
            if isinstance(made, ItemError):
                raise made
            drafts.append(made)
    except ItemError as error:
        error.index, error.total = len(drafts) if len(items) == len(values) else len(items), len(values)
        raise
    routes = {made.route for made in drafts}
    if len(routes) > 1:
        raise UsageError(f"one batch of features holds one kind of input, got {sorted(map(str, routes))}")
    return first.collate([first.prepare(made, reader, settings) for made in drafts], routes.pop())


def parted(item: Item, reads: Sequence[Any]) -> UnsupportedModality:
    """The error for an item of several parts, or of the wrong one, where a model reads each of `reads` alone."""
    present = item.modalities
    what = " and ".join(present) if len(present) > 1 else f"{len(item.parts)} parts of {present[0]}"
    return UnsupportedModality(
        f"this model encodes {', '.join(map(str, reads))} one at a time, and the item holds {what}",
        source=what,
        hint="Encode the parts as items of their own. To fuse them, choose how: for example the normalised mean of "
        "their normalised vectors.",
    )


def numbers(value: Any) -> Tensor:
    """A tensor that shares memory with a numpy array, or the tensor itself."""
    return torch.from_numpy(value) if isinstance(value, np.ndarray) else torch.as_tensor(value)


def read_json(path: Path, default: Any = None) -> Any:
    """The content of a JSON file, or `default` when the file is absent and a default was given.

    Raises ModelError for a file that is missing, no JSON, or of another kind (list, mapping) than the default.
    """
    if default is not None and not path.is_file():
        return default
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read as JSON: {error}") from error
    if default is not None and not isinstance(value, type(default)):
        raise ModelError(f"{path} holds a {type(value).__name__} where a {type(default).__name__} belongs")
    return value


def write_json(path: Path, value: Mapping[str, Any] | list[Any]) -> None:
    path.write_text(json.dumps(value, indent=4, ensure_ascii=False) + "\n", encoding="utf-8")
