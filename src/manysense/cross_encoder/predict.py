"""One call of predict, from its pairs to their scores.

Knows: which store the scores go to, what is returned at the end. Does not know: the public face (model.py), how rows
come into the store (collect.py), how batches run (batching/run.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from ..batching.pool import pool_for
from ..collect import Chunk, Kept, check_inputs, chunk_of, collect, gather, kept_at_death, placed
from ..errors import ItemError, ModelError, UsageError
from ..inputs.pairs import as_pairs
from ..outputs.rows import ArrayRows
from ..outputs.scores import Activation, scores
from ..settings import positive
from .line import PairLine

if TYPE_CHECKING:
    from ..batching.parcels import Parcel
    from ..batching.pool import Pool
    from ..settings import Settings
    from .model import CrossEncoder

Form = Literal["numpy", "tensor", "list"]


@dataclass(frozen=True, slots=True)
class How:
    """How the pairs of one call are scored. softmax: over several labels.  chunk_size: pairs that a process of the pool
    is sent at once."""

    settings: Settings
    activation: Activation | None
    softmax: bool = False
    device: Any = None
    pool: Pool | None = None
    chunk_size: int | None = None

    def line(self, model: CrossEncoder, stats: bool = False) -> PairLine:
        """Raises ModelError for a model that cannot take pairs, UsageError for statistics of other processes."""
        elsewhere = self.pool is not None or isinstance(self.device, (list, tuple))
        if stats and elsewhere:
            raise UsageError("return_stats counts what this process does; leave it away with a pool or several devices")
        return _line(model, model if elsewhere else model.on(self.device), self.settings, self.activation, self.softmax)


def _line(model: Any, network: Any, settings: Settings, activation: Activation | None, softmax: bool) -> PairLine:
    return PairLine(model, network, settings, partial(scores, activation=activation, softmax=softmax))


def score_chunk(
    model: CrossEncoder, parcel: Parcel, settings: Settings, as_array: bool, activation: Any, softmax: bool
) -> Chunk:
    """In a worker process: the scores of one parcel."""
    return chunk_of(_line(model, model, settings, activation, softmax), parcel, as_array)


def score(
    model: CrossEncoder, line: PairLine, pairs: Iterable[Any], total: int | None, how: How, store: ArrayRows
) -> tuple[int, list[ItemError]]:
    """Write the scores of all pairs, (labels,) each; (number of pairs, errors of those that failed)."""
    if how.chunk_size is not None:
        positive("chunk_size", how.chunk_size)
    with pool_for(model, how.pool, how.device) as workers, kept_at_death(store, total):
        if workers is None:
            return collect(line, pairs, how.settings, store, total)
        return gather(
            workers,
            line,
            pairs,
            how.settings,
            store,
            total,
            how.chunk_size,
            score_chunk,
            how.activation,
            how.softmax,
        )


def predict(model: CrossEncoder, inputs: Any, how: How, form: Form, stats: bool) -> Any:
    pairs, total, single = as_pairs(inputs)
    settings = how.settings
    line = how.line(model, stats)
    if isinstance(pairs, (list, tuple)):
        check_inputs(line, pairs, settings, single)
    store = ArrayRows(total)
    count, failed = score(model, line, pairs, total, how, store)
    if failed and settings.on_error == "raise":
        error = placed(failed[0], single, store, count)
        if error.partial is not None:
            rows, indices = error.partial
            error.partial = Kept(_shaped(rows, "numpy"), indices)
        raise error
    line.warn(None if single else count)
    if settings.on_error == "nan":
        for error in failed:
            store.fill_nan(error.index or 0, model.num_labels)
    if settings.on_error == "skip":
        rows, indices = store.kept(count, model.num_labels)
        made: Any = Kept(_shaped(rows, form), indices, failed)
    else:
        rows = store.finish(count)
        made = _shaped(rows if rows.ndim == 2 else rows.reshape(0, model.num_labels), form)
        if single:
            made = made[0]
    return (made, line.told(count)) if stats else made


def _shaped(rows: Any, form: Form) -> Any:
    """rows: (pairs, labels) float. One label has no axis of its own."""
    made = rows[:, 0] if rows.shape[1] == 1 else rows
    if not len(made):
        made = np.array([], np.float32)
    if form == "numpy":
        return made
    tensor = torch.from_numpy(np.ascontiguousarray(made))
    return tensor if form == "tensor" else list(tensor)


def check_one_label(model: CrossEncoder) -> None:
    """Raise ModelError for a model whose pairs have several scores."""
    if model.num_labels != 1:
        raise ModelError(
            f"rank needs one score per pair, and this model has {model.num_labels} labels\n"
            "  Use predict with pairs, and choose the label to sort by."
        )
