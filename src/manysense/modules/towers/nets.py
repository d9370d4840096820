"""The small convolutional net behind the picture tower and the sound tower.

Knows: its layers. Does not know: what the planes it sees are, where its weights come from.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut; the first one may halve the plane."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inside, outside, 3, stride, 1)
        self.second = nn.Conv2d(outside, outside, 3, 1, 1)
        same = inside == outside and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(inside, outside, 1, stride)

    def forward(self, planes: Tensor) -> Tensor:
        return functional.relu(self.shortcut(planes) + self.second(functional.relu(self.first(planes))))


class ConvTower(nn.Module):
    """Planes → one vector of length 1.

    channels: of the input planes.  widths, blocks: channels and residual blocks of each stage; every stage after the
    first halves the plane, which the stem has reduced four times.  dimension: of the vector.
    """

    def __init__(
        self, channels: int, widths: Sequence[int], blocks: Sequence[int], hidden: int, dimension: int
    ) -> None:
        super().__init__()
        self.config = {
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
        self.head = nn.Sequential(nn.Linear(2 * inside, hidden), nn.ReLU(), nn.Linear(hidden, dimension))

    def forward(self, planes: Tensor) -> Tensor:
        """planes: (batch, channels, height, width) float, about -1 to 1.  Returns (batch, dimension)."""
        planes = self.stages(self.stem(planes.contiguous(memory_format=torch.channels_last)))
        pooled = torch.cat([planes.mean((2, 3)), planes.amax((2, 3))], 1)
        return functional.normalize(self.head(pooled), dim=1)
