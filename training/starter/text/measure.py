"""How near the text tower comes to its teacher, on text that it never saw, and how fast it is.

Knows: the development sets, the scores, their intervals. Does not know: how the tower is made.

Spearman is over random pairs of one set's sentences: most pairs are unrelated, so it is a harsh score.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file
from scipy.stats import rankdata

from manysense.starter.text import StaticText

from . import teacher
from .contents import captions
from .development import NATURAL, natural, overlaps
from .sentences import distinct

Vectors = npt.NDArray[np.float32]
QUERIES, PAIRS, RESAMPLES, NEIGHBOURS = 4000, 100_000, 100, 10


def sets() -> dict[str, list[str]]:
    """Development texts by name: natural English of several kinds, and captions in unseen prompts and synonyms."""
    texts = {name: list(natural(name)[:QUERIES]) for name in NATURAL}
    return texts | {"captions": distinct(captions(QUERIES * 2, seed=77, side="dev"))[:QUERIES]}


def taught(texts: dict[str, list[str]], cache: Path) -> dict[str, Vectors]:
    """The teacher's vectors of each set; kept in a file that is made anew when the texts change."""
    known = load_file(cache) if cache.is_file() else {}
    for name, items in texts.items():
        print_ = np.frombuffer("\n".join(items).encode(), np.uint8)
        if f"{name}.texts" not in known or not np.array_equal(known[f"{name}.texts"], print_):
            known[name], known[f"{name}.texts"] = teacher.encode(items), print_
            cache.parent.mkdir(parents=True, exist_ok=True)
            save_file(known, cache)
    return {name: known[name].astype(np.float32) for name in texts}


def spearman(ours: Vectors, theirs: Vectors, pairs: npt.NDArray[np.intp]) -> float:
    """Rank correlation of the cosines of the pairs (2, n)."""
    ranks = [rankdata(np.einsum("nd,nd->n", vectors[pairs[0]], vectors[pairs[1]])) for vectors in (ours, theirs)]
    return float(np.corrcoef(*ranks)[0, 1])


def random_pairs(count: int, among: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """(2, about count) different items."""
    pairs = rng.integers(among, size=(2, count))
    return pairs[:, pairs[0] != pairs[1]]


def neighbour_overlap(ours: Vectors, theirs: Vectors) -> npt.NDArray[np.float64]:
    """Share of each item's nearest neighbours that both agree on."""
    nearest = []
    for vectors in (ours, theirs):
        cosines = vectors @ vectors.T
        np.fill_diagonal(cosines, -np.inf)
        nearest.append(np.argpartition(-cosines, NEIGHBOURS, axis=1)[:, :NEIGHBOURS])
    return np.array([len(set(one) & set(other)) / NEIGHBOURS for one, other in zip(*nearest)])


def score(ours: Vectors, theirs: Vectors, resamples: int = RESAMPLES) -> dict[str, Any]:
    """All scores of one set; "interval" is 95 % of a bootstrap over sentences."""
    rng = np.random.default_rng(5)
    drawn = []
    for _ in range(resamples):
        items = rng.integers(len(ours), size=len(ours))
        pairs = items[random_pairs(20_000, len(ours), rng)]
        drawn.append(spearman(ours, theirs, pairs[:, pairs[0] != pairs[1]]))
    return {
        "queries": len(ours),
        "spearman": round(spearman(ours, theirs, random_pairs(PAIRS, len(ours), rng)), 4),
        "interval": [round(float(edge), 4) for edge in np.percentile(drawn, (2.5, 97.5))] if drawn else [],
        "cosine": round(float((ours * theirs).sum(1).mean()), 4),
        "overlap of 10 neighbours": round(float(neighbour_overlap(ours, theirs).mean()), 4),
    }


def speed(tower: StaticText, texts: list[str], rounds: int = 5) -> dict[str, float]:
    """Sentences a second of CPU time, tokenizer included, all words met before and none."""
    chosen = [text for text in texts if 10 <= text.count(" ") + 1 <= 14]
    cold, warm = time.process_time(), []
    tower.encode(chosen)
    cold = time.process_time() - cold
    for _ in range(rounds):
        started = time.process_time()
        tower.encode(chosen)
        warm.append(time.process_time() - started)
    then = float(np.median(warm))
    return {"sentences": len(chosen), "first": round(len(chosen) / cold), "then": round(len(chosen) / then)}


def measure(folder: Path, cache: Path = Path("build/starter/text-work/development.safetensors")) -> dict[str, Any]:
    """Every text row of the bars for the tower in a folder. Set OMP_NUM_THREADS=1 before Python starts."""
    texts = sets()
    theirs = taught(texts, cache)
    tower = StaticText.load(folder)
    rows: dict[str, Any] = {name: score(tower.encode(items), theirs[name]) for name, items in texts.items()}
    rows["speed, one thread"] = speed(StaticText.load(folder), [text for items in texts.values() for text in items])
    rows["bytes"] = sum(path.stat().st_size for path in folder.iterdir() if path.suffix in (".json", ".safetensors"))
    return rows


def leaked(texts: list[str]) -> int:
    """How many of the training sentences share words with a development set; the corpus has none."""
    return sum(map(overlaps, texts))
