"""Requests with judgements: queries, their candidates as a first stage retrieved them, and how relevant each is.

Knows: the file of judgements. Does not know: measures of quality (quality.py).

One JSON object a line: {"query": …, "documents": […], "relevance": […]}. A query or document is a string (text, or the
path of a file by its form, relative to the folder of the judgements) or a dict such as {"text": …, "image": path}.
Relevance is a number of at least 0 for each document; 0 is not relevant.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from ..errors import UsageError
from ..inputs.forms import form_of
from ..settings import positive
from .folder import mean_pixels, pixels_of
from .workload import Kind, Request, Shape, Workload

Row = tuple[Any, tuple[Any, ...], tuple[float, ...]]


def from_judgements(file: Path, candidates: Sequence[int] = ()) -> Workload:
    """A shape for each number of candidates: the first so many documents of each query; all of them without numbers.

    Raises UsageError for a line that is no judgement, with its number; MediaError for a picture that is broken.
    """
    for count in candidates:
        positive("--candidates", count)
    rows = _read(file)
    measured = [tuple(_pixels(document) for document in documents) for _, documents, _ in rows]
    shapes = [
        Shape("all candidates" if count is None else f"the first {count}", partial(_drawn, rows, measured, count))
        for count in candidates or (None,)
    ]
    facts = {
        "source": f"judgements of {file.name}",
        "queries": len(rows),
        "documents": sum(len(documents) for _, documents, _ in rows),
        "candidates": list(candidates) or "all",
    }
    return Workload(tuple(shapes), facts, tuple(relevance for _, _, relevance in rows))


def _drawn(rows: Sequence[Row], measured: Sequence[tuple[int, ...]], count: int | None, random: Random) -> Request:
    place = random.randrange(len(rows))
    query, documents, _ = rows[place]
    kept = documents[:count]
    kind: Kind = "text" if all(_is_text(document) for document in kept) else "multimodal"
    return Request(query, kept, kind, mean_pixels(measured[place][:count]), place)


def _read(file: Path) -> list[Row]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--judgements {str(file)!r} cannot be read: {error}") from error
    rows = [_row(line, f"{file.name}:{number}", file.parent) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise UsageError(f"--judgements {str(file)!r} has no line")
    return rows


def _row(line: str, place: str, folder: Path) -> Row:
    try:
        row = json.loads(line)
        query, documents, relevance = row["query"], row["documents"], row["relevance"]
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f'{place} is no {{"query": …, "documents": […], "relevance": […]}}: {type(error).__name__}: {error}'
        ) from error
    if not isinstance(documents, list) or not isinstance(relevance, list) or not documents:
        raise UsageError(f"{place}: documents and relevance are lists of one entry or more")
    if len(documents) != len(relevance):
        raise UsageError(f"{place}: {len(documents)} documents, and relevance for {len(relevance)}")
    wrong = [grade for grade in relevance if not _is_grade(grade)]
    if wrong:
        raise UsageError(f"{place}: relevance is a number of at least 0, got {wrong[0]!r}")
    placed = tuple(_placed(document, place, folder) for document in documents)
    return _placed(query, place, folder), placed, tuple(map(float, relevance))


def _is_grade(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf


def _placed(value: Any, place: str, folder: Path) -> Any:
    """With the paths that it names seen from `folder`."""
    if isinstance(value, str):
        return str(folder / value) if form_of(value).kind == "path" else value
    if isinstance(value, Mapping) and value and all(isinstance(part, str) for part in value.values()):
        return {name: part if name == "text" else _placed(part, place, folder) for name, part in value.items()}
    raise UsageError(f'{place}: a query or document is a string or a dict such as {{"image": path}}, got {value!r}')


def _is_text(document: Any) -> bool:
    return form_of(document).kind == "text" if isinstance(document, str) else set(document) == {"text"}


def _pixels(document: Any) -> int:
    parts = [document] if isinstance(document, str) else [part for name, part in document.items() if name != "text"]
    return mean_pixels([pixels_of(Path(part)) for part in parts if form_of(part).kind == "path"])
