"""Towers: one small network for each modality, all of them into one space.

Knows: which tower sees what of an item, and that a clip is the mean of a few frames joined with its sound. Does not
know: how media are opened (the reader) or prepared (manysense.starter), how the towers were trained
(training/starter/).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import ItemError, MediaError, ModelError
from ...inputs.types import Item, Part, Route
from ...media.video import even_indices
from ...starter import pixels, waves
from ..base import Features, InputModule, Measured, parted, read_json, write_json
from ..transformer.pixels import unknown_overrides
from .folder import load_fusion, load_net, load_text, save_net, save_text

if TYPE_CHECKING:
    from ...media.reader import Reader
    from ...settings import Settings

PICTURE_TOKENS, WINDOW_TOKENS = 16, 16
"""What one picture, and one window of sound, cost beside one token of a text encoder."""


class Towers(InputModule):
    """Texts, pictures, sounds and clips → `sentence_embedding` (batch, dimension), of length 1.

    text: modules that turn texts into `sentence_embedding`, the first an InputModule.  image, audio: nets from planes
    to vectors.  frames: of a clip that are looked at, evenly in time.  fusion: of what is seen and what is heard of a
    clip; None: their sum.
    """

    config_file_name: ClassVar[str] = "towers.json"
    config_keys: ClassVar[Sequence[str]] = ("frames",)

    def __init__(
        self,
        text: Sequence[nn.Module],
        image: nn.Module,
        audio: nn.Module,
        frames: int = 4,
        fusion: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.text = nn.Sequential(*text)
        self.image, self.audio, self.frames, self.fusion = image, audio, frames, fusion

    modalities: Sequence[str] = ("text", "image", "audio", "video")

    # ---- what users of the known library look at

    @property
    def tokenizer(self) -> Any:
        return self._reads.tokenizer

    @property
    def max_seq_length(self) -> int | None:
        """Tokens read of a text; None for no limit."""
        length: int | None = self._reads.max_seq_length
        return length

    @max_seq_length.setter
    def max_seq_length(self, value: int | None) -> None:
        self._reads.max_seq_length = value

    @property
    def _reads(self) -> Any:
        return self.text[0]

    def get_embedding_dimension(self) -> int:
        return int(self.image.dimension)  # type: ignore[arg-type]

    get_sentence_embedding_dimension = get_embedding_dimension

    # ---- measure

    def check(self, settings: Settings) -> None:
        """Raise UsageError for per-call options that this model does not know."""
        for name in ("image", "audio", "video", "chat_template"):
            unknown_overrides(name, settings.processing.get(name, {}), ())
        own = {name: options for name, options in settings.processing.items() if name in ("text", "common")}
        if hasattr(self._reads, "check"):
            self._reads.check(dataclasses.replace(settings, processing=own))

    def measure(self, items: Sequence[Item], reader: Reader, settings: Settings) -> list[Measured | ItemError]:
        measured: dict[int, Measured | ItemError] = {}
        texts = [i for i, item in enumerate(items) if item.modalities == ("text",) and len(item.parts) == 1]
        own = self._reads.measure([items[i] for i in texts], reader, settings)
        for i, made in zip(texts, own, strict=True):
            measured[i] = made
        for i, item in enumerate(items):
            if i not in measured:
                measured[i] = self._measured(item, reader)
        return [measured[i] for i in range(len(items))]

    def _measured(self, item: Item, reader: Reader) -> Measured | ItemError:
        try:
            return self._medium(_only(item), reader)
        except ItemError as error:
            return error
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            told = MediaError(f"it cannot be measured: {type(error).__name__}: {error}")
            told.__cause__ = error
            return told

    def _medium(self, part: Part, reader: Reader) -> Measured:
        pictures, seconds, draft = 0, 0.0, (part, ())
        if part.modality == "image":
            reader.picture_size(part)
            pictures = 1
        elif part.modality == "audio":
            seconds = reader.sound_seconds(part, waves.RATE)
        else:
            size = reader.clip_size(part)
            draft = (part, tuple(even_indices(size.times, self.frames).tolist()))
            pictures, seconds = self.frames, float(size.times[-1]) if size.has_sound else 0.0
        windows = min(waves.LIMIT, int(seconds * waves.RATE) // waves.WINDOW + 1) if seconds else 0
        extra = PICTURE_TOKENS * pictures + WINDOW_TOKENS * windows
        nbytes = pictures * 3 * pixels.SIDE**2 + int(seconds * waves.RATE * 4)
        return Measured(part.modality, 1, draft, extra, nbytes, group=part.modality, opens=True)

    # ---- prepare

    def prepare(self, measured: Measured, reader: Reader, settings: Settings) -> Features:
        if measured.route == "text":
            made: Features = self._reads.prepare(measured, reader, settings)
            return made
        part, indices = measured.draft
        return dict(reader.once(("prepared", reader.key(part)), lambda: _prepared(part, indices, reader)))

    # ---- collate and forward

    def collate(self, features: Sequence[Features], route: Route) -> Features:
        if route == "text":
            made: Features = self._reads.collate(features, route)
            return made
        batch: Features = {}
        for name in ("pixels", "mels"):
            if any(name in one for one in features):
                parts = [one[name] for one in features if name in one]
                batch[name] = torch.from_numpy(np.concatenate(parts))
                batch[f"{name}_of"] = torch.tensor([i for i, one in enumerate(features) for _ in one.get(name, ())])
        batch["items"] = torch.arange(len(features))
        return batch

    def forward(self, features: Features) -> Features:
        if "items" not in features:
            for module in self.text:
                features = module(features)
            return features
        count = len(features["items"])
        kept = next(self.image.parameters())
        seen = heard = torch.zeros(count, self.get_embedding_dimension(), dtype=kept.dtype, device=kept.device)
        if "pixels" in features:
            planes = features["pixels"].permute(0, 3, 1, 2).to(kept.dtype) / 63.75 - 2
            seen = _mean(self.image(planes), features["pixels_of"], count)
        if "mels" in features:
            planes = features["mels"][:, None].to(kept.dtype)
            heard = _mean(self.audio(planes), features["mels_of"], count)
        both = "pixels" in features and "mels" in features
        total = self.joined(seen, heard) if both else seen + heard
        features["sentence_embedding"] = functional.normalize(total, dim=1)
        return features

    def joined(self, seen: Tensor, heard: Tensor) -> Tensor:
        """One vector of any length for what is seen and what is heard.

        seen, heard: (batch, dimension) of length 1, or 0 where an item has none.  Returns (batch, dimension).
        """
        total = seen + heard
        if self.fusion is None:
            return total
        both = seen.any(1) & heard.any(1)
        return torch.where(both[:, None], self.fusion(seen, heard), total)

    # ---- the folder

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        """Everything that the model needs, also what it was loaded from elsewhere."""
        folder = Path(output_path)
        save_text(list(self.text), folder / "text", safe_serialization)
        save_net(self.image, folder / "image")
        save_net(self.audio, folder / "audio")
        places = {"text": "text", "image": "image", "audio": "audio"}
        if self.fusion is not None:
            save_net(self.fusion, folder / "fusion")
            places["fusion"] = "fusion"
        write_json(folder / self.config_file_name, {**places, "frames": self.frames})

    @classmethod
    def load_from(cls, folder: Path, **kwargs: Any) -> Towers:
        """Raises ModelError, MissingExtra."""
        config: Mapping[str, Any] = read_json(folder / cls.config_file_name)
        try:
            return cls(
                load_text(folder, str(config["text"]), **kwargs),
                load_net(folder, str(config["image"])),
                load_net(folder, str(config["audio"])),
                int(config.get("frames", 4)),
                load_fusion(folder, str(config["fusion"])) if "fusion" in config else None,
            )
        except KeyError as error:
            raise ModelError(f"{folder / cls.config_file_name} names no {error} tower") from error


def _only(item: Item) -> Part:
    """The one part of an item. Raises UnsupportedModality."""
    if len(item.parts) == 1:
        return item.parts[0]
    raise parted(item, ("text", "image", "audio", "video"))


def _prepared(part: Part, indices: Sequence[int], reader: Reader) -> Features:
    """pixels: (pictures, side, side, 3) uint8.  mels: (windows, bands, frames) float32."""
    if part.modality == "image":
        return {"pixels": pixels.square(reader.picture(part))[None]}
    if part.modality == "audio":
        return {"mels": _mels(reader.sound(part, waves.RATE))}
    from PIL import Image

    frames = reader.clip(part, indices).frames
    made: Features = {"pixels": np.stack([pixels.square(Image.fromarray(frame)) for frame in frames])}
    sound = reader.clip_sound(part, waves.RATE)
    if sound is not None and len(sound):
        made["mels"] = _mels(sound)
    return made


def _mels(samples: Any) -> Any:
    return np.stack([waves.log_mel(window) for window in waves.windows(samples)])


def _mean(vectors: Tensor, owners: Tensor, count: int) -> Tensor:
    """vectors: (parts, width).  owners: (parts,) the item of each.  Returns (count, width) of length 1, or 0."""
    total = torch.zeros(count, vectors.shape[1], dtype=vectors.dtype, device=vectors.device)
    return functional.normalize(total.index_add(0, owners, vectors), dim=1)
