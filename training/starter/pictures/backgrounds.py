"""What a drawing stands on: plain, striped, dotted, noisy, blurred, paper, small scenes.

Knows: how to fill a rectangle fast. Does not know: what will stand on it. "dev" has kinds of its own, so that a
development set can differ in more than its seeds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..split import Side

Canvas = NDArray[np.uint8]
"""(height, width, 3)"""
Fill = Callable[[np.random.Generator, int, int], Canvas]


def background(rng: np.random.Generator, height: int, width: int, side: Side = "train") -> Canvas:
    """A rectangle to draw on; white most often. On "dev" only kinds that training never saw."""
    kinds, weights = (_TRAIN, _TRAIN_WEIGHTS) if side == "train" else (_DEV, _DEV_WEIGHTS)
    return kinds[int(np.searchsorted(weights, rng.random()))](rng, height, width)


def brightness(canvas: Canvas) -> float:
    """Mean luma, 0 to 255, from a few of its pixels."""
    return float(canvas[::7, ::7].reshape(-1, 3).mean(0) @ (0.299, 0.587, 0.114))


def plain(color: NDArray[np.generic], height: int, width: int) -> Canvas:
    """One colour."""
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = color
    return canvas


def any_color(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Any colour: light ones as often as strong and dark ones."""
    kind = rng.random()
    if kind < 0.45:
        return rng.integers(200, 256, 3, dtype=np.uint8)
    if kind < 0.85:
        return rng.integers(30, 256, 3, dtype=np.uint8)
    return rng.integers(0, 70, 3, dtype=np.uint8)


def _two(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Two colours, often near each other, so that a pattern stays behind what stands on it."""
    first = any_color(rng)
    if rng.random() < 0.3:
        return first, any_color(rng)
    return first, np.clip(first.astype(int) + rng.integers(-45, 46, 3), 0, 255).astype(np.uint8)


def _mixed(share: NDArray[np.generic], first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Canvas:
    """First where share is 0, second where it is 1."""
    weight = share.astype(np.float32)[..., None]
    return (first + weight * (second.astype(np.float32) - first)).astype(np.uint8)


def _axes(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]


def _white(rng: np.random.Generator, height: int, width: int) -> Canvas:
    return plain(np.array([255, 255, 255]), height, width)


def _near_white(rng: np.random.Generator, height: int, width: int) -> Canvas:
    return plain(rng.integers(228, 256, 3), height, width)


def _plain(rng: np.random.Generator, height: int, width: int) -> Canvas:
    return plain(any_color(rng), height, width)


def _dark(rng: np.random.Generator, height: int, width: int) -> Canvas:
    return plain(rng.integers(0, 60, 3), height, width)


def _gradient(rng: np.random.Generator, height: int, width: int) -> Canvas:
    y, x = _axes(height, width)
    angle = rng.uniform(0, 2 * np.pi)
    along = x / width * np.cos(angle) + y / height * np.sin(angle)
    along = (along - along.min()) / max(float(np.ptp(along)), 1e-6)
    return _mixed(along, any_color(rng), any_color(rng))


def _stripes(rng: np.random.Generator, height: int, width: int) -> Canvas:
    y, x = _axes(height, width)
    angle = rng.choice([0, np.pi / 2, np.pi / 4, rng.uniform(0, np.pi)])
    along = x * np.cos(angle) + y * np.sin(angle)
    return _mixed((along / rng.uniform(4, 24)) % 1 < rng.uniform(0.3, 0.6), *_two(rng))


def _dots(rng: np.random.Generator, height: int, width: int) -> Canvas:
    y, x = _axes(height, width)
    step = rng.uniform(7, 24)
    radius = step * rng.uniform(0.15, 0.4)
    inside = ((x + step * ((y // step) % 2) / 2) % step - step / 2) ** 2 + (y % step - step / 2) ** 2 < radius**2
    return _mixed(inside, *_two(rng))


def _checks(rng: np.random.Generator, height: int, width: int) -> Canvas:
    y, x = _axes(height, width)
    step = rng.uniform(5, 26)
    return _mixed((x // step + y // step) % 2, *_two(rng))


def _grid(rng: np.random.Generator, height: int, width: int) -> Canvas:
    y, x = _axes(height, width)
    step = rng.uniform(8, 22)
    return _mixed((x % step < 1.2) | (y % step < 1.2), *_two(rng))


def _noise(rng: np.random.Generator, height: int, width: int) -> Canvas:
    grain = rng.integers(-1, 2, (height, width), dtype=np.int16) * rng.integers(4, 30, dtype=np.int16)
    return np.clip(any_color(rng).astype(np.int16) + grain[..., None], 0, 255).astype(np.uint8)


def _paper(rng: np.random.Generator, height: int, width: int) -> Canvas:
    sheet = np.array([247, 241, 226]) - rng.integers(0, 26, 3)
    coarse = _smooth(rng.integers(-12, 12, (9, 9, 1)) + sheet, height, width)
    if rng.random() < 0.3:
        coarse[int(rng.integers(4, 10)) :: int(rng.integers(9, 16))] = (170, 190, 215)
    return coarse


def _smooth(small: NDArray[np.integer], height: int, width: int) -> Canvas:
    """A few colours, blurred into a whole."""
    picture = Image.fromarray(np.clip(small, 0, 255).astype(np.uint8))
    return np.array(picture.resize((width, height), Image.Resampling.BICUBIC))


def _blobs(rng: np.random.Generator, height: int, width: int) -> Canvas:
    return _smooth(any_color(rng).astype(int) + rng.integers(-90, 91, (*rng.integers(2, 7, 2), 3)), height, width)


def _scene(rng: np.random.Generator, height: int, width: int) -> Canvas:
    """Sky over ground, softly; by day, at dusk, at night, indoors."""
    sky, ground = _SCENES[int(rng.integers(len(_SCENES)))]
    jitter = rng.integers(-18, 19, (2, 3))
    rows = np.arange(height, dtype=np.float32) / height
    line = rng.uniform(0.45, 0.8)
    share = np.clip((rows - line) * rng.choice([12, 60]) + 0.5, 0, 1)[:, None]
    colors = np.clip(np.array([sky, ground]) + jitter, 0, 255).astype(np.uint8)
    canvas = np.repeat(_mixed(share, colors[0], colors[1]), width, axis=1)
    canvas[: int(line * height)] += ((255 - canvas[: int(line * height)]) * 0.35 * rows[: int(line * height), None,
                                                                                   None]).astype(np.uint8)  # fmt: skip
    return canvas


_SCENES = (
    ((120, 180, 240), (90, 160, 70)), ((150, 205, 245), (225, 200, 140)), ((110, 170, 230), (40, 110, 180)),
    ((250, 160, 100), (90, 60, 80)), ((15, 20, 50), (20, 35, 30)), ((200, 220, 235), (245, 248, 252)),
    ((235, 225, 205), (150, 105, 65)), ((205, 220, 215), (130, 130, 135)),
)  # fmt: skip


def _rings(rng: np.random.Generator, height: int, width: int) -> Canvas:
    y, x = _axes(height, width)
    far = np.hypot(x - rng.uniform(0, width), y - rng.uniform(0, height))
    return _mixed((far / rng.uniform(8, 26)) % 1 < 0.5, *_two(rng))


def _spot(rng: np.random.Generator, height: int, width: int) -> Canvas:
    y, x = _axes(height, width)
    far = np.hypot((x - width / 2) / width, (y - height / 2) / height)
    return _mixed(np.clip(far * 1.5, 0, 1), any_color(rng), any_color(rng))


def _zigzag(rng: np.random.Generator, height: int, width: int) -> Canvas:
    y, x = _axes(height, width)
    step = rng.uniform(8, 26)
    return _mixed((y + np.abs(x % step - step / 2)) % step < step / 2, *_two(rng))


def _plaid(rng: np.random.Generator, height: int, width: int) -> Canvas:
    y, x = _axes(height, width)
    step = rng.uniform(12, 30)
    return _mixed(((x % step < step / 2) * 0.5 + (y % step < step / 2) * 0.5), *_two(rng))


def _marble(rng: np.random.Generator, height: int, width: int) -> Canvas:
    """Noise of several sizes, as in stone, wood and cloth."""
    total = np.zeros((height, width), np.float32)
    for cells in (4, 9, 20, 45):
        small = rng.integers(0, 256, (cells, max(2, cells // int(rng.integers(1, 4))), 1))
        total += _smooth(np.repeat(small, 3, 2), height, width)[..., 0] / np.float32(cells**0.7)
    return _mixed((total - total.min()) / max(float(np.ptp(total)), 1e-6), *_two(rng))


_TRAIN: tuple[Fill, ...] = (
    _white, _near_white, _plain, _dark, _gradient, _stripes, _dots, _checks, _grid, _noise, _paper, _blobs, _scene,
)  # fmt: skip
_TRAIN_WEIGHTS = np.cumsum([0.30, 0.08, 0.17, 0.07, 0.09, 0.04, 0.03, 0.02, 0.02, 0.04, 0.03, 0.05, 0.06])
_DEV: tuple[Fill, ...] = (_spot, _zigzag, _plaid, _marble, _rings)
_DEV_WEIGHTS = np.cumsum([0.30, 0.15, 0.2, 0.25, 0.1])
