"""Screenshots of mixed sizes, as paths of PNG files, through a small Qwen3-VL."""

from collections.abc import Callable
from typing import Any

from . import material, models
from .harness import Benchmark

Case = tuple[str, list[str]]


def prepare(quick: bool) -> Case:
    return material.qwen3_vl(), material.screenshots(2 if quick else 8)


def ours(case: Case) -> Callable[[], Any]:
    folder, paths = case
    model = models.ours(folder)
    return lambda: model.encode(paths)


def peer(case: Case) -> Callable[[], Any]:
    folder, paths = case
    model = models.peer(folder)
    return lambda: model.encode(paths)


BENCHMARKS = [Benchmark("screenshots", "8 screenshots of mixed sizes, PNG paths, small Qwen3-VL", ours, peer, prepare)]
