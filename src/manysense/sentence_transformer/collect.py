"""Bring the rows of one call into a store: on the line of this process, or in the processes of a pool.

Knows: what a piece of the result is, how it is counted. Does not know: what was checked before, what is returned.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from ..batching.parcels import Parcel, parcel_size, parcels
from ..batching.run import run
from ..errors import ItemError
from ..line import ModelLine
from ..outputs import dense
from ..outputs.rows import ArrayRows, ListRows
from ..progress import bar
from ..warn import warn

if TYPE_CHECKING:
    from ..batching.pool import Pool
    from ..settings import Settings
    from .model import SentenceTransformer

FEW = 64
BIG = 1_000_000_000


def finish_of(settings: Settings) -> Any:
    """Batch features → rows, as this call wants them."""
    dims, normalize = settings.truncate_dim, settings.normalize
    if settings.output == "token_embeddings":
        return lambda features, count: dense.token_matrices(features)
    if settings.output is None:
        return lambda features, count: dense.items(features, count, dims, normalize)
    return lambda features, count: dense.vectors(features, dims, normalize)


def collect(
    line: ModelLine,
    items: Iterable[Any],
    settings: Settings,
    store: ArrayRows | ListRows,
    total: int | None,
) -> tuple[int, list[ItemError]]:
    """Write every row; (number of inputs, errors of those that failed). With on_error="raise" the first error ends it:
    the number is then that of the inputs seen."""
    failed: list[ItemError] = []
    count = 0
    eta = _Eta(line, total)
    with bar("Encoding", total, settings.progress) as advance, line.model.evaluating():
        pieces = run(line, items, batch_size=settings.batch_size, few=total is not None and total <= FEW)
        try:
            for done in pieces:
                rows = [row for unit in done.rows for row in unit]
                count = max(count, 1 + max(rows))
                advance(len(rows))
                if done.error is None:
                    store.write(done.rows, _storable(done.values, store))
                    line.saw(done)
                    eta.saw(len(done.rows))
                    continue
                done.error.index, done.error.total = rows[0], total
                failed.append(done.error)
                if settings.on_error == "raise":
                    break
        finally:
            pieces.close()  # type: ignore[attr-defined]
    return count if total is None else total, failed


def _storable(values: Any, store: ArrayRows | ListRows) -> Any:
    return dense.storable(values) if isinstance(store, ArrayRows) else values


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a worker process made of one parcel. rows: positions of `values` among all inputs.

    failed: errors of the others, with their index.  cuts, without_prompt: as the worker's line counted them.
    """

    rows: list[int]
    values: Any
    failed: list[ItemError]
    cuts: list[tuple[float, float, str]]
    without_prompt: int


def encode_chunk(model: SentenceTransformer, parcel: Parcel, settings: Settings, as_array: bool) -> Chunk:
    """In a worker process: the inputs of one parcel, on the same line as without a pool.

    as_array: values are one array (rows, dims) of float, as numpy holds it; else a list.
    """
    positions, inputs, failed = parcel.open()
    line = ModelLine(model, model, settings, finish_of(settings))
    store = ArrayRows(len(inputs)) if as_array else ListRows()
    model.said_slow = True  # the calling process says it, for the whole call
    if not failed or settings.on_error != "raise":
        _, later = collect(line, inputs, settings, store, len(inputs))
        for error in later:
            error.index = positions[error.index or 0]
        failed += later
    values, indices = store.kept(len(inputs), None)
    return Chunk([positions[i] for i in indices], values, failed, line.cuts, line.without_prompt)


def gather(
    pool: Pool,
    line: ModelLine,
    items: Iterable[Any],
    settings: Settings,
    store: ArrayRows | ListRows,
    total: int | None,
    chunk_size: int | None,
) -> tuple[int, list[ItemError]]:
    """As `collect`, where the processes of a pool do the work. Rows are quantised here, over the whole call."""
    sent = replace(settings, precision="float32", progress=False)
    as_array = isinstance(store, ArrayRows)
    work = parcels(items, chunk_size or parcel_size(total, len(pool.devices)))
    failed: list[ItemError] = []
    count = 0
    eta = _Eta(line, total)
    with bar("Encoding", total, settings.progress) as advance, pool.results(encode_chunk, work, sent, as_array) as made:
        for chunk in made:
            if chunk.rows:
                values: Any = torch.from_numpy(chunk.values) if as_array else chunk.values
                store.write([[row] for row in chunk.rows], values)
            failed += chunk.failed
            count = 1 + max([count - 1, *chunk.rows, *(error.index or 0 for error in chunk.failed)])
            line.cuts += chunk.cuts
            line.without_prompt += chunk.without_prompt
            eta.saw(len(chunk.rows))
            advance(len(chunk.rows) + len(chunk.failed))
            if chunk.failed and settings.on_error == "raise":
                break
    for error in failed:
        error.total = total
    return count if total is None else total, failed


class _Eta:
    """Says once, with a measured time, that a big model on a CPU takes long."""

    def __init__(self, line: ModelLine, total: int | None) -> None:
        self._line, self._total, self._start, self._seen = line, total, time.monotonic(), 0
        self._wanted = line.device_type == "cpu" and not line.model.said_slow

    def saw(self, count: int) -> None:
        self._seen += count
        if not self._wanted or self._total is None or self._seen >= self._total:
            return
        self._wanted = False
        if sum(p.numel() for p in self._line.model.parameters()) < BIG:
            return
        self._line.model.said_slow = True
        seconds = (time.monotonic() - self._start) / self._seen * (self._total - self._seen)
        if seconds > 10:
            warn(
                f"a model of {BIG // 10**9}+ billion parameters on a CPU: about {_spoken(seconds)} left for the other "
                f"{self._total - self._seen} inputs; a GPU or a smaller model is quicker"
            )


def _spoken(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
