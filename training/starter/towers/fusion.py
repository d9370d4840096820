"""Train what joins a clip's pictures with its sound, on vectors of training media and captions of two things.

Knows: grids of things seen and heard, their captions, the loss. Does not know: how towers see or hear. No clip is
needed: any picture goes with any sound. In a grid every caption has others beside it that share what is seen or what
is heard, so that both must count.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import cos, pi
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from manysense.modules.towers.nets import Fusion
from manysense.starter import pixels, waves

from .. import captions
from .media import Pool, vary_pictures, vary_sounds
from .targets import Targets
from .train import Vary

Banks = Callable[[], Sequence[Tensor]]
SEED = 40_000
GRIDS, SIDE = 360, 16
"""How many grids, of so many things seen by so many heard."""
VIEWS, FEW = 24, 6
"""Media of one meaning that are looked at or listened to; FEW in a family of over MANY meanings."""
MANY = 500
SHARES = {
    "image": {
        "scene": 0.5,
        "object": 0.15,
        "emoji": 0.15,
        "shape": 0.05,
        "document": 0.05,
        "chart": 0.05,
        "texture": 0.05,
    },
    "audio": {"sound": 0.9, "say": 0.1},
}
"""Families in a grid, and how much of each."""
VARY: dict[str, Vary] = {"image": partial(vary_pictures, pixels.SIDE), "audio": partial(vary_sounds, waves.FRAMES)}
JOINTS = ("with the sound of", "while you hear", "and", "accompanied by", "with", "together with", "and the sound of")
STEPS, RATE, HIDDEN = 3000, 1e-3, 512
TEMPERATURE = 30.0
"""Scores are cosines times this."""


def plain(folder: Path) -> dict[str, list[str]]:
    """Each meaning of a folder's shards → its captions without prompts: those that contain no other of them."""
    said: dict[str, set[str]] = defaultdict(set)
    for done in sorted(folder.glob("*.done")):
        facts = json.loads(done.with_suffix(".json").read_text(encoding="utf-8"))
        for key, texts in zip(facts["keys"], facts["captions"], strict=True):
            said[key].update(texts)
    return {
        key: sorted(text for text in texts if not any(other in text and other != text for other in texts))
        for key, texts in said.items()
    }


class Things:
    """What can be seen, or heard: meanings with their plain captions and the vectors of some of their media.

    kind: "image" or "audio".  net: its tower.
    """

    def __init__(self, kind: str, folder: Path, pool: Pool, net: nn.Module) -> None:
        said, number = plain(folder), {name: key for key, name in enumerate(pool.names)}
        self.share, self.said = SHARES[kind], said
        self.families = {family: sorted(key for key in said if key.startswith(f"{family}:")) for family in self.share}
        order = np.random.default_rng(SEED).permutation(len(pool.keys))
        of_key: dict[int, list[int]] = defaultdict(list)
        for one in order:
            of_key[pool.keys[one]].append(one)
        generator = torch.Generator().manual_seed(SEED)
        self.vectors: dict[str, Tensor] = {}
        for names in self.families.values():
            for name in names:
                chosen = of_key[number[name]][: FEW if len(names) > MANY else VIEWS]
                media = np.stack([pool.arrays[shard][place] for shard, place in pool.where[chosen]])
                with torch.no_grad():
                    self.vectors[name] = net(VARY[kind](torch.from_numpy(media), generator))

    def some(self, rng: np.random.Generator, count: int) -> list[str]:
        """Different meanings."""
        chances = np.array(list(self.share.values()))
        found: dict[str, None] = {}
        while len(found) < count:
            family = list(self.share)[rng.choice(len(chances), p=chances / chances.sum())]
            found[str(rng.choice(self.families[family]))] = None
        return list(found)

    def of(self, names: Sequence[str], rng: np.random.Generator) -> Tensor:
        """(names, dimension): one vector each."""
        return torch.stack([self.vectors[name][rng.integers(len(self.vectors[name]))] for name in names])


def grids(seen: Things, heard: Things) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """Names of what is seen, of what is heard, and the caption of each pair, row by row."""
    rng = np.random.default_rng(SEED)
    for _ in range(GRIDS):
        rows, columns = seen.some(rng, SIDE), heard.some(rng, SIDE)
        texts = []
        for row in rows:
            for column in columns:
                said = f"{rng.choice(seen.said[row])} {rng.choice(JOINTS)} {rng.choice(heard.said[column])}"
                texts.append(captions.caption(said, "clip", rng))
        yield rows, columns, texts


def fit(seen: Things, heard: Things, targets: Targets, banks: Banks) -> Fusion:
    """banks: captions' vectors by the rows of `targets`, as each text tower sees them."""
    made = list(grids(seen, heard))
    rows = targets.rows(text for _, _, texts in made for text in texts).reshape(len(made), -1)
    wanted_by = banks()  # once: the small text tower embeds every caption for it
    seen_by = [[functional.normalize(bank[own].float(), dim=1) for bank in wanted_by] for own in rows]
    rng = np.random.default_rng(SEED + 1)
    torch.manual_seed(SEED)
    net = Fusion(next(iter(seen.vectors.values())).shape[1], HIDDEN)
    nn.init.zeros_(net.net[2].weight)
    nn.init.zeros_(net.net[2].bias)
    optimizer = torch.optim.AdamW(net.parameters(), RATE, weight_decay=0.01)
    own = torch.arange(SIDE * SIDE)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 + cos(pi * step / STEPS)) / 2
        number = int(rng.integers(GRIDS))
        names, sounds, _ = made[number]
        first = seen.of(names, rng).repeat_interleave(SIDE, 0)
        second = heard.of(sounds, rng).repeat(SIDE, 1)
        vectors = functional.normalize(net(first, second), dim=1)
        loss = torch.zeros(())
        for wanted in seen_by[number]:
            scores = TEMPERATURE * vectors @ wanted.T
            loss = loss + (functional.cross_entropy(scores, own) + functional.cross_entropy(scores.T, own)) / 2
            loss = loss + 2 * (1 - (vectors * wanted).sum(1).mean())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 500 == 499:
            print(f"fusion {step + 1:,} loss {float(loss.detach()):.4f}", flush=True)
    return net.eval()
