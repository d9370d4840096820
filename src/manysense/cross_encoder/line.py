"""One call on one reranker: the line of every model, with pairs for inputs.

Knows: pairs, what is kept from one window of a call to the next, what is counted for statistics. Does not know: scores,
rankings.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..inputs.pairs import QUERY, PairParser
from ..inputs.types import Item, Route
from ..line import ModelLine
from ..media.reader import Reader
from .stats import Counts, Stats

if TYPE_CHECKING:
    from ..errors import ItemError
    from ..modules.base import Features, Measured
    from ..settings import Settings


class PairLine(ModelLine):
    """Stations for pairs. What a query and the document at hand hold is opened once, however many pairs they are in."""

    verb, noun = "Scoring", "pairs"

    def __init__(self, model: Any, network: Any, settings: Settings, finish: Any) -> None:
        """Raises ModelError for a model that cannot take pairs."""
        super().__init__(model, network, settings, finish)
        check = getattr(self.first, "check_pairs", None)
        if check is not None:
            check()
        self.pairs = PairParser(self.parser)
        self.counts = Counts()
        self._tokenised: dict[str, Any] = {}
        self._tally: Counter[str] = Counter()
        self._queries = Reader(settings.policy)
        self._window: Reader | None = None

    def is_plain(self, value: Any) -> bool:
        return (
            type(value) in (list, tuple)
            and len(value) == 2
            and super().is_plain(value[0])
            and super().is_plain(value[1])
        )

    def item(self, value: Any) -> Item:
        return self.pairs(value)

    def open_query(self, value: Any) -> None:
        """Parse a query and bring its media, for the whole call. Raises ItemError."""
        for part in self.pairs.turn(QUERY, value).parts:
            if part.modality != "text":
                self.fetch(part, self._queries)
            elif not isinstance(part.value, str):
                self._queries.text(part)

    def close(self) -> None:
        cache = getattr(self.first, "media_cache", None)
        if cache is not None:
            cache.release(self._tally)

    def told(self, pairs: int) -> Stats:
        return self.counts.told(pairs, self._tally)

    def reader(self) -> Reader:
        """Of one window; a document at its beginning may have been opened in the one before."""
        before = [self._queries]
        if self._window is not None:
            self._window.before = ()
            before.append(self._window)
        self._window = Reader(self.settings.policy, before, self._tokenised, self._tally)
        return self._window

    def source(self, item: Item) -> str:
        """The document's medium where there is one, else its text."""
        part = next((part for part in reversed(item.parts) if part.modality != "text"), item.parts[-1])
        return self.described(part)

    def fetch(self, part: Any, reader: Reader) -> int:
        with self.counts.during("fetch"):
            return super().fetch(part, reader)

    def measure(self, items: Sequence[Item], reader: Reader) -> list[Measured | ItemError]:
        with self.counts.during("measure"):
            return super().measure(items, reader)

    def prepare(self, measured: Measured, reader: Reader) -> Features:
        if not measured.opens:
            return super().prepare(measured, reader)
        with self.counts.during("prepare"):
            return super().prepare(measured, reader)

    def collated(self, features: Sequence[Features], route: Route) -> Features:
        packed: Any = self.first.pack(features) if self._packs else None  # type: ignore[operator, union-attr]
        return super().collated(features, route) if packed is None else dict(packed)

    def forward(self, features: Sequence[Features], measured: Sequence[Measured]) -> Sequence[Any]:
        start = time.perf_counter()
        made = super().forward(features, measured)
        self.counts.forwarded(measured, self._packs, time.perf_counter() - start)
        return made

    @cached_property
    def _packs(self) -> bool:
        """Asked once for a call: a look at every module takes as long as the forward pass of a small network."""
        packs: Any = getattr(self.first, "packs", None)
        return packs is not None and bool(packs())
