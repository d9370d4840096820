"""Training can go on from the weights in the package, and what varies a sound leaves it a sound."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from training.starter.towers import media
from training.starter.towers.media import vary_sounds
from training.starter.towers.train import folded, unfolded

from manysense.modules.towers.nets import ConvTower


def _planes(count, seed):
    return torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("temporal", [None, {"rows": 8, "width": 10, "dilations": (1, 2)}])
def test_a_net_of_the_package_is_the_same_function_when_training_begins(temporal):
    torch.manual_seed(0)
    net = ConvTower(3, (8, 12), (1, 2), 16, 24, temporal=temporal).eval()
    made = unfolded(net, [_planes(64, 1), _planes(64, 2)])
    with torch.no_grad():
        expected = net(_planes(8, 3))
        torch.testing.assert_close(made.eval()(_planes(8, 3)), expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(folded(deepcopy(made))(_planes(8, 3)), expected, atol=1e-5, rtol=0)
        in_training = made.train()(_planes(256, 4))
        torch.testing.assert_close(in_training, net(_planes(256, 4)), atol=0.05, rtol=0)


def test_a_varied_sound_has_the_asked_frames_and_stays_between_silence_and_loudest():
    mels = torch.full((16, 64, 200), -127, dtype=torch.int8)
    mels[:, 20:40, 60:120] = 127
    planes = vary_sounds(200, mels, torch.Generator().manual_seed(0))
    assert planes.shape == (16, 1, 64, 200)
    assert -1.6 < float(planes.min()) < -0.6
    assert 0.5 < float(planes.max()) < 2.0
    loud = (planes > 0.3).flatten(1).sum(1)
    assert float(loud.min()) > 100  # of 1200: stripes may be masked
    assert len(set(loud.tolist())) > 8


def test_an_echo_adds_to_some_sounds_and_takes_nothing_from_any(monkeypatch):
    plain = torch.full((64, 64, 200), -1.0)
    plain[:, 20:40, 60:80] = 1.0
    random = {"generator": torch.Generator().manual_seed(0), "device": "cpu"}
    heard = media._echoed(plain, random)
    assert float((heard - plain).min()) > -1e-6
    later, added = heard[:, 30, 80:120].mean(1), (heard - plain).flatten(1).amax(1) > 0.01
    assert 10 < int(added.sum()) < 40
    assert float(later[added].min()) > -1.0
    assert torch.equal(heard[~added], plain[~added])
    assert float((heard - plain)[:, :, :60].max()) < 0.2  # nothing before its cause, but what is rounded
    monkeypatch.setattr(media, "ECHOED", 0.0)
    assert torch.equal(media._echoed(plain, random), plain)
