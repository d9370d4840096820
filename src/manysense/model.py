"""The facade that all model families share: a sequence of modules that knows its device, prompts and folder.

Knows: modules in order, devices and replicas, evaluation mode during a call, saving. Does not know: what a family
returns (sentence_transformer/ …), how folders are read (checkpoints/).
"""

from __future__ import annotations

import contextlib
import copy
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn

from .adapters import Adapters
from .batching.devices import as_device
from .batching.model_file import state_of
from .errors import ModelError, UsageError
from .modules.base import Features, InputModule
from .modules.custom import Adapted, seam_of
from .modules.identity import digest

if TYPE_CHECKING:
    from .line import ModelLine
    from .settings import Settings


class Model(Adapters, nn.Sequential):
    """Modules that turn features into features; the first one turns inputs into features.

    prompts: name → text put before inputs.  default_prompt_name: the prompt used when a call names none.
    """

    model_type: ClassVar[str] = "Model"
    own_prompts: ClassVar[Mapping[str, str]] = {}
    """Prompts that every model of the family has, without a text unless somebody gives one."""
    organisation: ClassVar[str] = "sentence-transformers"
    """The owner on the Hub that a name without one has."""

    def __init__(
        self,
        modules: Sequence[nn.Module] | Mapping[str, nn.Module],
        *,
        device: Any = None,
        prompts: Mapping[str, str] | None = None,
        default_prompt_name: str | None = None,
        card: str | None = None,
        spread: bool = False,
    ) -> None:
        """spread: the weights were placed by a device_map and are not moved."""
        named = modules if isinstance(modules, Mapping) else {str(i): module for i, module in enumerate(modules)}
        if not named:
            raise UsageError("a model needs at least one module")
        super().__init__(OrderedDict(named))
        self.prompts = {**self.own_prompts, **checked_prompts(prompts or {})}
        if default_prompt_name is not None and default_prompt_name not in self.prompts:
            raise UsageError(
                f"default_prompt_name={default_prompt_name!r} is not one of the prompts: {sorted(self.prompts)}"
            )
        self.default_prompt_name = default_prompt_name
        self._card = card
        self._spread = spread
        self._guard = _Guard()
        self.said_slow = False
        if not spread:
            self.to(as_device(device))
        self.eval()

    def __getitem__(self, index: Any) -> Any:
        """A module by position; for a slice, these modules as a plain nn.Sequential."""
        if isinstance(index, slice):
            return nn.Sequential(OrderedDict(list(self.named_children())[index]))
        return super().__getitem__(index)

    # ---- what it is

    def _first_module(self) -> nn.Module:
        first: nn.Module = self[0]
        return first

    def seam(self) -> InputModule | Adapted:
        """The first module as the line uses it. Raises ModelError for one that cannot take inputs."""
        return seam_of(self[0])

    def _last_module(self) -> nn.Module:
        last: nn.Module = self[len(self) - 1]
        return last

    @property
    def device(self) -> torch.device:
        """Where the weights are; the CPU for a model without any."""
        return next((p.device for p in self._tensors()), torch.device("cpu"))

    @property
    def dtype(self) -> torch.dtype:
        """Of the first floating-point weight."""
        return next((p.dtype for p in self._tensors() if p.is_floating_point()), torch.float32)

    def _tensors(self) -> Iterator[torch.Tensor]:
        yield from self.parameters()
        yield from self.buffers()

    @property
    def modalities(self) -> list[str]:
        """What it reads: of "text", "image", "audio", "video", "message"."""
        return list(self.seam().modalities)

    def supports(self, modality: str | Sequence[str]) -> bool:
        """Whether it reads this modality, or these together in one item."""
        known = self.modalities
        if isinstance(modality, str) or not isinstance(modality, (tuple, list, set, frozenset)):
            return modality in known
        parts = tuple(sorted(modality))
        return ("message" in known and all(part in known for part in parts)) or (len(parts) == 1 and parts[0] in known)

    @property
    def identity(self) -> str:
        """Equal for models whose vectors may be kept side by side: a digest of network, weights and tokenizer.

        Computed anew on each touch, from every weight: keep it.
        """
        return digest(self)

    @property
    def tokenizer(self) -> Any:
        return getattr(self._first_module(), "tokenizer", None)

    @tokenizer.setter
    def tokenizer(self, value: Any) -> None:
        self._first_module().tokenizer = value

    @property
    def processor(self) -> Any:
        return getattr(self._first_module(), "processor", self.tokenizer)

    @property
    def transformers_model(self) -> Any:
        """The first transformers model inside, also in a route, or None."""
        return next((module for module in self.modules() if hasattr(module, "get_input_embeddings")), None)

    @property
    def config(self) -> Any:
        return getattr(self.transformers_model, "config", None)

    @property
    def max_seq_length(self) -> int | None:
        """Tokens read of a text; None for no limit. A call keeps the value it started with."""
        length: int | None = getattr(self._first_module(), "max_seq_length", None)
        return length

    @max_seq_length.setter
    def max_seq_length(self, value: int | None) -> None:
        self._first_module().max_seq_length = value  # type: ignore[assignment]

    def get_max_seq_length(self) -> int | None:
        return self.max_seq_length

    def get_model_kwargs(self) -> list[str]:
        """Names of further arguments that a call passes on to the modules."""
        return sorted({name for module in self for name in getattr(module, "forward_kwargs", ())})

    # ---- what it does

    def forward(self, input: Features, **kwargs: Any) -> Features:
        """Every module in order; each gets the further arguments that it declares."""
        features = input
        for module in self:
            own = {k: v for k, v in kwargs.items() if k in getattr(module, "forward_kwargs", ())}
            features = module(features, **own)
        return features

    def on(self, device: Any) -> Model:
        """This model, or a cached copy of it on another device; nothing is moved under other threads."""
        wanted = as_device(device) if device is not None else self.device
        if (wanted.index is None and wanted.type == self.device.type) or wanted == self.device or self._spread:
            return self
        return self._guard.replica(self, wanted)

    def clear_placement_cache(self) -> None:
        """Let go of the copies on other devices. A later `device=` makes them anew."""
        self._guard.forget()

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """`torch.compile` for the whole forward pass, with these arguments; every call then runs through it.

        Texts have many lengths: leave `dynamic` alone, or set it. Copies on other devices and in pools of processes run
        as they are.
        """
        for module in self.modules():
            if hasattr(module, "fast"):  # what is compiled is the network of transformers
                module.fast = False  # type: ignore[assignment]
        super().compile(*args, **kwargs)

    def gradient_checkpointing_enable(
        self, gradient_checkpointing_kwargs: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """In training, compute layers of the transformers networks again in the backward pass in the place of keeping
        them: less memory, more time. kwargs: for transformers."""
        for network in [module for module in self.modules() if hasattr(module, "supports_gradient_checkpointing")]:
            if network.supports_gradient_checkpointing:
                enable: Any = getattr(network, "activation_checkpointing_enable", network.gradient_checkpointing_enable)
                enable(gradient_checkpointing_kwargs, **kwargs)

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """In evaluation mode; what was training before is training again when the last such call ends."""
        self._guard.enter(self)
        try:
            yield
        finally:
            self._guard.leave()

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any) -> Features:
        """Features of one batch of inputs of one kind, ready for `forward`. Raises ItemError."""
        from .settings import Settings

        unknown = set(kwargs) - {"task", "processing_kwargs"}
        if unknown:
            raise UsageError(f"preprocess got unknown arguments {sorted(unknown)}")
        settings = Settings(
            prompt=prompt or None,
            task=kwargs.get("task"),
            on_truncate="ignore",
            processing=kwargs.get("processing_kwargs") or {},
        )
        line = self._line(settings)
        reader = line.reader()
        measured = line.measure([line.parse(value) for value in self._listed(inputs)], reader)
        if not measured:
            raise UsageError("there is nothing to prepare: the list of inputs is empty")
        for i, made in enumerate(measured):
            if isinstance(made, Exception):
                made.index, made.total = i, len(measured)
                raise made
        routes = {made.route for made in measured}  # type: ignore[union-attr]
        if len(routes) > 1:
            raise UsageError(f"one batch of features holds one kind of input, got {sorted(map(str, routes))}")
        features = [line.prepare(made, reader) for made in measured]  # type: ignore[arg-type]
        return self.seam().collate(features, routes.pop())

    def _line(self, settings: Settings) -> ModelLine:
        """The stations of a call whose rows nobody wants."""
        from .line import ModelLine

        return ModelLine(self, self, settings, lambda features, count: [])

    def _listed(self, inputs: Any) -> Iterable[Any]:
        from .inputs.shape import as_items

        return as_items(inputs)[0]

    def tokenize(self, texts: Sequence[Any], **kwargs: Any) -> Features:
        """Old name of `preprocess`."""
        return self.preprocess(texts, **kwargs)

    # ---- the folder

    def _config(self) -> dict[str, Any]:
        import transformers

        return {
            "model_type": self.model_type,
            "__version__": {
                "sentence_transformers": "6.2.0",
                "transformers": transformers.__version__,
                "pytorch": torch.__version__,
            },
            "prompts": self.prompts,
            "default_prompt_name": self.default_prompt_name,
        }

    def _classes(self) -> tuple[type[Any], ...]:
        """Classes that the configuration names."""
        return ()

    def _own_config(self) -> dict[str, Any]:
        """What only this library knows of the model."""
        return {}

    def save_pretrained(
        self,
        path: str | Path,
        model_name: str | None = None,
        create_model_card: bool = True,
        train_datasets: Any = None,
        safe_serialization: bool = True,
    ) -> None:
        """Write the model's folder, in the layout that every version of the known library reads.

        create_model_card: write README.md from the model; a card that somebody edited is kept.  model_name: what the
        card calls the model.
        """
        from .checkpoints.card import card_for
        from .checkpoints.save import save

        if self._spread:
            raise ModelError("a model spread over devices by device_map cannot be saved from here")
        if path is None or not str(path).strip():
            raise UsageError("the folder to save to has no name")
        folder = Path(path).expanduser()
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file; a model is saved to a folder")
        card = card_for(self, folder, model_name, self._card, train_datasets) if create_model_card else None
        modules = dict(self.named_children())
        own, classes = self._own_config(), self._classes()
        save(modules, self._config(), folder, own=own, card=card, safe=safe_serialization, classes=classes)

    def save(self, path: str | Path, *args: Any, **kwargs: Any) -> None:
        self.save_pretrained(path, *args, **kwargs)

    def push_to_hub(
        self,
        repo_id: str,
        token: str | bool | None = None,
        private: bool | None = None,
        safe_serialization: bool = True,
        commit_message: str | None = None,
        local_model_path: str | Path | None = None,
        exist_ok: bool = False,
        replace_model_card: bool = False,
        train_datasets: Sequence[str] | None = None,
        revision: str | None = None,
        create_pr: bool = False,
    ) -> str:
        """Put the model, or the folder `local_model_path`, on the Hub as one commit; its URL, or the pull request's.

        exist_ok: the repository may be there already.  replace_model_card: its README.md gives way to the model's.
        revision: a branch, made where it is missing.  create_pr: propose the commit.  Raises UsageError, ModelError,
        ModelNotFound; then nothing was pushed.
        """
        from .checkpoints.push import Push, push

        to = Push(repo_id, token, private, exist_ok, replace_model_card, revision, create_pr, commit_message)
        return push(
            self,
            to,
            local_model_path=local_model_path,
            safe_serialization=safe_serialization,
            train_datasets=train_datasets,
        )

    def save_to_hub(
        self, repo_id: str | None = None, organization: str | None = None, private: bool | None = None, **kwargs: Any
    ) -> str:
        """Old name of `push_to_hub`. organization: the owner, where repo_id (or the older repo_name) names none."""
        from .checkpoints.push import owned

        name = repo_id if repo_id is not None else kwargs.pop("repo_name", None)
        return self.push_to_hub(owned(name, organization), private=private, **kwargs)


class _Guard:
    """What calls that run at the same time share: who is evaluating, and replicas on other devices.

    It is not copied with the model: a copy or a pickle starts with a fresh one.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._inside = 0
        self._training: list[nn.Module] = []
        self._replicas: dict[torch.device, tuple[Any, Model]] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> _Guard:
        return _Guard()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_Guard, ())

    def enter(self, model: nn.Module) -> None:
        with self._lock:
            self._inside += 1
            if model.training or any(module.training for module in model.modules()):
                self._training += [module for module in model.modules() if module.training]
                for module in self._training:
                    module.training = False

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                for module in self._training:
                    module.training = True
                self._training = []

    def replica(self, model: Model, device: torch.device) -> Model:
        state = state_of(model)
        with self._lock:
            kept = self._replicas.get(device)
            if kept is None or kept[0] != state:
                kept = self._replicas[device] = (state, copy.deepcopy(model).to(device).eval())
            return kept[1]

    def forget(self) -> None:
        with self._lock:
            self._replicas.clear()


def checked_prompts(prompts: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(prompts, Mapping):
        raise UsageError(f"prompts map names to texts, got {type(prompts).__name__}")
    for name, text in prompts.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise UsageError(f"prompts map names to texts, got {name!r}: {text!r}")
    return dict(prompts)


def merged_prompts(stored: Mapping[str, Any] | None, given: Mapping[str, str] | None) -> dict[str, str]:
    """stored: of a folder, where a name may have no text.  given: of the caller, which win. Raises UsageError."""
    if isinstance(stored, Mapping):
        stored = {name: text for name, text in stored.items() if text is not None}
    return {**checked_prompts(stored or {}), **checked_prompts(given or {})}
