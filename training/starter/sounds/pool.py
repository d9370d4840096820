"""The training pool: log-mels of sounds, words and phrases with captions, in shards that restart.

Knows: how much of what, seeds, files. Does not know: towers, how sounds are made.

A shard is three files: sounds-NNNN.npy, (n, 64, 200) int8 (log-mel * 127); sounds-NNNN.json (keys, captions: a list
each, uses) and, written last, sounds-NNNN.done. A shard that is not done is made again from its seed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from manysense.starter.waves import WINDOW, Samples, log_mel, windows

from .. import captions
from ..examples import Example
from ..split import allowed
from . import events, speech
from .dice import Dice
from .kinds import SOUNDS
from .rooms import placed

FOLDER = Path(__file__).parents[3] / "build" / "starter" / "sounds"
SEED = 20_000
SHARD = 4096
PARTS: tuple[tuple[int, Mapping[str, float], float], ...] = (
    (64, {"sounds": 0.44, "words": 0.45, "phrases": 0.11}, 0.0),
    (40, {"sounds": 0.22, "words": 0.63, "phrases": 0.15}, 0.0),
    (16, {"sounds": 1.0}, 0.35),
    (24, {"throats": 0.85, "phrases": 0.15}, 0.0),
    (12, {"sounds": 1.0}, 0.6),
)
"""So many shards, what each holds, and how many draws come from the ends of their ranges (Dice)."""
SHARDS = sum(count for count, _, _ in PARTS)
CAPTIONS = 4
VIEWS = 2
"""Windows taken from one sound: synthesis costs more than listening."""


def part(shard: int) -> tuple[Mapping[str, float], float]:
    """What a shard holds of each family, and how many draws come from the ends of their ranges."""
    return [(shares, ends) for count, shares, ends in PARTS for _ in range(count)][shard]


def plan(shard: int) -> list[tuple[str, str]]:
    """What the shard holds: (family, kind or text), every one equally often over the shards, mixed."""
    words, phrases = speech.words(), allowed(speech.phrases(), "train")
    lists = {"sounds": sorted(SOUNDS), "words": words, "throats": words, "phrases": phrases}
    found: list[tuple[str, str]] = []
    for family, share in part(shard)[0].items():
        items = lists[family]
        each = round(SHARD * share / (VIEWS if family == "sounds" else 1))
        order = np.random.default_rng(SEED).permutation(len(items))
        found += [(family, items[order[(shard * each + k) % len(items)]]) for k in range(each)]
    return [found[k] for k in np.random.default_rng(SEED + shard).permutation(len(found))]


def example(family: str, item: str, rng: np.random.Generator, ends: float = 0.0) -> Example:
    d = Dice(rng, ends=ends)
    if family == "sounds":
        return events.event(d, item)
    return speech.spoken(d, item, speech.by_throat if family == "throats" else None)


def window(made: Example, rng: np.random.Generator) -> Samples:
    """Two seconds of the sound: as often one that the runtime would cut as one that lies anywhere."""
    if rng.random() < 0.5:
        cut = windows(made.media)
        return cut[int(rng.integers(len(cut)))]
    return placed(Dice(rng), made.media, WINDOW).astype(np.float32)


def written(made: Example, family: str, rng: np.random.Generator) -> list[str]:
    """Captions of an example: other names, other prompts."""
    kind = "sound" if family == "sounds" else "speech"
    return [captions.caption(str(rng.choice(made.contents)), kind, rng) for _ in range(CAPTIONS)]


def build(shard: int, folder: Path = FOLDER) -> float:
    """Make one shard, unless it is there; returns seconds."""
    begun = time.perf_counter()
    path = folder / f"sounds-{shard:04d}.npy"
    if path.with_suffix(".done").exists():
        return 0.0
    mels: list[NDArray[np.int8]] = []
    keys: list[str] = []
    texts: list[list[str]] = []
    uses: set[str] = set()
    ends = part(shard)[1]
    for number, (family, item) in enumerate(plan(shard)):
        rng = np.random.default_rng([SEED, shard, number])
        made = example(family, item, rng, ends)
        uses.update(made.uses)
        for _ in range(VIEWS if family == "sounds" else 1):
            mels.append(np.round(log_mel(window(made, rng)) * 127).astype(np.int8))
            keys.append(made.key)
            texts.append(written(made, family, rng))
    folder.mkdir(parents=True, exist_ok=True)
    np.save(path, np.stack(mels))
    facts = {"keys": keys, "captions": texts, "uses": sorted(uses)}
    path.with_suffix(".json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    path.with_suffix(".done").touch()
    return time.perf_counter() - begun


def manifest(folder: Path = FOLDER) -> None:
    """Write down what the pool was made of: seeds, voices, words, synonyms, versions; uses: every item of split.py."""
    done = sorted(folder.glob("sounds-*.done"))
    held = [json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) for path in done]
    facts = {
        "seed": SEED,
        "shards": len(held),
        "examples": sum(len(one["keys"]) for one in held),
        "sounds": {kind: [make.__name__ for make in makers] for kind, makers in sorted(SOUNDS.items())},
        "words": list(speech.words()),
        "phrases": allowed(speech.phrases(), "train"),
        "uses": sorted({use for one in held for use in one["uses"]}),
        "packages": {name: version(name) for name in ("numpy", "scipy", "py-nanotts")},
        "programs": {name: _said(name, "--version") for name in ("espeak-ng", "espeak", "festival")},
    }
    (folder / "manifest.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip().splitlines()[0]


def main(folder: Path = FOLDER, count: int = SHARDS) -> None:
    for shard in range(count):
        sys.stderr.write(f"sounds-{shard:04d}: {build(shard, folder):.0f} s\n")
    manifest(folder)


if __name__ == "__main__":
    main()
