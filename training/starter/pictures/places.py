"""Places made by people: streets, houses, boats, a room.

Knows: what belongs to each scene. Does not know: how a tree or a house is drawn (land.py), captions.
"""

from __future__ import annotations

import numpy as np

from . import canvas
from .land import BRIGHT, GREENS, ROCKS, SANDS, SEAS, Land
from .outlines import arc

WALLS = ((240, 230, 210), (220, 120, 90), (250, 210, 120), (200, 220, 235), (255, 255, 255))
ROOFS = ((170, 60, 50), (120, 70, 50), (80, 80, 95), (200, 90, 50))


def city(land: Land) -> None:
    land.dark()
    land.stars(15, 0.4)
    if land.rng.random() < 0.5:
        land.disc(land.between(0.1, 0.9), 0.15, 0.06, (250, 245, 210))
    x = -0.05
    while x < 1:
        wide, top = land.between(0.08, 0.17), land.between(0.25, 0.65)
        wall = land.some(((30, 35, 60), (45, 45, 60), (20, 25, 40), (60, 60, 90)), 8)
        land.box(x, top, x + wide, 1, wall)
        for row in np.arange(top + 0.04, 0.97, 0.06).tolist():
            for column in np.arange(x + 0.015, x + wide - 0.02, 0.032).tolist():
                if land.rng.random() < 0.6:
                    land.box(column, row, column + 0.016, row + 0.028, land.some(((255, 220, 110), (255, 240, 180))))
        x += wide + land.between(-0.01, 0.02)


def road(land: Land) -> None:
    land.day()
    horizon, x = land.between(0.35, 0.55), land.between(0.35, 0.65)
    land.hills(horizon, land.some((*GREENS, *SANDS)), 0.03)
    grey = land.some(((80, 80, 85), (110, 110, 115), (60, 60, 65)), 6)
    left, right = land.between(-0.1, 0.2), land.between(0.8, 1.1)
    land.polygon([(x - 0.015, horizon), (x + 0.015, horizon), (right, 1), (left, 1)], grey)
    middle, white = (left + right) / 2, land.some(((250, 250, 250), (250, 220, 80)), 5)
    for k in range(5):
        a, b = (k / 5) ** 1.6, ((k + 0.55) / 5) ** 1.6
        top, bottom = horizon + a * (1 - horizon), horizon + b * (1 - horizon)
        xa, xb, wa, wb = x + (middle - x) * a, x + (middle - x) * b, 0.004 + 0.02 * a, 0.004 + 0.02 * b
        land.polygon([(xa - wa, top), (xa + wa, top), (xb + wb, bottom), (xb - wb, bottom)], white)


def farm(land: Land) -> None:
    land.day()
    land.hills(0.55, land.some(GREENS), 0.08)
    for k in range(5):
        land.line([(0.5, 0.68), (k * 0.5 - 0.5, 1)], land.some(((200, 180, 80), (120, 100, 50))), 0.02)
    x, foot = land.between(0.15, 0.5), land.between(0.68, 0.78)
    land.house(
        x,
        foot,
        land.between(0.25, 0.35),
        land.some(((180, 40, 40), (160, 50, 40))),
        land.some(((90, 60, 50), (200, 200, 200))),
    )
    land.leafy(land.between(0.75, 0.95), foot, 0.3, land.some(GREENS))


def village(land: Land) -> None:
    land.day()
    land.hills(0.6, land.some(GREENS), 0.08)
    many = int(land.between(4, 7))
    for row, foot in enumerate((0.7, 0.92)):
        for i in range(many - 2 * row):
            wide = 0.75 / (many - 2 * row)
            land.house(0.04 + i * wide * 1.3, foot, wide, land.some(WALLS), land.some(ROOFS))


def lighthouse(land: Land) -> None:
    land.day() if land.rng.random() < 0.7 else land.dark()
    land.ground(0.72, land.some(SEAS))
    land.ripples(0.72, (220, 235, 245), 8)
    x, colour = land.between(0.3, 0.7), land.some(((210, 40, 40), (30, 60, 120), (40, 40, 40)))
    land.polygon([(x - 0.35, 1), (x - 0.15, 0.74), (x + 0.15, 0.74), (x + 0.35, 1)], land.some(ROCKS))
    land.polygon([(x, 0.2), (1 if x < 0.5 else 0, 0.05), (1 if x < 0.5 else 0, 0.32)], (255, 245, 170))
    for k in range(5):
        top, wide = 0.26 + 0.1 * k, 0.045 + 0.009 * k
        land.polygon(
            [(x - wide, top), (x + wide, top), (x + wide + 0.01, top + 0.1), (x - wide - 0.01, top + 0.1)],
            colour if k % 2 == 0 else (250, 250, 250),
        )
    land.box(x - 0.035, 0.17, x + 0.035, 0.26, (255, 235, 120))
    land.polygon([(x - 0.06, 0.17), (x, 0.1), (x + 0.06, 0.17)], colour)


def bridge(land: Land) -> None:
    land.day()
    land.hills(0.5, land.some(GREENS), 0.1)
    water, stone = land.some(SEAS), land.some(((150, 130, 110), (130, 130, 135), (170, 80, 60)))
    land.ground(0.72, water)
    deck, arches = land.between(0.42, 0.5), int(land.between(2, 5))
    land.box(0, deck, 1, 0.8, stone)
    for k in range(arches):
        hole = arc(180, 360, 24) * (0.4 / arches, 0.26) + ((k + 0.5) / arches, 0.8)
        land.polygon(hole, canvas.mixed(water, (200, 225, 240), 0.5))
    land.ground(0.8, water)
    land.box(0, deck - 0.03, 1, deck, canvas.mixed(stone, (0, 0, 0), 0.3))
    land.ripples(0.8, (220, 235, 245), 8)


def sailing(land: Land) -> None:
    land.day()
    horizon, x = land.between(0.55, 0.7), land.between(0.35, 0.65)
    land.ground(horizon, land.some(SEAS))
    land.ripples(horizon, (220, 235, 245), 14)
    y, s = horizon + land.between(0.05, 0.12), land.between(0.16, 0.26)
    land.polygon(
        [(x - s, y - 0.06), (x + s, y - 0.06), (x + s * 0.65, y + 0.06), (x - s * 0.65, y + 0.06)],
        land.some(((120, 70, 40), (200, 50, 50), (250, 250, 250), (30, 50, 100))),
    )
    land.line([(x, y - 0.06), (x, y - 0.06 - 2.2 * s)], (90, 60, 40), 0.015)
    sail = land.some(((255, 255, 255), (250, 240, 220), (230, 60, 60), (250, 200, 60)))
    land.polygon([(x + 0.02, y - 0.09), (x + 0.02, y - 2.2 * s), (x + s * 0.95, y - 0.09)], sail)
    land.polygon(
        [(x - 0.02, y - 0.09), (x - 0.02, y - 1.8 * s), (x - s * 0.7, y - 0.09)],
        canvas.mixed(sail, (120, 120, 120), 0.2),
    )


def fireworks(land: Land) -> None:
    land.dark()
    for _ in range(int(land.between(2, 6))):
        x, y, r, colour = land.between(0.15, 0.85), land.between(0.12, 0.55), land.between(0.1, 0.24), land.some(BRIGHT)
        for tip in arc(land.between(0, 30), 390, 18, r).tolist():
            part = land.between(0.75, 1)
            land.line([(x + tip[0] * 0.3, y + tip[1] * 0.3), (x + tip[0] * part, y + tip[1] * part)], colour, 0.009)
            land.disc(x + tip[0] * part, y + tip[1] * part, 0.01, canvas.mixed(colour, (255, 255, 255), 0.5))
    land.hills(0.93, (5, 5, 12), 0.04)


def room(land: Land) -> None:
    wall, floor = (
        land.some((*WALLS, (190, 210, 190), (230, 200, 190))),
        land.some(((160, 110, 70), (190, 150, 110), (120, 90, 70))),
    )
    land.sky(wall, wall)
    land.ground(0.75, floor)
    x, sofa = (
        land.between(0.08, 0.3),
        land.some(((70, 110, 160), (150, 60, 60), (90, 140, 100), (120, 120, 125), (200, 150, 60))),
    )
    dark = canvas.mixed(sofa, (0, 0, 0), 0.25)
    land.box(x + 0.03, 0.5, x + 0.52, 0.72, sofa)
    land.box(x, 0.6, x + 0.07, 0.86, dark)
    land.box(x + 0.48, 0.6, x + 0.55, 0.86, dark)
    land.box(x + 0.07, 0.7, x + 0.48, 0.83, canvas.mixed(sofa, (255, 255, 255), 0.15))
    lamp = x + 0.66
    land.line([(lamp, 0.88), (lamp, 0.4)], (60, 60, 60), 0.015)
    land.polygon(
        [(lamp - 0.09, 0.42), (lamp - 0.05, 0.28), (lamp + 0.05, 0.28), (lamp + 0.09, 0.42)],
        land.some(((255, 230, 150), (250, 250, 240))),
    )
    left = x + land.between(0.05, 0.2)
    land.box(left, 0.12, left + 0.26, 0.4, (250, 250, 250))
    land.box(left + 0.015, 0.14, left + 0.245, 0.38, land.some(((150, 205, 240), (200, 120, 80), (100, 160, 120))))


PLACES = {f.__name__: f for f in (city, road, farm, village, lighthouse, bridge, sailing, fireworks, room)}
"""Scene → how it is drawn."""
