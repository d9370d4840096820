"""One call on one model, as the loop in batching/run.py asks for it.

Knows: how a model's first module, its other modules and the call's `finish` fit the stations of the line; what was
cut and what a prompt could not be put before, for one warning at the end. Does not know: threads, windows, arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch

from .errors import InputTooLong, ItemError, ManysenseError, UnsupportedInput
from .inputs.parse import Parser
from .inputs.types import Item, Part, Route
from .media.fetch import describe
from .media.reader import Reader, peek
from .modules.base import Features, InputModule, Measured
from .modules.custom import Adapted
from .settings import Settings
from .warn import warn

if TYPE_CHECKING:
    from .batching.run import Done
    from .model import Model

Finish = Callable[[Features, int], Sequence[Any]]


class ModelLine:
    """The stations of one call. finish: batch features, number of items → one row per item."""

    verb, noun = "Encoding", "inputs"

    def __init__(self, model: Model, network: Any, settings: Settings, finish: Finish) -> None:
        self.model, self.network, self.settings, self.finish = model, network, settings, finish
        self.first: InputModule | Adapted = network.seam()
        self.device = network.device
        self.device_type: str = self.device.type
        modalities = set(model.modalities)
        self.parser = Parser(
            readable=frozenset(modalities - {"message"}),  # type: ignore[arg-type]
            peek=peek(settings.policy),
            modality=settings.modality,
            chat="message" in modalities,
        )
        check = getattr(self.first, "check", None)
        if check is not None:
            check(settings)
        self.cuts: list[tuple[float, float, str]] = []
        self.without_prompt = 0

    # ---- the stations

    def is_plain(self, value: Any) -> bool:
        """Whether nothing about it can be wrong before it is opened."""
        return type(value) is str and self.parser.readable == {"text"} and not self.parser.chat

    def item(self, value: Any) -> Item:
        own = getattr(self.first, "parse", None)  # a Router reads the task of an item
        return self.parser(value) if own is None else own(value, self.parser)

    def parse(self, value: Any) -> Item:
        """Raises ItemError, also for a caller's object that fails when it is looked at."""
        try:
            return self.item(value)
        except ManysenseError:
            raise
        except Exception as error:
            raise UnsupportedInput(
                f"a {type(value).__name__} that cannot be read: {type(error).__name__}: {error}",
                source=type(value).__name__,
            ) from error

    def media(self, item: Item) -> list[Part]:
        return [part for part in item.parts if part.modality != "text" or not isinstance(part.value, str)]

    def reader(self) -> Reader:
        return Reader(self.settings.policy)

    def fetch(self, part: Part, reader: Reader) -> int:
        if part.modality == "image":
            reader.picture_size(part)
        elif part.modality == "video":
            reader.clip_size(part)
        return reader.bytes_of(part) if part.modality != "text" else 0

    def key(self, item: Item, reader: Reader) -> Any:
        return tuple((turn.role, *(self._part_key(part, reader) for part in turn.parts)) for turn in item.turns)

    @staticmethod
    def _part_key(part: Part, reader: Reader) -> Any:
        if part.modality == "text":
            return "text", part.value if isinstance(part.value, str) else (str(part.value),)
        return reader.key(part)

    def measure(self, items: Sequence[Item], reader: Reader) -> list[Measured | ItemError]:
        measured = self.first.measure(items, reader, self.settings)
        for i, made in enumerate(measured):
            if isinstance(made, Measured) and made.cut is not None and self.settings.on_truncate == "error":
                length, limit, unit = made.cut
                measured[i] = InputTooLong(
                    f"the input has {length:,} {unit}; this model reads {limit:,}",
                    hint='Split it, or accept the loss with on_truncate="warn" or "ignore".',
                )
        return measured

    def source(self, item: Item) -> str:
        """What the caller would call the item."""
        return self.described(item.parts[0])

    @staticmethod
    def described(part: Part) -> str:
        if isinstance(part.value, str) and part.modality == "text":
            return repr(part.value if len(part.value) <= 72 else part.value[:69] + "…")
        return describe(part.value)

    def saw(self, done: Done) -> None:
        """Count what the caller should know of: every input, also those that share a row."""
        for rows, measured in zip(done.rows, done.measured):
            if measured.cut is not None:
                self.cuts += [measured.cut] * len(rows)
            if self.settings.prompt and measured.route not in ("text", "pair", "message"):
                self.without_prompt += len(rows)

    def prepare(self, measured: Measured, reader: Reader) -> Features:
        return self.first.prepare(measured, reader, self.settings)

    def collated(self, features: Sequence[Features], route: Route) -> Features:
        return self.first.collate(features, route)

    def forward(self, features: Sequence[Features], measured: Sequence[Measured]) -> Sequence[Any]:
        with torch.no_grad(), torch.autocast(self.device_type, enabled=False):  # a vector is the model's alone
            batch = self.collated(features, measured[0].route)
            moved = {k: v.to(self.device, non_blocking=True) if hasattr(v, "to") else v for k, v in batch.items()}
            return self.finish(self.network(moved, **self.settings.forward), len(features))

    def not_numbers(self, values: Any) -> list[int]:
        if not isinstance(values, torch.Tensor):
            return []
        good = torch.isfinite(values).flatten(1).all(1)
        return [int(i) for i in (~good).nonzero().flatten()]

    def joined(self, rows: Sequence[Any]) -> Any:
        return torch.stack(list(rows))

    # ---- after the call

    def close(self) -> None:
        """Let go of what the call held, also when it failed."""

    def warn(self, total: int | None) -> None:
        """At most one warning for each thing that the caller should know."""
        if self.cuts and self.settings.on_truncate == "warn":
            count = f"{len(self.cuts)} of {total}" if total is not None else str(len(self.cuts))
            limits = " and ".join(self._longest(unit) for unit in sorted({unit for _, _, unit in self.cuts}))
            warn(
                f"{count} {self.noun} are longer than this model reads and were cut: {limits}; "
                'on_truncate="error" refuses them, "ignore" silences this'
            )
        if self.without_prompt:
            warn(
                f"the prompt was not put before {self.without_prompt} {self.noun} that are not text: this model has no "
                "place for it"
            )

    def _longest(self, unit: str) -> str:
        """ "256 tokens are read, the longest has 1,024"."""
        own = [(length, limit) for length, limit, u in self.cuts if u == unit]
        length, limit = max(own)
        return f"{limit:,} {unit} are read, the longest has {length:,}"
