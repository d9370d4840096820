"""The text tower as it is trained: its parts, its start, its training, its files.

Knows: rows, a start in closed form, how it is trained on from there, quantised and saved. Does not know: where
sentences come from, how the result is judged.

The start: a piece's row is the teacher's vector of the piece alone, through one linear map that ridge regression finds,
times a weight that falls with frequency. Training on from there moves rows towards what sentences need.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from . import pieces, teacher
from .bags import Bags

Array = npt.NDArray[np.float32]
RANK, HIDDEN = 256, 512
COMMON = 3e-4
"""Frequency at which a piece's weight is half."""


class Tower(nn.Module):
    """Rows summed, made unit length, and mapped: linearly, and through one hidden layer."""

    def __init__(self, rows: Array, basis: Array, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.rows = nn.EmbeddingBag.from_pretrained(torch.from_numpy(rows), freeze=False, mode="sum", sparse=True)
        self.basis = nn.Parameter(torch.from_numpy(basis))
        self.inner = nn.Parameter(torch.randn(rows.shape[1], hidden, generator=torch.manual_seed(0)))
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.outer = nn.Parameter(torch.zeros(hidden, basis.shape[1]))

    def forward(self, ids: Tensor, starts: Tensor) -> Tensor:
        sums = functional.normalize(self.rows(ids, starts))
        hidden = torch.relu(sums @ self.inner + self.bias)
        return functional.normalize(sums @ self.basis + hidden @ self.outer)


def weights_by_frequency(bags: Bags, count: int) -> Array:
    """(count,) near 1 for rare pieces, falling to 0 for the commonest."""
    share = np.bincount(bags.ids, minlength=count) / len(bags.ids)
    return (COMMON / (COMMON + share)).astype(np.float32)


def alone(work: Path, kept: list[str]) -> Array:
    """(n, 384) the teacher's vector of every piece alone; kept in a file that holds these pieces only."""
    path, ids = work / "alone.safetensors", pieces.teacher_ids(kept)
    stored = load_file(path) if path.is_file() else {}
    if not np.array_equal(stored.get("ids", np.empty(0)), ids):
        stored = {"ids": ids, "vectors": teacher.encode_ids(ids[:, None])}
        save_file(stored, path)
    return stored["vectors"].astype(np.float32)


def start(work: Path, kept: list[str], bags: Bags, vectors: Array, ridge: float = 1.0) -> tuple[Array, Array]:
    """Rows (n, RANK) and basis (RANK, 384) in closed form."""
    weight = weights_by_frequency(bags, len(kept))
    table = alone(work, kept) * weight[:, None]
    sums = bags.matrix(len(kept)) @ table
    sums /= np.linalg.norm(sums, axis=1, keepdims=True) + 1e-9
    square = sums.T @ sums + ridge * np.eye(sums.shape[1], dtype=np.float32)
    table = table @ np.linalg.solve(square, sums.T @ vectors)
    often = np.sqrt(np.bincount(bags.ids, minlength=len(kept)) + 1.0)[:, None].astype(np.float32)
    _, _, directions = np.linalg.svd(((table * often).T @ (table * often)).astype(np.float64))
    basis = directions[:RANK].astype(np.float32)
    rows = table @ basis.T
    return np.ascontiguousarray(rows / np.median(np.linalg.norm(rows, axis=1))), np.ascontiguousarray(basis)


def loss_of(ours: Tensor, theirs: Tensor, structure: float) -> Tensor:
    """Distance in direction, and how differently the batch lies to itself."""
    return (1 - (ours * theirs).sum(1)).mean() + structure * (ours @ ours.T - theirs @ theirs.T).square().mean()


def _part(step: int, steps: int) -> float:
    return (0.5 + 0.5 * math.cos(math.pi * step / steps)) * min(1, (step + 1) / 50)


def train(
    tower: Tower,
    bags: Bags,
    vectors: npt.NDArray[np.float16],
    epochs: float,
    watch: Callable[[Tower, int], None],
    rate: float = 2e-3,
    batch: int = 1024,
    structure: float = 5.0,
    keep: float = 0.9,
    seed: int = 0,
) -> None:
    """Adam from where the tower stands; the rate falls to nothing along a cosine. watch: called ten times or so."""
    rng = np.random.default_rng(seed)
    dense = [tower.basis, tower.inner, tower.bias, tower.outer]
    optimizers = [torch.optim.SparseAdam(list(tower.rows.parameters()), rate), torch.optim.Adam(dense, rate)]
    steps = math.ceil(epochs * len(bags) / batch)
    order = np.empty(0, np.int64)
    for step in range(steps):
        if len(order) < batch:
            order = np.concatenate([order, rng.permutation(len(bags))])
        chosen, order = order[:batch], order[batch:]
        ids, starts = bags.take(chosen, keep, rng)
        theirs = functional.normalize(torch.from_numpy(vectors[chosen]).float())
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = rate * _part(step, steps)
            optimizer.zero_grad()
        loss_of(tower(torch.from_numpy(ids), torch.from_numpy(starts)), theirs, structure).backward()
        for optimizer in optimizers:
            optimizer.step()
        if (step + 1) % max(1, steps // 8) == 0:
            watch(tower, step + 1)


def quantised(rows: Array) -> dict[str, npt.NDArray[np.generic]]:
    """codes int8 (n, rank), scales float16 (n,): the largest number of a row becomes 127."""
    scales = np.maximum(np.abs(rows).max(1) / 127, 6e-5).astype(np.float16)
    codes = np.round(rows / scales.astype(np.float32)[:, None]).clip(-127, 127).astype(np.int8)
    return {"codes": codes, "scales": scales}


def save(tower: Tower, kept: list[str], folder: Path) -> None:
    """config.json, tokenizer.json, model.safetensors, as manysense.starter.text reads them."""
    pieces.write_tokenizer(kept, folder / "tokenizer.json")
    rows = tower.rows.weight.detach().numpy()
    parts = {name: getattr(tower, name).detach() for name in ("basis", "inner", "bias", "outer")}
    dense = {name: part.numpy().astype(np.float16) for name, part in parts.items()}
    save_file({**quantised(rows), **dense}, folder / "model.safetensors")
    (folder / "model.safetensors").chmod(0o644)
    config = {
        "kind": "static text",
        "dimension": tower.outer.shape[1],
        "rank": rows.shape[1],
        "hidden": len(tower.bias),
        "vocabulary": len(rows),
        "teacher": "sentence-transformers/all-MiniLM-L6-v2",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
