"""What the package holds of a tower is made of its legs' weights and of the meanings it recalls."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from training.starter.towers import export, phonemes, run

from manysense.modules.towers.folder import load_net, save_net


def test_the_package_holds_a_mixture_of_legs_or_the_newest_one(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "SOUP", {"image": {"late": 0.75, "early": 0.25}})
    for age, (leg, value) in enumerate({"late": 8.0, "early": 4.0, "older": 100.0}.items()):
        path = tmp_path / f"image-{leg}.safetensors"
        save_file({"weight": torch.full((2,), value), "count": torch.tensor(age)}, path)
        os.utime(path, (1000 - age, 1000 - age))
    made = export.weights(tmp_path, "image")
    assert made["weight"].tolist() == [7.0, 7.0]
    assert int(made["count"]) == 0
    (tmp_path / "image-early.safetensors").unlink()
    assert export.weights(tmp_path, "image")["weight"].tolist() == [8.0, 8.0]


def test_each_family_is_recalled_with_a_share_of_its_own(monkeypatch):
    monkeypatch.setattr(export, "RECALL", {"audio": (50.0, {"sound": 0.5, "say": 0.2})})
    monkeypatch.setattr(phonemes, "spellings", lambda: {"cat": [3, 1, 2]})
    means = torch.nn.functional.normalize(torch.randn(3, 8, generator=torch.Generator().manual_seed(0)), dim=1)
    of_key = torch.tensor([2, -1, 0, 1])
    names = ["say:cat", "sound:rare", "sound:rain", "other:thing"]
    pool = SimpleNamespace(names=names, classes=lambda bank: (means * bank, of_key))
    made = export.recall("audio", pool, [torch.tensor(1.0), torch.tensor(2.0)])
    torch.testing.assert_close(made.meanings.data, means[[2, 0]])
    assert made.shares.tolist() == pytest.approx([0.2, 0.5])
    lexicon = {"phonemes": 1 + len(phonemes.PHONEMES), "places": 2, "longest": 3}
    assert made.config == {"meanings": 2, "sharpness": 50.0, "lexicon": lexicon}
    assert made.lexicon.spellings.tolist() == [[3, 1, 2], [0, 0, 0]]


def test_a_tower_without_legs_stays_as_the_package_holds_it(tmp_path):
    (tmp_path / "pictures").mkdir()
    np.save(tmp_path / "pictures" / "one.npy", np.zeros((2, 8, 8, 3), np.uint8))
    facts = {"keys": ["shape:a", "shape:b"], "captions": [["a", "an a"], ["b", "a b"]], "uses": []}
    (tmp_path / "pictures" / "one.json").write_text(json.dumps(facts))
    (tmp_path / "pictures" / "one.done").touch()
    pool, kept = export.tower(tmp_path, "image", run.IMAGE)
    assert pool.names == ["shape:a", "shape:b"]
    assert not (tmp_path / "captions").exists()
    package = load_net(export.MODELS / "starter", "image").state_dict()
    assert kept.state_dict().keys() == package.keys()
    assert all(torch.equal(value, package[name]) for name, value in kept.state_dict().items())
    save_net(kept, tmp_path / "image")
    again = load_net(tmp_path, "image").state_dict()
    assert all(torch.equal(value, package[name]) for name, value in again.items())
