"""Regular and irregular patterns that fill a picture, in two or three colours.

Knows: patterns as functions of x and y, their directions. Does not know: objects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..examples import Example, Family
from ..split import Side
from . import canvas
from .outlines import spread
from .wording import Wording, keys, pick

SCALE = 2
Plane = np.ndarray
"""(height, width) float. A pattern gives 0 … 1: how much of the second colour."""
TURNS = {"horizontal": 90.0, "vertical": 0.0, "diagonal": 45.0}
DIRECTED = {"stripes", "gradient", "zigzag", "waves", "wood"}


def _turned(x: Plane, y: Plane, degrees: float) -> tuple[Plane, Plane]:
    if not degrees:
        return x, y
    c, s = np.float32(np.cos(np.deg2rad(degrees))), np.float32(np.sin(np.deg2rad(degrees)))
    return x * c + y * s, y * c - x * s


def _every(along: Plane, share: float = 0.5) -> Plane:
    """1 on the first share of every unit, else 0."""
    return (along % 1 < share).astype(np.float32)


def stripes(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    return _every(x * n, spread(rng, 0.3, 0.7))


def checkerboard(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    n = max(3, n * 0.8)
    return (np.floor(x * n) + np.floor(y * n)) % 2


def dots(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    shift = np.floor(y * n) % 2 * 0.5 if rng.random() < 0.5 else 0.0
    return ((x * n + shift) % 1 - 0.5) ** 2 + (y * n % 1 - 0.5) ** 2 < spread(rng, 0.2, 0.38) ** 2


def waves(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    bend = spread(rng, 0.06, 0.12) * np.sin(2 * np.pi * y * spread(rng, 1.5, 4))
    return _every((x + bend) * n, spread(rng, 0.3, 0.6))


def noise(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    height, width = x.shape
    grain = rng.random((height // 2 + 1, width // 2 + 1), dtype=np.float32).repeat(2, 0).repeat(2, 1)[:height, :width]
    return grain > 0.5 if rng.random() < 0.5 else grain


def gradient(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    return np.clip((x - x.min()) / (x.max() - x.min()), 0, 1)


def bricks(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    n, gap = n * 0.9, spread(rng, 0.06, 0.16)
    row = np.floor(y * n)
    return (y * n % 1 > gap) & ((x * n / 2.2 + row % 2 * 0.5) % 1 > gap / 2)


def grid(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    line = spread(rng, 0.07, 0.18)
    return (x * n % 1 < line) | (y * n % 1 < line)


def zigzag(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    return _every(x * n + np.abs(y * n * 0.7 % 1 - 0.5) * spread(rng, 1, 2), 0.5)


def spiral(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    x, y = x - spread(rng, 0.4, 0.6), y - spread(rng, 0.4, 0.6)
    way = 1 if rng.random() < 0.5 else -1
    return _every(np.hypot(x, y) * n + way * np.arctan2(y, x) / (2 * np.pi), spread(rng, 0.3, 0.6))


def rings(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    return _every(np.hypot(x - spread(rng, 0.42, 0.58), y - spread(rng, 0.42, 0.58)) * n, 0.5)


def plaid(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    n, fine = n * 0.7, spread(rng, 0.05, 0.12)
    across, down = _every(x * n), _every(y * n)
    thin = (x * n % 1 - 0.75) ** 2 < fine**2 / 4
    return np.clip(0.5 * across + 0.5 * down + 0.25 * thin, 0, 1)


def rays(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    angle = np.arctan2(y - pick(rng, (0.5, 0.5, 1.0, 0.0)), x - 0.5) / (2 * np.pi)
    return _every(angle * round(n * 2))


def honeycomb(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    x, y, high = x * n, y * n, np.sqrt(3.0)
    ax, ay = x % 1 - 0.5, y % high - high / 2
    bx, by = (x + 0.5) % 1 - 0.5, (y + high / 2) % high - high / 2
    nearer = ax * ax + ay * ay < bx * bx + by * by
    gx, gy = np.abs(np.where(nearer, ax, bx)), np.abs(np.where(nearer, ay, by))
    return np.maximum(gx, gx / 2 + gy * high / 2) < spread(rng, 0.38, 0.46)


def triangles(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    y = y * n
    skewed = x * n + (y % 1) / 2 + np.floor(y) * 0.5
    return skewed % 1 < y % 1


def marble(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    size = x.shape[1], x.shape[0]
    blur = canvas.clouds(size, rng, 5) + 0.5 * canvas.clouds(size, rng, 10) + 0.25 * canvas.clouds(size, rng, 24)
    return np.abs(np.sin((x + y) * 4 + blur * 8)) ** 0.45


def wood(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    size = x.shape[1], x.shape[0]
    along = x * n * 0.5
    plank = np.floor(along)
    grain = np.sin(x * 60 + canvas.clouds(size, rng, 4) * 14 + plank * 7) * 0.2 + 0.3 + plank % 2 * 0.15
    return np.where(along % 1 < 0.05, 1.0, np.clip(grain, 0, 1))


def camouflage(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    size = x.shape[1], x.shape[0]
    blobs = canvas.clouds(size, rng, 6) + 0.4 * canvas.clouds(size, rng, 14)
    return np.floor(np.clip((blobs - 0.35) * 4, 0, 2.99)) / 2


def scales(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    row = np.floor(y * n * 2)
    found = np.zeros_like(x)
    for k in (0, 1):
        centre_y = row - k
        dx = (x * n + (centre_y % 2) * 0.5) % 1 - 0.5
        dy = (y * n * 2 - centre_y) / 2
        edge = np.hypot(dx, dy)
        found = np.where((edge < 0.54) & (k == 1) | (edge < 0.54) & (found == 0), (edge > 0.44) + 0.001, found)
    return found > 0.5


def crosshatch(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    line = spread(rng, 0.1, 0.2)
    return ((x + y) * n % 1 < line) | ((x - y) * n % 1 < line)


def plain(x: Plane, y: Plane, n: float, rng: np.random.Generator) -> Plane:
    return np.zeros_like(x)


PATTERNS: dict[str, Callable[[Plane, Plane, float, np.random.Generator], Plane]] = {
    f.__name__: f
    for f in (
        stripes, checkerboard, dots, waves, noise, gradient, bricks, grid, zigzag, spiral, rings, plaid, rays,
        honeycomb, triangles, marble, wood, camouflage, scales, crosshatch, plain,
    )
}  # fmt: skip
NATURAL = {
    "wood": (("brown", "black"), ("beige", "brown"), ("orange", "brown")),
    "camouflage": (("green", "brown"), ("beige", "green"), ("green", "black"), ("grey", "black")),
    "bricks": (("white", "red"), ("grey", "red"), ("beige", "brown"), ("grey", "brown"), ("black", "orange")),
    "marble": (("grey", "white"), ("black", "white"), ("beige", "white"), ("brown", "white")),
    "noise": (("black", "white"), ("black", "grey"), ("grey", "white")),
}
"""Colours that these are found in, most of the time."""


@dataclass
class Texture:
    """A pattern over the whole picture."""

    name: str = "texture"
    weight: float = 6

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        return draw_texture(pick(rng, keys("textures")), rng, side)


def draw_texture(kind: str, rng: np.random.Generator, side: Side) -> Example:
    """The pattern in two colours; "many coloured" where a third one joins."""
    size = canvas.final_size(rng, pick(rng, (1, 1, 1, 1.5, 0.67)))
    width, height = size[0] * SCALE, size[1] * SCALE
    direction = pick(rng, tuple(TURNS)) if kind in DIRECTED else ""
    way = -1 if direction == "diagonal" and rng.random() < 0.5 else 1
    degrees = TURNS[direction] * way if direction else spread(rng, -8, 8) * (rng.random() < 0.3)
    longer = max(width, height)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32) / longer, np.arange(height, dtype=np.float32) / longer)
    x, y = _turned(x, y, degrees)
    if kind in NATURAL and rng.random() < 0.75:
        names = pick(rng, NATURAL[kind])
    else:
        names = (pick(rng, keys("colours")), pick(rng, keys("colours")))
        while names[0] == names[1]:
            names = (names[0], pick(rng, keys("colours")))
    share = np.asarray(PATTERNS[kind](x, y, spread(rng, 4, 11), rng), np.float32)
    first, second = (Image.new("RGB", (width, height), canvas.colour(name, rng)) for name in names)
    image = Image.composite(second, first, Image.fromarray((share * 255).astype(np.uint8), "L"))
    words = Wording(rng, side)
    key, contents = _said(words, kind, direction, names)
    media = canvas.worn(canvas.reduced(image, SCALE, rng, 0.15), rng, 0.15)
    return Example(media, key, contents, tuple(words.uses))


def _said(words: Wording, kind: str, direction: str, names: tuple[str, str]) -> tuple[str, list[str]]:
    """(key, phrases): with colours most of the time, without them in the rest."""
    what = f"{direction} {kind}".strip()

    def noun() -> str:
        name = words.name("textures", kind)
        return f"{words.name('directions', direction)} {name}" if direction else name

    if kind == "plain":
        one = words.name("colours", names[0])
        return f"texture:plain:{names[0]}", [f"a plain {one} surface", f"{noun()}, {one}", f"nothing but {one}"]
    if words.rng.random() < 0.25:
        return f"texture:{what}", [noun(), f"a pattern of {noun()}", f"a surface with {noun()}"]
    a, b = (words.name("colours", name) for name in words.rng.permutation(names).tolist())
    patterns = ("{a} and {b} {noun}", "{noun} in {a} and {b}", "{noun}, {a} and {b}", "a pattern of {a} and {b} {noun}")
    phrases = [words.pattern(patterns, a=a, b=b, noun=noun()) for _ in range(3)]
    return f"texture:{what}:{'+'.join(sorted(names))}", phrases


FAMILIES: list[Family] = [Texture()]
