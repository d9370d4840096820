"""Shared drawing pieces: a canvas drawn larger than it will be, colours, backdrops, fonts, wear and tear.

Knows: pixels, palettes, fonts and which of them a side may use. Does not know: what is drawn, or what it is called.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from .. import vocabulary
from ..examples import Example
from ..split import Side, held_out
from .wording import pick

Colour = tuple[int, int, int]
FONT_FOLDERS = (Path("/usr/share/fonts/truetype"), Path("/usr/share/fonts/opentype"))
LATIN = (
    "dejavu", "liberation", "nimbus", "c059", "p052", "urw", "z003", "cantarell", "ebgaramond", "inter", "comfortaa",
    "firacode", "humor", "lato", "notosans-", "notoserif-", "notosansdisplay", "notosansmono", "notoserifdisplay",
    "opensans", "roboto", "carlito", "caladea", "linlibertine_r", "linbiolinum_r", "hack", "freesans", "freeserif",
    "freemono", "lobster", "quicksand", "cabin", "andika", "genb", "courier", "play", "dancing", "jetbrains",
    "junicode", "dosis", "breip", "comicneue", "karla-", "kaushan", "leckerli", "league", "manrope", "oldstandard",
    "junction", "dkg", "rufscript", "femke", "jura", "clearsans", "okolaks",
)  # fmt: skip
"""How the file names of fonts for Latin text begin."""
HARD_TO_READ = ("Thin", "Hairline", "ExtraLight")
SIDES = (96, 112, 128, 144, 160)
"""Lengths of a finished picture's longer side."""


@cache
def fonts(side: Side) -> dict[str, tuple[Path, ...]]:
    """Usable font files, by family, so that a family of many files does not crowd out the rest."""
    found = sorted(path for folder in FONT_FOLDERS for path in folder.rglob("*.[to]tf") if _latin(path))
    if not found:
        import matplotlib

        found = sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("DejaVu*.ttf"))
    families: dict[str, list[Path]] = {}
    for path in found:
        if side == "dev" or not held_out(f"font {path.stem}"):
            families.setdefault(path.stem.replace(" ", "-").split("-")[0].split("_")[0], []).append(path)
    return {family: tuple(paths) for family, paths in families.items()}


def _latin(path: Path) -> bool:
    return path.stem.lower().startswith(LATIN) and not any(word in path.stem for word in HARD_TO_READ)


@cache
def held_fonts() -> tuple[Path, ...]:
    """Font files that training never uses."""
    return tuple(path for paths in fonts("dev").values() for path in paths if held_out(f"font {path.stem}"))


@cache
def _families(side: Side) -> tuple[tuple[Path, ...], ...]:
    return tuple(fonts(side).values())


def pick_font(rng: np.random.Generator, side: Side) -> Path:
    """A font file of this side, every family as likely as the others."""
    return pick(rng, pick(rng, _families(side)))


@lru_cache(maxsize=2000)
def font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """The font at a size in pixels."""
    return ImageFont.truetype(str(path), max(4, size), layout_engine=ImageFont.Layout.BASIC)


@cache
def shades(name: str) -> tuple[Colour, ...]:
    """Shades of a named colour, from many palettes."""
    return tuple(from_hex(text) for text in vocabulary.section("palette")[name])


def from_hex(text: str) -> Colour:
    """ "#ff8000" → (255, 128, 0)."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def colour(name: str, rng: np.random.Generator) -> Colour:
    """A shade of the named colour, a little off any palette's."""
    return shifted(pick(rng, shades(name)), rng, 10)


def shifted(base: Colour, rng: np.random.Generator, by: int) -> Colour:
    """The colour with every channel moved by up to `by`."""
    red, green, blue = (min(255, max(0, c + int(d))) for c, d in zip(base, rng.integers(-by, by + 1, 3)))
    return red, green, blue


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """`share` of the other colour in the one."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other))
    return red, green, blue


def distance(one: Colour, other: Colour) -> float:
    """How different two colours look: 0 … about 760."""
    mean = (one[0] + other[0]) / 2
    r, g, b = (a - b for a, b in zip(one, other))
    return float(((2 + mean / 256) * r * r + 4 * g * g + (2 + (255 - mean) / 256) * b * b) ** 0.5)


def brightness(of: Colour) -> float:
    """0 black … 1 white."""
    return (0.3 * of[0] + 0.59 * of[1] + 0.11 * of[2]) / 255


def readable_on(paper: Colour, rng: np.random.Generator) -> Colour:
    """A dark or light ink that stands out from the paper."""
    ink = (15, 15, 20) if brightness(paper) > 0.5 else (245, 245, 245)
    return shifted(ink, rng, 12)


def any_colour(rng: np.random.Generator, apart: Sequence[Colour] = (), least: float = 150) -> Colour:
    """A random named colour's shade that differs from all those given."""
    names = tuple(vocabulary.section("palette"))
    found = colour(pick(rng, names), rng)
    for _ in range(20):
        if all(distance(found, other) >= least for other in apart):
            return found
        found = colour(pick(rng, names), rng)
    return found


def plain_paper(rng: np.random.Generator, apart: Sequence[Colour] = (), least: float = 140) -> tuple[str, Colour]:
    """(name, colour) of a plain ground: mostly white or nearly so, often dark, sometimes any colour."""
    for _ in range(20):
        name = pick(rng, ("white", "white", "white", "black", "grey", "beige", ""))
        found = colour(name, rng) if name else any_colour(rng)
        if all(distance(found, other) >= least for other in apart):
            return name, found
    return "", readable_on(apart[0], rng)


def gradient(size: tuple[int, int], top: Colour, bottom: Colour, angle: float = 90) -> Image.Image:
    """A linear run from one colour to another; 90 degrees runs downwards."""
    width, height = size
    radians = np.deg2rad(angle)
    x, y = np.linspace(-0.5, 0.5, width), np.linspace(-0.5, 0.5, height)
    along = x[None, :] * np.cos(radians) + y[:, None] * np.sin(radians)
    share = np.clip(along / (abs(np.cos(radians)) + abs(np.sin(radians))) + 0.5, 0, 1)
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), _mask(share))


def _mask(share: np.ndarray) -> Image.Image:
    return Image.fromarray((share * 255).astype(np.uint8), "L")


def clouds(size: tuple[int, int], rng: np.random.Generator, cells: int = 5) -> np.ndarray:
    """Smooth random values 0 … 1, (height, width)."""
    small = Image.fromarray(rng.integers(0, 256, (cells, cells), dtype=np.uint8), "L")
    return np.asarray(small.resize(size, Image.Resampling.BICUBIC), np.float32) / 255


def backdrop(size: tuple[int, int], paper: Colour, rng: np.random.Generator, busy: float = 0.4) -> Image.Image:
    """A ground near `paper`: plain, gradient, blotchy, speckled or squared."""
    image = Image.new("RGB", size, paper)
    if rng.random() > busy:
        return image
    other = mixed(paper, (0, 0, 0) if brightness(paper) > 0.5 else (255, 255, 255), 0.06 + 0.14 * rng.random())
    kind = int(rng.integers(4))
    if kind == 0:
        return gradient(size, paper, other, float(rng.integers(0, 360)))
    if kind == 1:
        return Image.composite(image, Image.new("RGB", size, other), _mask(clouds(size, rng)))
    if kind == 2:
        return noisy(image, rng, 3 + 7 * rng.random())
    draw, step = ImageDraw.Draw(image), size[0] / float(rng.integers(5, 16))
    for i in range(1, int(size[1] / step) + 1):
        draw.line((0, i * step, size[0], i * step), other)
    if rng.random() < 0.6:
        for i in range(1, int(size[0] / step) + 1):
            draw.line((i * step, 0, i * step, size[1]), other)
    return image


def noisy(image: Image.Image, rng: np.random.Generator, by: float) -> Image.Image:
    """The picture with grain of standard deviation `by` (of 255)."""
    width, height = image.size
    grain = rng.standard_normal((height, width, 1), dtype=np.float32) * by
    return Image.fromarray(np.clip(np.asarray(image, np.float32) + grain, 0, 255).astype(np.uint8), "RGB")


def worn(image: Image.Image, rng: np.random.Generator, much: float = 0.25) -> Image.Image:
    """Now and then what happens to pictures: JPEG, grain, another light, a softer lens."""
    if rng.random() > much:
        return image
    kind = int(rng.integers(4))
    if kind == 0:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=int(rng.integers(25, 85)))
        return Image.open(buffer).convert("RGB")
    if kind == 1:
        return noisy(image, rng, 2 + 10 * rng.random())
    if kind == 2:
        scale, shift = 0.85 + 0.3 * rng.random(), float(rng.integers(-14, 15))
        return image.point([min(255, max(0, round(v * scale + shift))) for v in range(256)] * 3)
    width, height = image.size
    small = image.resize((round(width * 0.6), round(height * 0.6)), Image.Resampling.BILINEAR)
    return small.resize((width, height), Image.Resampling.BICUBIC)


def restyled(image: Image.Image, rng: np.random.Generator, colours: bool = True) -> Image.Image:
    """The whole picture by another hand: posterised, smeared, and without `colours` also grey, tinted or in lines."""
    kind = int(rng.integers(2 if colours else 5))
    if kind == 0:
        return ImageOps.posterize(image, int(rng.integers(2, 4)))
    if kind == 1:
        return image.filter(ImageFilter.ModeFilter(3))
    grey = image.convert("L")
    if kind == 2:
        return grey.convert("RGB")
    if kind == 3:
        ink = pick(rng, ((40, 30, 20), (15, 25, 70), (20, 60, 40), (60, 15, 50)))
        return ImageOps.colorize(grey, ink, pick(rng, ((250, 240, 215), (255, 255, 255), (235, 225, 200))))
    lines = grey.filter(ImageFilter.FIND_EDGES).crop((1, 1, image.width - 1, image.height - 1))
    drawn = lines.point([min(255, 4 * value) for value in range(256)]).resize(image.size)
    return (ImageOps.invert(drawn) if rng.random() < 0.8 else drawn).convert("RGB")


def final_size(rng: np.random.Generator, aspect: float = 1.0) -> tuple[int, int]:
    """Width and height of a finished picture; aspect = width / height."""
    longer = pick(rng, SIDES)
    if aspect >= 1:
        return longer, max(32, round(longer / aspect))
    return max(32, round(longer * aspect)), longer


def reduced(image: Image.Image, scale: int, rng: np.random.Generator, jagged: float = 0.06) -> Image.Image:
    """The picture `scale` times smaller; now and then without antialiasing."""
    if rng.random() < jagged:
        return image.resize((image.width // scale, image.height // scale), Image.Resampling.NEAREST)
    return image.reduce(scale)


def text_size(text: str, face: ImageFont.FreeTypeFont) -> tuple[float, float]:
    """Width and height of the inked box."""
    left, top, right, bottom = face.getbbox(text)
    return right - left, bottom - top


def fitted(path: Path, text: str, width: float, height: float) -> ImageFont.FreeTypeFont:
    """The font at the largest size at which the text fits the box."""
    trial = font(path, 40)
    wide, high = text_size(text, trial)
    return font(path, int(40 * min(width / max(wide, 1), height / max(high, 1))))


def contact_sheet(examples: Sequence[Example], path: str | Path, columns: int = 8, cell: int = 164) -> None:
    """Write the examples' pictures to one PNG, each with its first phrase under it."""
    rows = -(-len(examples) // columns)
    sheet = Image.new("RGB", (columns * cell, rows * (cell + 14)), (200, 205, 215))
    draw, small = ImageDraw.Draw(sheet), font(pick(np.random.default_rng(0), _families("dev")[0]), 10)
    for i, example in enumerate(examples):
        x, y = i % columns * cell, i // columns * (cell + 14)
        sheet.paste(example.media, (x + 2, y + 2))
        draw.text((x + 2, y + cell - 1), example.contents[0][:34], (0, 0, 0), small)
    sheet.save(path)
