"""One short query at a time through MiniLM: what a search box waits for."""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import material, models
from .harness import Benchmark

QUERY = "how do I read a file line by line"
Case = tuple[str, int]


def prepare(quick: bool) -> Case:
    return material.minilm(), 5 if quick else 100


def ours(case: Case) -> Callable[[], Any]:
    folder, count = case
    model = models.ours(folder)
    return lambda: np.stack([model.encode(QUERY) for _ in range(count)])


def peer(case: Case) -> Callable[[], Any]:
    folder, count = case
    model = models.peer(folder)
    return lambda: np.stack([model.encode(QUERY) for _ in range(count)])


BENCHMARKS = [Benchmark("single_query", "100 short queries, a call for each, MiniLM", ours, peer, prepare)]
