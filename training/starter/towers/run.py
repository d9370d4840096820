"""The two towers' training runs: which legs, on which pools.

Knows: sizes, counts, learning rates. Does not know: the loop (train.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from manysense.modules.towers.nets import ConvTower
from manysense.starter import waves

from .media import Pool, vary_pictures, vary_sounds
from .targets import Targets
from .train import Leg, OpenPool, Trainer, Vary

IMAGE = {"channels": 3, "widths": (32, 64, 160, 320), "blocks": (1, 1, 2, 1), "hidden": 512, "dimension": 384}
AUDIO = {"channels": 1, "widths": (24, 48, 96, 192), "blocks": (1, 1, 1, 1), "hidden": 512, "dimension": 384}

IMAGE_LEGS = {"small": (64, Leg(2_000_000)), "large": (96, Leg(600_000, 1e-3))}
"""Pixels along a side, and how long: most is learned on small pictures, which cost less than half."""
AUDIO_LEGS = {"all": Leg(900_000, batch=256)}

EMPHASIS = {"icon:": 0.5, "word:": 1.5, "chart:": 1.5}


def banks(targets: Targets, work: Path) -> list[Tensor]:
    """Vectors of all captions as the teacher sees them and, once it is there, as the small text tower does."""
    made = [torch.from_numpy(targets.teacher())]
    if (work / "text" / "model.safetensors").exists():
        from manysense.starter.text import StaticText

        made.append(torch.from_numpy(StaticText.load(work / "text").encode(targets.captions).astype(np.float16)))
    return made


def train_image(work: Path, only: str) -> None:
    legs = {name: (leg, partial(vary_pictures, side)) for name, (side, leg) in IMAGE_LEGS.items()}
    _train(work, "image", IMAGE, work / "pictures", only, legs)


def train_audio(work: Path, only: str) -> None:
    legs = {name: (leg, partial(vary_sounds, waves.FRAMES)) for name, leg in AUDIO_LEGS.items()}
    _train(work, "audio", AUDIO, work / "sounds", only, legs)


def _train(
    work: Path, kind: str, shape: dict[str, Any], media: Path, only: str, legs: Mapping[str, tuple[Leg, Vary]]
) -> None:
    """Legs in order; each starts from the averaged weights of the one before, and goes on where it was stopped."""
    torch.manual_seed(0)
    before: Path | None = None
    for name, (leg, vary) in legs.items():
        path = work / f"{kind}-{name}.pt"
        if only in ("all", name):
            print(f"{kind} {name}", flush=True)
            trainer = Trainer(ConvTower(**shape), _opener(work, kind, media), vary, leg, path)
            if path.exists():
                trainer.load(path, fresh=False)
            elif before is not None and before.exists():
                trainer.load(before, fresh=True)
            trainer.run()
        before = path


def _opener(work: Path, kind: str, media: Path) -> OpenPool:
    targets, known = Targets(work / "captions" / kind), [0]

    def opened() -> tuple[Pool, list[Tensor]] | None:
        count = len(list(media.glob("*.done")))
        if count == known[0]:
            return None
        known[0] = count
        return Pool.open(media, targets, EMPHASIS), banks(targets, work)

    return opened
