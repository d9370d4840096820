"""Make the drawings, icons, shapes and scenes of this folder.

Knows: how each is drawn, by hand, as SVG. Does not know: pages and charts (make_pages.py), sounds and clips
(make_sounds.py).

Run it with Pillow, numpy and CairoSVG installed:

    python make_drawings.py            # writes next to this script
    python make_drawings.py FOLDER     # writes there instead
"""

import argparse
import io
from pathlib import Path

import cairosvg
import numpy as np
from make_samples import few_colours
from PIL import Image

DOG = """
<path d="M80 50 Q94 44 92 24" fill="none" stroke="#b5793f" stroke-width="6" stroke-linecap="round"/>
<g fill="#9c6533"><rect x="42" y="62" width="8" height="30" rx="4"/>
<rect x="68" y="62" width="8" height="30" rx="4"/></g>
<path d="M28 40 Q40 42 56 43 Q76 42 83 50 Q88 60 83 72 Q76 76 60 74 L40 75 Q28 70 27 54 Z" fill="#c58a4c"/>
<g fill="#c58a4c"><rect x="33" y="62" width="9" height="31" rx="4.5"/>
<rect x="75" y="62" width="9" height="31" rx="4.5"/>
<rect x="29" y="87" width="13" height="6" rx="3"/><rect x="71" y="87" width="13" height="6" rx="3"/></g>
<path d="M12 45 Q10 57 17 57 Q22 57 20 45 Z" fill="#e8748a"/>
<path d="M10 33 Q16 32 18 24 Q24 15 34 19 Q44 24 43 38 Q42 52 32 52 Q24 52 20 47 L9 47 Q3 45 4 38 Q5 33 10 33 Z"
 fill="#c58a4c"/>
<path d="M4 40 Q8 47 20 47 L22 50 Q12 54 7 50 Q2 46 4 40 Z" fill="#f0d9b5"/>
<ellipse cx="6" cy="36" rx="4.6" ry="3.6" fill="#2b2118"/><circle cx="22" cy="30" r="2.4" fill="#2b2118"/>
<path d="M32 19 Q46 20 46 40 Q44 50 38 47 Q31 40 32 19 Z" fill="#7a4b22"/>
<path d="M27 52 Q34 57 43 49" fill="none" stroke="#d62828" stroke-width="4.5" stroke-linecap="round"/>
<circle cx="33" cy="57" r="3" fill="#ffd166"/>"""

CAT = """
<path d="M68 84 Q92 86 88 64 Q85 52 91 44" fill="none" stroke="#6d7480" stroke-width="7" stroke-linecap="round"/>
<path d="M34 54 Q26 70 28 90 L72 90 Q74 70 66 54 Z" fill="#8b93a1"/>
<path d="M41 60 Q39 78 43 90 L57 90 Q61 78 59 60 Z" fill="#e9ecf1"/>
<ellipse cx="37" cy="90" rx="9" ry="5" fill="#8b93a1"/><ellipse cx="63" cy="90" rx="9" ry="5" fill="#8b93a1"/>
<ellipse cx="45" cy="91" rx="6" ry="4.5" fill="#f4f6f9"/><ellipse cx="55" cy="91" rx="6" ry="4.5" fill="#f4f6f9"/>
<path d="M28 36 L27 8 L46 20 Z M72 36 L73 8 L54 20 Z" fill="#8b93a1"/>
<path d="M31 28 L30.5 14 L40 20 Z M69 28 L69.5 14 L60 20 Z" fill="#f1a7b5"/>
<ellipse cx="50" cy="38" rx="25" ry="21" fill="#8b93a1"/>
<path d="M50 18 L50 26 M43 19 L44 26 M57 19 L56 26" stroke="#5b626e" stroke-width="2.6" stroke-linecap="round"/>
<ellipse cx="50" cy="48" rx="12" ry="8" fill="#f4f6f9"/>
<ellipse cx="40" cy="36" rx="5" ry="5.6" fill="#bfe26a"/><ellipse cx="60" cy="36" rx="5" ry="5.6" fill="#bfe26a"/>
<ellipse cx="40" cy="36" rx="1.6" ry="5" fill="#1f2933"/><ellipse cx="60" cy="36" rx="1.6" ry="5" fill="#1f2933"/>
<path d="M47 43 L53 43 L50 46.5 Z" fill="#e8748a"/>
<path d="M50 46 L50 49 Q46 53 43 49 M50 49 Q54 53 57 49" fill="none" stroke="#1f2933" stroke-width="1.3"/>
<path d="M34 46 L14 42 M34 49 L13 50 M35 52 L16 58 M66 46 L86 42 M66 49 L87 50 M65 52 L84 58" stroke="#3b424d"
 stroke-width="1"/>"""

CAR = """
<ellipse cx="50" cy="77" rx="46" ry="4" fill="#cfd6de"/>
<path d="M5 58 Q5 50 14 48 L26 45 L36 31 Q38 28 42 28 L64 28 Q68 28 71 31 L81 45 L90 48 Q96 50 96 58 L96 66 Q96 70 92 70
 L8 70 Q5 70 5 66 Z" fill="#d62828"/>
<path d="M31 45 L39 34 Q40 32.5 42 32.5 L51 32.5 L51 45 Z M55 45 L55 32.5 L63 32.5 Q66 32.5 68 35 L75 45 Z"
 fill="#bfe3f5"/>
<path d="M53 47 L53 68" stroke="#a61c1c" stroke-width="1.2"/>
<rect x="56" y="50" width="7" height="2.2" rx="1" fill="#7d1515"/>
<rect x="4" y="62" width="93" height="4" rx="2" fill="#a61c1c"/>
<circle cx="92" cy="54" r="3" fill="#ffd166"/><rect x="4.5" y="52" width="4" height="6" rx="2" fill="#ff8c69"/>
<g fill="#22282f"><circle cx="25" cy="68" r="10.5"/><circle cx="76" cy="68" r="10.5"/></g>
<g fill="#c9d1da"><circle cx="25" cy="68" r="5.5"/><circle cx="76" cy="68" r="5.5"/></g>
<g fill="#6b7785"><circle cx="25" cy="68" r="2"/><circle cx="76" cy="68" r="2"/></g>"""

TRAIN = """
<g fill="#d7dde4"><circle cx="80" cy="16" r="7"/><circle cx="66" cy="11" r="8.5"/><circle cx="50" cy="9" r="7"/>
<circle cx="84" cy="26" r="4.5"/></g>
<rect x="79" y="32" width="9" height="17" fill="#22282f"/>
<rect x="76.5" y="29" width="14" height="5" rx="1" fill="#22282f"/>
<rect x="34" y="46" width="58" height="24" rx="11" fill="#1f7a4d"/>
<rect x="34" y="46" width="30" height="24" fill="#1f7a4d"/>
<path d="M48 46 V70 M62 46 V70 M76 46 V70" stroke="#e0b33c" stroke-width="2"/>
<path d="M58 46 q0 -9 7 -9 q7 0 7 9 Z" fill="#e0b33c"/>
<rect x="10" y="28" width="30" height="44" fill="#b3261e"/>
<rect x="6" y="24" width="38" height="6" rx="2" fill="#22282f"/>
<rect x="16" y="35" width="18" height="14" fill="#bfe3f5"/><rect x="8" y="70" width="86" height="6" fill="#22282f"/>
<path d="M92 70 L99 83 L90 83 Z" fill="#b3261e"/><circle cx="93" cy="57" r="3.5" fill="#ffd166"/>
<g fill="#b3261e" stroke="#22282f" stroke-width="2.5"><circle cx="24" cy="79" r="10"/><circle cx="48" cy="79" r="10"/>
<circle cx="68" cy="82" r="7"/><circle cx="84" cy="82" r="7"/></g>
<g fill="#e9ecf1"><circle cx="24" cy="79" r="3"/><circle cx="48" cy="79" r="3"/><circle cx="68" cy="82" r="2"/>
<circle cx="84" cy="82" r="2"/></g><path d="M24 79 L50 79" stroke="#e9ecf1" stroke-width="2.5"/>
<rect x="0" y="89.5" width="100" height="2.5" fill="#6b7785"/>
<path d="M4 94 h8 M20 94 h8 M36 94 h8 M52 94 h8 M68 94 h8 M84 94 h8" stroke="#7a4b22" stroke-width="4"/>"""

GUITAR = """
<g transform="translate(4 14) scale(0.86) rotate(36 50 50)">
<rect x="46.5" y="-8" width="7" height="52" fill="#5b3a1e"/>
<path d="M45 -18 L55 -18 L56.5 -4 L43.5 -4 Z" fill="#3c2512"/>
<path d="M50 42 C61 42 67 47 65 56 C63.5 61 65 63 69 67 C78 77 74 98 50 98 C26 98 22 77 31 67 C35 63 36.5 61 35 56
 C33 47 39 42 50 42 Z" fill="#d9903d" stroke="#7a4b22" stroke-width="2.5"/>
<circle cx="50" cy="64" r="8" fill="#2b1a0d"/>
<circle cx="50" cy="64" r="9.5" fill="none" stroke="#7a4b22" stroke-width="1.5"/>
<rect x="39" y="82" width="22" height="4" rx="1" fill="#3c2512"/>
<path d="M48 -12 V84 M49.3 -12 V84 M50.7 -12 V84 M52 -12 V84" stroke="#f4efe6" stroke-width="0.5"/>
<path d="M46.5 2 h7 M46.5 10 h7 M46.5 18 h7 M46.5 26 h7 M46.5 34 h7" stroke="#c9d1da" stroke-width="0.7"/>
<g fill="#e9ecf1" stroke="#6b7785" stroke-width="0.5"><circle cx="42" cy="-15" r="2"/><circle cx="42" cy="-8" r="2"/>
<circle cx="58" cy="-15" r="2"/><circle cx="58" cy="-8" r="2"/></g></g>"""

UMBRELLA = """
<path d="M50 10 L50 82 Q50 92 41 92 Q33 92 33 84" fill="none" stroke="#5b3a1e" stroke-width="4" stroke-linecap="round"/>
<path d="M6 54 Q8 14 50 14 Q92 14 94 54 Q87 46 79 54 Q71 46 64.5 54 Q57 46 50 54 Q43 46 35.5 54 Q29 46 21 54
 Q13 46 6 54 Z" fill="#7b2cbf"/>
<path d="M50 14 Q34 26 35.5 54 Q29 46 21 54 Q24 22 50 14 Z
 M50 14 Q66 26 64.5 54 Q71 46 79 54 Q76 22 50 14 Z" fill="#c77dff"/>
<circle cx="50" cy="12" r="3" fill="#5b3a1e"/>"""

GRASS = '<path d="M0 88 Q50 78 100 88 L100 100 L0 100 Z" fill="#8ccf6a"/>'
TREE = """
<path d="M43 90 Q46 70 44 52 L56 52 Q54 70 58 90 Z" fill="#7a4b22"/>
<path d="M47 62 L33 48 M52 60 L66 46" stroke="#7a4b22" stroke-width="5" stroke-linecap="round"/>
<g fill="#2f8f46"><circle cx="28" cy="42" r="18"/><circle cx="72" cy="42" r="18"/><circle cx="50" cy="26" r="22"/>
<circle cx="50" cy="46" r="19"/></g>
<g fill="#45ad5c"><circle cx="24" cy="37" r="9"/><circle cx="44" cy="20" r="11"/><circle cx="68" cy="36" r="9"/>
</g>"""

PIZZA = """
<circle cx="50" cy="50" r="45" fill="#c98a3d"/><circle cx="50" cy="50" r="40.5" fill="#e2b04f"/>
<circle cx="50" cy="50" r="38" fill="#f7cf5b"/>
<g fill="#c8352b"><circle cx="34" cy="30" r="7"/><circle cx="62" cy="26" r="7"/><circle cx="76" cy="46" r="7"/>
<circle cx="50" cy="50" r="7"/><circle cx="26" cy="54" r="7"/><circle cx="40" cy="74" r="7"/>
<circle cx="66" cy="70" r="7"/></g>
<g fill="#2b2b2b"><circle cx="47" cy="36" r="2.6"/><circle cx="61" cy="40" r="2.6"/><circle cx="38" cy="60" r="2.6"/>
<circle cx="54" cy="64" r="2.6"/><circle cx="22" cy="42" r="2.6"/></g>
<g fill="#3f9b46"><ellipse cx="46" cy="20" rx="4.5" ry="2" transform="rotate(20 46 20)"/>
<ellipse cx="66" cy="56" rx="4.5" ry="2" transform="rotate(-40 66 56)"/><ellipse cx="27" cy="68" rx="4.5" ry="2"/>
<ellipse cx="53" cy="81" rx="4.5" ry="2" transform="rotate(-15 53 81)"/></g>
<path d="M50 5 V95 M5 50 H95 M18 18 L82 82 M82 18 L18 82" stroke="#b97b2e" stroke-width="1.3"/>"""

ROCKET = """
<g fill="#ffffff"><circle cx="12" cy="16" r="1.2"/><circle cx="30" cy="38" r="0.9"/><circle cx="84" cy="60" r="1.2"/>
<circle cx="66" cy="88" r="1"/><circle cx="20" cy="60" r="0.8"/><circle cx="46" cy="12" r="0.9"/>
<circle cx="92" cy="84" r="0.8"/></g>
<g transform="rotate(40 50 50)">
<path d="M42 78 Q50 112 58 78 Z" fill="#ff8c1a"/><path d="M45.5 78 Q50 98 54.5 78 Z" fill="#ffe14d"/>
<path d="M36 54 Q22 62 24 82 L38 74 Z M64 54 Q78 62 76 82 L62 74 Z" fill="#d62828"/>
<path d="M50 2 Q68 22 65 56 L61 78 L39 78 L35 56 Q32 22 50 2 Z" fill="#eef1f5"/>
<path d="M50 2 Q60 13 63.5 28 L36.5 28 Q40 13 50 2 Z" fill="#d62828"/>
<circle cx="50" cy="43" r="8" fill="#6b7785"/><circle cx="50" cy="43" r="5.8" fill="#6cc4ef"/>
<rect x="38.5" y="72" width="23" height="6" fill="#6b7785"/></g>"""

CLOCK = """
<g fill="#b3261e"><path d="M14 32 A17 17 0 0 1 42 14 Z"/><path d="M86 32 A17 17 0 0 0 58 14 Z"/></g>
<path d="M50 18 V8 M44 8 H56 M26 82 L18 94 M74 82 L82 94" stroke="#22282f" stroke-width="5" stroke-linecap="round"/>
<circle cx="50" cy="54" r="37" fill="#b3261e"/><circle cx="50" cy="54" r="30" fill="#fdfcf7"/>
<g stroke="#22282f" stroke-width="3">{ticks}</g>
<path d="M50 54 L50 33" stroke="#22282f" stroke-width="4" stroke-linecap="round"/>
<path d="M50 54 L64 62" stroke="#22282f" stroke-width="5" stroke-linecap="round"/>
<circle cx="50" cy="54" r="3.5" fill="#d62828"/>
""".replace("{ticks}", "".join(f'<path d="M50 27 V31" transform="rotate({30 * hour} 50 54)"/>' for hour in range(12)))

TELEPHONE = """
<path d="M28 46 L72 46 Q78 46 81 54 L91 82 Q93 90 85 90 L15 90 Q7 90 9 82 L19 54 Q22 46 28 46 Z" fill="#1d3557"/>
<path d="M36 36 h6 v12 h-6 Z M58 36 h6 v12 h-6 Z" fill="#1d3557"/>
<circle cx="50" cy="68" r="17" fill="#f1f4f8"/><circle cx="50" cy="68" r="6" fill="#1d3557"/>
<g fill="#1d3557">{holes}</g>
<path d="M8 40 Q6 16 50 16 Q94 16 92 40 Q92 44 88 44 L72 44 Q68 44 68 39 Q68 32 50 32 Q32 32 32 39 Q32 44 28 44 L12 44
 Q8 44 8 40 Z" fill="#274c77"/>
""".replace(
    "{holes}", "".join(f'<circle cx="50" cy="56" r="2" transform="rotate({30 * n} 50 68)"/>' for n in range(10))
)

TILE = '<rect width="100" height="100" rx="22" fill="{colour}"/>'
ICONS = {
    "icon_house.png": """<path d="M12 52 L50 18 L88 52" fill="none" stroke="#1f2933" stroke-width="9"
     stroke-linejoin="round" stroke-linecap="round"/>
     <path d="M24 48 L50 25 L76 48 V84 H58 V62 H42 V84 H24 Z" fill="#1f2933"/>""",
    "icon_mail.png": TILE.format(colour="#2563eb") + """<rect x="18" y="29" width="64" height="43" rx="5" fill="#fff"/>
     <path d="M20 33 L50 55 L80 33" fill="none" stroke="#2563eb" stroke-width="5" stroke-linejoin="round"/>""",
    "icon_bell.png": TILE.format(colour="#fff7e0") + """<path d="M50 16 Q54 16 54 21 Q72 25 72 48 Q72 62 80 70 L20 70
     Q28 62 28 48 Q28 25 46 21 Q46 16 50 16 Z" fill="#f0a202"/>
     <path d="M41 75 H59 Q58 84 50 84 Q42 84 41 75 Z" fill="#f0a202"/>""",
    "icon_camera.png": """<g fill="none" stroke="#334155" stroke-width="6" stroke-linejoin="round">
     <path d="M12 32 Q12 28 16 28
     L33 28 L39 18 L61 18 L67 28 L84 28 Q88 28 88 32 L88 76 Q88 80 84 80 L16 80 Q12 80 12 76 Z"/>
     <circle cx="50" cy="53" r="16"/></g><circle cx="77" cy="39" r="3.5" fill="#334155"/>""",
    "icon_key.png": TILE.format(colour="#0f766e") + """<g fill="none" stroke="#fff" stroke-width="8">
     <circle cx="33" cy="50" r="14"/>
     <path d="M47 50 H84 V64 M70 50 V61"/></g>""",
}  # fmt: skip

STAR = "M0 -10 L2.4 -3.3 L9.5 -3.1 L3.9 1.3 L5.9 8.1 L0 4.1 L-5.9 8.1 L-3.9 1.3 L-9.5 -3.1 L-2.4 -3.3 Z"
SHAPES = {
    "green_triangle.png": '<path d="M50 16 L86 80 L14 80 Z" fill="#2e9e4f"/>',
    "three_yellow_stars.png": "".join(
        f'<path d="{STAR}" fill="#ffd60a" transform="translate({x} {y}) scale(1.55)"/>'
        for x, y in ((50, 27), (27, 68), (73, 68))
    ),
    "red_circle_left_of_blue_square.png": '<circle cx="26" cy="50" r="17" fill="#dc2626"/>'
    '<rect x="58" y="34" width="32" height="32" fill="#1d4ed8"/>',
}

# name → drawing, paper ("" for none, transparent), side in pixels
PICTURES = {
    "dog.png": (DOG, "#ffffff", 480), "cat.png": (CAT, "#fff4d6", 480), "car.png": (CAR, "#ffffff", 512),
    "train.png": (TRAIN, "#ffffff", 512), "guitar.webp": (GUITAR, "#fbf6ec", 600), "umbrella.png": (UMBRELLA, "", 400),
    "tree.png": (GRASS + TREE, "#d5eefb", 420), "pizza.png": (PIZZA, "#ffffff", 480),
    "clock.png": (CLOCK, "#ffffff", 400), "rocket.png": (ROCKET, "#14213d", 500),
    "telephone.png": (TELEPHONE, "#f6efe4", 480),
    **{name: (drawing, "" if drawing.startswith("<rect") else "#ffffff", 320) for name, drawing in ICONS.items()},
    "green_triangle.png": (SHAPES["green_triangle.png"], "#ffffff", 320),
    "three_yellow_stars.png": (SHAPES["three_yellow_stars.png"], "#14213d", 400),
    "red_circle_left_of_blue_square.png": (SHAPES["red_circle_left_of_blue_square.png"], "#ffffff", 400),
}  # fmt: skip


def sky(top: str, bottom: str) -> str:
    """The upper part of a scene, 150 wide."""
    stops = f'<stop offset="0" stop-color="{top}"/><stop offset="1" stop-color="{bottom}"/>'
    ground = f'<linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">{stops}</linearGradient>'
    return f'<defs>{ground}</defs><rect width="150" height="100" fill="url(#sky)"/>'


def beach() -> str:
    """Sea, sand, a palm and a striped parasol in the sun."""
    leaves = "".join(
        f'<path d="M0 0 Q16 -9 29 7 Q14 1 0 0 Z" transform="translate(32 27) rotate({turn}) scale({side} 1)"/>'
        for turn, side in ((-45, 1), (-12, 1), (25, 1), (45, -1), (12, -1), (-25, -1))
    )
    slices = "".join(
        f'<path d="M110 44 Q{middle - 4} 46 {left} 66 L{left + 9} 66 Q{middle + 2} 50 110 44 Z"/>'
        for left, middle in ((83, 98), (101, 106), (119, 120))
    )
    return f"""{sky("#4aa8ee", "#d4efff")}<circle cx="122" cy="17" r="9" fill="#ffdf5a"/>
    <g fill="#ffffff" opacity="0.9"><circle cx="62" cy="16" r="5"/><circle cx="69" cy="14" r="6.5"/>
    <circle cx="77" cy="17" r="5"/></g>
    <rect y="44" width="150" height="56" fill="#1e88c9"/>
    <path d="M0 58 Q40 53 80 59 Q120 65 150 58 V70 H0 Z" fill="#49b3df"/>
    <path d="M0 67 Q40 61 80 66 Q120 71 150 65" fill="none" stroke="#ffffff" stroke-width="2"/>
    <path d="M0 68 Q40 62 80 67 Q120 72 150 66 V100 H0 Z" fill="#f2d492"/>
    <path d="M26 92 Q24 60 32 28 L35.5 28 Q30 60 33 92 Z" fill="#8a5a33"/><g fill="#2e8b57">{leaves}</g>
    <g fill="#6b4423"><circle cx="31" cy="30" r="2.2"/><circle cx="35.5" cy="30" r="2.2"/></g>
    <path d="M110 44 V92" stroke="#8d8377" stroke-width="2"/>
    <path d="M82 66 Q84 44 110 44 Q136 44 138 66 Z" fill="#ffffff"/>
    <g fill="#e63946">{slices}</g><path d="M84 90 L106 90 L114 82" fill="none" stroke="#1d4e89" stroke-width="4"/>"""


def city() -> str:
    """A skyline by night: lit windows, a moon, stars."""
    rng, blocks, left = np.random.default_rng(19), "", -3.0
    places = rng.uniform((0, 0), (150, 45), (45, 2))
    stars = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="0.4" fill="#fff"/>' for x, y in places)
    while left < 150:
        wide, top = float(rng.integers(11, 19)), float(rng.integers(24, 66))
        wall = ("#1b2238", "#232c48", "#161c30", "#2a3050")[int(rng.integers(4))]
        blocks += f'<rect x="{left}" y="{top}" width="{wide}" height="100" fill="{wall}"/>'
        if top < 36:
            blocks += f'<path d="M{left + wide / 2} {top - 10} V{top}" stroke="{wall}" stroke-width="1"/>'
        for x in np.arange(left + 1.6, left + wide - 2.2, 2.9):
            for y in np.arange(top + 2.5, 97, 4.2):
                if rng.random() < 0.62:
                    lit = ("#ffd86b", "#ffe9a8", "#ffc145")[int(rng.integers(3))]
                    blocks += f'<rect x="{x:.1f}" y="{y:.1f}" width="1.5" height="2.2" fill="{lit}"/>'
        left += wide + float(rng.integers(0, 2))
    return f'{sky("#070b1f", "#2b2a5a")}{stars}<circle cx="26" cy="18" r="7" fill="#f6efcf"/>{blocks}'


def rainbow() -> str:
    """Seven colours over a meadow with a tree, a cloud at either end."""
    colours = ("#e63946", "#f77f00", "#fcdc4d", "#43aa53", "#3a86ff", "#5a3fc0", "#8e3fb5")
    bows = "".join(
        f'<circle cx="75" cy="84" r="{62 - 3.6 * number}" fill="none" stroke="{colour}" stroke-width="3.8"/>'
        for number, colour in enumerate(colours)
    )
    parts = ((10, 73, 8), (20, 69, 10), (31, 74, 8), (119, 74, 8), (130, 69, 10), (141, 73, 8))
    puffs = "".join(f'<circle cx="{x}" cy="{y}" r="{r}"/>' for x, y, r in parts)
    tree = f'<g transform="translate(98 62) scale(0.3)">{TREE}</g>'
    return f"""{sky("#6db9ee", "#e6f6ff")}{bows}<g fill="#ffffff">{puffs}</g>
    <path d="M0 78 Q40 66 80 76 Q120 84 150 72 V100 H0 Z" fill="#7cc254"/>
    <path d="M0 90 Q50 80 150 92 V100 H0 Z" fill="#5aa544"/>{tree}"""


# name → scene, size
SCENES = {
    "beach.jpg": (beach, (840, 560)),
    "city_at_night.jpg": (city, (720, 480)),
    "rainbow.jpg": (rainbow, (720, 480)),
}


def drawn(drawing: str, paper: str, side: int, view: str = "0 0 100 100", wide: int | None = None) -> Image.Image:
    """An SVG drawing as pixels, `side` high.  paper: the ground; "" for none (RGBA).  wide: where it is not `side`."""
    ground = f'<rect x="-500" y="-500" width="1500" height="1500" fill="{paper}"/>' if paper else ""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}">{ground}{drawing}</svg>'
    png = cairosvg.svg2png(svg.encode(), output_width=wide or side, output_height=side)
    picture = Image.open(io.BytesIO(png))
    return picture.convert("RGB") if paper else picture.convert("RGBA")


def scene(drawing: str, size: tuple[int, int]) -> Image.Image:
    """A scene as pixels of this size, its upper part where the size is wider than 3:2."""
    return drawn(drawing, "#ffffff", size[1], f"0 0 150 {150 * size[1] / size[0]}", size[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path(__file__).resolve().parent
    parser.add_argument("folder", nargs="?", type=Path, default=here, help="where to write")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, (drawing, paper, side) in PICTURES.items():
        picture = drawn(drawing, paper, side)
        if name.endswith(".webp"):
            picture.save(folder / name, quality=80, method=6)
        else:
            (few_colours(picture) if paper else picture).save(folder / name, optimize=True)
    for name, (make, size) in SCENES.items():
        scene(make(), size).save(folder / name, quality=82, optimize=True)
    print(f"The drawings are in {folder}")


if __name__ == "__main__":
    main()
