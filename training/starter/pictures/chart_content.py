"""What charts show and what is said about them, whoever plots them.

Knows: kinds, trends, topics, made-up numbers, captions. Does not know: how a chart is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import vocabulary
from ..split import Side
from .outlines import spread
from .wording import Wording, article, choices, keys, pick

TRENDED = ("bar", "line", "area", "scatter", "step")
"""Kinds that are rising, falling or flat; the others have no trend."""
USUAL = ("bar", "horizontal bar", "line", "area", "pie", "scatter", "histogram", "box", "stacked bar")
EIGHT = ("bar", "horizontal bar", "line", "area", "pie", "scatter", "histogram", "box")
"""Kinds that are told apart without training on the plotting library."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CITIES = ("Oslo", "Rome", "Paris", "Lima", "Cairo", "Delhi", "Tokyo", "Bern", "Kyiv", "Quito", "Accra", "Baku")


@dataclass(frozen=True)
class Content:
    """kind: an entry of [charts]. trend: an entry of [trends] or "". topic: the title, or ""."""

    kind: str
    trend: str
    topic: str

    @property
    def key(self) -> str:
        """ "chart:bar:rising", "chart:pie"."""
        return f"chart:{self.kind}" + (f":{self.trend}" if self.trend else "")


def some_content(rng: np.random.Generator, side: Side) -> Content:
    """A kind, the usual ones more often, with a trend where it can have one, and a topic half of the time."""
    kind = pick(rng, USUAL) if rng.random() < 0.6 else pick(rng, keys("charts"))
    trend = (
        pick(rng, ("rising", "rising", "falling", "falling", "flat" if kind != "step" else "rising"))
        if kind in TRENDED
        else ""
    )
    topic = pick(rng, choices("topics", pick(rng, keys("topics")), side)) if rng.random() < 0.5 else ""
    return Content(kind, trend, topic)


def said(words: Wording, content: Content) -> list[str]:
    """Phrases for it; the topic is named in the last one only."""
    phrases = [_about(words, content) for _ in range(4)]
    if words.rng.random() < 0.25:
        phrases.append(article(words.name("charts", content.kind)))
    if content.trend and words.rng.random() < 0.25:
        phrases.append(f"a {pick(words.rng, ('chart', 'graph', 'plot'))} {words.name('trending', content.trend)}")
    if content.topic:
        plain = {names[0] for names in vocabulary.section("topics").values()}
        words.uses += [] if content.topic in plain else [f"synonym {content.topic}"]
        phrases.append(f"{_about(words, content)}{words.pattern(TITLED, t=content.topic, low=content.topic.lower())}")
    return phrases


TITLED = (", titled '{t}'", " titled {t}", " of {low}", " with the title {t}", " about {low}", " showing {low}")


def _about(words: Wording, content: Content) -> str:
    chart = words.name("charts", content.kind)
    if not content.trend:
        return article(chart)
    trend = words.name("trends", content.trend)
    if words.rng.random() < 0.4:
        return f"{article(chart)} {words.name('trending', content.trend)}"
    patterns = ["{c} that is {t}", "{c} {t}", "{c} with values {t}", "{c}, {t}"]
    if trend.split()[0] not in ("going", "on", "trending"):
        patterns += ["{a_t} {bare}", "{a_t} {bare}"]
    return words.pattern(patterns, c=article(chart), t=trend, a_t=article(trend), bare=chart)


def values(rng: np.random.Generator, n: int, trend: str) -> np.ndarray:
    """n numbers 0.05 … 1 that plainly follow the trend; without one they go up and down."""
    x = np.linspace(0, 1, n)
    if not trend:
        return np.clip(0.15 + 0.85 * rng.random(n), 0.05, 1)
    if trend == "flat":
        return np.clip(spread(rng, 0.3, 0.85) + rng.normal(0, 0.02, n), 0.05, 1)
    low, high, bend = spread(rng, 0.08, 0.4), spread(rng, 0.75, 1), pick(rng, (1, 1, 1, 0.6, 1.7))
    shake = spread(rng, 0, 0.09) * (high - low)
    rising = low + (high - low) * x**bend + rng.normal(0, 1, n) * shake
    return np.clip(rising if trend == "rising" else rising[::-1], 0.04, 1)


def labels(rng: np.random.Generator, n: int) -> list[str]:
    """Names for n categories: months, years, cities, letters."""
    kind, start = int(rng.integers(4)), int(rng.integers(0, 12))
    if kind == 0:
        return [MONTHS[(start + i) % 12] for i in range(n)]
    if kind == 1:
        return [str(2010 + start + i) for i in range(n)]
    if kind == 2:
        return [CITIES[(start + i) % 12] for i in range(n)]
    return [chr(65 + i) for i in range(n)]


def heap(rng: np.random.Generator, n: int) -> np.ndarray:
    """Counts of a histogram: one heap, now and then two, or leaning to a side."""
    x = np.linspace(-1, 1, n)
    middle, wide = spread(rng, -0.35, 0.35), spread(rng, 0.25, 0.45)
    counts = np.exp(-((x - middle) ** 2) / (2 * wide**2))
    if rng.random() < 0.15:
        counts += 0.7 * np.exp(-((x + middle + 0.5) ** 2) / 0.04)
    heights: np.ndarray = np.clip(counts / counts.max() * (1 + rng.normal(0, 0.07, n)), 0.02, 1)
    return heights
