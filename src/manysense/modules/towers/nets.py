"""The small convolutional net behind the picture tower and the sound tower, and the one that joins the two for a clip.

Knows: its layers. Does not know: what the planes it sees are, where its weights come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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


class Recall(nn.Module):
    """Draws a vector towards the known meanings that it is near, each weighed by softmax(sharpness * cosine): the
    convex combination of Norouzi et al. 2014 ("ConSE"), one step of the memory of Ramsauer et al. 2021.

    meanings: (meanings, dimension) of length 1.  share: of what is recalled in the result; the vector has the rest.
    """

    def __init__(self, meanings: int, dimension: int, sharpness: float, share: float) -> None:
        super().__init__()
        self.config = {"meanings": meanings, "sharpness": sharpness, "share": share}
        self.sharpness, self.share = sharpness, share
        self.meanings = nn.Parameter(torch.zeros(meanings, dimension))

    def forward(self, vectors: Tensor) -> Tensor:
        """vectors: (batch, dimension) of length 1.  Returns the same shape, of length 1."""
        weights = (self.sharpness * vectors @ self.meanings.T).softmax(1)
        recalled = functional.normalize(weights @ self.meanings, dim=1)
        return functional.normalize(torch.lerp(vectors, recalled, self.share), dim=1)


class ConvTower(nn.Module):
    """Planes → one vector of length 1.

    channels: of the input planes.  widths, blocks: channels and residual blocks of each stage; every stage after the
    first halves the plane, which the stem has reduced four times.  dimension: of the vector.  recall: arguments of
    `Recall` but the dimension; None: the vector is left as it is.
    """

    def __init__(
        self,
        channels: int,
        widths: Sequence[int],
        blocks: Sequence[int],
        hidden: int,
        dimension: int,
        recall: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.config = {
            "channels": channels,
            "widths": list(widths),
            "blocks": list(blocks),
            "hidden": hidden,
            "dimension": dimension,
        }
        self.recall: Recall | None = None
        if recall is not None:
            self.remember(Recall(dimension=dimension, **recall))
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
        for weights in self.parameters():  # as the planes are: half the time on a CPU
            if weights.ndim == 4:
                weights.data = weights.data.contiguous(memory_format=torch.channels_last)

    def remember(self, recall: Recall) -> None:
        self.recall = recall
        self.config["recall"] = recall.config

    def forward(self, planes: Tensor) -> Tensor:
        """planes: (batch, channels, height, width) float, about -1 to 1.  Returns (batch, dimension)."""
        planes = self.stages(self.stem(planes.contiguous(memory_format=torch.channels_last)))
        pooled = torch.cat([planes.mean((2, 3)), planes.amax((2, 3))], 1)
        vectors = functional.normalize(self.head(pooled), dim=1)
        return vectors if self.recall is None else self.recall(vectors)


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
