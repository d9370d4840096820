"""The optimizer's steps are orthogonal, as long as AdamW's, and go on from what was saved."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn
from training.starter.towers.muon import Muon, Optimizers, orthogonal


@pytest.mark.parametrize("shape", [(40, 90), (90, 40), (32, 32)])
def test_a_step_has_singular_values_near_one(shape):
    made = orthogonal(torch.randn(shape, generator=torch.Generator().manual_seed(0)))
    values = torch.linalg.svdvals(made)
    assert made.shape == shape
    assert float(values.min()) > 0.4
    assert float(values.max()) < 1.3


def test_a_kernel_moves_as_far_as_under_adamw():
    kernel = nn.Parameter(torch.zeros(32, 16, 3, 3).contiguous(memory_format=torch.channels_last))
    kernel.grad = torch.randn(kernel.shape, generator=torch.Generator().manual_seed(0))
    Muon([kernel], rate=1e-2, decay=0.0).step()
    assert 0.1e-2 < float(kernel.detach().square().mean().sqrt()) < 0.3e-2


def test_training_goes_on_from_a_saved_state_as_if_it_had_not_stopped():
    torch.manual_seed(0)
    tower = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    planes, wanted = torch.randn(64, 6), torch.randn(64, 4)

    def steps(net, optimizer, count):
        for _ in range(count):
            optimizer.zero_grad()
            loss = (net(planes) - wanted).square().mean()
            loss.backward()
            optimizer.set_rate(1e-2)
            optimizer.step()
        return float(loss.detach())

    optimizer = Optimizers(tower, [], 1e-2, 0.0)
    begun = steps(tower, optimizer, 5)
    copy = deepcopy(tower)
    again = Optimizers(copy, [], 1e-2, 0.0)
    again.load_state_dict(deepcopy(optimizer.state_dict()))
    ended = steps(tower, optimizer, 20)
    assert steps(copy, again, 20) == ended < begun
