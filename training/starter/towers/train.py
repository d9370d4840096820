"""Train one tower against frozen vectors of captions.

Knows: the loss, the schedule, checkpoints. Does not know: what the planes show (media.py), how captions become vectors
(targets.py).

Loss: symmetric InfoNCE (van den Oord et al. 2018; Radford et al. 2021) in a batch, of captions as the teacher sees
them in one step and as the small text tower sees them in the next; cross-entropy over all common meanings, each the
mean of its captions, which no batch could hold; the distance to the captions; how well speech can be spelled, and how
well a word is told from those near it (phonemes.py). What means the same, or nearly, is not held against each other. A
stopped run goes on from its last checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, distributed, nn
from torch.nn import functional

from manysense.modules.towers.nets import ConvTower

from ..text.teacher import has_bfloat16
from .media import Pool
from .muon import Optimizers
from .phonemes import ALIKE, Phonemes, spellings_of

Vary = Callable[[Tensor, torch.Generator], Tensor]
Listen = Callable[[nn.Module], Phonemes]
OpenPool = Callable[[], tuple[Pool, list[Tensor]] | None]
"""None: there is nothing new."""
SPELLING = "phonemes."
"""How the names of what spells begin, among the tower's weights."""
KEEP = 0.997
"""Of the averaged weights at each step."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One run over `count` media; `until` ends it before, where another leg goes on.

    rate: highest learning rate.  warm: media until it is reached.  batch: media of one worker's step.  spelling: how
    much its loss counts beside the others.  rivals: how much telling a word from those near it counts.
    """

    count: int
    until: int | None = None
    rate: float = 2e-3
    batch: int = 384
    warm: int = 20_000
    decay: float = 0.02
    spelling: float = 0.5
    rivals: float = 0.0


def with_batchnorm(tower: nn.Module) -> nn.Module:
    """The tower with each convolution normalised over the batch; `folded` undoes it."""
    for name, child in list(tower.named_children()):
        if isinstance(child, nn.Conv2d):
            conv = nn.Conv2d(
                child.in_channels, child.out_channels, child.kernel_size, child.stride, child.padding, bias=False
            )
            setattr(tower, name, nn.Sequential(conv, nn.BatchNorm2d(child.out_channels)))
        else:
            with_batchnorm(child)
    return tower


def folded(tower: nn.Module) -> nn.Module:
    """Convolutions with a bias in place of convolution and normalisation."""
    for name, child in list(tower.named_children()):
        parts = list(child.children())
        if len(parts) == 2 and isinstance(parts[1], nn.BatchNorm2d):
            setattr(tower, name, torch.nn.utils.fusion.fuse_conv_bn_eval(parts[0].eval(), parts[1].eval()))
        else:
            folded(child)
    return tower


@torch.no_grad()
def unfolded(tower: nn.Module, batches: Iterable[Tensor]) -> nn.Module:
    """The opposite of `folded`: the same function, normalised over a batch again, so that training can go on.

    batches: of planes as in training, from which the normalisations learn what to expect.
    """
    convolutions = {name: module for name, module in tower.named_modules() if isinstance(module, nn.Conv2d)}
    made = with_batchnorm(deepcopy(tower)).eval()
    norms: list[nn.BatchNorm2d] = []
    for name, old in convolutions.items():
        convolution, norm = made.get_submodule(name).children()
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        assert old.bias is not None
        convolution.weight.copy_(old.weight)
        norm.bias.copy_(old.bias)
        norm.running_var.fill_(1.0 - norm.eps)  # type: ignore[union-attr]
        norms.append(norm)
    sums = [torch.zeros(2, norm.num_features, dtype=torch.float64) for norm in norms]

    def watch(total: Tensor) -> Callable[[nn.Module, tuple[Tensor]], None]:
        def note(_: nn.Module, given: tuple[Tensor]) -> None:
            values = given[0].double()
            total.add_(torch.stack([values.mean((0, 2, 3)), values.square().mean((0, 2, 3))]))

        return note

    watched = [norm.register_forward_pre_hook(watch(total)) for norm, total in zip(norms, sums)]
    count = 0
    for planes in batches:
        made(planes)
        count += 1
    for hook, norm, total in zip(watched, norms, sums):
        hook.remove()
        mean, square = (total / count).float()
        variance = square - mean**2
        norm.running_mean.copy_(mean)  # type: ignore[union-attr]
        norm.running_var.copy_(variance)  # type: ignore[union-attr]
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.add_(mean)
    return made


def loss_of(vectors: Tensor, targets: Tensor, keys: Tensor, temperature: Tensor) -> Tensor:
    """vectors, targets: (batch, 384) of length 1.  keys: (batch,) equal where the meaning is."""
    alike = (keys[:, None] == keys[None]) | (targets @ targets.T > 0.985)
    alike.fill_diagonal_(False)
    scores = (vectors @ targets.T * temperature).masked_fill(alike, -torch.inf)
    own = torch.arange(len(keys), device=keys.device)
    return (functional.cross_entropy(scores, own) + functional.cross_entropy(scores.T, own)) / 2


def class_loss(vectors: Tensor, own: Tensor, classes: Tensor, temperature: Tensor) -> Tensor:
    """Cross-entropy over all classes of those media that have one.

    own: (batch,) class, -1 for none.  classes: (classes, 384) of length 1.
    """
    has = own >= 0
    vectors, own = vectors[has], own[has]
    alike = classes[own] @ classes.T > ALIKE
    alike[torch.arange(len(own), device=own.device), own] = False
    scores = (vectors @ classes.T * temperature).masked_fill(alike, -torch.inf)
    return functional.cross_entropy(scores, own)


def fitted(weights: Mapping[str, Tensor], fresh: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a tower of another depth for one as `fresh`: blocks beyond the last one of its stages are left out; so
    many blocks as its temporal part has more come before the last one there and begin as the identity."""
    blocks = "temporal.blocks."
    last = max((int(name.split(".")[2]) for name in fresh if name.startswith(blocks)), default=0)
    before = max((int(name.split(".")[2]) for name in weights if name.startswith(blocks)), default=last)
    made = {name.replace(f"{blocks}{before}.", f"{blocks}{last}."): value for name, value in weights.items()}
    for name, value in fresh.items():
        if name not in made and name.startswith(blocks):
            silent = name.endswith(("second.1.weight", "second.1.bias"))
            made[name] = torch.zeros_like(value) if silent else value.clone()
    return {name: value for name, value in made.items() if name in fresh or not name.startswith("stages.")}


class Trainer:
    """One tower, one leg.

    open_pool: gives the pool and, for each text tower, how it sees the rows of targets, (rows, 384) float16; called
    again after each checkpoint while the pool still grows.  listen: what spells the words that the tower hears.
    """

    def __init__(
        self, tower: nn.Module, open_pool: OpenPool, vary: Vary, leg: Leg, path: Path, listen: Listen | None = None
    ) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.tower = with_batchnorm(tower).to(self.device, memory_format=torch.channels_last).train()
        self.phonemes = None if listen is None else listen(self.tower).to(self.device)
        self.half = self.device.type == "cuda" or has_bfloat16()
        self.open_pool, self.vary, self.leg, self.path = open_pool, vary, leg, path
        self.reopen()
        self.heat = nn.Parameter(torch.tensor([3.0, 3.0], device=self.device))
        others = [] if self.phonemes is None else list(self.phonemes.parameters())
        self.optimizer = Optimizers(self.tower, [self.heat, *others], leg.rate, leg.decay)
        self._begin()
        self.seen = 0
        self.workers = distributed.get_world_size() if distributed.is_initialized() else 1
        self.worker = distributed.get_rank() if self.workers > 1 else 0

    def reopen(self) -> None:
        opened = self.open_pool()
        if opened is not None:
            self.pool, banks = opened
            found = [self.pool.classes(bank) for bank in banks]
            self.classes = [classes.to(self.device) for classes, _ in found]
            self.class_of = found[0][1].to(self.device)
            self.banks = [bank.to(self.device) for bank in banks]
            if self.leg.rivals:
                names = [self.pool.names[key] for key in torch.nonzero(found[0][1] >= 0)[:, 0].tolist()]
                self.spelled = spellings_of(names).to(self.device)
            print(f"{len(self.pool.where):,} media, {len(self.classes[0]):,} common meanings", flush=True)

    def _begin(self) -> None:
        self.mean = {name: value.clone() for name, value in self._weights().items()}

    def _weights(self) -> dict[str, Tensor]:
        """Of the tower, and of what spells."""
        spelling = {} if self.phonemes is None else self.phonemes.state_dict()
        return self.tower.state_dict() | {SPELLING + name: value for name, value in spelling.items()}

    def _restore(self, weights: Mapping[str, Tensor]) -> None:
        spelling = {name.removeprefix(SPELLING): t for name, t in weights.items() if name.startswith(SPELLING)}
        self.tower.load_state_dict({name: t for name, t in weights.items() if not name.startswith(SPELLING)})
        if self.phonemes is not None and not spelling:
            print("these weights do not spell: that is learned from nothing", flush=True)
        elif self.phonemes is not None:
            self.phonemes.load_state_dict(spelling)

    def go_on(self, net: ConvTower) -> None:
        """Start from a folded net, such as the package holds, which may be of another depth. What it recalls is
        not trained, but how it spells is."""
        if self.phonemes is not None and net.recall is not None and net.recall.lexicon is not None:
            self.phonemes.read.load_state_dict(net.recall.lexicon.read.state_dict())
        net.recall = None
        rng, generator = np.random.default_rng(0), torch.Generator(self.device).manual_seed(0)
        batches = (self.vary(self.pool.draw(rng, 256)[0].to(self.device), generator) for _ in range(4))
        before = unfolded(net.to(self.device), batches).state_dict()
        self.tower.load_state_dict(fitted(before, self.tower.state_dict()))
        self.heat.data.fill_(4.0)
        self._begin()

    def start(self, weights: Mapping[str, Tensor]) -> None:
        """Start a leg from the averaged weights of others, as `save` keeps them; their nets may be of another
        depth."""
        self._restore(fitted(weights, self._weights()))
        self.heat.data.fill_(4.0)
        self._begin()

    def load(self, path: Path) -> None:
        """Go on where a run of the same leg was stopped."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self._restore(state["weights"])
        self.mean = {name: value.clone() for name, value in state["mean"].items()}
        self.heat.data.copy_(state["heat"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.seen = state["seen"]

    def save(self) -> None:
        state: dict[str, Any] = {"weights": self._weights(), "mean": self.mean, "heat": self.heat.data}
        state |= {"optimizer": self.optimizer.state_dict(), "seen": self.seen}
        torch.save(state, self.path.with_suffix(".part"))
        self.path.with_suffix(".part").replace(self.path)
        averaged = {name: value.contiguous() for name, value in self.mean.items()}
        save_file(averaged, self.path.with_suffix(".safetensors"))

    def run(self, every: int = 40_000) -> None:
        generator = torch.Generator(self.device).manual_seed(self.seen + self.worker)
        rng = np.random.default_rng([self.seen, self.worker])
        end = self.leg.until or self.leg.count
        total, since, clock = 0.0, 0, time.process_time()
        while self.seen < end:
            before = self.seen
            total += self.step(rng, generator) * (self.seen - before)
            since += self.seen - before
            if (since >= every or self.seen >= end) and not self.worker:
                rate = since / (time.process_time() - clock)
                heat = " ".join(f"{value:.0f}" for value in self.heat.exp().tolist())
                print(f"{self.seen:9,} loss {total / since:.4f} heat {heat} {rate:.0f} a CPU second", flush=True)
                self.save()
                if self.workers == 1:
                    self.reopen()
                total, since, clock = 0.0, 0, time.process_time()

    def step(self, rng: np.random.Generator, generator: torch.Generator) -> float:
        media, rows, keys = (drawn.to(self.device) for drawn in self.pool.draw(rng, self.leg.batch))
        planes = self.vary(media, generator).contiguous(memory_format=torch.channels_last)
        self.optimizer.set_rate(self.rate())
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            vectors = self.tower(planes)
        vectors = functional.normalize(vectors.float(), dim=1)
        wanted = [functional.normalize(bank[rows].float(), dim=1) for bank in self.banks]
        seen_by, heat = int(rng.integers(len(wanted))), self.heat.clamp(max=4.6).exp()
        loss = loss_of(vectors, wanted[seen_by], keys, heat[0])
        loss = loss + class_loss(vectors, self.class_of[keys], self.classes[seen_by], heat[1])
        for targets in wanted:
            loss = loss + 2 / len(wanted) * (1 - (vectors * targets).sum(1).mean())
        told = float(loss.detach())
        if self.phonemes is not None:
            loss = loss + self.leg.spelling * self.phonemes.loss([self.pool.names[key] for key in keys.tolist()])
            if self.leg.rivals:
                rivals = self.phonemes.rival_loss(vectors, self.class_of[keys], self.classes[seen_by], self.spelled)
                loss = loss + self.leg.rivals * rivals
        self.optimizer.zero_grad()
        loss.backward()
        self.share_gradients()
        nn.utils.clip_grad_norm_(self.tower.parameters(), 1.0)
        self.optimizer.step()
        self.seen += self.leg.batch * self.workers
        keep = min(KEEP, self.seen / (self.seen + 20 * self.leg.batch))
        for name, value in self._weights().items():
            if value.is_floating_point():
                self.mean[name].lerp_(value, 1 - keep)
            else:
                self.mean[name].copy_(value)
        return told

    def share_gradients(self) -> None:
        """The mean over all workers, each of which had a batch of its own."""
        if self.workers > 1:
            gradients = [parameter.grad for parameter in self.optimizer.parameters()]
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            distributed.all_reduce(flat)
            for gradient, mean in zip(gradients, flat.split([gradient.numel() for gradient in gradients])):
                gradient.copy_((mean / self.workers).view_as(gradient))

    def rate(self) -> float:
        warm = min(1.0, (self.seen + self.leg.batch) / self.leg.warm)
        return self.leg.rate * warm * (0.02 + 0.98 * (1 + cos(pi * min(1.0, self.seen / self.leg.count))) / 2)
