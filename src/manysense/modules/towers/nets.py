"""The small convolutional net behind the picture tower and the sound tower, and the one that joins the two for a clip.

Knows: its layers. Does not know: what the planes it sees are, where its weights come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .recall import Recall


class Residual(nn.Module):
    """Two convolutions around a shortcut; the first one may halve the plane."""

    def __init__(self, inside: int, outside: int, stride: int = 1, kernel: tuple[int, int] = (3, 3)) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2)
        self.first = nn.Conv2d(inside, outside, kernel, stride, padding)
        self.second = nn.Conv2d(outside, outside, kernel, 1, padding)
        same = inside == outside and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(inside, outside, 1, stride)

    def forward(self, planes: Tensor) -> Tensor:
        return functional.relu(self.shortcut(planes) + self.second(functional.relu(self.first(planes))))


class Temporal(nn.Module):
    """What follows what: all rows of a column become channels, convolved along the columns alone (Choi et al. 2019,
    "TC-ResNet"). Speech needs the order of what is heard, which planes lose that are halved again and again.

    inside: channels of the planes.  rows: of the planes.  width: channels of the result.  dilations: of its residual
    blocks, each a multiple of the one before.
    """

    def __init__(self, inside: int, rows: int, width: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.config: dict[str, Any] = {"rows": rows, "width": width, "dilations": list(dilations)}
        self.fold = nn.Conv2d(inside, width, (rows, 3), padding=(0, 1))
        self.blocks = nn.Sequential(*(Residual(width, width, kernel=(1, 5)) for _ in dilations))

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """planes: (batch, inside, rows, columns); the last dilation divides the columns.  Returns (batch, width,
        dilation, columns / dilation): of the columns every so many one after the other, each way a row; and the same
        before the last block, which joins what is heard to words."""
        before = made = functional.relu(self.fold(planes))
        for block, dilation in zip(self.blocks, self.config["dilations"], strict=True):
            before, made = made, block(_interleaved(made, dilation // made.shape[2]))
        return made, before


def _interleaved(planes: Tensor, ways: int) -> Tensor:
    """(batch, channels, rows, columns) → (batch, channels, ways * rows, columns / ways). A convolution along these rows
    is one dilated so many times along the former ones, which costs twice as much on a CPU."""
    if ways == 1:
        return planes
    batch, channels, rows, columns = planes.shape
    apart = planes.reshape(batch, channels, rows, columns // ways, ways).transpose(3, 4)
    return apart.reshape(batch, channels, rows * ways, columns // ways).contiguous(memory_format=torch.channels_last)


class ConvTower(nn.Module):
    """Planes → one vector of length 1.

    channels: of the input planes.  widths, blocks: channels and residual blocks of each stage; every stage after the
    first halves the plane, which the stem has reduced four times.  dimension: of the vector.  recall: arguments of
    `Recall` but the dimension and what it reads; None: the vector is left as it is.  temporal: arguments of `Temporal`
    but the channels; it sees the planes of the first block, and what it finds goes to the head too.
    """

    def __init__(
        self,
        channels: int,
        widths: Sequence[int],
        blocks: Sequence[int],
        hidden: int,
        dimension: int,
        recall: Mapping[str, Any] | None = None,
        temporal: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {
            "channels": channels,
            "widths": list(widths),
            "blocks": list(blocks),
            "hidden": hidden,
            "dimension": dimension,
        }
        self.dimension = dimension
        self.stem = nn.Sequential(
            nn.Conv2d(channels, widths[0] // 2, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(widths[0] // 2, widths[0], 2, 2),
            nn.ReLU(),
        )
        stages, inside = [], widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for block in range(count):
                stages.append(Residual(inside, width, 2 if stage and not block else 1))
                inside = width
        self.stages = nn.Sequential(*stages)
        self.temporal: Temporal | None = None
        pooled = inside
        if temporal is not None:
            self.temporal = Temporal(widths[0], **temporal)
            self.config["temporal"] = self.temporal.config
            pooled += self.temporal.config["width"]
        self.recall: Recall | None = None
        if recall is not None:
            read_from = temporal["width"] if temporal else None
            self.remember(Recall(dimension=dimension, inside=read_from, **recall))
        self.head = nn.Sequential(nn.Linear(2 * pooled, hidden), nn.ReLU(), nn.Linear(hidden, dimension))
        for weights in self.parameters():  # as the planes are: half the time on a CPU
            if weights.ndim == 4:
                weights.data = weights.data.contiguous(memory_format=torch.channels_last)

    def remember(self, recall: Recall) -> None:
        if recall.lexicon is not None:
            assert self.temporal is not None, "a lexicon reads off a temporal part"
            assert self.temporal.config["dilations"][-2:-1] in ([], [1]), "phonemes are read in the order of columns"
        self.recall = recall
        self.config["recall"] = recall.config

    def forward(self, planes: Tensor) -> Tensor:
        """planes: (batch, channels, height, width) float, about -1 to 1.  Returns (batch, dimension)."""
        blocks = iter(self.stages)
        first = planes = next(blocks)(self.stem(planes.contiguous(memory_format=torch.channels_last)))
        for block in blocks:
            planes = block(planes)
        joined, said = (None, None) if self.temporal is None else self.temporal(first)
        found = [planes] if joined is None else [planes, joined]
        pooled = torch.cat([pool(one, (2, 3)) for one in found for pool in (torch.mean, torch.amax)], 1)
        vectors = functional.normalize(self.head(pooled), dim=1)
        return vectors if self.recall is None else self.recall(vectors, said)


class Fusion(nn.Module):
    """What is seen and what is heard → one vector for both: their sum, and what a small net adds to it. A sum alone
    loses which of many scenes goes with which of many sounds where some vectors are nearer to everything than others.

    dimension: of all vectors.  hidden: of the net between.
    """

    def __init__(self, dimension: int, hidden: int) -> None:
        super().__init__()
        self.config = {"dimension": dimension, "hidden": hidden}
        self.net = nn.Sequential(nn.Linear(2 * dimension, hidden), nn.ReLU(), nn.Linear(hidden, dimension))

    def forward(self, seen: Tensor, heard: Tensor) -> Tensor:
        """seen, heard: (batch, dimension) of length 1.  Returns the same shape, of any length."""
        added: Tensor = self.net(torch.cat([seen, heard], 1))
        return seen + heard + added
