"""Requests from a folder of files: its texts as one kind of candidates, its pictures, sounds and clips as the other.

Knows: files, their names, the size in a picture's header. Does not know: what a file means. Its query is the name of a
file of the folder, as words ("red_circle.png" → "red circle"): the latency of a reranker depends on sizes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from ..errors import MediaError, UsageError, first_line
from ..inputs.forms import is_text_file, suffix_kind
from ..settings import positive
from .workload import Kind, Request, Shape, Workload


def from_folder(folder: Path, candidates: Sequence[int]) -> Workload:
    """A shape for each number of candidates, of text files alone and of media alone. Hidden files are left out.

    A kind of which there are fewer than the most candidates is left out. Raises UsageError where both are; MediaError
    for a broken file.
    """
    if not folder.is_dir():
        raise UsageError(f"--folder {str(folder)!r} is no folder")
    for count in candidates:
        positive("--candidates", count)
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    texts = tuple((_text(path), 0) for path in files if is_text_file(path.name))
    media = tuple((str(path), pixels_of(path)) for path in files if _is_medium(path))
    queries = tuple(_words(path) for path in files if is_text_file(path.name) or _is_medium(path))
    shapes: list[Shape] = []
    few: list[str] = []
    found: tuple[tuple[Kind, str, Sequence[tuple[str, int]]], ...]
    found = (("text", "texts", texts), ("multimodal", "files", media))
    for kind, name, documents in found:
        if len(documents) < max(candidates):
            few.append(name)
        else:
            shapes += [Shape(f"{n} {name}", partial(_drawn, queries, documents, kind, n)) for n in candidates]
    if not shapes:
        raise UsageError(
            f"--folder {str(folder)!r} has {len(texts)} texts and {len(media)} pictures, sounds and clips, too few of "
            f"either for {max(candidates)} candidates in one request\n"
            "  Ask for fewer with --candidates, or name a larger folder."
        )
    facts = {
        "source": f"files of {folder.name}",
        "candidates": list(candidates),
        "texts": len(texts),
        "media": len(media),
    }
    if few:
        facts["left out"] = ", ".join(f"{name} (too few)" for name in few)
    return Workload(tuple(shapes), facts)


def _is_medium(path: Path) -> bool:
    return suffix_kind(path.name) is not None and not is_text_file(path.name)


def _drawn(
    queries: Sequence[str], documents: Sequence[tuple[str, int]], kind: Kind, count: int, random: Random
) -> Request:
    drawn = random.sample(documents, count)
    return Request(random.choice(queries), tuple(one for one, _ in drawn), kind, mean_pixels([p for _, p in drawn]))


def mean_pixels(pixels: Sequence[int]) -> int:
    """Of those that have any."""
    seen = [one for one in pixels if one]
    return round(sum(seen) / len(seen)) if seen else 0


def pixels_of(path: Path) -> int:
    """Width x height from the header of a picture, 0 for another file. Raises MediaError where it cannot be read."""
    if suffix_kind(path.name) != "image":
        return 0
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return picture.width * picture.height
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise MediaError(f"cannot open image {str(path)!r}: {first_line(error)}", source=str(path)) from error


def _text(path: Path) -> Any:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MediaError(f"cannot read text {str(path)!r}: {first_line(error)}", source=str(path)) from error


def _words(path: Path) -> str:
    return " ".join(re.split(r"[\W_]+", path.stem)).strip() or path.stem
