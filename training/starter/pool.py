"""Draw pictures into shards on disk, once, for training to go over many times.

Knows: shards, seeds, manifests. Does not know: what is drawn (pictures/), what is trained.

A shard is three files: NAME.npy (n, SIDE, SIDE, 3) uint8, NAME.json (keys, captions, uses) and, written last,
NAME.done. A shard that is not done is drawn again from its seed, so a stopped run goes on where it was.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from manysense.starter.pixels import SIDE, square

from .captions import caption
from .examples import Family

SIZE = 4096
"""Pictures in a shard."""
CAPTIONS = 2
"""Captions kept for each picture."""


def shard(folder: Path, name: str, families: Sequence[Family], size: int = SIZE) -> Path:
    """Draw one shard of a mix of families, unless it is there; its name is its seed. Returns NAME.npy."""
    path = folder / f"{name}.npy"
    if path.with_suffix(".done").exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(zlib.crc32(f"starter picture {name}".encode()))
    weights = np.array([family.weight for family in families], float)
    pixels = np.empty((size, SIDE, SIDE, 3), np.uint8)
    keys, captions, uses = [], [], set()
    for i, choice in enumerate(rng.choice(len(families), size, p=weights / weights.sum())):
        example = families[choice].make(rng, "train")
        pixels[i] = square(example.media)
        keys.append(example.key)
        captions.append([caption(str(rng.choice(example.contents)), "picture", rng) for _ in range(CAPTIONS)])
        uses.update(example.uses)
    np.save(path, pixels)
    facts = {"keys": keys, "captions": captions, "uses": sorted(uses)}
    path.with_suffix(".json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    path.with_suffix(".done").touch()
    return path
