"""Texts one after the other through encode_stream: memory must not grow with their number.

The peer takes a list and returns all rows. Of each row eight numbers are kept, so that the keeping weighs little. One
layer of MiniLM's six, as in texts_memory.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from . import material, models
from .harness import Benchmark

Case = tuple[str, list[str]]
SHORT, LONG = 4_000, 20_000


def prepare(count: int, quick: bool) -> Case:
    return material.shallow_minilm(1), material.texts(count // 50 if quick else count)


def ours(case: Case) -> Callable[[], Any]:
    folder, texts = case
    model = models.ours(folder)
    return lambda: np.array([row[:8] for row in model.encode_stream(iter(texts))])


def peer(case: Case) -> Callable[[], Any]:
    folder, texts = case
    model = models.peer(folder)
    return lambda: model.encode(texts)[:, :8].copy()


BENCHMARKS = [
    Benchmark(
        f"stream_{count // 1000}k",
        f"{count:,} texts as a stream, MiniLM of 1 layer, fresh processes",
        ours,
        peer,
        partial(prepare, count),
        fresh=True,
    )
    for count in (SHORT, LONG)
]
