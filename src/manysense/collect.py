"""Bring the rows of one call into a store: on the line of this process, or in the processes of a pool.

Knows: what a piece of the result is, how it is counted, what the caller gets of a call that fails. Does not know: what
the rows are.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from .batching.parcels import Parcel, parcel_size, parcels
from .batching.run import run
from .errors import ItemError, WorkerError
from .line import ModelLine
from .outputs import dense
from .outputs.rows import ArrayRows, ListRows
from .progress import bar
from .warn import warn

if TYPE_CHECKING:
    from .batching.pool import Pool
    from .settings import Settings

FEW = 64
BIG = 1_000_000_000


class Kept(tuple[Any, npt.NDArray[np.int64]]):
    """What on_error="skip" returns: the pair (rows, indices), which also knows its errors.

    embeddings: rows of the inputs that worked; of a reranker `scores`.  indices: (rows,) their positions.  errors: of
    the others, by position.
    """

    errors: tuple[ItemError, ...]

    def __new__(cls, embeddings: Any, indices: npt.NDArray[np.int64], errors: Iterable[ItemError] = ()) -> Kept:
        made = super().__new__(cls, (embeddings, indices))
        made.errors = tuple(sorted(errors, key=lambda error: error.index or 0))
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (*self, self.errors)

    @property
    def embeddings(self) -> Any:
        return self[0]

    scores = embeddings

    @property
    def indices(self) -> npt.NDArray[np.int64]:
        return self[1]


def check_inputs(line: ModelLine, items: Sequence[Any], settings: Settings, single: bool) -> None:
    """Everything that can be known without opening media, before anything is computed."""
    if settings.on_error != "raise":
        return
    for i, value in enumerate(items):
        if not line.is_plain(value):
            try:
                line.parse(value)
            except ItemError as error:
                error.index, error.total = (None, None) if single else (i, len(items))
                raise


def placed(error: ItemError, single: bool, store: ArrayRows | ListRows, count: int) -> ItemError:
    """The error that ends a call, with what was finished of `count` inputs."""
    if single:
        error.index = error.total = None
        return error
    error.partial = Kept(*store.kept(count, None))
    if error.hint is None:
        error.hint = 'Set broken inputs aside with on_error="skip"; what was finished is in error.partial.'
    return error


@contextlib.contextmanager
def kept_at_death(store: ArrayRows | ListRows, total: int | None) -> Iterator[None]:
    """A process that dies costs no row that was finished."""
    try:
        yield
    except WorkerError as error:
        error.partial = Kept(*store.kept(sys.maxsize if total is None else total, None))
        raise


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
    with bar(line.verb, total, settings.progress) as advance, line.model.evaluating():
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
            line.close()
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


def chunk_of(line: ModelLine, parcel: Parcel, as_array: bool) -> Chunk:
    """In a worker process: the inputs of one parcel, on the same line as without a pool.

    as_array: values are one array (rows, dims) of float, as numpy holds it; else a list.
    """
    settings = line.settings
    positions, inputs, failed = parcel.open()
    store = ArrayRows(len(inputs)) if as_array else ListRows()
    line.model.said_slow = True  # the calling process says it, for the whole call
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
    function: Callable[..., Chunk],
    *args: Any,
) -> tuple[int, list[ItemError]]:
    """As `collect`, where the processes of a pool do the work. Rows are quantised here, over the whole call.

    function(model, parcel, settings, as_array, *args): makes a Chunk there.
    """
    sent = replace(settings, precision="float32", progress=False)
    as_array = isinstance(store, ArrayRows)
    work = parcels(items, chunk_size or parcel_size(total, len(pool.devices)))
    failed: list[ItemError] = []
    count = 0
    eta = _Eta(line, total)
    with (
        bar(line.verb, total, settings.progress) as advance,
        pool.results(function, work, sent, as_array, *args) as made,
    ):
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
