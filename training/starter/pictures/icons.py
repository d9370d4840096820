"""Icons by their names: bells, arrows, folders and thousands more, from icon sets and icon fonts.

Knows: how names of icons become phrases, which sets may be used. Does not know: objects and their synonyms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..examples import Example
from ..split import Side, held_out
from . import placing, sources, styles
from .backgrounds import Canvas, background, brightness
from .emoji_names import with_article

Drawing = tuple[str, str]
"""(hand, its own name of the drawing); the item of the split is "drawing HAND/NAME"."""

SETS = (
    "tabler", "phosphor", "lucide", "flat-color", "game-icons", "font-awesome", "material-design", "material", "tango",
)  # fmt: skip
STYLE_WORDS = frozenset(
    "outline outlined o fill filled thin light bold duotone alt variant sharp round rounded simple square "
    "1 2 3 4 5 6 7 8 9 plain symbolic".split()
)
TECHNICAL = frozenset("accessories applications preferences utilities utility application apps system".split())
BRANDS = frozenset(
    "logo facebook twitter google github gitlab git amazon apple android windows linux microsoft adobe youtube vimeo "
    "instagram linkedin pinterest reddit skype slack snapchat spotify steam telegram tumblr whatsapp wordpress yahoo "
    "yelp vk weibo wechat paypal visa mastercard amex bitcoin dropbox evernote firefox chrome opera safari edge html5 "
    "css3 js python react angular docker npm php ruby swift java unity bootstrap drupal joomla jsfiddle codepen tux "
    "openid foursquare flickr dribbble behance deviantart delicious digg medium stumbleupon soundcloud lastfm etsy "
    "xbox playstation nintendo netflix uber airbnb trello bitbucket jira hacker mdi fa xing viadeo viacoin houzz "
    "opencart ubuntu debian fedora redhat raspberry office onedrive outlook excel powerpoint "
    "onenote cc cryptocurrency currency "
    "letter number abstract".split()
)


def words_of(name: str) -> str:
    """The icon's name as words: "mimetypes/alarm-clock_outline" → "alarm clock"; empty for logos and letters."""
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower().rsplit("/", 1)[-1]) if word]
    if not BRANDS.isdisjoint(words):
        return ""
    while len(words) > 1 and words[-1] in STYLE_WORDS:
        words.pop()
    while len(words) > 1 and words[0] in TECHNICAL:
        words.pop(0)
    said = " ".join(words)
    return said if len(said) > 2 and not said.isdigit() else ""


@cache
def drawings() -> dict[str, tuple[Drawing, ...]]:
    """What an icon shows, in words → all drawings of it."""
    found: dict[str, list[Drawing]] = {}
    for hand in SETS:
        for name in sources.hand(hand).rows:
            if words := words_of(name):
                found.setdefault(words, []).append((hand, name))
    return {words: tuple(drawn) for words, drawn in found.items()}


def item(drawing: Drawing) -> str:
    """The item of the split rule."""
    return f"drawing {drawing[0]}/{drawing[1]}"


def allowed(drawn: tuple[Drawing, ...], side: Side) -> tuple[Drawing, ...]:
    """Those drawings that this side may show."""
    return tuple(drawing for drawing in drawn if side == "dev" or not held_out(item(drawing)))


@cache
def _names(side: Side) -> tuple[tuple[str, ...], np.ndarray]:
    """Names, and their cumulated shares: what several sets draw is what people ask for."""
    found = {words: allowed(drawn, side) for words, drawn in drawings().items()}
    found = {words: drawn for words, drawn in found.items() if drawn}
    total = np.cumsum([len({hand for hand, _ in drawn}) ** 2 for drawn in found.values()])
    return tuple(found), total / total[-1]


def show(drawing: Drawing, canvas: Canvas, rng: np.random.Generator, mirrored: bool = False) -> None:
    """Draw it in the middle or near, in an ink or in its own colours, now and then on a badge."""
    hand = sources.hand(drawing[0])
    bitmap = hand.bitmap(drawing[1])
    height, width = canvas.shape[:2]
    size = min(height, width) * rng.uniform(0.4, 0.95)
    off = rng.uniform(-1, 1, 2) * (width - size, height - size) / 2
    center = (width / 2 + off[0], height / 2 + off[1])
    if hand.bitmaps.ndim == 3:
        ground = brightness(canvas)
        if rng.random() < 0.2:
            ground = _badge(canvas, size, center, rng)
            size *= 0.68
        bitmap = styles.inked(bitmap[..., 3], placing.ink_for(ground, rng))
        if rng.random() < 0.08:
            bitmap = styles.sticker(bitmap, rng, bitmap[0, 0, :3])
    else:
        style = styles.pick(rng, styles.FREE)
        change = styles.FREE[style][0]
        if change is not None and not (style == "silhouette" and (bitmap[..., 3] > 128).mean() > 0.6):
            bitmap = change(bitmap, rng, placing.ink_for(brightness(canvas), rng))
    angle = rng.uniform(-15, 15) if rng.random() < 0.3 else 0.0
    placing.lay(canvas, placing.sized(bitmap, size, angle, mirrored), center)


def _badge(canvas: Canvas, size: float, center: tuple[float, float], rng: np.random.Generator) -> float:
    """A disc or tile under the icon, like a button; gives its brightness."""
    color = rng.integers(0, 256, 3, dtype=np.uint8)
    y, x = np.mgrid[: canvas.shape[0], : canvas.shape[1]]
    across, down = np.abs(x - center[0]), np.abs(y - center[1])
    inside = np.hypot(across, down) < size / 2 if rng.random() < 0.5 else np.maximum(across, down) < size / 2
    canvas[inside] = color
    return float(color @ (0.299, 0.587, 0.114))


@dataclass(frozen=True)
class Icons:
    """One icon by its name."""

    name: str = "icons"
    weight: float = 8.0

    def make(self, rng: np.random.Generator, side: Side) -> Example:
        names, shares = _names(side)
        words = names[int(np.searchsorted(shares, rng.random()))]
        drawn = allowed(drawings()[words], side)
        drawing = drawn[int(rng.integers(len(drawn)))]
        canvas = background(rng, *placing.canvas_size(rng), side)
        show(drawing, canvas, rng)
        contents = [words, with_article(words), f"{words} icon", f"an icon of {with_article(words)}", f"{words} symbol"]
        return Example(placing.finished(canvas, rng), f"icon:{words}", contents, (item(drawing),))


FAMILIES = (Icons(),)
