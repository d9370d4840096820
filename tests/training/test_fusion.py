"""What is seen and what is heard are joined into the vector of a caption of both."""

from __future__ import annotations

import json
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional
from training.starter.towers import fusion


def test_plain_captions_are_those_that_no_prompt_surrounds(tmp_path):
    captions = [["a beach", "a picture of a beach"], ["find the sandy shore", "the sandy shore"]]
    facts = {"keys": ["scene:beach", "scene:beach"], "captions": captions}
    (tmp_path / "mix-0000.json").write_text(json.dumps(facts))
    (tmp_path / "mix-0000.done").touch()
    assert fusion.plain(tmp_path) == {"scene:beach": ["a beach", "the sandy shore"]}


class Some(fusion.Things):
    """Made-up meanings with noisy vectors, some of them nearer to everything than others, as those of a tower are."""

    def __init__(self, word, count, random):
        names = [f"{word}{i}x" for i in range(count)]
        self.share, self.families = {"all": 1.0}, {"all": names}
        self.said = {name: [name] for name in names}
        self.middle = torch.randn(64, generator=random)
        means = torch.randn(count, 64, generator=random) * torch.linspace(0.3, 1.2, count)[:, None] + self.middle
        self.means = dict(zip(names, functional.normalize(means, dim=1), strict=True))
        self.vectors = {
            name: functional.normalize(mean + 0.02 * torch.randn(8, 64, generator=random), dim=1)
            for name, mean in self.means.items()
        }


@pytest.mark.slow
def test_a_fusion_finds_more_pairs_than_the_sum(monkeypatch):
    monkeypatch.setattr(fusion, "GRIDS", 12)
    monkeypatch.setattr(fusion, "SIDE", 8)
    monkeypatch.setattr(fusion, "STEPS", 300)
    random = torch.Generator().manual_seed(0)
    seen, heard = Some("seen", 12, random), Some("heard", 12, random)
    mixing = torch.randn(128, 64, generator=random)
    bank: list[torch.Tensor] = []

    def rows(texts):
        """A caption's vector holds less of either thing than its own vector does."""
        made = []
        for text in texts:
            parts = [
                functional.normalize(mean - thing.middle / 8, dim=0)
                for thing in (seen, heard)
                for name, mean in thing.means.items()
                if name in text
            ]
            made.append(functional.normalize(torch.cat(parts) @ mixing, dim=0))
        bank.extend(made)
        return np.arange(len(bank) - len(made), len(bank))

    net = fusion.fit(seen, heard, SimpleNamespace(rows=rows), lambda: [torch.stack(bank).half()])
    pairs = list(product(seen.means, heard.means))
    rows([f"{a} and {b}" for a, b in pairs])
    wanted = torch.stack(bank[-len(pairs) :])
    rng = np.random.default_rng(9)
    first, second = seen.of([a for a, _ in pairs], rng), heard.of([b for _, b in pairs], rng)

    def found(vectors):
        return float(
            ((wanted @ functional.normalize(vectors, dim=1).T).argmax(1) == torch.arange(len(pairs))).float().mean()
        )

    with torch.no_grad():
        assert found(net(first, second)) > max(0.5, 2 * found(first + second))
