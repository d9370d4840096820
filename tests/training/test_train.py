"""What a leg leaves is what the next one starts from, what a stopped one goes on with, and what the package holds."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from training.starter.towers import export, phonemes, run
from training.starter.towers.train import SPELLING, Leg, Trainer, fitted, with_batchnorm

from manysense.modules.towers.folder import load_net, save_net
from manysense.modules.towers.nets import ConvTower
from manysense.modules.towers.recall import Recall

SHAPE = {"channels": 1, "widths": (8, 12), "blocks": (1, 1), "hidden": 16, "dimension": 24}
SHAPE |= {"temporal": {"rows": 4, "width": 12, "dilations": (1, 2)}}
NAMES = ["say:cat", "sound:rain"]


class FewSounds:
    """As a Pool of four sounds of two meanings."""

    names, where = NAMES, [0, 1, 2, 3]

    def __init__(self):
        self.planes = torch.randn(4, 1, 16, 48, generator=torch.Generator().manual_seed(5))

    def draw(self, rng, size):
        chosen = torch.from_numpy(rng.integers(4, size=size))
        return self.planes[chosen], chosen, chosen % 2

    def classes(self, bank):
        return functional.normalize(bank[:2].float(), dim=1), torch.tensor([0, 1])


@pytest.fixture
def leg(tmp_path, monkeypatch):
    monkeypatch.setattr(phonemes, "spellings", lambda: {"cat": [3, 1, 2]})
    bank = torch.randn(4, 24, generator=torch.Generator().manual_seed(6))

    def make(name, count):
        opened = iter([(FewSounds(), [bank])])
        torch.manual_seed(0)
        path = tmp_path / f"audio-{name}.pt"
        plan = Leg(count, rate=0.05, batch=8, warm=8)
        return Trainer(ConvTower(**SHAPE), lambda: next(opened, None), lambda x, _: x, plan, path, phonemes.Phonemes)

    return make


def _same(one, other):
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, other[name], rtol=0, atol=0)


def test_a_stopped_leg_goes_on_with_what_it_had(leg):
    stopped = leg("stopped", 64)
    stopped.leg = Leg(64, until=32, rate=0.05, batch=8, warm=8)
    stopped.run()
    again = leg("stopped", 64)
    again.load(again.path)
    assert again.seen == 32
    _same(again._weights(), stopped._weights())
    _same(again.mean, stopped.mean)
    assert any(not torch.equal(again.mean[name], value) for name, value in again._weights().items())
    assert again.rate() < 0.6 * leg("another", 64).rate()
    again.run()
    assert again.seen == 64


def test_a_leg_starts_from_the_mixed_weights_of_others(leg, tmp_path):
    for name, count in (("short", 16), ("long", 64)):
        leg(name, count).run()
    weights = run.mixed(tmp_path, "audio", {"short": 0.25, "long": 0.75})
    one, other = (load_file(tmp_path / f"audio-{name}.safetensors") for name in ("short", "long"))
    name = SPELLING + "read.weight"
    torch.testing.assert_close(weights[name], 0.25 * one[name] + 0.75 * other[name])
    started = leg("started", 64)
    started.start(weights)
    _same(started._weights(), weights)
    _same(started.mean, weights)


def test_legs_with_other_weights_are_not_mixed(tmp_path):
    save_file({"a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "audio-old.safetensors")
    save_file({"a": torch.ones(1)}, tmp_path / "audio-new.safetensors")
    with pytest.raises(ValueError, match="audio legs old and new cannot be mixed, not both have: b"):
        run.mixed(tmp_path, "audio", {"old": 0.5, "new": 0.5})


def test_the_package_spells_as_the_leg_did_and_the_next_leg_goes_on_from_it(leg, tmp_path):
    made = leg("made", 32)
    made.run()
    lexicon = {"phonemes": 1 + len(phonemes.PHONEMES), "places": phonemes.PLACES, "longest": 3}
    recall = Recall(2, 24, 50.0, lexicon, 12)
    recall.lexicon.spellings.copy_(phonemes.spellings_of(NAMES))
    net = export.net(load_file(tmp_path / "audio-made.safetensors"), SHAPE, recall)
    save_net(net, tmp_path / "net")
    packaged = load_net(tmp_path, "net")
    assert packaged.recall.lexicon.spellings.tolist() == [[3, 1, 2], [0, 0, 0]]
    expected = made.mean[SPELLING + "read.weight"]
    torch.testing.assert_close(
        packaged.recall.lexicon.read.weight.data, expected, rtol=0, atol=expected.abs().max() / 200
    )
    planes = torch.randn(3, 1, 16, 48)
    with torch.no_grad():
        torch.testing.assert_close(packaged(planes), net(planes))
    started = leg("started", 32)
    started.go_on(packaged)
    _same(started.phonemes.read.state_dict(), load_net(tmp_path, "net").recall.lexicon.read.state_dict())


def test_a_word_is_told_from_its_rivals_as_the_tower_will_weigh_them():
    torch.manual_seed(2)
    tower = ConvTower(**SHAPE)
    reader = phonemes.Phonemes(tower)
    vectors = tower(torch.randn(3, 1, 16, 48))
    classes = functional.normalize(torch.randn(5, 24), dim=1)
    spelled = torch.tensor([[3, 1, 2], [0, 0, 0], [3, 2, 0], [4, 0, 0], [5, 6, 7]], dtype=torch.uint8)
    lexicon = {"phonemes": 1 + len(phonemes.PHONEMES), "places": phonemes.PLACES, "longest": 3}
    recall = Recall(5, 24, phonemes.SHARPNESS, lexicon, 12)
    recall.meanings.data.copy_(classes)
    recall.lexicon.read.load_state_dict(reader.read.state_dict())
    recall.lexicon.spellings.copy_(spelled)
    words = [0, 2, 3, 4]
    spelling, are_words = recall.lexicon(reader.planes, torch.tensor([words]).expand(3, -1))
    assert are_words.all()
    weights = ((phonemes.SHARPNESS * vectors @ classes[words].T + spelling) / 2).softmax(1)
    own = torch.tensor([2, -1, 1])  # a word, nothing that is common, no word
    loss = reader.rival_loss(vectors, own, classes, spelled)
    torch.testing.assert_close(loss, -weights[0, words.index(2)].log())
    loss.backward()
    assert reader.read.weight.grad.abs().sum() > 0
    assert reader.rival_loss(vectors, torch.tensor([-1, -1, 1]), classes, spelled).item() == 0


def test_a_net_that_hears_more_in_order_begins_as_the_same_function():
    torch.manual_seed(1)
    more = SHAPE | {"temporal": {"rows": 4, "width": 12, "dilations": (1, 1, 1, 2)}}
    less, deeper = (with_batchnorm(ConvTower(**shape)).eval() for shape in (SHAPE, more))
    planes = torch.randn(3, 1, 16, 48)
    with torch.no_grad():
        expected = less(planes)
        assert not torch.allclose(deeper(planes), expected, atol=1e-3)
        deeper.load_state_dict(fitted(less.state_dict(), deeper.state_dict()))
        torch.testing.assert_close(deeper(planes), expected)
    _same(fitted(deeper.state_dict(), deeper.state_dict()), deeper.state_dict())


def test_a_net_with_fewer_blocks_takes_those_that_it_has():
    more = with_batchnorm(ConvTower(**SHAPE | {"blocks": (1, 3)}))
    less = with_batchnorm(ConvTower(**SHAPE | {"blocks": (1, 2)}))
    less.load_state_dict(fitted(more.state_dict(), less.state_dict()))
    _same(less.stages[2].state_dict(), more.stages[2].state_dict())
