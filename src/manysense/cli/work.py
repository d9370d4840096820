"""The run of `manysense embed`: entries → chunks in a journal → the result.

Work goes in chunks cut by the order of the inputs, each one call of `encode`. A chunk is what a killed run may have to
do twice, and the same chunks are cut in every run over the same inputs, so that a run that was killed and went on gives
the same bits as one that was not (on the same machine: with other numbers of threads, torch adds in another order).

Knows: chunks, failures, precisions. Does not know: arguments (embed.py), formats (results.py).
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ItemError, UsageError
from .gather import Entry
from .journal import Chunk, Journal, numbered
from .results import Result
from .say import hearing

if TYPE_CHECKING:
    import numpy.typing as npt

    from ..sentence_transformer.model import SentenceTransformer

logger = logging.getLogger("manysense")

CHUNK = 256
_WEIGHT = {"text": 1, "image": 4, "audio": 8, "video": 32}
"""A chunk is full at 256: 256 texts, 64 pictures, 32 sounds or 8 clips, each about as long to do again."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How the vectors are wanted, as `encode` knows it. The first five change vectors or which rows there are."""

    normalize: bool = False
    truncate_dim: int | None = None
    prompt: str | None = None
    prompt_name: str | None = None
    on_truncate: str = "warn"
    batch_size: int | None = None
    on_error: str = "raise"

    def arguments(self) -> dict[str, Any]:
        return {
            "normalize_embeddings": self.normalize,
            "truncate_dim": self.truncate_dim,
            "prompt": self.prompt,
            "prompt_name": self.prompt_name,
            "on_truncate": self.on_truncate,
            "batch_size": self.batch_size,
            "show_progress_bar": False,
        }

    def settings(self) -> dict[str, Any]:
        names = ("normalize", "truncate_dim", "prompt", "prompt_name", "on_truncate")
        return {name: getattr(self, name) for name in names}


def chunk_size() -> int:
    """The weight at which a chunk is full; MANYSENSE_CHUNK, for tests, makes it smaller. Raises UsageError."""
    given = os.environ.get("MANYSENSE_CHUNK", str(CHUNK))
    if not given.isdigit() or int(given) < 1:
        raise UsageError(f"MANYSENSE_CHUNK={given!r} must be a positive whole number")
    return int(given)


def cut(entries: Sequence[Entry], size: int) -> list[range]:
    """Positions of each chunk. A pure function of the kinds of the inputs and their order."""
    chunks, first, weight = [], 0, 0
    for position, entry in enumerate(entries):
        weight += _WEIGHT[entry.kind or "text"]
        if weight >= size:
            chunks.append(range(first, position + 1))
            first, weight = position + 1, 0
    return [*chunks, range(first, len(entries))] if first < len(entries) else chunks


def stamp(entries: Sequence[Entry]) -> str:
    """Equal for the same inputs with the same content."""
    return hashlib.blake2b(repr([(e.id, e.stamp) for e in entries]).encode(), digest_size=16).hexdigest()


def check(model: SentenceTransformer, wish: Wish) -> None:
    """Raise UsageError for what the model does not allow, before any work."""
    model.encode([], on_error=wish.on_error, **wish.arguments())


@dataclass(slots=True)
class Outcome:
    """done, kept: items embedded in this run, and those that an earlier run had finished.  rows: positions with a
    vector.  failed: position → reason.  said: the library's warnings.
    """

    rows: list[int]
    failed: dict[int, str]
    said: list[str]
    done: int = 0
    kept: int = 0


def work(
    model: SentenceTransformer,
    entries: Sequence[Entry],
    chunks: Sequence[range],
    journal: Journal,
    wish: Wish,
    advance: Callable[[int], None],
) -> Outcome:
    """Do every chunk that the journal lacks. Raises the ItemError of an input when `wish.on_error` is "raise"."""
    outcome = Outcome([], {}, [])
    for number, span in enumerate(chunks):
        if number in journal:
            chunk = journal.read(number, stamp(entries[span.start : span.stop]))
            outcome.kept += len(span)
        else:
            logger.debug("chunk %d begins: items %d to %d", number, span.start, span.stop - 1)
            before = stamp(entries[span.start : span.stop])
            chunk = _embedded(model, entries, span, wish)
            journal.write(number, before, chunk)
            logger.debug("chunk %d is in the journal", number)
            outcome.done += len(span)
        outcome.rows += chunk.rows.tolist()
        outcome.failed |= chunk.failed
        outcome.said += chunk.said
        advance(len(span))
    return outcome


def _embedded(model: SentenceTransformer, entries: Sequence[Entry], span: range, wish: Wish) -> Chunk:
    import numpy as np

    inputs = [entries[position].value for position in span]
    with hearing() as said:
        try:
            if wish.on_error == "raise":
                vectors = np.asarray(model.encode(inputs, **wish.arguments()), np.float32)
                return Chunk(np.arange(span.start, span.stop), vectors, {}, said)
            kept = model.encode(inputs, on_error="skip", **wish.arguments())
        except ItemError as error:
            raise _placed(error, entries, span.start) from None
        failed = {span.start + (error.index or 0): error.reason for error in kept.errors}
        return Chunk(kept.indices + span.start, np.asarray(kept.embeddings, np.float32), failed, said)


def _placed(error: ItemError, entries: Sequence[Entry], first: int) -> ItemError:
    """The error with its place among all inputs, and its name where the reason does not have it."""
    position = first + (error.index or 0)
    error.index, error.total, error.partial = position, len(entries), None
    if entries[position].id not in error.reason:
        error.reason = f"{entries[position].id}: {error.reason}"
    return error


def result_of(journal: Journal, chunks: int, ids: list[str], precision: str, model: SentenceTransformer) -> Result:
    """The rows in their final precision, from the journal. int8 and uint8 take the model's own ranges, or those of
    all rows together: never a chunk's."""
    import numpy as np

    from ..outputs.precision import DTYPES, as_ranges, own_ranges, quantize, width_of

    dims = next((chunk.vectors.shape[1] for chunk in numbered(journal, chunks)), 0)
    ranges = None
    if precision in ("int8", "uint8"):
        if model.embedding_ranges is not None:
            ranges = as_ranges(np.asarray(model.embedding_ranges)[:, :dims], dims)
        elif ids:
            each = [own_ranges(c.vectors) for c in numbered(journal, chunks) if len(c.vectors)]
            ranges = np.stack([np.min([r[0] for r in each], 0), np.max([r[1] for r in each], 0)])

    def rows() -> Iterator[npt.NDArray[Any]]:
        for chunk in numbered(journal, chunks):
            if len(chunk.vectors):
                yield quantize(chunk.vectors, precision, ranges)

    return Result(ids, rows, width_of(dims, precision), np.dtype(DTYPES[precision]), {"dims": dims}, ranges)
