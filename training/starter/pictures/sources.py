"""Hands: the same things as different people drew them, each kept once as bitmaps.

Knows: the fonts, icon sets and clip art used, where they are installed, the cache in build/starter/glyphs/. Does not
know: what a picture is made of. Nothing of it is shipped; sources and licences stand beside each hand.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import rendering
from .emoji_names import Emoji, emoji

BUILD = Path(__file__).parents[3] / "build" / "starter"
CACHE = BUILD / "glyphs"
NODE = BUILD / "npm"
PACKAGES = (
    "@twemoji/svg@15.0.0",  # graphics CC BY 4.0
    "@iconify-json/fluent-emoji-flat@1.2.6",  # MIT
    "@iconify-json/fluent-emoji-high-contrast@1.2.6",  # MIT
    "@iconify-json/noto-v1@1.2.5",  # Apache-2.0
    "@iconify-json/fxemoji@1.2.2",  # Apache-2.0
    "@iconify-json/emojione-monotone@1.2.1",  # CC BY 4.0
    "@iconify-json/streamline-emojis@1.2.4",  # CC BY 4.0; development only
    "@iconify-json/tabler@1.2.41",  # MIT
    "@iconify-json/ph@1.2.2",  # MIT
    "@iconify-json/lucide@1.2.137",  # ISC
    "@iconify-json/flat-color-icons@1.2.3",  # MIT
    "@iconify-json/game-icons@1.2.4",  # CC BY 3.0
)
FONTS = Path("/usr/share/fonts")
NOTO = FONTS / "truetype/noto/NotoColorEmoji.ttf"  # SIL OFL 1.1
SYMBOLA = FONTS / "truetype/ancient-scripts/Symbola_hint.ttf"  # public domain; development only
CLIP_ART = Path("/usr/share/openclipart/svg")  # public domain
CLIP_ART_PARTS = (
    "animals", "buildings", "education", "electronics", "food", "office", "plants", "recreation", "tools",
    "transportation", "computer/hardware", "science", "geography", "people",
)  # fmt: skip
TANGO = Path("/usr/share/icons/Tango/scalable")  # public domain

Drawn = Iterator[tuple[str, rendering.Bitmap | None]]


@dataclass(frozen=True)
class Hand:
    """rows: what is drawn → its place in `bitmaps`: (n, side, side, 4) premultiplied, or (n, side, side) black ink."""

    name: str
    rows: dict[str, int]
    bitmaps: NDArray[np.uint8]

    def bitmap(self, key: str) -> rendering.Bitmap:
        """(side, side, 4), premultiplied. Raises KeyError for what this hand never drew."""
        drawn = self.bitmaps[self.rows[key]]
        if drawn.ndim == 3:
            return np.asarray(drawn)
        ink = np.zeros((*drawn.shape, 4), np.uint8)
        ink[..., 3] = drawn
        return ink


def drawn() -> bool:
    """Whether all hands are drawn already, so that nothing needs to be installed."""
    return all((CACHE / f"{name}.npy").exists() for name in HANDS)


@cache
def hand(name: str) -> Hand:
    """A hand by name, drawn on first use and kept; bitmaps are memory-mapped, so processes share them."""
    path = CACHE / f"{name}.npy"
    if not path.exists():
        _draw(name, path)
    keys = path.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    return Hand(name, {key: row for row, key in enumerate(keys)}, np.load(path, mmap_mode="r"))


def _draw(name: str, path: Path) -> None:
    found = {key: bitmap for key, bitmap in HANDS[name]() if bitmap is not None}
    bitmaps = np.stack(list(found.values()))
    if not bitmaps[..., :3].any():
        bitmaps = bitmaps[..., 3]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".txt").write_text("\n".join(found) + "\n", encoding="utf-8")
    unfinished = path.with_suffix(f".{os.getpid()}.npy")
    np.save(unfinished, np.ascontiguousarray(bitmaps))
    unfinished.rename(path)


def node_modules() -> Path:
    """The folder of the npm packages, installed on first use."""
    folder = NODE / "node_modules"
    if not all((folder / package.rsplit("@", 1)[0]).exists() for package in PACKAGES):
        NODE.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(NODE), *PACKAGES], check=True)
    return folder


def _noto() -> Drawn:
    font = rendering.color_font(NOTO)
    for one in emoji().values():
        yield one.code, rendering.from_color_font(font, one.text)
        for code in one.tones:
            yield code, rendering.from_color_font(font, "".join(chr(int(part, 16)) for part in code.split("-")))


def _plain_fonts(*paths: Path) -> Drawn:
    """Single code points by fonts without colours; a later font draws what an earlier one lacks."""
    for path in reversed(paths):
        font = rendering.plain_font(path)
        missing = rendering.from_plain_font(font, "\U0010fffd")
        for one in emoji().values():
            if "-" not in one.code:
                bitmap = rendering.from_plain_font(font, chr(int(one.code, 16)))
                yield one.code, None if _same(bitmap, missing) else bitmap


def _same(bitmap: rendering.Bitmap | None, missing: rendering.Bitmap | None) -> bool:
    """Whether a font drew its box for missing glyphs."""
    return bitmap is not None and missing is not None and np.array_equal(bitmap, missing)


def _twemoji() -> Drawn:
    for path in sorted((node_modules() / "@twemoji/svg").glob("*.svg")):
        code = path.stem.upper().replace("-FE0F", "")
        if code in emoji():
            yield code, rendering.from_svg(path.read_bytes())


def iconify(package: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The icons and the code points (hex → icon name) of an @iconify-json package."""
    folder = node_modules() / "@iconify-json" / package
    chars = folder / "chars.json"
    icons = json.loads((folder / "icons.json").read_text(encoding="utf-8"))
    return icons, json.loads(chars.read_text(encoding="utf-8")) if chars.exists() else {}


def iconify_svg(icons: dict[str, Any], name: str) -> bytes:
    """One icon of a package as an SVG document with black ink."""
    icon = icons["icons"][name]
    width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
    left, top = (icon.get(side, icons.get(side, 0)) for side in ("left", "top"))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" color="#000" '
            f'viewBox="{left} {top} {width} {height}">{icon["body"]}</svg>').encode()  # fmt: skip


def _emoji_by_code(package: str) -> Drawn:
    icons, chars = iconify(package)
    for chars_code, name in chars.items():
        code = chars_code.upper().replace("-FE0F", "")
        if code in emoji() and name in icons["icons"]:
            yield code, rendering.from_svg(iconify_svg(icons, name))


def _emoji_by_name(package: str, slug: Callable[[Emoji], list[str]]) -> Drawn:
    icons, _ = iconify(package)
    for one in emoji().values():
        for name in slug(one):
            if name in icons["icons"]:
                yield one.code, rendering.from_svg(iconify_svg(icons, name))
                break


def _dashed(one: Emoji) -> list[str]:
    name = re.sub(r"[^a-z0-9]+", "-", one.name.lower().replace("'", "")).strip("-")
    country = name.removeprefix("flag-")
    return [name, f"{name}-1", f"{name}-2", f"flag-for-{country}", f"flag-for-flag-{country}", country]


def _unicode_name(one: Emoji) -> list[str]:
    return [] if "-" in one.code else [re.sub(r"[^a-z0-9]", "", unicodedata.name(chr(int(one.code, 16)), "").lower())]


def _icon_set(package: str, wanted: Callable[[str], bool] = lambda name: True) -> Drawn:
    icons, _ = iconify(package)
    for name in icons["icons"]:
        if wanted(name):
            yield name, rendering.from_svg(iconify_svg(icons, name))


def _icon_font(font: Path, style: Path, pattern: str) -> Drawn:
    """Icons of a font that a style sheet names; the first of several names of a glyph stays."""
    points: set[str] = set()
    loaded = rendering.plain_font(font)
    for name, point in re.findall(pattern, style.read_text(encoding="utf-8")):
        if point not in points:
            points.add(point)
            yield name, rendering.from_plain_font(loaded, chr(int(point, 16)))


def _svg_folder(folder: Path, parts: tuple[str, ...] = ("",)) -> Drawn:
    paths = {path for part in parts for path in (folder / part).rglob("*.svg")}
    for path in sorted(paths):
        if path.stat().st_size < 300_000 and not path.is_symlink():
            yield str(path.relative_to(folder).with_suffix("")), rendering.trimmed_svg(path.read_bytes())


def _some_weights(name: str) -> bool:
    return not name.endswith(("-thin", "-bold"))


HANDS: dict[str, Callable[[], Drawn]] = {
    "noto": _noto,
    "twemoji": _twemoji,
    "fluent-flat": lambda: _emoji_by_code("fluent-emoji-flat"),
    "noto-v1": lambda: _emoji_by_name("noto-v1", _dashed),
    "fxemoji": lambda: _emoji_by_name("fxemoji", _unicode_name),
    "fluent-plain": lambda: _emoji_by_code("fluent-emoji-high-contrast"),
    "emojione-plain": lambda: _emoji_by_name("emojione-monotone", _dashed),
    "streamline": lambda: _emoji_by_name("streamline-emojis", _dashed),
    "noto-symbols": lambda: _plain_fonts(  # SIL OFL 1.1
        FONTS / "truetype/noto/NotoSansSymbols2-Regular.ttf", FONTS / "truetype/noto/NotoSansSymbols-Regular.ttf"
    ),
    "dejavu": lambda: _plain_fonts(FONTS / "truetype/dejavu/DejaVuSans.ttf"),  # Bitstream Vera licence
    "symbola": lambda: _plain_fonts(SYMBOLA),
    "tabler": lambda: _icon_set("tabler", lambda name: not name.startswith("brand-")),
    "phosphor": lambda: _icon_set("ph", _some_weights),
    "lucide": lambda: _icon_set("lucide"),
    "flat-color": lambda: _icon_set("flat-color-icons"),
    "game-icons": lambda: _icon_set("game-icons"),
    "font-awesome": lambda: _icon_font(  # SIL OFL 1.1
        FONTS / "truetype/font-awesome/fontawesome-webfont.ttf",
        Path("/usr/share/fonts-font-awesome/css/font-awesome.css"),
        r'\.fa-([a-z0-9-]+):before \{\s*content: "\\([0-9a-f]+)"',
    ),
    "material-design": lambda: _icon_font(  # SIL OFL 1.1
        FONTS / "truetype/materialdesignicons-webfont/materialdesignicons-webfont.ttf",
        Path("/usr/share/fonts-materialdesignicons-webfont/css/materialdesignicons.css"),
        r'\.mdi-([a-z0-9-]+):before \{\s*content: "\\([0-9A-Fa-f]+)"',
    ),
    "material": lambda: _icon_font(  # Apache-2.0
        FONTS / "truetype/material-design-icons-iconfont/MaterialIcons-Regular.ttf",
        Path("/usr/share/fonts-material-design-icons-iconfont/css/material-design-icons.css"),
        r'\.material-icons\._?([a-z0-9_-]+):before \{\s*content: "\\([0-9A-Fa-f]+)"',
    ),
    "tango": lambda: _svg_folder(TANGO),
    "clip-art": lambda: _svg_folder(CLIP_ART, CLIP_ART_PARTS),
}
"""Name → how it is drawn. "symbola" and "streamline" are for development only."""

COLOR_EMOJI = ("noto", "twemoji", "fluent-flat", "noto-v1", "fxemoji")
PLAIN_EMOJI = ("fluent-plain", "emojione-plain", "noto-symbols", "dejavu")
"""Hands of emoji that training may use."""
