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
from safetensors.torch import load_file
from torch import Tensor

from manysense.modules.towers.folder import load_net
from manysense.modules.towers.nets import ConvTower
from manysense.starter import NAMES, folder, waves

from .media import Pool, vary_pictures, vary_sounds
from .phonemes import Phonemes
from .targets import Targets
from .train import Leg, Listen, OpenPool, Trainer, Vary

MEDIA = {"image": "pictures", "audio": "sounds"}
"""Where the shards of a tower lie, below the work folder."""
IMAGE = {"channels": 3, "widths": (32, 64, 160, 320), "blocks": (1, 1, 2, 2), "hidden": 512, "dimension": 384}
AUDIO = {
    "channels": 1,
    "widths": (24, 48, 96, 192),
    "blocks": (1, 1, 2, 2),
    "hidden": 512,
    "dimension": 384,
    "temporal": {"rows": waves.MELS // 4, "width": 192, "dilations": (1, 1, 1, 2)},
}

_RARE = {"icon:": 0.3, "object:": 0.7, "document:": 0.6}
IMAGE_LEGS = {
    "small": (64, Leg(2_000_000, until=1_300_000), {"icon:": 0.5, "word:": 1.5, "chart:": 1.5}),
    "large": (96, Leg(1_500_000, rate=1.2e-3), {"icon:": 0.3, "word:": 3.0, "emoji:": 1.3}),
    "more": (96, Leg(410_000, rate=8e-4), {**_RARE, "word:": 2.0, "emoji:": 1.3, "shape:": 2.0}),
    "last": (96, Leg(240_000, until=201_600, rate=5e-4), {**_RARE, "word:": 1.5, "emoji:": 1.6, "shape:": 2.5}),
    "again": (96, Leg(480_000, rate=8e-4), {"icon:": 0.4, "word:": 1.5, "emoji:": 1.8, "shape:": 2.0}),
    "deep": (
        96,
        Leg(620_000, rate=1e-3, batch=256),
        {**_RARE, "word:": 2.0, "emoji:": 1.8, "shape:": 2.0, "letter:": 2.0},
    ),
    "finer": (
        96,
        Leg(380_000, rate=8e-4, batch=256, warm=10_000),
        {**_RARE, "word:": 2.0, "emoji:": 1.8, "shape:": 2.0, "letter:": 2.0, "texture:": 1.5, "scene:": 3.0},
    ),
    "fresh": (
        96,
        Leg(340_000, rate=8e-4, batch=256, warm=10_000),
        {**_RARE, "word:": 2.0, "emoji:": 1.8, "shape:": 2.0, "letter:": 2.0, "texture:": 1.5, "scene:": 0.7},
    ),
}
"""Pixels along a side, how long, what is drawn more often: most is learned on small pictures, which cost less than
half."""
AUDIO_LEGS: Mapping[str, tuple[Leg, Mapping[str, float]]] = {
    "first": (Leg(900_000, batch=256), {}),
    "second": (Leg(880_000, rate=1.5e-3, batch=256), {"say:": 2.5}),
    "third": (Leg(640_000, rate=1.5e-3, batch=256), {"say:": 3.0}),
    "spelled": (Leg(700_000, rate=1e-3, batch=256), {"say:": 2.0}),
    "ordered": (Leg(620_000, until=312_320, rate=1.5e-3, batch=256, warm=15_000), {"say:": 2.0}),
    "settled": (Leg(308_000, rate=6e-4, batch=256), {"say:": 2.0}),
    "fluent": (Leg(360_000, until=120_832, rate=1.2e-3, batch=256, warm=10_000, spelling=1.0), {"say:": 1.5}),
    "practised": (Leg(240_000, rate=9e-4, batch=256, spelling=1.0), {"say:": 1.5}),
    "begun": (Leg(600_000, until=60_416, rate=1.2e-3, batch=256, warm=10_000, spelling=1.0), {"say:": 1.5}),
    "deeper": (Leg(600_000, until=422_912, rate=1.2e-3, batch=256, spelling=1.0), {"say:": 1.5}),
    "throats": (Leg(520_000, rate=1.2e-3, batch=256, warm=10_000, spelling=1.0), {"say:": 1.5}),
    "rivals": (Leg(240_000, until=120_832, rate=8e-4, batch=256, warm=6_000, spelling=1.0, rivals=1.0), {"say:": 2.0}),
    "everyday": (Leg(600_000, rate=1e-3, batch=256, warm=10_000, spelling=1.0, rivals=1.0), {"sound:": 2.0}),
}
"""Everyday sounds are learned soon; a thousand words take long."""
MIXED: Mapping[str, Mapping[str, float]] = {
    "fresh": {"deep": 0.6, "finer": 0.4},
    "fluent": {"ordered": 0.5, "settled": 0.5},
    "begun": {"practised": 0.4, "fluent": 0.4, "ordered": 0.1, "settled": 0.1},
    "throats": {"begun": 0.4, "deeper": 0.6},
}
"""Legs that start from the mixed weights of several, better than any of them alone (Wortsman et al. 2022)."""
SOUP: Mapping[str, Mapping[str, float]] = {
    "image": {"fresh": 0.7, "deep": 0.18, "finer": 0.12},
    "audio": {"rivals": 0.5, "everyday": 0.5},
}
"""Legs whose mixed weights the package holds."""
RECALL: Mapping[str, tuple[float, Mapping[str, float]]] = {
    "image": (70.0, dict.fromkeys("chart document emoji letter object scene shape texture word".split(), 0.2)),
    "audio": (25.0, {"sound": 0.5, "say": 0.2}),
}
"""How sharply a tower recalls, and how much of which families. A phrase that nobody knows would become one of its words
if words had more; a sound that might be one of several becomes a bit of each where nothing is recalled sharply."""

Legs = Mapping[str, tuple[Leg, Vary, Mapping[str, float]]]


def banks(targets: Targets, work: Path) -> list[Tensor]:
    """Vectors of all captions as the teacher sees them and, once it is there, as the small text tower does."""
    made = [torch.from_numpy(targets.teacher())]
    if (work / "text" / "model.safetensors").exists():
        from manysense.starter.text import StaticText

        made.append(torch.from_numpy(StaticText.load(work / "text").encode(targets.captions).astype(np.float16)))
    return made


def averaged(work: Path, kind: str, leg: str) -> Path:
    """Where the averaged weights of a leg are kept."""
    return work / f"{kind}-{leg}.safetensors"


def mixed(work: Path, kind: str, legs: Mapping[str, float]) -> dict[str, Tensor]:
    """The averaged weights of these legs, each times its share. Raises ValueError where one holds other weights."""
    found = {leg: load_file(averaged(work, kind, leg)) for leg in legs}
    first = next(iter(found))
    for leg, weights in found.items():
        if differing := sorted(weights.keys() ^ found[first].keys()):
            raise ValueError(
                f"the {kind} legs {first} and {leg} cannot be mixed, not both have: {', '.join(differing)}"
            )
    return {
        name: sum(found[leg][name] * share for leg, share in legs.items()) if tensor.is_floating_point() else tensor
        for name, tensor in found[first].items()
    }


def train_image(work: Path, only: str, workers: int) -> None:
    legs = {name: (leg, partial(vary_pictures, side), more) for name, (side, leg, more) in IMAGE_LEGS.items()}
    _train(work, "image", IMAGE, only, legs, workers)


def train_audio(work: Path, only: str, workers: int) -> None:
    legs = {name: (leg, partial(vary_sounds, waves.FRAMES), more) for name, (leg, more) in AUDIO_LEGS.items()}
    _train(work, "audio", AUDIO, only, legs, workers, Phonemes)


def _train(
    work: Path, kind: str, shape: dict[str, Any], only: str, legs: Legs, workers: int, listen: Listen | None = None
) -> None:
    """Legs in order; each starts from the averaged weights of those before it, and goes on where it was stopped. One
    that is asked for by name, without those before it, starts from the weights in the package."""
    before: Mapping[str, float] = {}
    for name, (leg, vary, emphasis) in legs.items():
        path, before = work / f"{kind}-{name}.pt", MIXED.get(name, before)
        if only in ("all", name):
            print(f"{kind} {name}", flush=True)
            opener = Opener(work, kind, emphasis)
            if workers == 1:
                _run(0, 1, opener, shape, vary, leg, path, before, listen)
            else:
                opener()  # once, so that every caption has its vector before the workers start
                given = (workers, Opener(work, kind, emphasis), shape, vary, leg, path, before, listen)
                torch.multiprocessing.spawn(_run, given, workers)
        before = {name: 1.0}


def _run(
    worker: int,
    workers: int,
    opener: OpenPool,
    shape: dict[str, Any],
    vary: Vary,
    leg: Leg,
    path: Path,
    before: Mapping[str, float],
    listen: Listen | None,
) -> None:
    """One worker of one leg: with one thread each, several processes waste nothing in barriers."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if workers > 1:
        store = f"file://{path.with_suffix('.store').absolute()}"
        torch.distributed.init_process_group("gloo", init_method=store, rank=worker, world_size=workers)
    trainer = Trainer(ConvTower(**shape), opener, vary, leg, path, listen)
    kind = path.stem.partition("-")[0]
    if path.exists():
        trainer.load(path)
    elif before and all(averaged(path.parent, kind, leg).exists() for leg in before):
        trainer.start(mixed(path.parent, kind, before))
    elif before:
        package = folder(NAMES[0])
        assert package is not None
        trainer.go_on(load_net(package, kind))
    trainer.run()
    if workers > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
        path.with_suffix(".store").unlink(missing_ok=True)


class Opener:
    """Opens a pool and its targets, again whenever there are more shards than before."""

    def __init__(self, work: Path, kind: str, emphasis: Mapping[str, float]) -> None:
        self.work, self.kind, self.emphasis = work, kind, emphasis
        self.media = work / MEDIA[kind]
        self.known = 0

    def __call__(self) -> tuple[Pool, list[Tensor]] | None:
        count = len(list(self.media.glob("*.done")))
        if count == self.known:
            return None
        self.known = count
        targets = Targets(self.work / "captions" / self.kind)
        pool = Pool.open(self.media, targets, self.emphasis)
        return pool, banks(targets, self.work)
