"""What a model's vision and audio towers made of media, kept by content so that each medium is seen once.

Knows: one tower's output for one medium, bytes, which of several threads computes it. Does not know: families (a recipe
names the towers), chats, how a medium is opened.

A picture comes again with every query of a call, and with every call of a session. Its preparation and its way through
the tower are most of a multimodal reranker's work, and depend on the picture alone.
"""

from __future__ import annotations

import hashlib
import inspect
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..base import numbers
from .collate import padded
from .recipe import Recipe, Tower

KEPT_BYTES = 1 << 30
"""What is kept unless the caller sets another limit: about 60 pictures of 1,000 tokens at the shape of a 2B model."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A tower's output for one medium. embeddings: (tokens, width).  deep: of each tapped layer the same.  beside: by
    what positions are counted: the grid of its patches (3,) and the like, by argument."""

    modality: str
    embeddings: Tensor
    deep: tuple[Tensor, ...] = ()
    beside: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        return sum(t.numel() * t.element_size() for t in (self.embeddings, *self.deep))


@dataclass(frozen=True, slots=True, eq=False)
class Medium:
    """One medium of one item on its way to a tower. key: equal for equal content prepared in the same way.

    prepared: what the tower reads; opens the medium once, whoever asks.  tally: counts of the call.  tokens: that stand
    for it in the chat.
    """

    modality: str
    key: Hashable
    prepared: Callable[[], Mapping[str, Any]]
    tally: Counter[str] = field(default_factory=Counter)
    tokens: int = 0


class MediaCache:
    """Outputs of towers, the least recently used going first. Safe to use from several threads.

    limit: bytes that are kept.  nbytes: that are kept now.  hits, misses: media that were asked for since it was made.
    A copy of the model and a pickle of it start with an empty one.
    """

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self.limit = limit
        self.hits = self.misses = self.nbytes = 0
        self._lock = threading.Lock()
        self._seen: OrderedDict[Hashable, Seen] = OrderedDict()
        self._opening: dict[Hashable, tuple[Counter[str], Future[Mapping[str, Any]]]] = {}
        self._seeing: dict[Hashable, Future[Seen]] = {}
        self._stamp: Any = None

    def __deepcopy__(self, memo: dict[int, Any]) -> MediaCache:
        return MediaCache(self.limit)

    def __reduce__(self) -> tuple[Any, ...]:
        return MediaCache, (self.limit,)

    def __repr__(self) -> str:
        return f"<MediaCache of {len(self._seen)} media, {self.nbytes >> 20} of {self.limit >> 20} MiB>"

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._seen.clear()
            self.nbytes = 0

    def open_ahead(self, key: Hashable, make: Callable[[], Mapping[str, Any]], tally: Counter[str]) -> None:
        """`open`, unless a tower has seen the medium or is about to."""
        with self._lock:
            known = key in self._seen or key in self._seeing
        if not known:
            self.open(key, make, tally)

    def open(self, key: Hashable, make: Callable[[], Mapping[str, Any]], tally: Counter[str]) -> Mapping[str, Any]:
        """What `make` gives, made by one thread alone and kept until a tower has seen it, or the call of this `tally`
        ends."""
        with self._lock:
            mine = key not in self._opening
            if mine:
                self._opening[key] = (tally, Future())
            _, future = self._opening[key]
        if mine:
            try:
                future.set_result(make())
                with self._lock:
                    tally["opened"] += 1
            except BaseException as error:
                with self._lock:
                    self._opening.pop(key, None)
                future.set_exception(error)
        return future.result()

    def release(self, tally: Counter[str]) -> None:
        """Let go of what a call opened and no tower saw."""
        with self._lock:
            for key in [key for key, (owner, _) in self._opening.items() if owner is tally]:
                del self._opening[key]

    def outputs(
        self, media: Sequence[Medium], stamp: Any, see: Callable[[Sequence[Medium]], Sequence[Seen]]
    ) -> list[Seen]:
        """The outputs for media, in order. stamp: changes with the towers' weights; what others made is forgotten.

        see: runs the towers on media that nobody has seen and nobody is seeing.
        """
        found: dict[Hashable, Future[Seen] | Seen] = {}
        mine: list[Medium] = []
        with self._lock:
            if stamp != self._stamp:
                self._seen.clear()
                self._seeing = {}  # what is under way is for whoever waits for it
                self.nbytes, self._stamp = 0, stamp
            for medium in media:
                known = found.get(medium.key) or self._seen.get(medium.key) or self._seeing.get(medium.key)
                if known is None:
                    known = self._seeing[medium.key] = Future()
                    mine.append(medium)
                    self.misses += 1
                else:
                    self.hits += 1
                    medium.tally["cache_hits"] += 1
                    if isinstance(known, Seen) and medium.key in self._seen:
                        self._seen.move_to_end(medium.key)
                found[medium.key] = known
        if mine:
            self._see(mine, found, see, stamp)
        return [known if isinstance(known, Seen) else known.result() for known in (found[m.key] for m in media)]

    def _see(self, mine: list[Medium], found: Mapping[Hashable, Any], see: Any, stamp: Any) -> None:
        start = time.perf_counter()
        try:
            made = see(mine)
        except BaseException as error:
            with self._lock:
                self._no_longer_seeing(mine, found)
            for medium in mine:
                found[medium.key].set_exception(error)
            raise
        with self._lock:
            for medium, output in zip(mine, made):
                self._opening.pop(medium.key, None)
                if stamp == self._stamp:  # else the weights have changed meanwhile
                    self._keep(medium.key, output)
                medium.tally["tower_runs"] += 1
            self._no_longer_seeing(mine, found)
            mine[0].tally["tower_microseconds"] += int(1e6 * (time.perf_counter() - start))
        for medium, output in zip(mine, made):
            found[medium.key].set_result(output)

    def _no_longer_seeing(self, media: Sequence[Medium], found: Mapping[Hashable, Any]) -> None:
        for medium in media:
            if self._seeing.get(medium.key) is found[medium.key]:
                del self._seeing[medium.key]

    def _keep(self, key: Hashable, output: Seen) -> None:
        if output.nbytes > self.limit:
            return
        self._seen[key] = output
        self.nbytes += output.nbytes
        while self.nbytes > self.limit:
            _, oldest = self._seen.popitem(last=False)
            self.nbytes -= oldest.nbytes


def see(network: Any, towers: Mapping[str, Tower], media: Sequence[Medium]) -> list[Seen]:
    """Run the towers once for each modality, over all its media. Values go to the network's device and dtype."""
    made: dict[int, Seen] = {}
    for modality, tower in towers.items():
        chosen = [i for i, medium in enumerate(media) if medium.modality == modality]
        if not chosen:
            continue
        arrays = [media[i].prepared() for i in chosen]
        output = getattr(network, tower.method)(**_given(network, tower, arrays), return_dict=True)
        made_of = output.pooler_output
        if tower.mask is not None:  # sounds come out one after the other
            made_of = made_of.split([media[i].tokens for i in chosen])
        deep = getattr(output, "deepstack_features", None) or ()
        names = (*([tower.grid] if tower.grid is not None else []), *tower.beside)
        for place, i in enumerate(chosen):
            own = tuple(layer[place].clone() for layer in deep)
            beside = {name: _on(network, arrays[place][name]) for name in names}
            if tower.lengths is not None and tower.mask is not None:
                beside[tower.lengths] = _on(network, arrays[place][tower.mask]).sum()
            made[i] = Seen(modality, made_of[place].clone(), own, beside)
    return [made[i] for i in range(len(media))]


def _given(network: Any, tower: Tower, arrays: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The arguments of a tower's method for several media."""
    values = [_on(network, one[tower.values]) for one in arrays]
    if tower.mask is not None:
        masks = [_on(network, one[tower.mask]) for one in arrays]
        return {tower.values: padded(values).to(network.dtype), tower.mask: padded(masks)}
    given = {tower.values: torch.cat(values).to(network.dtype)}
    if tower.grid is not None:
        given[tower.grid] = torch.stack([_on(network, one[tower.grid]) for one in arrays])
    return given


def entered(
    recipe: Recipe, network: Any, features: Mapping[str, Any], seen: Sequence[Seen], chat: Any
) -> dict[str, Any]:
    """Outputs of towers as the model's `forward` takes them. features: of a batch.  seen: of all its media in order.
    chat: whose placeholders stand for them."""
    if not recipe.embeds:
        return handed_in(seen, recipe.towers)
    return embedded(network, features, seen, {name: holder.kind for name, holder in chat.placeholders.items()})


def handed_in(seen: Sequence[Seen], towers: Mapping[str, Tower]) -> dict[str, Any]:
    """`mm_encoder_outputs`, and what positions are counted by."""
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    outputs: dict[str, Any] = {}
    for modality in towers:
        own = [one for one in seen if one.modality == modality]
        if own:
            output: Any = BaseModelOutputWithPooling(pooler_output=tuple(one.embeddings for one in own))  # type: ignore[arg-type]
            output.deepstack_features = [tuple(layer) for layer in zip(*(one.deep for one in own))]
            outputs[modality] = output
    return {"mm_encoder_outputs": outputs, **_beside(seen)}


def embedded(
    network: Any, features: Mapping[str, Any], seen: Sequence[Seen], kinds: Mapping[str, int]
) -> dict[str, Any]:
    """`inputs_embeds` with the outputs of towers in the place of placeholders, and positions: for a model whose
    `forward` takes no outputs of some tower.

    features: of a batch.  kinds: of a modality's placeholders in mm_token_type_ids.
    """
    ids, types = features["input_ids"], features["mm_token_type_ids"]
    made = network.get_input_embeddings()(ids)  # (batch, length, width)
    for modality, kind in kinds.items():
        own = [one.embeddings for one in seen if one.modality == modality]
        if own:
            made = made.masked_scatter((types == kind)[..., None], torch.cat(own).to(made.dtype))
    places = positions(network, ids, types, features["attention_mask"], seen)
    return {"inputs_embeds": made, **({} if places is None else {"position_ids": places})}


def positions(network: Any, ids: Tensor, types: Tensor, mask: Tensor, seen: Sequence[Seen]) -> Tensor | None:
    """(3, batch, length) as the model counts them; None where no medium has a grid, so that tokens are simply counted.

    ids, types, mask: (batch, length).  seen: of all media in order.
    """
    beside = _beside(seen)
    if not any(name.endswith("_thw") for name in beside):
        return None
    count = getattr(network, "model", network).get_rope_index
    given = {"input_ids": ids, "mm_token_type_ids": types, "attention_mask": mask, **beside}
    known = inspect.signature(count).parameters
    found: Tensor = count(**{name: value for name, value in given.items() if name in known})[0]
    return found


def _beside(seen: Sequence[Seen]) -> dict[str, Tensor]:
    """What positions are counted by, of all media in order, by argument."""
    names = dict.fromkeys(name for one in seen for name in one.beside)
    return {name: torch.stack([one.beside[name] for one in seen if name in one.beside]) for name in names}


def _on(network: Any, array: Any) -> Tensor:
    return numbers(array).to(network.device, non_blocking=True)


def key_of(policy: Any) -> Hashable:
    """Equal for policies that prepare media in the same way. policy: a frozen value; arrays count by content."""
    return (type(policy).__name__, *(_plain(getattr(policy, one.name)) for one in fields(policy)))


def _plain(value: Any) -> Hashable:
    if isinstance(value, np.ndarray):
        return hashlib.blake2b(value.tobytes(), digest_size=12).digest()
    return repr(value)


def stamp_of(network: torch.nn.Module) -> Hashable:
    """Changes when a weight is written or moved."""
    return tuple((id(p), p._version, p.device, p.dtype) for p in network.parameters() if not p.is_inference())
