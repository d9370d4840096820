"""What fewer bits and fewer dimensions keep of the nearest neighbours: `python -m benchmarks.quantization`.

Knows: sentences, ways to store and to search, the table. Does not know: how vectors are quantised and searched
(manysense.util), where results are kept (report.py).

No peer and no clock: the same vectors give the same table on every machine, but for the last digit.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import material, report

Rows = npt.NDArray[Any]
TRUE, CANDIDATES = 10, 40
START, END = "<!-- table: written by python -m benchmarks.quantization -->", "<!-- end of the table of bits -->"
_ELSEWHERE = {"site-packages", "test", "tests", "idlelib", "lib2to3"}
_SENTENCE = re.compile(r"[A-Z][a-z][\w\s.,;:'\"()/-]+\.")


class Stored(NamedTuple):
    """A form of vectors.  corpus: what is stored.  search: (queries, corpus) as an index of this form compares them.
    values: (n, dims) floats that the stored stand for, for float queries."""

    corpus: Rows
    search: tuple[Rows, Rows]
    values: Rows


def sentences(count: int) -> list[str]:
    """Sentences of 6 to 40 words from the docstrings of Python's standard library, all different."""
    root, found = Path(os.__file__).parent, dict[str, None]()
    for path in sorted(root.rglob("*.py")):
        if _ELSEWHERE & set(path.relative_to(root).parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8", errors="replace"))):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and (text := ast.get_docstring(node)):
                for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])|\n\s*\n", text):
                    words = sentence.split()
                    if 6 <= len(words) <= 40 and _SENTENCE.fullmatch(" ".join(words)):
                        found[" ".join(words)] = None
    ordered = list(found)
    random.Random(material.SEED).shuffle(ordered)
    return ordered[:count]


# ---- forms


def float32(queries: Rows, corpus: Rows) -> Stored:
    return Stored(corpus, (queries, corpus), corpus)


def float16(queries: Rows, corpus: Rows) -> Stored:
    half = corpus.astype(np.float16)
    return Stored(half, (queries.astype(np.float16), half), half.astype(np.float32))


def int8(queries: Rows, corpus: Rows) -> Stored:
    """The ranges of each dimension."""
    return _levels(queries, corpus, np.stack([corpus.min(0), corpus.max(0)]))


def int8_even(queries: Rows, corpus: Rows) -> Stored:
    """One range for all dimensions, as far below zero as above it: dot products of levels are those of values."""
    edge = np.full(corpus.shape[1], abs(corpus).max())
    return _levels(queries, corpus, np.stack([-edge, edge]))


def _levels(queries: Rows, corpus: Rows, ranges: Rows) -> Stored:
    from manysense.util import quantize_embeddings

    levels, asked = (quantize_embeddings(rows, "int8", ranges) for rows in (corpus, queries))
    values = (levels.astype(np.float32) + 128) * ((ranges[1] - ranges[0]) / 255) + ranges[0]
    return Stored(levels, (asked, levels), values)


def binary(queries: Rows, corpus: Rows) -> Stored:
    """Signs as 1 and -1: their dot product falls as the Hamming distance rises."""
    from manysense.util import quantize_embeddings

    signs, asked = (np.where(rows > 0, 1, -1).astype(np.float32) for rows in (corpus, queries))
    return Stored(quantize_embeddings(corpus, "ubinary"), (asked, signs), signs)


FORMS: dict[str, Callable[[Rows, Rows], Stored]] = {
    "float32": float32,
    "float16": float16,
    "int8": int8,
    "int8, one even range": int8_even,
    "binary": binary,
}


# ---- measuring


def best(queries: Rows, corpus: Rows, count: int) -> Rows:
    """(queries, count) positions of the corpus rows with the highest dot products."""
    from manysense.util import dot_score, semantic_search

    found = semantic_search(queries, corpus, top_k=count, score_function=dot_score)
    return np.array([[hit["corpus_id"] for hit in hits] for hits in found])


def ordered(queries: Rows, values: Rows, candidates: Rows) -> Rows:
    """(queries, TRUE): the best of each query's candidates by the dot product with their values."""
    scores = np.einsum("id,ikd->ik", queries, values[candidates])
    order = np.argsort(-scores, axis=1, kind="stable")[:, :TRUE]
    return np.take_along_axis(candidates, order, 1)


def share(found: Rows, true: Rows) -> float:
    """Of the true neighbours how many were found, on average."""
    return float(np.mean([len(set(a) & set(b)) / TRUE for a, b in zip(found, true)]))


def measure(queries: Rows, corpus: Rows, cuts: tuple[int, ...]) -> list[dict[str, Any]]:
    """A row for every form at every number of dimensions. queries, corpus: (n, dims) float32 of length 1."""
    from manysense.util import normalize_embeddings, truncate_embeddings

    true, rows = best(queries, corpus, TRUE), []
    for dims in (corpus.shape[1], *cuts):
        short, kept = (normalize_embeddings(truncate_embeddings(whole, dims)) for whole in (queries, corpus))
        for name, form in FORMS.items():
            stored = form(short, kept)
            candidates = best(*stored.search, CANDIDATES)
            rows.append(
                {
                    "form": name,
                    "dims": dims,
                    "bytes": stored.corpus[0].nbytes,
                    "alone": share(candidates[:, :TRUE], true),
                    "rescored": share(ordered(short, stored.values, candidates), true),
                    "rescored_in_full": share(ordered(queries, corpus, candidates), true),
                }
            )
    return rows


# ---- showing


def table(result: dict[str, Any]) -> str:
    lines = [
        "| dimensions | stored as | bytes a vector | of float32 | found by it alone | rescored | rescored in full |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    full = result["rows"][0]["bytes"]
    for row in result["rows"]:
        shares = [f"{row[name]:.1%}" for name in ("alone", "rescored", "rescored_in_full")]
        cells = [str(row["dims"]), row["form"], f"{row['bytes']:,}", f"{row['bytes'] / full:.1%}", *shares]
        lines.append("| " + " | ".join(cells) + " |")
    made = ", ".join(f"{name} {result['versions'][name]}" for name in ("python", "manysense", "torch", "numpy"))
    lines += ["", f"- {result['corpus']:,} sentences, {result['queries']:,} queries; {result['date']}; {made}."]
    return "\n".join(lines)


def write_page(text: str) -> None:
    """Replace the table between the markers."""
    page = report.PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    report.PAGE.write_text(f"{before}{START}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quantization", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few sentences; nothing is kept")
    quick = parser.parse_args().quick
    asked, count = (20, 200) if quick else (500, 5_000)
    from . import models

    texts = sentences(asked + count)
    vectors = models.ours(material.minilm()).encode(texts, normalize_embeddings=True)
    rows = measure(vectors[:asked], vectors[asked:], (256, 128))
    result = {"name": "quantization", "queries": asked, "corpus": len(texts) - asked, "rows": rows} | report.facts()
    text = table(result)
    if not quick:
        report.keep(result)
        write_page(text)
    print(text)


if __name__ == "__main__":
    main()
