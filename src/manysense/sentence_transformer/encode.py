"""One call of encode, from its inputs to its rows.

Knows: which store the rows go to, what happens on errors, what is said at the end. Does not know: the public face
(model.py), how batches run (batching/run.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..batching.run import Done, run
from ..errors import ItemError, UsageError
from ..inputs.shape import as_items, is_single
from ..line import ModelLine
from ..outputs import dense
from ..outputs.precision import as_ranges, own_ranges, quantize
from ..outputs.rows import ArrayRows, ListRows, check_width
from ..progress import bar
from ..warn import warn

if TYPE_CHECKING:
    from ..settings import Settings
    from .model import SentenceTransformer

Form = Literal["numpy", "tensor", "list"]
FEW = 64
BIG = 1_000_000_000


class Kept(tuple[Any, npt.NDArray[np.int64]]):
    """What on_error="skip" returns: the pair (embeddings, indices), which also knows its errors.

    embeddings: rows of the inputs that worked.  indices: (rows,) their positions.  errors: of the others, by position.
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

    @property
    def indices(self) -> npt.NDArray[np.int64]:
        return self[1]


def encode(
    model: SentenceTransformer, inputs: Any, settings: Settings, *, form: Form, device: Any, ranges: Any, out: Any
) -> Any:
    items, total, single = as_items(inputs)
    _check_call(model, settings, form, total, single, out, ranges)
    ranges = _ranges_for(model, settings, ranges, single)
    network = model.on(device)
    line = ModelLine(model, network, settings, _finish(settings))
    if isinstance(items, (list, tuple)):
        _check_inputs(line, items, settings, single)
    store = _store(network, settings, form, total, ranges, out)
    count, failed = _collect(line, items, settings, store, total, single)
    line.warn(None if single else count)
    if settings.on_error == "nan":
        for error in failed:
            store.fill_nan(error.index or 0, _width(model, settings))
    if settings.on_error == "skip":
        rows, indices = store.kept(count, settings.truncate_dim or model.get_embedding_dimension())
        return Kept(_shaped(rows, settings, form, network, ranges), indices, failed)
    shaped = _shaped(store.finish(count), settings, form, network, ranges)
    return shaped[0] if single else shaped


def encode_stream(
    model: SentenceTransformer, inputs: Iterable[Any], settings: Settings, *, device: Any, ranges: Any, with_index: bool
) -> Iterator[Any]:
    if is_single(inputs):
        raise UsageError(
            f"encode_stream takes many inputs, got one {type(inputs).__name__}; use encode, or a list of it"
        )
    ranges = _ranges_for(model, settings, ranges, False, stream=True)
    line = ModelLine(model, model.on(device), settings, _finish(settings))
    return _stream(model, line, inputs, settings, ranges, with_index)


def _stream(
    model: SentenceTransformer,
    line: ModelLine,
    inputs: Iterable[Any],
    settings: Settings,
    ranges: Any,
    with_index: bool,
) -> Iterator[Any]:
    waiting: dict[int, Any] = {}
    following = 0
    with line.model.evaluating():
        pieces = run(line, inputs, batch_size=settings.batch_size)
        try:
            for done in pieces:
                _take(done, waiting, model, settings, ranges)
                line.saw(done)
                while following in waiting:
                    row = waiting.pop(following)
                    if isinstance(row, ItemError):
                        raise row
                    if row is not None:
                        yield (following, row) if with_index else row
                    following += 1
        finally:
            pieces.close()  # type: ignore[attr-defined]
    line.warn(following)


def _take(done: Done, waiting: dict[int, Any], model: SentenceTransformer, settings: Settings, ranges: Any) -> None:
    if done.error is not None:
        ((row,),) = done.rows
        done.error.index = row
        if settings.on_error == "raise":
            waiting[row] = done.error  # raised in its place, after the rows before it
            return
        waiting[row] = np.full(_width(model, settings), np.nan, np.float32) if settings.on_error == "nan" else None
        return
    vectors = quantize(done.values.cpu().numpy(), settings.precision, ranges)  # type: ignore[attr-defined]
    for rows, vector in zip(done.rows, vectors):
        for row in rows:
            waiting[row] = vector.copy()


# ---- before any work


def _check_call(
    model: Any, settings: Settings, form: Form, total: int | None, single: bool, out: Any, ranges: Any
) -> None:
    if settings.output != "sentence_embedding":
        if settings.precision != "float32":
            raise UsageError(f"precision={settings.precision!r} goes with sentence embeddings only")
        if settings.on_error == "nan":
            raise UsageError('on_error="nan" goes with sentence embeddings only; use on_error="skip"')
    if out is not None:
        if form != "numpy" or settings.output != "sentence_embedding" or single:
            raise UsageError("out goes with numpy sentence embeddings of several inputs")
        if settings.precision in ("int8", "uint8") and ranges is None and model.embedding_ranges is None:
            raise UsageError("out with int8 or uint8 needs ranges=, or ranges kept with the model (embedding_ranges)")
        dims = settings.truncate_dim or model._full_dimension()
        check_width(out, total, dims, settings.precision)


def _ranges_for(model: Any, settings: Settings, ranges: Any, single: bool, stream: bool = False) -> Any:
    if settings.precision not in ("int8", "uint8"):
        if ranges is not None:
            raise UsageError(f"ranges go with int8 and uint8, not with {settings.precision}")
        return None
    given = ranges if ranges is not None else model.embedding_ranges
    if given is not None:
        made = as_ranges(given)
        dims = settings.truncate_dim or model._full_dimension()
        return as_ranges(made[:, :dims] if dims and made.shape[1] > dims else made, dims)
    if stream or single:
        what = "a stream" if stream else "a single input"
        raise UsageError(
            f"{settings.precision} for {what} needs ranges=, (2, dims) lowest and highest value of each dimension"
        )
    return None


def _check_inputs(line: ModelLine, items: Sequence[Any], settings: Settings, single: bool) -> None:
    """Everything that can be known without opening media, before anything is computed."""
    if settings.on_error != "raise":
        return
    only_text = line.parser.readable == {"text"} and not line.parser.chat
    for i, value in enumerate(items):
        if not (only_text and type(value) is str):
            try:
                line.parse(value)
            except ItemError as error:
                error.index, error.total = (None, None) if single else (i, len(items))
                raise


def _store(
    network: Any, settings: Settings, form: Form, total: int | None, ranges: Any, out: Any
) -> ArrayRows | ListRows:
    if settings.output != "sentence_embedding" or form == "list":
        return ListRows()
    if (
        form == "tensor"
        and settings.precision == "float32"
        and (network.device.type != "cpu" or network.dtype == torch.bfloat16)
    ):
        return ListRows()
    return ArrayRows(total, settings.precision, ranges, out)


def _finish(settings: Settings) -> Any:
    """Batch features → rows, as this call wants them."""
    dims, normalize = settings.truncate_dim, settings.normalize
    if settings.output == "token_embeddings":
        return lambda features, count: dense.token_matrices(features)
    if settings.output is None:
        return lambda features, count: dense.items(features, count, dims, normalize)
    return lambda features, count: dense.vectors(features, dims, normalize)


# ---- the work


def _collect(
    line: ModelLine,
    items: Iterable[Any],
    settings: Settings,
    store: ArrayRows | ListRows,
    total: int | None,
    single: bool,
) -> tuple[int, list[ItemError]]:
    """Write every row; (number of inputs, errors of those that failed)."""
    failed: list[ItemError] = []
    count = 0
    eta = _Eta(line, total)
    with bar("Encoding", total, settings.progress) as advance, line.model.evaluating():
        pieces = run(line, items, batch_size=settings.batch_size, few=total is not None and total <= FEW)
        try:
            for done in pieces:
                rows = [row for unit in done.rows for row in unit]
                count = max(count, 1 + max(rows))
                if done.error is not None:
                    if settings.on_error == "raise":
                        raise _placed(done.error, rows[0], total, single, store, count)
                    done.error.index, done.error.total = rows[0], total
                    failed.append(done.error)
                else:
                    store.write(done.rows, _storable(done.values, store))
                    line.saw(done)
                    eta.saw(done)
                advance(len(rows))
        finally:
            pieces.close()  # type: ignore[attr-defined]
    return count if total is None else total, failed


def _storable(values: Any, store: ArrayRows | ListRows) -> Any:
    return dense.storable(values) if isinstance(store, ArrayRows) else values


def _placed(
    error: ItemError, row: int, total: int | None, single: bool, store: ArrayRows | ListRows, count: int
) -> ItemError:
    if not single:
        error.index, error.total = row, total
        error.partial = Kept(*store.kept(count if total is None else total, None))
        if error.hint is None:
            error.hint = 'Set broken inputs aside with on_error="skip"; what was finished is in error.partial.'
    return error


def _width(model: Any, settings: Settings) -> int:
    dims = settings.truncate_dim or model.get_embedding_dimension()
    if dims is None:
        raise UsageError('on_error="nan" needs a model that knows its width; use on_error="skip"')
    return int(dims)


# ---- after it


def _shaped(rows: Any, settings: Settings, form: Form, network: Any, ranges: Any) -> Any:
    if form == "list" and settings.precision != "float32":
        rows = _as_array(rows)
        if ranges is not None or "binary" in settings.precision:
            rows = quantize(rows, settings.precision, ranges)
    if settings.precision in ("int8", "uint8") and ranges is None and len(rows):
        warn(
            f"{settings.precision} ranges were taken from this call's own {len(rows)} vectors, so that equal inputs of "
            "other calls get other numbers; pass ranges=, or set model.embedding_ranges"
        )
        rows = quantize(rows, settings.precision, own_ranges(rows))
    if settings.output != "sentence_embedding":
        return rows
    if form == "tensor":
        if isinstance(rows, list):
            return torch.stack(rows) if rows else torch.tensor([], device=network.device)
        return torch.from_numpy(rows)
    if form == "list" and settings.precision != "float32":
        return list(torch.from_numpy(rows))
    return rows


def _as_array(rows: list[Tensor]) -> npt.NDArray[Any]:
    return dense.storable(torch.stack(rows)).cpu().numpy() if rows else np.empty((0, 0), np.float32)


class _Eta:
    """Says once, with a measured time, that a big model on a CPU takes long."""

    def __init__(self, line: ModelLine, total: int | None) -> None:
        self._line, self._total, self._start, self._seen = line, total, time.monotonic(), 0
        self._wanted = line.device_type == "cpu" and not line.model.said_slow

    def saw(self, done: Done) -> None:
        self._seen += len(done.rows)
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
