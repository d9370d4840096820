"""Development sets of drawn pictures: each differs from training along one axis, and its name says which.

Knows: what is new in each set. Does not know: models and measures. Every set is `name(seed, n)`, and drawn in seconds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import vocabulary
from ..captions import unseen_caption
from ..examples import Example, Family
from ..split import held_out
from . import canvas, charts, documents, held_plots, held_svg, scenes, shapes, textures, words
from .chart_content import EIGHT, TRENDED, Content, said
from .wording import Wording, article, combinations, keys, pick

FAMILIES: list[Family] = [
    *shapes.FAMILIES, *textures.FAMILIES, *scenes.FAMILIES, *charts.FAMILIES, *documents.FAMILIES, *words.FAMILIES,
]  # fmt: skip
CHART_LABELS = {kind: article(vocabulary.section("charts")[kind][0]) for kind in EIGHT}
"""What to ask for without training: kind of chart → text."""
TREND_LABELS = {"rising": "a chart that goes up", "falling": "a chart that goes down"}
WORDS = 120
"""So many words of the vocabulary are read."""


def _generator(seed: int, name: str) -> np.random.Generator:
    """Unlike any stream of training, which are seeded by one number."""
    return np.random.default_rng([seed, *name.encode()])


def new_seeds(seed: int, n: int) -> list[Example]:
    """What training draws, drawn again."""
    rng = _generator(seed, "new seeds")
    weights = np.array([family.weight for family in FAMILIES])
    return [FAMILIES[i].make(rng, "train") for i in rng.choice(len(FAMILIES), n, p=weights / weights.sum())]


def unseen_combinations(seed: int, n: int) -> list[Example]:
    """Colours and shapes that training never put together, in another renderer."""
    pairs = [pair for pair in combinations("dev") if held_out(" ".join(pair))]
    return _svg_shapes(_generator(seed, "unseen combinations"), pairs, n)


def other_renderer(seed: int, n: int) -> list[Example]:
    """Known colours and shapes, in another renderer with another palette."""
    return _svg_shapes(_generator(seed, "other renderer"), list(combinations("train")), n)


def _svg_shapes(rng: np.random.Generator, pairs: list[tuple[str, str]], n: int) -> list[Example]:
    examples = []
    for i in range(n):
        colour, shape = pairs[i % len(pairs)] if n >= len(pairs) else pick(rng, pairs)
        said_so = Wording(rng, "train")
        contents = [shapes.noun_phrase(said_so, colour, shape) for _ in range(2)]
        media = held_svg.shape(colour, shape, rng)
        combo = f"{colour} {shape}"
        examples.append(Example(media, f"shape:{combo}", [_plainly(colour, shape), *contents], (combo, *said_so.uses)))
    return examples


def _plainly(colour: str, shape: str) -> str:
    """ "a red circle", by the first names."""
    return article(f"{vocabulary.section('colours')[colour][0]} {vocabulary.section('shapes')[shape][0]}")


def other_renderer_pairs(seed: int, n: int) -> list[Example]:
    """Two known shapes in a relation, in another renderer."""
    rng = _generator(seed, "other renderer pairs")
    examples = []
    for _ in range(n):
        relation, one, other = pick(rng, tuple(shapes.OPPOSITE)), *(pick(rng, combinations("train")) for _ in range(2))
        first, second = _plainly(*one), _plainly(*other)
        content = f"{first} {vocabulary.section('relations')[relation][0]} {second}"
        combos = sorted((" ".join(one), " ".join(other)))
        media = held_svg.pair(one, other, relation, rng)
        examples.append(Example(media, "pair:" + "+".join(combos), [content, f"{first} and {second}"], combos))
    return examples


def foreign_charts(seed: int, n: int) -> list[Example]:
    """Eight kinds of charts, rising or falling, from plotting libraries that training never used.

    The key says kind and trend; ask with CHART_LABELS and TREND_LABELS.
    """
    rng = _generator(seed, "foreign charts")
    examples = []
    for i in range(n):
        kind = EIGHT[i % len(EIGHT)]
        trend = pick(rng, tuple(TREND_LABELS)) if kind in TRENDED else ""
        content = Content(kind, trend, pick(rng, ("", "", "Sales", "Costs", "Population")))
        examples.append(Example(held_plots.draw(content, rng), content.key, said(Wording(rng, "train"), content), ()))
    return examples


def unseen_paraphrases(seed: int, n: int) -> list[Example]:
    """Known shapes, asked for with synonyms and prompts that training never read."""
    rng = _generator(seed, "unseen paraphrases")
    pairs = [(c, s) for c, s in combinations("train") if _is_unseen("colours", c) or _is_unseen("shapes", s)]
    examples = []
    for _ in range(n):
        colour, shape = pick(rng, pairs)
        example = shapes.draw_single(colour, shape, rng, "train")
        colours, names = _unseen("colours", colour), _unseen("shapes", shape)
        c, s = (pick(rng, some) for some in (colours, names))
        uses = [f"{colour} {shape}", *(f"synonym {name}" for name in (c, s) if held_out(f"synonym {name}"))]
        content = unseen_caption(article(f"{c} {s}"), "picture", rng)
        examples.append(Example(example.media, example.key, [content], uses))
    return examples


def _unseen(section: str, key: str) -> list[str]:
    """Names of the entry that training never reads; its first name where there are none."""
    entry = vocabulary.section(section)[key]
    return vocabulary.unseen_names(entry) or [entry[0]]


def _is_unseen(section: str, key: str) -> bool:
    return bool(vocabulary.unseen_names(vocabulary.section(section)[key]))


def unseen_font_documents(seed: int, n: int) -> list[Example]:
    """All kinds of documents, set in fonts that training never used."""
    rng = _generator(seed, "unseen font documents")
    kinds = keys("documents")
    faces = canvas.held_fonts() or tuple(path for paths in canvas.fonts("dev").values() for path in paths)
    return [documents.draw_document(kinds[i % len(kinds)], pick(rng, faces), rng, "train") for i in range(n)]


def unseen_font_words(seed: int, n: int) -> list[Example]:
    """One big word of 120, written in fonts that training never used."""
    rng = _generator(seed, "unseen font words")
    some = words.written()[:: len(words.written()) // WORDS][:WORDS]
    faces = canvas.held_fonts() or tuple(path for paths in canvas.fonts("dev").values() for path in paths)
    examples = [words.draw_word(some[i % WORDS], pick(rng, faces), rng) for i in range(n)]
    return [Example(e.media, e.key, [f"the word {e.key.removeprefix('word:')}"], e.uses) for e in examples]


SETS: dict[str, Callable[[int, int], list[Example]]] = {
    f.__name__: f
    for f in (
        new_seeds, unseen_combinations, other_renderer, other_renderer_pairs, foreign_charts, unseen_paraphrases,
        unseen_font_documents, unseen_font_words,
    )
}  # fmt: skip
"""Name of a set → how to draw it."""
