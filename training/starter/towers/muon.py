"""Muon for kernels and matrices, AdamW for everything else (Jordan et al. 2024; Liu et al. 2025, arXiv 2502.16982).

Knows: momentum, orthogonal steps. Does not know: what is trained. PyTorch's own Muon takes matrices only; here a kernel
is the matrix of its filters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the Newton-Schulz iteration, as published."""


def orthogonal(matrix: Tensor, rounds: int = 5) -> Tensor:
    """(rows, columns) → of the same shape, with all singular values near 1."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    made = matrix.T if tall else matrix
    made = made / (made.norm() + 1e-7)
    for _ in range(rounds):
        square = made @ made.T
        made = a * made + (b * square + c * square @ square) @ made
    return made.T if tall else made


class Muon(torch.optim.Optimizer):
    """rate: as of AdamW: a step is as long as one of AdamW's would be."""

    def __init__(self, parameters: Iterable[nn.Parameter], rate: float, decay: float) -> None:
        super().__init__(list(parameters), {"lr": rate, "weight_decay": decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient, state = parameter.grad, self.state[parameter]
                mean = state.setdefault("mean", torch.zeros_like(parameter)).lerp_(gradient, 1 - MOMENTUM)
                made = orthogonal(gradient.lerp(mean, MOMENTUM).flatten(1)).reshape(parameter.shape)
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(made, alpha=-0.2 * group["lr"] * max(parameter.flatten(1).shape) ** 0.5)


class Optimizers:
    """Both, as one. tower: its first kernels and its last matrix are AdamW's, and so are biases, norms and `others`."""

    def __init__(self, tower: nn.Module, others: Iterable[nn.Parameter], rate: float, decay: float) -> None:
        matrices = [parameter for parameter in tower.parameters() if parameter.ndim > 1]
        vectors = [parameter for parameter in tower.parameters() if parameter.ndim < 2]
        ends = [matrices[0], matrices[-1]]
        groups: list[dict[str, Any]] = [
            {"params": ends, "weight_decay": decay},
            {"params": [*vectors, *others], "weight_decay": 0.0},
        ]
        self.parts = (torch.optim.AdamW(groups, rate, fused=True), Muon(matrices[1:-1], rate, decay))

    def set_rate(self, rate: float) -> None:
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate

    def parameters(self) -> list[nn.Parameter]:
        return [one for part in self.parts for group in part.param_groups for one in group["params"]]

    def zero_grad(self) -> None:
        for part in self.parts:
            part.zero_grad()

    def step(self) -> None:
        for part in self.parts:
            part.step()

    def state_dict(self) -> list[dict[str, Any]]:
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        for part, state in zip(self.parts, states, strict=True):
            part.load_state_dict(state)
