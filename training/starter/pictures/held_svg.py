"""Shapes as SVG, rendered by cairo: another renderer, other outlines and another palette than training sees.

Knows: SVG, cairosvg. Does not know: stamps.py, outlines.py, captions.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from .wording import pick

PAINTS = {
    "red": ("#fa5252", "#c92a2a", "firebrick", "#e03131"),
    "orange": ("#fd7e14", "darkorange", "#f76707"),
    "yellow": ("#fcc419", "#ffe066", "gold"),
    "green": ("#40c057", "#2b8a3e", "seagreen", "forestgreen"),
    "blue": ("#228be6", "#1864ab", "mediumblue", "#364fc7"),
    "purple": ("#be4bdb", "#862e9c", "rebeccapurple", "#7048e8"),
    "pink": ("#faa2c1", "hotpink", "#f06595"),
    "brown": ("saddlebrown", "sienna", "#7f4f24"),
    "black": ("#000", "#212529", "#181818"),
    "white": ("#fff", "snow", "#f8f9fa"),
    "grey": ("#868e96", "gray", "darkgray"),
    "turquoise": ("#15aabf", "darkturquoise", "#0ca678", "lightseagreen"),
    "beige": ("beige", "wheat", "#e6ccb2"),
    "light blue": ("lightskyblue", "#a5d8ff", "lightblue"),
}
GROUNDS = (
    "#fff",
    "#fff",
    "#fff",
    "#f1f3f5",
    "#fff9db",
    "#e7f5ff",
    "#2b2d42",
    "#343a40",
    "#adb5bd",
    "#ffdeeb",
    "#d8f5a2",
)
BODIES = {
    "circle": '<circle r="50"/>',
    "square": '<rect x="-44" y="-44" width="88" height="88"/>',
    "triangle": '<polygon points="0,-50 48,40 -48,40"/>',
    "star": '<polygon points="0,-50 13,-17 48,-15 21,7 30,41 0,22 -30,41 -21,7 -48,-15 -13,-17"/>',
    "heart": '<path d="M0,45 C-70,0 -45,-50 -20,-42 C-8,-40 0,-28 0,-22 C0,-28 8,-40 20,-42 C45,-50 70,0 0,45Z"/>',
    "hexagon": '<polygon points="-25,-43 25,-43 50,0 25,43 -25,43 -50,0"/>',
    "pentagon": '<polygon points="0,-50 48,-15 29,40 -29,40 -48,-15"/>',
    "diamond": '<polygon points="0,-50 36,0 0,50 -36,0"/>',
    "ellipse": '<ellipse rx="50" ry="29"/>',
    "rectangle": '<rect x="-50" y="-26" width="100" height="52"/>',
    "cross": '<path d="M-15,-50H15V-15H50V15H15V50H-15V15H-50V-15H-15Z"/>',
    "arrow": '<path d="M-50,-13H8V-36L50,0L8,36V13H-50Z"/>',
    "crescent": '<path d="M20,-46A50,50 0 1 0 20,46A38,38 0 1 1 20,-46Z"/>',
    "ring": (
        '<path fill-rule="evenodd" d="M-50,0A50,50 0 1 0 50,0A50,50 0 1 0 -50,0Z'
        'M-30,0A30,30 0 1 0 30,0A30,30 0 1 0 -30,0Z"/>'
    ),
    "octagon": '<polygon points="-20,-48 20,-48 48,-20 48,20 20,48 -20,48 -48,20 -48,-20"/>',
    "trapezoid": '<polygon points="-26,-32 26,-32 50,32 -50,32"/>',
    "parallelogram": '<polygon points="-25,-28 50,-28 25,28 -50,28"/>',
    "semicircle": '<path d="M-50,25A50,50 0 0 1 50,25Z"/>',
    "x": '<path transform="rotate(45)" d="M-12,-50H12V-12H50V12H12V50H-12V12H-50V-12H-12Z"/>',
    "drop": '<path d="M0,-50C8,-25 35,-5 35,17A35,33 0 0 1 -35,17C-35,-5 -8,-25 0,-50Z"/>',
    "cloud": '<path d="M-30,30A20,20 0 0 1 -32,-8A26,26 0 0 1 15,-20A20,20 0 0 1 38,-2A16,16 0 0 1 34,30Z"/>',
    "lightning": '<polygon points="8,-50 -30,8 -4,8 -14,50 30,-12 4,-12 20,-50"/>',
    "flower": "".join(f'<ellipse cy="-30" rx="17" ry="21" transform="rotate({60 * k})"/>' for k in range(6)),
    "quarter": '<path d="M-40,40V-45A85,85 0 0 1 45,40Z"/>',
}


def shape(colour: str, kind: str, rng: np.random.Generator) -> Image.Image:
    """One shape on a plain ground, 96 to 160 pixels square."""
    side = int(rng.integers(96, 161))
    paint = pick(rng, PAINTS[colour])
    return _rendered(_ground(rng, (colour,)) + _placed(kind, paint, 50, 50, float(rng.uniform(0.3, 0.85)), rng), side)


def pair(one: tuple[str, str], other: tuple[str, str], relation: str, rng: np.random.Generator) -> Image.Image:
    """Two shapes: the one to the left of, to the right of, above or below the other."""
    dx, dy = {"left": (-1, 0), "right": (1, 0), "above": (0, -1), "below": (0, 1)}[relation]
    parts = _ground(rng, (one[0], other[0]))
    for (colour, kind), way in ((one, 1), (other, -1)):
        x, y = 50 + way * dx * 24 + rng.uniform(-3, 3), 50 + way * dy * 24 + rng.uniform(-3, 3)
        parts += _placed(kind, pick(rng, PAINTS[colour]), x, y, float(rng.uniform(0.3, 0.42)), rng)
    return _rendered(parts, int(rng.integers(96, 161)))


def _ground(rng: np.random.Generator, colours: tuple[str, ...]) -> str:
    light, dark = (
        {"white", "beige", "yellow", "light blue", "pink"},
        {"black", "blue", "brown", "purple", "green", "grey"},
    )
    fill = pick(rng, GROUNDS)
    if light & set(colours):
        fill = pick(rng, ("#2b2d42", "#343a40", "#495057") if not dark & set(colours) else ("#c92a2a55", "#e8590c"))
    elif dark & set(colours):
        fill = pick(rng, GROUNDS[:6])
    return f'<rect width="100" height="100" fill="#fff"/><rect width="100" height="100" fill="{fill}"/>'


def _placed(kind: str, paint: str, x: float, y: float, scale: float, rng: np.random.Generator) -> str:
    style = pick(rng, ("fill", "fill", "both", "line"))
    if style == "line" and kind not in ("ring", "flower", "circle"):
        look = f'fill="none" stroke="{paint}" stroke-width="{rng.uniform(6, 11):.0f}" stroke-linejoin="round"'
    elif style == "both":
        look = f'fill="{paint}" stroke="{pick(rng, ("#000", "#495057", "#fff"))}" stroke-width="3"'
    else:
        look = f'fill="{paint}"'
    reach = max(0.0, 50 - 52 * scale) if x == y == 50 else 0.0
    x, y = x + rng.uniform(-reach, reach), y + rng.uniform(-reach, reach)
    turn = rng.uniform(-7, 7)
    return f'<g transform="translate({x:.1f},{y:.1f}) rotate({turn:.0f}) scale({scale:.2f})" {look}>{BODIES[kind]}</g>'


def _rendered(parts: str, side: int) -> Image.Image:
    import cairosvg

    text = f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" viewBox="0 0 100 100">{parts}</svg>'
    return Image.open(io.BytesIO(cairosvg.svg2png(text.encode()))).convert("RGB")
