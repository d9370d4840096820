"""What is finished of a run: a folder beside the result, from which a killed run goes on.

    vectors.npz.part/
      manifest.json    settings, model, names of the inputs; written before the first chunk
      000000.npz …     a file for each finished chunk, whole or not there at all

Every file is written under another name, flushed to the disk and renamed, so that a kill or a power cut leaves either
all of it or nothing. Vectors are kept as float32; a precision is applied when the result is written.

Knows: chunks as arrays, when two runs are the same one. Does not know: models, what an item is.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ..errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MANIFEST, LOCK, UNFINISHED = "manifest.json", "lock", ".tmp"
_ANEW = "--overwrite drops what is finished and starts anew."


@dataclass(frozen=True, slots=True)
class Chunk:
    """rows: (k,) positions in the whole run.  vectors: (k, dims) float32.  failed: position → reason.
    said: warnings of the library.
    """

    rows: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float32]
    failed: dict[int, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What must be equal for a run to go on. settings: whatever changes vectors or chunks, under readable names."""

    settings: dict[str, Any]
    ids: list[str]


class Journal:
    """The journal of one run, held by this process alone until `close` or `remove`."""

    def __init__(self, folder: Path, lock: IO[bytes]) -> None:
        self.folder, self._lock = folder, lock

    @classmethod
    def open(cls, folder: Path, manifest: Manifest, *, overwrite: bool) -> Journal:
        """Begin, or go on. overwrite: drop the journal of another run instead of refusing it.

        Raises UsageError for the journal of another run, one in use, or a folder that is no journal.
        """
        folder.mkdir(exist_ok=True)
        journal = cls(folder, _locked(folder / LOCK))
        try:
            journal._begin(manifest, overwrite)
        except BaseException:
            journal.close()
            raise
        return journal

    def _begin(self, manifest: Manifest, overwrite: bool) -> None:
        path = self.folder / MANIFEST
        if path.exists():
            difference = _difference(path, manifest)
            if difference is None:
                return
            if not overwrite:
                raise UsageError(f"{self.folder} holds an unfinished run with {difference}\n  {_ANEW}")
        self._clear()
        write_whole(path, lambda file: file.write(json.dumps(_plain(manifest)).encode()))

    def __contains__(self, number: int) -> bool:
        return self._path(number).exists()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06}.npz"

    def write(self, number: int, stamp: str, chunk: Chunk) -> None:
        """stamp: what the inputs of the chunk were, see `read`."""
        import numpy as np

        facts = json.dumps({"stamp": stamp, "failed": chunk.failed, "said": chunk.said})
        buffer = io.BytesIO()
        np.savez(buffer, rows=chunk.rows, vectors=chunk.vectors, facts=np.array(facts))
        write_whole(self._path(number), lambda file: file.write(buffer.getvalue()))

    def read(self, number: int, stamp: str | None = None) -> Chunk:
        """A finished chunk. Raises UsageError when its inputs had another `stamp` than they have now."""
        import numpy as np

        try:
            with np.load(self._path(number)) as stored:
                facts = json.loads(str(stored["facts"]))
                rows, vectors = stored["rows"], stored["vectors"]
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise UsageError(f"{self._path(number)} is damaged: {error}\n  {_ANEW}") from error
        if stamp is not None and facts["stamp"] != stamp:
            raise UsageError(f"files that {self.folder} holds the vectors of have changed since\n  {_ANEW}")
        return Chunk(rows, vectors, {int(k): v for k, v in facts["failed"].items()}, facts["said"])

    def close(self) -> None:
        """Let go of the journal; it stays."""
        self._lock.close()

    def remove(self) -> None:
        """Take the journal away. The manifest goes first: a folder without one is no journal any more."""
        self._clear()
        with contextlib.suppress(OSError):  # another system may not remove what is open
            (self.folder / LOCK).unlink()
        self.close()
        (self.folder / LOCK).unlink(missing_ok=True)
        self.folder.rmdir()

    def _clear(self) -> None:
        names = sorted(self.folder.iterdir(), key=lambda path: path.name != MANIFEST)
        for path in names:
            if not (path.name in (MANIFEST, LOCK) or path.suffix == UNFINISHED or path.stem.isdigit()):
                raise UsageError(f"{self.folder} holds {path.name}, which no journal has; move that folder away")
        for path in names:
            if path.name != LOCK:
                path.unlink()


def exists(folder: Path) -> bool:
    """Whether an unfinished run is there."""
    return (folder / MANIFEST).exists()


def write_whole(path: Path, write: Callable[[IO[bytes]], Any], by: Path | None = None) -> None:
    """Write a file that is there whole or not at all, even after a power cut.  by: the other name, until it is whole.

    Raises OSError; the unfinished file is gone then.
    """
    by = by or path.with_name(path.name + UNFINISHED)
    try:
        with by.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(by, path)
    except BaseException:
        by.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError, AttributeError):  # not every system has folders that can be flushed
        place = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(place)
        finally:
            os.close(place)


def _locked(path: Path) -> IO[bytes]:
    """An open file that no other process holds; a killed process lets go of it. Raises UsageError."""
    file = path.open("ab")
    try:
        import fcntl
    except ImportError:  # Windows: two runs at once only do work twice
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise UsageError(f"another run is writing to {path.parent}") from None
    return file


def _plain(manifest: Manifest) -> dict[str, Any]:
    return {"settings": manifest.settings, "ids": manifest.ids}


def _difference(path: Path, wanted: Manifest) -> str | None:
    """What is not equal, in words; None where nothing is."""
    try:
        stored = json.loads(path.read_bytes())
        settings, ids = dict(stored["settings"]), list(stored["ids"])
    except (ValueError, KeyError, TypeError):
        return "a manifest that cannot be read"
    for name in sorted({*settings, *wanted.settings}):
        before, now = settings.get(name), wanted.settings.get(name)
        if before != now:
            return f"other settings: {name} was {before!r}, now {now!r}"
    return _first_other(ids, wanted.ids)


def _first_other(before: Sequence[str], now: Sequence[str]) -> str | None:
    for number, (old, new) in enumerate(zip(before, now)):
        if old != new:
            return f"other inputs: item {number} was {old!r}, now {new!r}"
    return f"other inputs: {len(before):,} before, {len(now):,} now" if len(before) != len(now) else None


def numbered(journal: Journal, count: int) -> Iterator[Chunk]:
    """All chunks of a finished run, in order, one in memory at a time."""
    return (journal.read(number) for number in range(count))
