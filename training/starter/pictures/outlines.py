"""The outlines of flat shapes, as points.

Knows: geometry in the square -1 … 1, y downwards. Does not know: colours, sizes on a picture, names in language.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Points = np.ndarray
"""(n, 2) float."""


@dataclass(frozen=True)
class Outline:
    """points: the border. hole: the border of what is cut out. turn: largest rotation that leaves its name, degrees."""

    points: Points
    hole: Points | None = None
    turn: float = 180


def arc(start: float, stop: float, n: int = 48, radius: float = 1.0, x: float = 0, y: float = 0) -> Points:
    """Points on a circle, from one angle to another (degrees, clockwise from the right)."""
    angles = np.deg2rad(np.linspace(start, stop, n))
    return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], 1)


def regular(corners: int, start: float = -90) -> Points:
    """A regular polygon with a corner at `start`."""
    return arc(start, start + 360 * (corners - 1) / corners, corners)


def spread(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between the two."""
    return low + (high - low) * float(rng.random())


def polygon(*points: tuple[float, float]) -> Points:
    """Points given one by one."""
    return np.array(points, float)


def star(rng: np.random.Generator) -> Outline:
    inner = spread(rng, 0.36, 0.56)
    points = arc(-90, 234, 10)
    points[1::2] *= inner
    return Outline(points, turn=36)


def heart(rng: np.random.Generator) -> Outline:
    t = np.linspace(0, 2 * np.pi, 72)
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16
    return Outline(np.stack([np.sin(t) ** 3 * spread(rng, 0.9, 1.1), y - 0.1], 1), turn=25)


def cross(rng: np.random.Generator, turn: float = 8) -> Outline:
    a = spread(rng, 0.18, 0.42)
    quarter = [(a, -1), (a, -a), (1, -a)]
    points = [(x, y) for k in range(4) for x, y in (_quarter_turned(p, k) for p in quarter)]
    return Outline(polygon(*points), turn=turn)


def _quarter_turned(point: tuple[float, float], times: int) -> tuple[float, float]:
    x, y = point
    for _ in range(times):
        x, y = -y, x
    return x, y


def saltire(rng: np.random.Generator) -> Outline:
    plus, half = cross(rng).points, np.sqrt(0.5)
    return Outline(plus @ np.array([[half, half], [-half, half]]), turn=8)


def arrow(rng: np.random.Generator) -> Outline:
    """Points to the right."""
    shaft, head, barb = spread(rng, 0.12, 0.34), spread(rng, -0.1, 0.45), spread(rng, 0.55, 0.9)
    points = [(-1, -shaft), (head, -shaft), (head, -barb), (1, 0), (head, barb), (head, shaft), (-1, shaft)]
    return Outline(polygon(*points), turn=14)


def crescent(rng: np.random.Generator) -> Outline:
    """Outer arc and a flatter inner one between the same two tips."""
    open_at = spread(rng, 35, 65)
    outer = arc(open_at, 360 - open_at, 60)
    tip_x, tip_y = np.cos(np.deg2rad(open_at)), np.sin(np.deg2rad(open_at))
    centre = tip_x + spread(rng, 0.05, 0.35) * tip_y
    radius = np.hypot(centre - tip_x, tip_y)
    lean = np.rad2deg(np.arctan2(tip_y, tip_x - centre))
    inner = arc(-lean, lean - 360, 60, radius, centre)
    points = np.concatenate([outer, inner])
    if rng.random() < 0.4:
        points[:, 0] *= -1
    return Outline(points, turn=40)


def ring(rng: np.random.Generator) -> Outline:
    return Outline(arc(0, 360, 64), arc(0, 360, 64) * spread(rng, 0.45, 0.78))


def drop(rng: np.random.Generator) -> Outline:
    t = np.linspace(0, 2 * np.pi, 60)
    return Outline(np.stack([0.72 * np.sin(t) * np.sin(t / 2) ** spread(rng, 1.0, 1.8), -np.cos(t)], 1), turn=15)


def cloud(rng: np.random.Generator) -> Outline:
    left, top, right = spread(rng, 0.34, 0.42), spread(rng, 0.48, 0.58), spread(rng, 0.36, 0.44)
    parts = [
        arc(90, 290, 20, left, left - 1, 0.6 - left),
        arc(200, 350, 24, top, -0.1, -0.05),
        arc(-80, 90, 20, right, 1 - right, 0.6 - right),
    ]
    return Outline(np.concatenate(parts), turn=8)


def lightning(rng: np.random.Generator) -> Outline:
    w = spread(rng, 0.85, 1.15)
    points = [(0.1, -1), (-0.55, 0.15), (-0.08, 0.15), (-0.3, 1), (0.55, -0.22), (0.06, -0.22), (0.42, -1)]
    return Outline(polygon(*points) * (w, 1), turn=14)


def flower(rng: np.random.Generator) -> Outline:
    petals, depth = int(rng.integers(5, 9)), spread(rng, 0.18, 0.32)
    t = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    radius = 1 - depth + depth * np.abs(np.cos(t * petals / 2)) ** 0.7 * 1.2 - 0.2 * depth
    return Outline(np.stack([radius * np.cos(t), radius * np.sin(t)], 1), arc(0, 360, 24) * spread(rng, 0.18, 0.3))


def flat(rng: np.random.Generator, low: float, high: float, points: Points, turn: float) -> Outline:
    """Points pressed to an aspect between the two; lying, or now and then standing."""
    pressed = points * (1, spread(rng, low, high))
    return Outline(pressed[:, ::-1].copy() if rng.random() < 0.3 else pressed, turn=turn)


def trapezoid(rng: np.random.Generator) -> Outline:
    top, high, flip = spread(rng, 0.35, 0.7), spread(rng, 0.45, 0.75), 1 if rng.random() < 0.75 else -1
    return Outline(polygon((-top, -high), (top, -high), (1, high), (-1, high)) * (1, flip), turn=8)


def parallelogram(rng: np.random.Generator) -> Outline:
    lean, high, flip = spread(rng, 0.25, 0.5), spread(rng, 0.35, 0.6), 1 if rng.random() < 0.6 else -1
    return Outline(polygon((lean - 1, -high), (1, -high), (1 - lean, high), (-1, high)) * (flip, 1), turn=8)


def triangle(rng: np.random.Generator) -> Outline:
    kind = rng.random()
    if kind < 0.7:
        return Outline(regular(3), turn=180 if rng.random() < 0.15 else 12)
    if kind < 0.85:
        return Outline(polygon((-0.9, -0.9), (0.9, 0.8), (-0.9, 0.8)), turn=12)
    return Outline(polygon((spread(rng, -0.4, 0.4), -0.95), (0.9, 0.8), (-0.9, 0.8)), turn=12)


SQUARE = polygon((-1, -1), (1, -1), (1, 1), (-1, 1))
DIAMOND = polygon((0, -1), (1, 0), (0, 1), (-1, 0))
OUTLINES: dict[str, Callable[[np.random.Generator], Outline]] = {
    "circle": lambda rng: Outline(arc(0, 360, 64)),
    "square": lambda rng: Outline(SQUARE * 0.86, turn=9),
    "triangle": triangle,
    "star": star,
    "heart": heart,
    "hexagon": lambda rng: Outline(regular(6, -90 if rng.random() < 0.5 else 0), turn=10),
    "pentagon": lambda rng: Outline(regular(5), turn=14),
    "diamond": lambda rng: Outline(DIAMOND * (spread(rng, 0.58, 0.95), 1), turn=5),
    "ellipse": lambda rng: flat(rng, 0.45, 0.72, arc(0, 360, 64), 30),
    "rectangle": lambda rng: flat(rng, 0.32, 0.66, SQUARE, 9),
    "cross": cross,
    "arrow": arrow,
    "crescent": crescent,
    "ring": ring,
    "octagon": lambda rng: Outline(regular(8, -67.5), turn=6),
    "trapezoid": trapezoid,
    "parallelogram": parallelogram,
    "semicircle": lambda rng: Outline(arc(180, 360, 40) * (1, 1 if rng.random() < 0.7 else -1) + (0, 0.4), turn=15),
    "x": saltire,
    "drop": drop,
    "cloud": cloud,
    "lightning": lightning,
    "flower": flower,
    "quarter": lambda rng: Outline(np.concatenate([arc(-90, 0, 30, 1.7, -0.8, 0.8), [[-0.8, 0.8]]]), turn=180),
}
"""Shape → a fresh outline, never twice quite the same."""
