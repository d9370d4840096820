"""Memory of many texts through MiniLM, in a fresh process every time.

One layer of its six is kept: the memory is the same, the wait is shorter.
"""

from collections.abc import Callable
from typing import Any

from . import material, models
from .harness import Benchmark

Case = tuple[str, list[str]]


def prepare(quick: bool) -> Case:
    return material.shallow_minilm(1), material.texts(300 if quick else 20_000)


def ours(case: Case) -> Callable[[], Any]:
    folder, texts = case
    model = models.ours(folder)
    return lambda: model.encode(texts)


def peer(case: Case) -> Callable[[], Any]:
    folder, texts = case
    model = models.peer(folder)
    return lambda: model.encode(texts)


BENCHMARKS = [
    Benchmark(
        "texts_memory",
        "20,000 texts, MiniLM of 1 layer, fresh processes",
        ours,
        peer,
        prepare,
        targets={"memory": 2.5},
        fresh=True,
    )
]
