"""Batches of training media as planes, each time a little different.

Knows: shards of pictures (pool.py) and of sounds (sounds/pool.py), augmentation. Does not know: networks, losses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from manysense.starter.waves import FLOOR, HOP, RATE

from ..pool import CAPTIONS
from .targets import Targets

ECHOED, NOISY = 0.35, 0.3
"""How many sounds get a room's echo, and how many more noise than a good recording has."""


@dataclass(slots=True)
class Pool:
    """Shards of one kind. arrays: of each shard.  rows: (n, captions) of targets.  keys: (n,) numbers of meanings.

    where: (n, 2) shard and place in it.  chances: (n,) of being drawn.  names: of the meanings, by number.
    """

    COMMON = 4
    """A meaning with so many media is a class of its own."""

    arrays: list[Any]
    where: np.ndarray[Any, Any]
    rows: np.ndarray[Any, Any]
    keys: np.ndarray[Any, Any]
    chances: np.ndarray[Any, Any]
    names: list[str]

    @classmethod
    def open(cls, folder: Path, targets: Targets | None, emphasis: Mapping[str, float]) -> Pool:
        """All shards that are done.  targets: None where no caption is asked for.  emphasis: beginning of a key
        ("emoji:") → how many times as often it is drawn."""
        arrays, where, captions, keyed = [], [], [], []
        for done in sorted(folder.glob("*.done")):
            arrays.append(np.load(done.with_suffix(".npy"), mmap_mode="r"))
            facts = json.loads(done.with_suffix(".json").read_text(encoding="utf-8"))
            keyed += facts["keys"]
            captions += facts["captions"]
            where += [(len(arrays) - 1, place) for place in range(len(facts["keys"]))]
        width = min(CAPTIONS, min(map(len, captions)))
        rows = np.zeros((len(captions), width), np.int64)
        if targets is not None:
            rows = targets.rows(caption for some in captions for caption in some[:width]).reshape(rows.shape)
        number: dict[str, int] = {}
        keys = np.array([number.setdefault(name, len(number)) for name in keyed])
        chances = np.array([_weight(name, emphasis) for name in keyed])
        return cls(arrays, np.array(where), rows, keys, chances / chances.sum(), list(number))

    def classes(self, bank: Tensor) -> tuple[Tensor, Tensor]:
        """Common meanings, (classes, 384) of length 1, each the mean of its captions in `bank`; and the class of each
        key, (keys,), -1 for those that are rare.
        """
        keys = np.repeat(self.keys, self.rows.shape[1])
        counts = np.bincount(self.keys)
        common = np.flatnonzero(counts >= self.COMMON)
        number = torch.full((len(counts),), -1)
        number[common] = torch.arange(len(common))
        owner = number[keys]
        kept = owner >= 0
        total = torch.zeros(len(common), bank.shape[1])
        total.index_add_(0, owner[kept], bank[torch.from_numpy(self.rows.reshape(-1))[kept]].float())
        return functional.normalize(total, dim=1), number

    def draw(self, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Media (size, …) as stored, rows of one caption each (size,), keys (size,)."""
        chosen = rng.choice(len(self.where), size, p=self.chances)
        media = np.stack([self.arrays[shard][place] for shard, place in self.where[chosen]])
        rows = self.rows[chosen, rng.integers(self.rows.shape[1], size=size)]
        return torch.from_numpy(media), torch.from_numpy(rows), torch.from_numpy(self.keys[chosen])


def _weight(name: str, emphasis: Mapping[str, float]) -> float:
    return next((weight for start, weight in emphasis.items() if name.startswith(start)), 1.0)


def vary_pictures(side: int, pixels: Tensor, generator: torch.Generator) -> Tensor:
    """(n, SIDE, SIDE, 3) uint8 → planes (n, 3, side, side), -2 to 2 as the tower sees them; each picture is shifted,
    scaled, slightly turned, lighter or darker. Colours keep their names."""
    planes = pixels.permute(0, 3, 1, 2).to(torch.float32)
    count = len(planes)

    def between(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=generator, device=generator.device)

    if planes.shape[-1] != side:
        planes = functional.interpolate(planes, size=(side, side), mode="bilinear", antialias=True)
    planes = planes / 63.75 - 2
    scale, turn, stretch = between(0.88, 1.18), between(-0.1, 0.1), between(0.93, 1.07)
    cos, sin = scale * turn.cos(), scale * turn.sin()
    shift = between(-0.1, 0.1, 2)
    matrix = torch.stack(
        [torch.stack([cos * stretch, -sin, shift[:, 0]], 1), torch.stack([sin, cos / stretch, shift[:, 1]], 1)], 1
    )
    grid = functional.affine_grid(matrix, list(planes.shape), align_corners=False)
    planes = functional.grid_sample(planes, grid, padding_mode="border", align_corners=False)
    planes = planes * between(0.8, 1.15, 1, 1, 1) + between(-0.2, 0.2, 1, 1, 1) + between(-0.06, 0.06, 3, 1, 1)
    if torch.rand(1, generator=generator, device=generator.device) < 0.3:
        planes = planes + between(0, 0.12, 1, 1, 1) * torch.randn(
            planes.shape, generator=generator, device=generator.device
        )
    return planes


def vary_sounds(frames: int, mels: Tensor, generator: torch.Generator) -> Tensor:
    """(n, 64, stored frames) → planes (n, 1, 64, frames): faster or slower, from a longer or shorter throat (Jaitly and
    Hinton 2013), shifted in time, in another room, over another line, with noise, stripes masked (Park et al. 2019)."""
    planes = mels.to(torch.float32)
    if mels.dtype == torch.int8:
        planes = planes / 127
    random: dict[str, Any] = {"generator": generator, "device": generator.device}
    planes = _echoed(_stretched(planes, frames, random), random)
    count, bands, _ = planes.shape
    planes = 1 + (planes - 1) * torch.exp(0.2 * torch.randn(count, 1, 1, **random))  # softer parts nearer, or further
    slope = torch.linspace(-1, 1, bands, device=generator.device)[None, :, None]
    bumps = functional.interpolate(torch.randn(count, 1, 8, **random), bands, mode="linear").transpose(1, 2)
    line = slope * 0.15 * torch.randn(count, 1, 1, **random) + bumps * 0.12 * torch.rand(count, 1, 1, **random)
    level = 0.1 * torch.randn(count, 1, 1, **random)
    noisy = 0.7 * torch.rand(count, 1, 1, **random) * (torch.rand(count, 1, 1, **random) < NOISY)
    floor = torch.rand(count, 1, 1, **random) * 0.6 - 1.2 + noisy + slope * 0.15 * torch.randn(count, 1, 1, **random)
    planes = torch.maximum(planes + line + level, floor)
    planes = planes + 0.05 * torch.randn(planes.shape, **random)
    for axis, widest in ((1, 10), (2, 24)):
        length = planes.shape[axis]
        start = torch.randint(0, length, (count, 1), **random)
        width = torch.randint(0, widest + 1, (count, 1), **random)
        place = torch.arange(length, device=generator.device)[None]
        hidden = (place >= start) & (place < start + width)
        planes = planes.masked_fill(hidden[:, :, None] if axis == 1 else hidden[:, None, :], -1.0)
    return planes[:, None]


def _echoed(planes: Tensor, random: dict[str, Any]) -> Tensor:
    """(n, bands, frames) of loudness, of which some get what a room adds: a tail that falls by 60 dB in a tenth of a
    second up to two."""
    count, _, frames = planes.shape
    some = torch.rand(count, **random) < ECHOED
    if not some.any():
        return planes
    seconds = 0.1 * 20 ** torch.rand(count, 1, **random)
    share = 0.6 * torch.rand(count, 1, **random) ** 2
    ages = torch.arange(frames, device=planes.device) * (HOP / RATE)
    tail = 10 ** (-6 * ages / seconds)
    tail = share * tail / tail.sum(1, keepdim=True)
    tail[:, 0] += 1
    power = 10 ** ((planes[some] - 1) * (-FLOOR / 20))
    length = 2 * frames
    power = torch.fft.irfft(torch.fft.rfft(power, length) * torch.fft.rfft(tail[some], length)[:, None], length)
    heard = 1 + power[..., :frames].clamp_min(1e-12).log10() * (-20 / FLOOR)
    return planes.index_copy(0, some.nonzero()[:, 0], torch.maximum(heard, planes[some]))


def _stretched(planes: Tensor, frames: int, random: dict[str, Any]) -> Tensor:
    """(n, bands, stored) → (n, bands, frames): time and bands stretched and moved; what comes in is silence."""
    count, _, stored = planes.shape

    def between(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, **random)

    none = torch.zeros(count, device=planes.device)
    pace, throat = between(0.72, 1.3) * (frames / stored), between(0.87, 1.16)
    bands = throat - 1 + between(-0.06, 0.06)  # the lowest band stays where it is, but for the shift
    matrix = torch.stack([torch.stack([pace, none, between(-0.15, 0.15)], 1), torch.stack([none, throat, bands], 1)], 1)
    grid = functional.affine_grid(matrix, [count, 1, planes.shape[1], frames], align_corners=False)
    return functional.grid_sample(planes[:, None] + 1, grid, align_corners=False)[:, 0] - 1
