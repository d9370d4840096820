"""Landscapes, weather and sky.

Knows: what belongs to each scene. Does not know: how a tree or a cloud is drawn (land.py), captions.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from . import canvas
from .land import BLUE_SKIES, BRIGHT, GREENS, NIGHTS, ROCKS, SANDS, SEAS, Land
from .outlines import arc
from .wording import pick

RAINBOW = ((230, 40, 40), (250, 150, 40), (250, 230, 50), (60, 180, 70), (50, 110, 220), (130, 60, 180))


def sunset(land: Land) -> None:
    top = land.some(((70, 40, 110), (200, 80, 60), (40, 60, 130), (230, 120, 60)))
    land.sky(top, land.some(((255, 180, 80), (255, 140, 70), (255, 210, 120))))
    horizon, x = land.between(0.5, 0.65), land.between(0.25, 0.75)
    glow = land.some(((255, 230, 120), (255, 200, 80), (255, 120, 60)))
    land.disc(x, horizon - land.between(-0.02, 0.1), land.between(0.1, 0.17), glow)
    sea = land.some(((60, 40, 90), (40, 70, 130), (150, 70, 70)))
    land.ground(horizon, sea)
    for k in range(9):
        y, wide = horizon + 0.03 + k * 0.045, 0.02 + land.between(0.02, 0.1)
        land.line([(x - wide, y), (x + wide, y)], canvas.mixed(sea, glow, 0.75), 0.012)


def mountains(land: Land) -> None:
    land.day()
    land.peaks(
        land.between(0.75, 0.95), land.between(0.1, 0.3), land.some(ROCKS), (250, 250, 255), int(land.between(2, 5))
    )
    if land.rng.random() < 0.5:
        land.hills(0.85, land.some(GREENS), 0.06)


def forest(land: Land) -> None:
    land.day()
    green = land.some(GREENS)
    land.ground(land.between(0.6, 0.75), canvas.mixed(green, (60, 50, 20), 0.3))
    land.trees(int(land.between(14, 26)), (0.65, 1.0), (0.35, 0.6), land.rng.random() < 0.6, green)


def desert(land: Land) -> None:
    land.sky(land.some(((120, 190, 240), (250, 200, 120), (90, 160, 220))), land.some(((255, 240, 200),)))
    if land.rng.random() < 0.6:
        land.disc(land.between(0.1, 0.9), land.between(0.1, 0.25), 0.08, (255, 245, 180))
    sand = land.some(SANDS)
    for k in range(3):
        land.hills(
            0.5 + 0.15 * k, canvas.mixed(sand, (150, 90, 40), 0.14 * (k % 2) + 0.08 * k), 0.16, land.between(0.8, 1.6)
        )
    for _ in range(int(land.between(0, 4))):
        x, y, s, green = land.between(0.1, 0.9), land.between(0.65, 0.95), land.between(0.15, 0.3), (50, 120, 60)
        land.line([(x, y), (x, y - s)], green, 0.2 * s)
        land.line([(x, y - 0.4 * s), (x + 0.25 * s, y - 0.4 * s), (x + 0.25 * s, y - 0.75 * s)], green, 0.13 * s)


def rainbow(land: Land) -> None:
    land.day()
    x, y, radius, band = (
        land.between(0.35, 0.65),
        land.between(0.7, 0.9),
        land.between(0.5, 0.65),
        land.between(0.03, 0.05),
    )
    for k, colour in enumerate(RAINBOW):
        points = arc(180, 360, 40, radius - k * band, 0, y) * (land.height / land.width, 1) + (x, 0)
        land.line([(a, b) for a, b in points.tolist()], colour, band * 1.15)
    land.hills(0.8, land.some(GREENS), 0.1)


def night(land: Land) -> None:
    land.dark()
    land.stars(int(land.between(40, 110)), 1.0, land.between(0.007, 0.014))
    if land.rng.random() < 0.6:
        x, y, r = land.between(0.15, 0.85), land.between(0.12, 0.4), land.between(0.06, 0.11)
        land.disc(x, y, r, (250, 245, 215))
    if land.rng.random() < 0.7:
        land.hills(land.between(0.75, 0.9), land.some(((5, 8, 15), (15, 25, 30)), 4), 0.1)


def beach(land: Land) -> None:
    land.day()
    horizon = land.between(0.35, 0.5)
    land.disc(land.between(0.1, 0.9), 0.15, 0.08, (255, 240, 120))
    land.ground(horizon, land.some(SEAS))
    land.ripples(horizon, (225, 240, 250), 6)
    land.hills(horizon + land.between(0.2, 0.3), land.some(SANDS), 0.06, 0.7)
    x = land.between(0.2, 0.8)
    if land.rng.random() < 0.6:
        land.palm(x, land.between(0.85, 0.95), land.between(0.45, 0.6))
    if land.rng.random() < 0.6:
        x = 1.0 - x
        land.line([(x, 0.95), (x, 0.68)], (240, 240, 240), 0.015)
        land.polygon(arc(180, 360, 20, 0.16) * (1, 0.7) + (x, 0.72), land.some(BRIGHT))


def meadow(land: Land) -> None:
    land.day()
    horizon = land.between(0.25, 0.45)
    land.hills(horizon, land.some(GREENS), 0.06)
    colours = [land.some(BRIGHT) for _ in range(int(land.between(1, 4)))]
    for y in sorted(land.between(horizon + 0.06, 1) ** 1.0 for _ in range(60)):
        x, size = land.between(0, 1), 0.012 + 0.035 * (y - horizon)
        colour = pick(land.rng, colours)
        for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            land.disc(x + dx * size * 0.8, y + dy * size * 0.8, size * 0.7, colour)
        land.disc(x, y, size * 0.6, (250, 220, 60))


def river(land: Land) -> None:
    land.day()
    horizon = land.between(0.3, 0.45)
    land.peaks(horizon + 0.05, 0.15, land.some(ROCKS), None, 3)
    land.hills(horizon, land.some(GREENS), 0.05)
    y = np.linspace(horizon + 0.04, 1, 24)
    far = (y - horizon) / (1 - horizon)
    x = 0.5 + land.between(0.1, 0.2) * np.sin(far * land.between(5, 8)) * far**0.5
    wide = 0.015 + 0.16 * far
    points = [*zip(x - wide, y), *reversed(list(zip(x + wide, y)))]
    land.polygon(points, land.some(SEAS))
    land.trees(4, (horizon + 0.05, horizon + 0.12), (0.1, 0.2), land.rng.random() < 0.5, land.some(GREENS))


def island(land: Land) -> None:
    land.day()
    horizon, x = land.between(0.45, 0.6), land.between(0.35, 0.65)
    land.ground(horizon, land.some(SEAS))
    land.ripples(horizon, (200, 230, 245), 10)
    y = horizon + land.between(0.12, 0.25)
    wide = land.between(0.22, 0.35)
    land.polygon(arc(180, 360, 30) * (wide, 0.14) + (x, y), land.some(SANDS))
    for _ in range(int(land.between(1, 3))):
        land.palm(x + land.between(-0.1, 0.1), y - 0.1, land.between(0.3, 0.45))


def volcano(land: Land) -> None:
    land.sky(land.some(((60, 30, 50), (120, 160, 200), (40, 40, 60))), land.some(((220, 120, 80), (240, 220, 200))))
    x, top, rock = (
        land.between(0.4, 0.6),
        land.between(0.3, 0.42),
        land.some(((80, 60, 55), (60, 55, 60), (100, 70, 55))),
    )
    for _ in range(6):
        land.disc(
            x + land.between(-0.1, 0.1),
            land.between(0.03, top - 0.1),
            land.between(0.06, 0.11),
            land.some(((90, 90, 95),)),
        )
    fire = land.some(((255, 90, 20), (255, 150, 30), (230, 40, 20)))
    for _ in range(9):
        tip = (x + land.between(-0.2, 0.2), land.between(0.05, top - 0.1))
        land.line([(x, top + 0.02), ((x + tip[0]) / 2, tip[1]), tip], canvas.shifted(fire, land.rng, 25), 0.02)
    land.polygon([(x - 0.08, top), (x + 0.08, top), (x + 0.5, 1), (x - 0.5, 1)], rock)
    land.polygon(
        [(x - 0.07, top), (x + 0.07, top), (x + 0.03, top + 0.1), (x + 0.08, 0.8), (x, top + 0.2), (x - 0.06, 0.7)],
        fire,
    )


def underwater(land: Land) -> None:
    land.sky(land.some(((60, 170, 220), (40, 140, 200), (80, 200, 210))), land.some(((10, 50, 110), (0, 60, 90))))
    land.hills(0.88, land.some(SANDS), 0.05)
    for _ in range(int(land.between(3, 7))):
        x, wave, green = (
            land.between(0, 1),
            land.between(0.02, 0.04),
            land.some(((40, 140, 80), (200, 80, 110), (60, 160, 60))),
        )
        land.line([(x + wave * (-1) ** k, 0.95 - 0.07 * k) for k in range(int(land.between(3, 7)))], green, 0.025)
    for _ in range(int(land.between(2, 6))):
        x, y, s, way = (
            land.between(0.1, 0.9),
            land.between(0.15, 0.75),
            land.between(0.05, 0.1),
            pick(land.rng, (-1, 1)),
        )
        colour = land.some(BRIGHT)
        land.polygon(arc(0, 360, 20) * (s, s * 0.55) + (x, y), colour)
        land.polygon(
            [(x + way * s * 0.8, y), (x + way * s * 1.6, y - s * 0.5), (x + way * s * 1.6, y + s * 0.5)], colour
        )
        land.disc(x - way * s * 0.5, y - s * 0.1, s * 0.13, (10, 10, 10))
    for _ in range(10):
        land.disc(land.between(0, 1), land.between(0, 0.9), land.between(0.006, 0.02), (190, 230, 250))


def space(land: Land) -> None:
    land.sky(land.some(NIGHTS, 5), land.some(((0, 0, 5), (30, 10, 50)), 5))
    land.stars(int(land.between(40, 90)))
    for _ in range(int(land.between(1, 4))):
        x, y, r = land.between(0.15, 0.85), land.between(0.15, 0.85), land.between(0.07, 0.2)
        colour = land.some(((220, 150, 90), (90, 140, 220), (200, 80, 60), (150, 200, 170), (230, 210, 160)), 20)
        land.disc(x, y, r, canvas.mixed(colour, (0, 0, 0), 0.4))
        land.disc(x - r * 0.08, y - r * 0.08, r * 0.9, colour)
        if land.rng.random() < 0.5:
            ring = arc(-200, 20, 40) * (r * 1.7, r * 0.45) @ np.array([[0.94, -0.34], [0.34, 0.94]]) + (x, y)
            land.line([(a, b) for a, b in ring.tolist()], canvas.mixed(colour, (255, 255, 255), 0.5), 0.018)


def rain(land: Land) -> None:
    land.sky(land.some(((90, 100, 115), (70, 80, 100), (120, 130, 140))), land.some(((160, 170, 180), (130, 140, 155))))
    land.clouds(int(land.between(3, 7)), land.some(((70, 75, 85), (95, 100, 110))), 0.25)
    land.ground(land.between(0.8, 0.9), land.some(((70, 90, 80), (80, 85, 90))))
    land.falling(
        int(land.between(50, 110)),
        land.some(((190, 210, 235), (120, 160, 220))),
        land.between(0.05, 0.12),
        land.between(0, 0.05),
    )


def snow(land: Land) -> None:
    land.sky(land.some(((120, 140, 170), (150, 180, 210), (60, 70, 110))), land.some(((220, 228, 240),)))
    land.hills(land.between(0.65, 0.8), (245, 248, 252), 0.08)
    land.trees(int(land.between(3, 8)), (0.75, 0.95), (0.25, 0.5), True, land.some(((60, 100, 80), (220, 232, 238))))
    land.falling(int(land.between(60, 120)), (255, 255, 255), 0, 0)


def storm(land: Land) -> None:
    land.sky(land.some(((25, 25, 50), (50, 50, 70), (40, 30, 60))), land.some(((90, 90, 120), (70, 60, 90))))
    for _ in range(int(land.between(1, 3))):
        land.bolt(
            land.between(0.2, 0.8), 0.15, land.between(0.75, 0.9), land.some(((255, 250, 180), (235, 235, 255)), 5)
        )
    land.clouds(6, land.some(((50, 50, 65), (75, 75, 90))), 0.2)
    land.hills(0.88, land.some(((15, 20, 25), (30, 40, 35)), 5), 0.06)


def lake(land: Land) -> None:
    land.day()
    shore, rock = land.between(0.5, 0.6), land.some(ROCKS)
    land.peaks(shore, 0.12, rock, (250, 250, 255) if land.rng.random() < 0.5 else None, 3)
    land.hills(shore - 0.04, land.some(GREENS), 0.03)
    half = round(shore * land.height)
    water = land.image.crop((0, max(0, 2 * half - land.height), land.width, half)).transpose(
        Image.Transpose.FLIP_TOP_BOTTOM
    )
    tint = Image.new("RGB", water.size, land.some(SEAS))
    land.image.paste(Image.blend(water, tint, land.between(0.35, 0.7)), (0, half))
    land.ripples(shore, (220, 235, 245), 8)


def sunny(land: Land) -> None:
    land.day()
    x, y, r = land.between(0.15, 0.85), land.between(0.15, 0.25), land.between(0.08, 0.13)
    for angle in range(0, 360, 30):
        tip = arc(angle, angle, 1, r * 1.6)[0] * (land.height / land.width, 1)
        land.line([(x, y), (x + tip[0], y + tip[1])], (255, 215, 60), 0.014)
    land.disc(x, y, r, (255, 225, 70))
    land.clouds(int(land.between(0, 3)), (255, 255, 255))
    for k in range(2):
        land.hills(0.6 + 0.15 * k, land.some(GREENS), 0.14)
    land.trees(int(land.between(0, 4)), (0.75, 0.9), (0.15, 0.25), False, land.some(GREENS))


def waterfall(land: Land) -> None:
    land.day()
    rock, x = land.some(ROCKS), land.between(0.35, 0.65)
    land.polygon([(0, 0.2), (x - 0.12, 0.26), (x + 0.12, 0.24), (1, 0.18), (1, 1), (0, 1)], rock)
    for _ in range(14):
        a, b = land.between(0, 1), land.between(0.3, 0.9)
        land.line([(a, b), (a + 0.08, b + 0.04)], canvas.mixed(rock, (0, 0, 0), 0.3), 0.012)
    land.box(x - 0.12, 0.24, x + 0.12, 0.85, land.some(((200, 225, 245), (170, 210, 240))))
    for _ in range(16):
        a, b = x + land.between(-0.11, 0.11), land.between(0.25, 0.6)
        land.line([(a, b), (a, b + 0.2)], (250, 252, 255), 0.012)
    land.ground(0.84, land.some(SEAS))
    for _ in range(12):
        land.disc(x + land.between(-0.2, 0.2), land.between(0.82, 0.88), land.between(0.02, 0.05), (245, 250, 255))
    land.trees(5, (0.2, 0.26), (0.12, 0.2), True, land.some(GREENS))


def sea(land: Land) -> None:
    land.day()
    horizon, water = land.between(0.3, 0.5), land.some(SEAS)
    land.ground(horizon, water)
    for k in range(7):
        y = horizon + 0.03 + 0.09 * k
        x = np.linspace(-0.1, 1.1, 60)
        crest = y + (0.006 + 0.004 * k) * np.sin(x * land.between(25, 45) + land.between(0, 6))
        land.line(
            list(zip(x.tolist(), crest.tolist())), canvas.mixed(water, (255, 255, 255), land.between(0.3, 0.7)), 0.012
        )


def sky(land: Land) -> None:
    land.sky(land.some(BLUE_SKIES), canvas.mixed(land.some(BLUE_SKIES), (255, 255, 255), land.between(0, 0.5)))
    white = land.some(((255, 255, 255), (235, 240, 245)))
    for _ in range(int(land.between(3, 8))):
        x, y, size = land.between(0, 1), land.between(0.05, 0.95), land.between(0.06, 0.13)
        for _ in range(6):
            land.disc(
                x + land.between(-1, 1) * size, y + land.between(-0.3, 0.3) * size, size * land.between(0.5, 0.9), white
            )


def moon(land: Land) -> None:
    land.dark()
    land.stars(int(land.between(0, 30)), 0.6)
    x, y, glow = (
        land.between(0.25, 0.75),
        land.between(0.22, 0.4),
        land.some(((250, 245, 210), (235, 235, 240), (255, 230, 160))),
    )
    radius = land.between(0.13, 0.22)
    land.disc(x, y, radius, glow)
    for _ in range(4):
        a, b = land.between(-0.6, 0.6) * radius, land.between(-0.6, 0.6) * radius
        land.disc(x + a * land.height / land.width, y + b, radius * 0.15, canvas.mixed(glow, (120, 120, 120), 0.3))
    if land.rng.random() < 0.6:
        water = canvas.mixed(land.some(NIGHTS), (40, 60, 110), 0.5)
        land.ground(0.7, water)
        for k in range(7):
            wide = land.between(0.03, 0.11)
            land.line([(x - wide, 0.73 + 0.04 * k), (x + wide, 0.73 + 0.04 * k)], canvas.mixed(water, glow, 0.7), 0.012)


def autumn(land: Land) -> None:
    land.day()
    leaf = land.some(((220, 110, 30), (200, 70, 30), (230, 160, 40)))
    land.ground(0.72, land.some(((150, 110, 50), (170, 120, 60), (140, 150, 60))))
    land.trees(int(land.between(4, 12)), (0.72, 0.92), (0.4, 0.65), False, leaf)
    for _ in range(40):
        land.disc(land.between(0, 1), land.between(0.74, 1), 0.012, canvas.shifted(leaf, land.rng, 40))


def tree(land: Land) -> None:
    land.day()
    green = land.some(GREENS)
    land.hills(land.between(0.7, 0.82), land.some(GREENS), 0.08, 0.8)
    grow = land.leafy if land.rng.random() < 0.75 else land.fir
    grow(
        land.between(0.35, 0.65),
        land.between(0.8, 0.88),
        land.between(0.55, 0.75),
        canvas.mixed(green, (0, 60, 0), 0.3),
    )


NATURE = {
    f.__name__: f
    for f in (
        sunset, mountains, forest, desert, rainbow, night, beach, meadow, river, island, volcano, underwater, space,
        rain, snow, storm, lake, sunny, waterfall, sea, sky, moon, autumn, tree,
    )
}  # fmt: skip
"""Scene → how it is drawn."""
