"""A caller's own first module, which only has the known `preprocess(list)`, behind the seam of ours.

Knows: how a batch function is used one item at a time. Does not know: what it computes.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..errors import ItemError, ModelError
from ..inputs.types import Item, Route
from .base import Features, InputModule, Measured

if TYPE_CHECKING:
    from ..media.reader import Reader
    from ..settings import Settings


def seam_of(module: nn.Module) -> InputModule | Adapted:
    """The module itself where it has the seam; else an adapter around its `preprocess` or `tokenize`.

    A class of the caller's that has one of these is asked for it, also where it stands below one with the seam.
    """
    own = next((kind for kind in type(module).__mro__ if {"measure", "preprocess", "tokenize"} & set(vars(kind))), None)
    if isinstance(module, InputModule) and own is not None and own is not InputModule and "measure" in vars(own):
        return module
    if own is InputModule or not (hasattr(module, "preprocess") or hasattr(module, "tokenize")):
        raise ModelError(
            f"the first module, {type(module).__name__}, has no preprocess(inputs), so it cannot take inputs"
        )
    return Adapted(module)


class Adapted:
    """Calls the module's `preprocess` for one item at a time and pads the results into batches."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    @property
    def modalities(self) -> Sequence[str]:
        return tuple(getattr(self.inner, "modalities", ("text",)))

    def measure(self, items: Sequence[Item], reader: Reader, settings: Settings) -> list[Measured | ItemError]:
        measured: list[Measured | ItemError] = []
        for item in items:
            try:
                opened = [reader.text(part) if part.modality == "text" else part.value for part in item.parts]
                value = tuple(opened) if item.is_pair else opened[0]
            except ItemError as error:
                measured.append(error)
                continue
            length = max(1, len(value) // 4) if isinstance(value, str) else 1024
            route = "pair" if item.is_pair else item.parts[0].modality
            measured.append(Measured(route, length, value, group=route))
        return measured

    def prepare(self, measured: Measured, reader: Reader, settings: Settings) -> Features:
        function, value, prompt = getattr(self.inner, "preprocess", None), measured.draft, settings.prompt
        if getattr(type(self.inner), "preprocess", None) is InputModule.preprocess:
            function = None  # of ours: the caller's class has the old name alone
        if prompt and function is not None and _takes(function, "prompt"):
            return dict(function([value], prompt=prompt))
        if prompt and isinstance(value, str):
            value = prompt + value
        elif prompt and isinstance(value, tuple) and isinstance(value[0], str):
            value = (prompt + value[0], value[1])
        return dict((function or self.inner.tokenize)([value]))

    def collate(self, features: Sequence[Features], route: Route) -> Features:
        if len(features) == 1:
            return dict(features[0])
        return {name: _stacked([one[name] for one in features]) for name in features[0]}


def _takes(function: Any, name: str) -> bool:
    parameters = inspect.signature(function).parameters
    return name in parameters or any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())


def _stacked(values: list[Any]) -> Any:
    """(1, n, …) tensors of different n padded with zeros and joined along the first axis."""
    if not isinstance(values[0], Tensor):
        return [v for value in values for v in value] if isinstance(values[0], list) else values[0]
    if values[0].ndim < 2 or len({v.shape for v in values}) == 1:
        return torch.cat(values)
    longest = max(v.shape[1] for v in values)
    padded = [nn.functional.pad(v, (0, 0) * (v.ndim - 2) + (0, longest - v.shape[1])) for v in values]
    return torch.cat(padded)
