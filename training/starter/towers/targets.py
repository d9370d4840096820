"""Vectors of captions: where the picture and the sound of a caption have to go.

Knows: a growing file of captions with the teacher's vectors. Does not know: media, networks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

DIMENSION = 384


class Targets:
    """Captions by row. `rows` adds those that are new; a stop in between loses nothing that counts.

    folder: holds captions.jsonl and teacher.f16, (rows, 384) float16.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._names, self._vectors = folder / "captions.jsonl", folder / "teacher.f16"
        lines = self._names.read_text(encoding="utf-8").splitlines() if self._names.exists() else []
        kept = self._vectors.stat().st_size // (2 * DIMENSION) if self._vectors.exists() else 0
        self.captions: list[str] = [json.loads(line) for line in lines[:kept]]
        self._row = {caption: row for row, caption in enumerate(self.captions)}

    def rows(self, captions: Iterable[str]) -> npt.NDArray[np.int64]:
        """The row of each caption; new ones go through the teacher first."""
        wanted = list(captions)
        new = [caption for caption in dict.fromkeys(wanted) if caption not in self._row]
        if new:
            self._append(new)
        return np.array([self._row[caption] for caption in wanted], np.int64)

    def teacher(self) -> npt.NDArray[np.float16]:
        """(rows, 384), of length 1."""
        return np.fromfile(self._vectors, np.float16).reshape(-1, DIMENSION)[: len(self.captions)]

    def _append(self, new: list[str]) -> None:
        from ..text.teacher import encode

        vectors = encode(new)
        with self._vectors.open("r+b" if self._vectors.exists() else "wb") as file:
            file.truncate(2 * DIMENSION * len(self.captions))
            file.seek(0, 2)
            file.write(vectors.tobytes())
        text = "".join(json.dumps(caption, ensure_ascii=False) + "\n" for caption in (*self.captions, *new))
        self._names.write_text(text, encoding="utf-8")
        for caption in new:
            self._row[caption] = len(self.captions)
            self.captions.append(caption)
