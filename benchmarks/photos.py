"""Photos of 12 megapixels, as paths of JPEG files, through a CLIP with the vision tower ViT-B/32.

The peer has no torchvision and prepares pictures with Pillow, as this library does: the pixels are the same.
"""

from collections.abc import Callable
from typing import Any

from PIL import Image

from . import material, models
from .harness import Benchmark

Case = tuple[str, list[str]]
FIRST = Image.new("RGB", (64, 64))


def prepare(quick: bool) -> Case:
    return material.clip(), material.photos(4, (1200, 900)) if quick else material.photos(32)


def ours(case: Case) -> Callable[[], Any]:
    folder, paths = case
    model = models.ours(folder, FIRST)
    return lambda: model.encode(paths)


def peer(case: Case) -> Callable[[], Any]:
    folder, paths = case
    model = models.peer(folder, FIRST)
    return lambda: model.encode(paths)


BENCHMARKS = [
    Benchmark(
        "photos",
        "32 photos of 12 megapixels, JPEG paths, CLIP ViT-B/32",
        ours,
        peer,
        prepare,
        targets={"wall": 2.5, "memory": 10},
    )
]
