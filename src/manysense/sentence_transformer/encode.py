"""One call of encode, from its inputs to its rows.

Knows: what is checked before, which store the rows go to, what is raised or returned at the end. Does not know: the
public face (model.py), how rows come into the store (collect.py), how batches run (batching/run.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..batching.pool import pool_for
from ..batching.run import Done, run
from ..collect import Chunk, Kept, check_inputs, chunk_of, collect, gather, kept_at_death, placed
from ..errors import ItemError, UsageError
from ..inputs.shape import as_items, is_single
from ..line import ModelLine
from ..outputs import dense
from ..outputs.precision import as_ranges, own_ranges, quantize
from ..outputs.rows import ArrayRows, ListRows, check_width
from ..settings import positive
from ..util.quantization import quantize_embeddings
from ..warn import warn

if TYPE_CHECKING:
    from ..batching.parcels import Parcel
    from ..batching.pool import Pool
    from ..settings import Settings
    from .model import SentenceTransformer

Form = Literal["numpy", "tensor", "list"]


def finish_of(settings: Settings) -> Any:
    """Batch features → rows, as this call wants them."""
    dims, normalize = settings.truncate_dim, settings.normalize
    if settings.output == "token_embeddings":
        return lambda features, count: dense.token_matrices(features)
    if settings.output is None:
        return lambda features, count: dense.items(features, count, dims, normalize)
    return lambda features, count: dense.vectors(features, dims, normalize)


def encode_chunk(model: SentenceTransformer, parcel: Parcel, settings: Settings, as_array: bool) -> Chunk:
    """In a worker process: the rows of one parcel."""
    return chunk_of(ModelLine(model, model, settings, finish_of(settings)), parcel, as_array)


def encode(
    model: SentenceTransformer,
    inputs: Any,
    settings: Settings,
    form: Form,
    device: Any,
    *,
    ranges: Any,
    out: Any,
    pool: Pool | None,
    chunk_size: int | None,
) -> Any:
    items, total, single = as_items(inputs)
    _check_call(model, settings, form, total, single, out, ranges)
    if chunk_size is not None:
        positive("chunk_size", chunk_size)
    ranges = _ranges_for(model, settings, ranges, single)
    elsewhere = pool is not None or isinstance(device, (list, tuple))
    network = model if elsewhere else model.on(device)
    where = torch.device("cpu") if elsewhere else network.device
    line = ModelLine(model, network, settings, finish_of(settings))
    if isinstance(items, (list, tuple)):
        check_inputs(line, items, settings, single)
    store = _store(where, network.dtype, settings, form, total, ranges, out)
    with pool_for(model, pool, device) as workers, kept_at_death(store, total):
        if workers is None:
            count, failed = collect(line, items, settings, store, total)
        else:
            count, failed = gather(workers, line, items, settings, store, total, chunk_size, encode_chunk)
    if failed and settings.on_error == "raise":
        raise placed(failed[0], single, store, count)
    line.warn(None if single else count)
    if settings.on_error == "nan":
        for error in failed:
            store.fill_nan(error.index or 0, _width(model, settings))
    if settings.on_error == "skip":
        rows, indices = store.kept(count, settings.truncate_dim or model.get_embedding_dimension())
        return Kept(_shaped(rows, settings, form, where, ranges), indices, failed)
    shaped = _shaped(store.finish(count), settings, form, where, ranges)
    return shaped[0] if single else shaped


def encode_stream(
    model: SentenceTransformer, inputs: Iterable[Any], settings: Settings, *, device: Any, ranges: Any, with_index: bool
) -> Iterator[Any]:
    if is_single(inputs):
        raise UsageError(
            f"encode_stream takes many inputs, got one {type(inputs).__name__}; use encode, or a list of it"
        )
    ranges = _ranges_for(model, settings, ranges, False, stream=True)
    line = ModelLine(model, model.on(device), settings, finish_of(settings))
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
        if settings.precision != "float32" and settings.output is None:
            raise UsageError(f"precision={settings.precision!r} goes with embeddings, not with output_value=None")
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
    if settings.output == "token_embeddings":  # the model's ranges are those of whole inputs
        return None if ranges is None else as_ranges(ranges)
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


def _store(
    where: torch.device, dtype: torch.dtype, settings: Settings, form: Form, total: int | None, ranges: Any, out: Any
) -> ArrayRows | ListRows:
    """For rows of `dtype` that come out on the device `where`."""
    if settings.output != "sentence_embedding" or form == "list":
        return ListRows()
    if form == "tensor" and settings.precision == "float32" and (where.type != "cpu" or dtype == torch.bfloat16):
        return ListRows()
    return ArrayRows(total, settings.precision, ranges, out)


# ---- after it


def _width(model: Any, settings: Settings) -> int:
    dims = settings.truncate_dim or model.get_embedding_dimension()
    if dims is None:
        raise UsageError('on_error="nan" needs a model that knows its width; use on_error="skip"')
    return int(dims)


def _shaped(rows: Any, settings: Settings, form: Form, where: torch.device, ranges: Any) -> Any:
    if settings.output == "token_embeddings" and settings.precision != "float32":
        return quantize_embeddings(rows, settings.precision, ranges)
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
            return torch.stack(rows) if rows else torch.tensor([], device=where)
        return torch.from_numpy(rows)
    if form == "list" and settings.precision != "float32":
        return list(torch.from_numpy(rows))
    return rows


def _as_array(rows: list[Tensor]) -> npt.NDArray[Any]:
    return dense.storable(torch.stack(rows)).cpu().numpy() if rows else np.empty((0, 0), np.float32)
