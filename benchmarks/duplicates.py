"""The same text over and over through MiniLM: equal inputs are encoded once."""

from collections.abc import Callable
from typing import Any

from . import material, models
from .harness import Benchmark

Case = tuple[str, list[str]]


def prepare(quick: bool) -> Case:
    return material.minilm(), material.texts(1) * (32 if quick else 512)


def ours(case: Case) -> Callable[[], Any]:
    folder, texts = case
    model = models.ours(folder)
    return lambda: model.encode(texts)


def peer(case: Case) -> Callable[[], Any]:
    folder, texts = case
    model = models.peer(folder)
    return lambda: model.encode(texts)


BENCHMARKS = [Benchmark("duplicates", "the same text 512 times, MiniLM", ours, peer, prepare)]
