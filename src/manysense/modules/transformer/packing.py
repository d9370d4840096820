"""Items of a batch for a packed forward pass, and which beginnings of theirs are one.

Knows: token ids and media of rendered pairs, where media stand in a pack. Does not know: layers (modules/fast/),
templates.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ...inputs.types import Item
from ..base import Features, Measured, numbers
from ..fast import PackedDecoder, PackedEncoder, executor_of
from ..fast.decoder import Visual
from ..fast.encoder import watched
from ..fast.packed import Pack, common_beginning
from .media_towers import Seen, positions

if TYPE_CHECKING:
    from ...media.reader import Reader

WORTH_SHARING = 16
"""Tokens below which a common beginning saves less than it costs."""


def can_pack(network: Any, task: str) -> bool:
    """Whether there is a packed forward pass for a network as it is now."""
    return network.device.type == "cpu" and executor_of(network, task) is not None and not watched(network)


def packable(features: Features) -> bool:
    """Whether these are an item's ids, with its media apart."""
    return "input_ids" in features and not any(name.startswith(("pixel_values", "input_features")) for name in features)


def packed(network: Any, task: str, features: Features, outputs: Any, chat: Any) -> Features:
    """A batch {"rows": features of single items} → its scores, or logits of its last tokens.

    outputs: gives what the towers make of media.  chat: whose placeholders stand for them.
    """
    rows: list[Features] = features.pop("rows")
    executor = executor_of(network, task)
    if isinstance(executor, PackedEncoder):
        features["scores"] = label(network, executor, rows)
        return features
    assert isinstance(executor, PackedDecoder)
    flat = iter(outputs([medium for row in rows for medium in row.get("media", ())]))
    seen = [list(islice(flat, len(row.get("media", ())))) for row in rows]
    kinds = {name: holder.kind for name, holder in chat.placeholders.items()}
    features["causal_logits"] = answer(network, executor, rows, seen, kinds)
    return features


def label(network: Any, executor: PackedEncoder, rows: Sequence[Features]) -> Tensor:
    """(items, labels) logits of items with input_ids and, where the model reads them, token_type_ids."""
    ids = _joined([row["input_ids"] for row in rows], network.device)
    typed = "token_type_ids" in rows[0]
    types = _joined([row["token_type_ids"] for row in rows], network.device) if typed else torch.zeros_like(ids)
    return executor(network, ids, types, Pack(tuple(len(row["input_ids"]) for row in rows)))


def answer(
    network: Any,
    executor: PackedDecoder,
    rows: Sequence[Features],
    seen: Sequence[Sequence[Seen]],
    kinds: Mapping[str, int],
) -> Tensor:
    """(items, 1, vocabulary) logits of each item's last token.

    rows: of one group: they share their first `shared` tokens.  seen: the media of each.  kinds: of a modality's
    placeholders in mm_token_type_ids.
    """
    shared = int(rows[0].get("shared", 0))
    lengths = [len(row["input_ids"]) for row in rows]
    pack = Pack(tuple(length - shared for length in lengths), shared)
    pieces = [row["input_ids"][shared if i else 0 :] for i, row in enumerate(rows)]
    counted = [_positions(network, row, own) for row, own in zip(rows, seen)]
    if any(one.ndim == 2 for one in counted):
        counted = [one if one.ndim == 2 else one.expand(3, -1) for one in counted]
    places = torch.cat([one[..., shared if i else 0 :] for i, one in enumerate(counted)], -1)
    visual = _visual(rows, seen, kinds, pack, shared, network.device)
    return executor(network, _joined(pieces, network.device), places.to(network.device), pack, visual)


def _joined(arrays: Sequence[Any], device: Any) -> Tensor:
    if all(isinstance(array, np.ndarray) for array in arrays):
        return numbers(np.concatenate(arrays)).to(device)
    return torch.cat([numbers(array) for array in arrays]).to(device)


def _positions(network: Any, row: Features, seen: Sequence[Seen]) -> Tensor:
    """(n,), or (3, n) where media make a model count in three directions."""
    size = len(row["input_ids"])
    if not seen:
        return torch.arange(size)
    ids, kinds = (numbers(row[name])[None] for name in ("input_ids", "mm_token_type_ids"))
    found = positions(network, ids, kinds, torch.ones_like(ids), seen)
    return torch.arange(size) if found is None else found[:, 0]


def _visual(
    rows: Sequence[Features],
    seen: Sequence[Sequence[Seen]],
    kinds: Mapping[str, int],
    pack: Pack,
    shared: int,
    device: Any,
) -> Visual | None:
    """Where the towers' vectors go; those of the shared beginning are the first row's."""
    places: list[Tensor] = []
    vectors: list[Tensor] = []
    deep: list[tuple[Tensor, ...]] = []
    for i, (row, own) in enumerate(zip(rows, seen)):
        for modality, kind in kinds.items():
            media = [one for one in own if one.modality == modality]
            if not media:
                continue
            at = numbers(np.flatnonzero(row["mm_token_type_ids"] == kind))
            kept = at >= (0 if i == 0 else shared)
            at = at[kept]
            places.append(torch.where(at < shared, at, at - shared + pack.spans[i][0]))
            vectors.append(torch.cat([one.embeddings for one in media])[kept])
            deep.append(tuple(torch.cat(layer)[kept] for layer in zip(*(one.deep for one in media))))
    if not places:
        return None
    return Visual(torch.cat(places).to(device), torch.cat(vectors), [torch.cat(layer) for layer in zip(*deep)])


# ---- what items share


def share(items: Sequence[Item], measured: Sequence[Any], reader: Reader) -> None:
    """What pairs of a window have in common is computed once: a medium by its tower, a beginning by a batch. Pairs that
    begin alike share that beginning by query or by document, whichever saves more.

    measured: of items, errors among them; lengths, costs and groups are changed in place.
    """
    told = [i for i, one in enumerate(measured) if isinstance(one, Measured) and one.route == "message"]
    keys = {i: [(reader.key(plan.part), plan.runs) for plan in measured[i].draft[1]] for i in told}
    known: set[Any] = set()
    for i in told:
        new = {key for key, _ in keys[i]} - known
        if keys[i] and not new:
            measured[i].extra = measured[i].nbytes = 0
        known |= new
    _share_beginnings(items, measured, [i for i in told if items[i].is_pair], keys)


def _share_beginnings(
    items: Sequence[Item],
    measured: Sequence[Any],
    chosen: Sequence[int],
    keys: Mapping[int, Sequence[tuple[Hashable, int]]],
) -> None:
    """keys: of an item's media: (key, pieces of its placeholder), in the order of the chat."""
    best: list[tuple[list[int], int]] = []
    saved = 0
    for side in (0, 1):
        groups: dict[Hashable, list[int]] = {}
        for i in chosen:
            groups.setdefault(_side(items[i], side), []).append(i)
        found = [(group, _common(group, measured, keys)) for group in groups.values() if len(group) > 1]
        found = [(group, size) for group, size in found if size >= WORTH_SHARING]
        total = sum((len(group) - 1) * size for group, size in found)
        if total > saved:
            best, saved = found, total
    for number, (group, size) in enumerate(best):
        for i in group:
            measured[i].shared, measured[i].length = size, measured[i].length - size
            measured[i].group = (measured[i].group, number)


def _side(item: Item, side: int) -> Hashable:
    """Equal for the same parts; unequal ones of equal content lose nothing but the saving."""
    return tuple(part.value if isinstance(part.value, str) else id(part.value) for part in item.turns[side].parts)


def _common(group: Sequence[int], measured: Sequence[Any], keys: Mapping[int, Any]) -> int:
    """Tokens that all begin with, media and all; each keeps at least one of its own."""
    rendered = [measured[i].draft[0] for i in group]
    size = min(common_beginning([one.ids for one in rendered]), min(len(one.ids) for one in rendered) - 1)
    for number, (start, end) in enumerate(_runs(rendered[0].kinds)):
        here = {_at(keys.get(i, ()), number) for i in group}
        if start < size and (len(here) > 1 or end > size):
            return start
    return size


def _runs(kinds: Any) -> list[tuple[int, int]]:
    """Where each run of placeholders begins and ends."""
    edges = np.diff(np.concatenate([[0], (kinds > 0).astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist()))


def _at(keys: Sequence[tuple[Hashable, int]], number: int) -> Hashable:
    """The key of the medium that the run with this number belongs to."""
    for key, pieces in keys:
        if number < pieces:
            return key
        number -= pieces
    return None
