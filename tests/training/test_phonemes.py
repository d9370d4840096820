"""Words are spelled off a tower while it learns them, and later weighed by how well that fits."""

from __future__ import annotations

import shutil

import pytest
import torch
from torch.nn import functional
from training.starter.towers import phonemes
from training.starter.towers.train import with_batchnorm

from manysense.modules.towers.nets import ConvTower
from manysense.modules.towers.recall import phonemes_in


@pytest.fixture
def tower(monkeypatch):
    table = {"cat": [1, 2, 3], "dog": [4, 5, 6], "a dog": [2, 4, 5, 6]}
    monkeypatch.setattr(phonemes, "spellings", lambda: table)
    torch.manual_seed(0)
    temporal = {"rows": 4, "width": 12, "dilations": (1, 2)}
    return with_batchnorm(ConvTower(1, (8, 12), (1, 1), 16, 24, temporal=temporal)).train()


def test_the_loss_is_that_of_each_spoken_word_by_itself(tower):
    speller = phonemes.Phonemes(tower)
    tower(torch.randn(4, 1, 16, 48))
    names = ["sound:rain", "say:dog", "say:a dog", "sound:bell"]
    planes = speller.planes
    one = []
    for row, word in enumerate(([], [4, 5, 6], [2, 4, 5, 6], [])):
        columns = [planes[row, :, :, column].flatten() for column in range(planes.shape[-1])]
        places = speller.read(torch.stack(columns)).reshape(len(columns) * phonemes.PLACES, -1).log_softmax(1)
        lengths = torch.tensor([len(places)]), torch.tensor([len(word)])
        wanted = torch.tensor([word], dtype=torch.long)
        lost = functional.ctc_loss(places[:, None], wanted, *lengths, reduction="sum")
        one.append(lost / (len(word) or phonemes.NOTHING))
    torch.testing.assert_close(speller.loss(names), torch.stack(one).mean())
    silence = -phonemes_in(planes, speller.read, phonemes.PLACES).log_softmax(2)[:, :, 0].sum(1).mean()
    torch.testing.assert_close(speller.loss(["sound:rain"] * 4), silence / phonemes.NOTHING)


def test_a_tower_learns_to_spell_and_is_a_tower_like_before(tower):
    names = set(tower.state_dict())
    speller = phonemes.Phonemes(tower)
    planes, said = torch.randn(3, 1, 16, 48), ["say:cat", "say:dog", "say:a dog"]
    optimizer = torch.optim.Adam([*tower.parameters(), *speller.parameters()], 1e-2)
    lost = []
    for _ in range(40):
        tower(planes)
        loss = speller.loss(said)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        lost.append(float(loss.detach()))
    assert lost[-1] < 0.3 * lost[0]
    assert set(tower.state_dict()) == names


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is a build-time tool")
def test_texts_are_spelled_one_by_one():
    cat, both, strawberry = phonemes.spelled(["cat", "red circle", "strawberry"])
    assert cat == ["k", "a", "t"]
    assert both[:3] == ["r", "E", "d"]
    assert len(strawberry) == 8
