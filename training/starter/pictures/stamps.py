"""Put one flat shape on a picture, in one of many hands: filled, outlined, hatched, shaded, sketched.

Knows: outlines, paint, pixels. Does not know: names, captions, where shapes go.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from . import canvas
from .canvas import Colour
from .outlines import OUTLINES, Points, spread
from .wording import pick

FILLS = (
    ("solid",) * 9
    + ("edged",) * 4
    + ("shaded", "shaded", "hollow", "hollow", "hollow", "hatched", "sketched", "dotted")
)
"""Ways of painting, the commoner ones repeated."""


@dataclass(frozen=True)
class Paint:
    """How a shape is painted. fill: one of FILLS. width: of lines, as a share of the shape's radius."""

    colour: Colour
    fill: str = "solid"
    edge: Colour = (0, 0, 0)
    width: float = 0.1
    wobble: float = 0.0
    shadow: bool = False


def paint(colour: Colour, rng: np.random.Generator) -> Paint:
    """A hand that keeps the colour recognisable."""
    darker = canvas.mixed(colour, (0, 0, 0), 0.45)
    edge = pick(rng, ((0, 0, 0), darker, darker, (255, 255, 255)))
    wobble = float(rng.random() * 0.014) if rng.random() < 0.15 else 0.0
    return Paint(colour, pick(rng, FILLS), edge, spread(rng, 0.05, 0.16), wobble, rng.random() < 0.08)


def stamp(
    image: Image.Image, shape: str, centre: tuple[float, float], radius: float, how: Paint, rng: np.random.Generator,
    angle: float | None = None,
) -> None:  # fmt: skip
    """Draw a fresh outline of the shape on the picture. angle: degrees; None for a turn that leaves its name."""
    outline = OUTLINES[shape](rng)
    turn = float(rng.uniform(-outline.turn, outline.turn)) if angle is None else angle
    points = _placed(outline.points, centre, radius, turn, how.wobble, rng)
    hole = None if outline.hole is None else _placed(outline.hole, centre, radius, turn, 0, rng)
    if how.shadow:
        off = 0.08 * radius + 1
        shade = canvas.mixed(image.getpixel((2, 2)), (0, 0, 0), 0.35)  # type: ignore[arg-type]
        _fill(image, points + off, None if hole is None else hole + off, shade)
    solid_only = shape == "ring" and how.fill == "hollow"
    _painted(image, points, hole, radius, Paint(how.colour) if solid_only else how, rng)


def _placed(
    points: Points, centre: tuple[float, float], radius: float, angle: float, wobble: float, rng: np.random.Generator
) -> Points:
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    turned = points @ np.array([[c, s], [-s, c]])
    if wobble:
        turned = _finer(turned)
        phase = np.linspace(0, 2 * np.pi, len(turned), endpoint=False)[:, None]
        waves = sum(np.sin(phase * k + rng.uniform(0, 6.3, 2)) for k in (3, 5, 8))
        turned = turned + wobble * waves
    placed: Points = turned * radius + np.array(centre)
    return placed


def _finer(points: Points) -> Points:
    """The same border with more points on its long sides."""
    after = np.roll(points, -1, 0)
    parts = [a + (b - a) * np.linspace(0, 1, 8, endpoint=False)[:, None] for a, b in zip(points, after)]
    return np.concatenate(parts) if len(points) < 20 else points


def _flat(points: Points) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points.tolist()]


def _mask(points: Points, hole: Points | None) -> tuple[tuple[int, int], Image.Image]:
    """Upper left corner and a mask of the shape's box."""
    low, high = np.floor(points.min(0)).astype(int) - 1, np.ceil(points.max(0)).astype(int) + 2
    mask = Image.new("L", (int(high[0] - low[0]), int(high[1] - low[1])))
    draw = ImageDraw.Draw(mask)
    draw.polygon(_flat(points - low), fill=255)
    if hole is not None:
        draw.polygon(_flat(hole - low), fill=0)
    return (int(low[0]), int(low[1])), mask


def _fill(image: Image.Image, points: Points, hole: Points | None, colour: Colour) -> None:
    if hole is None:
        ImageDraw.Draw(image).polygon(_flat(points), fill=colour)
        return
    corner, mask = _mask(points, hole)
    image.paste(colour, (*corner, corner[0] + mask.width, corner[1] + mask.height), mask)


def _border(image: Image.Image, points: Points, colour: Colour, width: float) -> None:
    closed = _flat(np.concatenate([points, points[:2]]))
    ImageDraw.Draw(image).line(closed, fill=colour, width=max(2, round(width)), joint="curve")


def _painted(
    image: Image.Image, points: Points, hole: Points | None, radius: float, how: Paint, rng: np.random.Generator
) -> None:
    borders = [points] if hole is None else [points, hole]
    if how.fill in ("solid", "edged"):
        _fill(image, points, hole, how.colour)
    elif how.fill == "shaded":
        corner, mask = _mask(points, hole)
        other = canvas.mixed(how.colour, pick(rng, ((255, 255, 255), (0, 0, 0))), 0.3)
        image.paste(canvas.gradient(mask.size, how.colour, other, float(rng.integers(0, 360))), corner, mask)
    elif how.fill in ("hatched", "dotted"):
        corner, mask = _mask(points, hole)
        image.paste(_hatching(mask.size, how, radius, rng), corner, mask)
    elif how.fill == "sketched":
        _fill(image, points, hole, canvas.mixed(how.colour, (255, 255, 255), 0.25))
        for border in borders:
            for _ in range(2):
                _border(image, border + rng.uniform(-0.06, 0.06, 2) * radius, how.colour, 0.06 * radius)
    lines = {"edged": how.edge, "hollow": how.colour, "hatched": how.colour, "dotted": how.colour}
    if how.fill in lines:
        for border in borders:
            _border(image, border, lines[how.fill], how.width * radius * (0.7 if how.fill == "edged" else 1))


def _hatching(size: tuple[int, int], how: Paint, radius: float, rng: np.random.Generator) -> Image.Image:
    """A tile of stripes or dots in the paint's colour and a paler one."""
    tile = Image.new("RGB", size, canvas.mixed(how.colour, (255, 255, 255), spread(rng, 0.55, 0.9)))
    draw, step = ImageDraw.Draw(tile), max(6, round(radius * spread(rng, 0.16, 0.3)))
    width, height = size
    if how.fill == "dotted":
        for x in range(0, width, step):
            for y in range(0, height, step):
                draw.ellipse((x, y, x + step * 0.6, y + step * 0.6), fill=how.colour)
        return tile
    slope = pick(rng, (0, 1, -1))
    for x in range(-height, width + height, step):
        draw.line((x, 0, x + slope * height, height), fill=how.colour, width=max(3, step // 2))
    return tile
