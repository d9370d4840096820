"""THE inference loop: windows of inputs in, finished rows out, for every family.

Knows: windows, what runs ahead of what, what is bounded, what happens on errors. Does not know: what an item is, what
a row is; the Line that is handed in does.

The thread that consumes `run` reads windows (parse, fetch, measure, plan) and hands batches to two crews: preparers
open media of batches that are still waiting, forwarders run whole batches. Everything under way is bounded by bytes.
Closing the generator, or an interrupt in it, stops both crews before it returns.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..errors import ItemError, ManysenseError
from . import workers
from .devices import SERIAL
from .failures import copied, forward_error, not_numbers, out_of_memory, preparing_error, release_memory
from .plan import Cost, plan

WINDOW_ITEMS = 2048
WINDOW_MEDIA = 128
WINDOW_BYTES = 64 * 1024 * 1024
AHEAD_BATCHES = 32
MEBI = 1024 * 1024
CPU_LIMITS, GPU_LIMITS = (512, 64 * MEBI), (65_536, 1024 * MEBI)
"""(cost of a batch in tokens, bytes of prepared features under way)."""
TRIM_EVERY = 16
"""Batches after which freed memory goes back to the system: 1 % of the time, a third less memory."""
FETCHERS = 16
WORTH_A_CREW = 1024
"""Total cost, in tokens, below which one batch in the calling thread is quicker than starting threads."""

OnEvent = Callable[[str, Any], None]


class Line(Protocol):
    """What the loop asks of a model for one call."""

    device_type: str

    def parse(self, value: Any) -> Any: ...
    def media(self, item: Any) -> Sequence[Any]:
        """Parts that must be fetched."""
        ...

    def reader(self) -> Any: ...
    def fetch(self, part: Any, reader: Any) -> int:
        """Bring the bytes of one part and look at its header; the number of bytes held in memory."""
        ...

    def measure(self, items: Sequence[Any], reader: Any) -> Sequence[Any]: ...
    def key(self, item: Any, reader: Any) -> Any:
        """Equal for items whose rows are equal; None when it cannot be told."""
        ...

    def prepare(self, measured: Any, reader: Any) -> Any: ...
    def forward(self, features: Sequence[Any], measured: Sequence[Any]) -> Sequence[Any]:
        """One row per item."""
        ...

    def not_numbers(self, values: Sequence[Any]) -> Sequence[int]:
        """Positions of rows that hold NaN or infinity."""
        ...

    def joined(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Single rows in the form that `forward` gives them."""
        ...

    def source(self, item: Any) -> str:
        """What the caller would call the item."""
        ...


@dataclass(slots=True)
class Unit:
    """One distinct item of a window. rows: every position of the caller's inputs that holds it."""

    rows: list[int]
    item: Any
    measured: Any
    reader: Any
    features: Any = None


@dataclass(slots=True)
class Batch:
    """cost: of its items and what they share.  window: of all batches that were planned with it."""

    units: list[Unit]
    nbytes: int
    cost: int
    window: int
    prepared: list[Future[Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Done:
    """A piece of the result. rows: positions. values: one row per unit, beside `rows`; or the error of those rows."""

    rows: list[list[int]]
    values: Sequence[Any] = ()
    error: ItemError | None = None
    cost: int = 0
    measured: tuple[Any, ...] = ()


def run(
    line: Line,
    inputs: Iterable[Any],
    *,
    batch_size: int | None = None,
    on_event: OnEvent | None = None,
    few: bool = False,
) -> Iterator[Done]:
    """Yield results in whatever order they finish. few: the inputs are a short list, not worth threads.

    A failing item yields a Done with its error and costs no other item anything.
    """
    crew = _Crew(line, on_event or (lambda name, facts: None))
    batches = _batches(line, inputs, batch_size, crew)
    under_way, enough = 0, AHEAD_BATCHES
    try:
        while True:
            while under_way < enough and crew.room(under_way):
                piece = next(batches, None)
                while (made := crew.next_done(wait=False)) is not None:  # first: an error may end the call
                    yield from made
                    under_way -= 1
                if piece is None:
                    break
                if isinstance(piece, _WindowEnd):  # another one only when this one is nearly done
                    enough = 2 * crew.streams
                    continue
                enough = AHEAD_BATCHES
                if isinstance(piece, Done):
                    yield piece
                elif few and under_way == 0 and not crew.started and _is_small(piece):
                    yield from crew.run_here(piece)
                else:
                    crew.submit(piece)
                    under_way += 1
            if not under_way:
                return
            yield from crew.next_done(wait=True) or ()
            under_way -= 1
    finally:
        crew.close()


class _WindowEnd:
    """Said between two windows."""


def _batches(
    line: Line, inputs: Iterable[Any], batch_size: int | None, crew: _Crew
) -> Iterator[Batch | Done | _WindowEnd]:
    """Errors and batches of one window after the other, read only when asked for."""
    for window in _windows(line, inputs):
        yield from (Done([[row]], error=item) for row, item in window if isinstance(item, ItemError))
        waiting = [(row, item) for row, item in window if not isinstance(item, ItemError)]
        while waiting:
            reader = line.reader()
            taken, failed = crew.fetch(waiting, reader)
            yield from (Done([[row]], error=error) for row, error in failed.items())
            units: list[Unit] = []
            for made in _measure(line, [(row, item) for row, item in waiting[:taken] if row not in failed], reader):
                if isinstance(made, Done):
                    yield made
                else:
                    units.append(made)
            yield from _cut(line, units, batch_size, crew.streams)
            waiting = waiting[taken:]
            yield _WindowEnd()


def _windows(line: Line, inputs: Iterable[Any]) -> Iterator[list[tuple[int, Any]]]:
    """Parsed inputs with their positions, in windows bounded by items, media and bytes that callers hold."""
    window: list[tuple[int, Any]] = []
    media = nbytes = 0
    most = WINDOW_ITEMS if hasattr(inputs, "__len__") else WINDOW_ITEMS // 8  # a stream's first row should come soon
    for row, value in enumerate(inputs):
        try:
            item = line.parse(value)
            parts = line.media(item)
            media += len(parts)
            nbytes += sum(len(p.value) for p in parts if isinstance(p.value, (bytes, bytearray, str)))
        except ItemError as error:
            item = error
        window.append((row, item))
        if len(window) >= most or media >= WINDOW_MEDIA or nbytes >= WINDOW_BYTES:
            yield window
            window, media, nbytes, most = [], 0, 0, WINDOW_ITEMS
    if window:
        yield window


def _measure(line: Line, items: list[tuple[int, Any]], reader: Any) -> Iterator[Unit | Done]:
    """One Unit for each distinct item; equal items share it."""
    first: dict[Any, int] = {}
    distinct: list[tuple[list[int], Any]] = []
    for row, item in items:
        try:
            key = line.key(item, reader)
        except ItemError as error:
            yield from _failed(line, [row], item, error)
            continue
        place = first.setdefault(key, len(distinct)) if key is not None else len(distinct)
        if place < len(distinct):
            distinct[place][0].append(row)
        else:
            distinct.append(([row], item))
    for (rows, item), measured in zip(distinct, line.measure([item for _, item in distinct], reader)):
        if isinstance(measured, ItemError):
            yield from _failed(line, rows, item, measured)
        else:
            yield Unit(rows, item, measured, reader)


def _is_small(batch: Batch) -> bool:
    """Whether starting threads would cost more than it brings."""
    return batch.window <= WORTH_A_CREW and sum(unit.measured.opens for unit in batch.units) <= 1


def _failed(line: Line, rows: list[int], item: Any, error: ItemError) -> list[Done]:
    """The error once for each row, each its own object, naming the item."""
    if error.source is None:
        error.source = line.source(item)
    return [Done([[row]], error=copied(error)) for row in rows]


def _cut(line: Line, units: list[Unit], batch_size: int | None, streams: int) -> Iterator[Batch]:
    measured = [unit.measured for unit in units]
    costs = [Cost(m.length, m.extra, m.nbytes, m.group, getattr(m, "shared", 0)) for m in measured]
    if not costs:
        return
    budget, ahead = limits(line.device_type)
    worth = streams if sum(c.length + c.extra for c in costs) > WORTH_A_CREW else 1
    planned = plan(costs, budget=budget, batch_size=batch_size, most_bytes=ahead // 4, streams=worth)
    paid = [sum(costs[i].length + costs[i].extra for i in members) + costs[members[0]].shared for members in planned]
    for members, cost in zip(planned, paid):
        yield Batch([units[i] for i in members], sum(costs[i].nbytes for i in members), cost, sum(paid))


def limits(device_type: str) -> tuple[int, int]:
    return CPU_LIMITS if device_type == "cpu" else GPU_LIMITS


class _Crew:
    """The threads of one call; none is started before it is needed."""

    def __init__(self, line: Line, on_event: OnEvent) -> None:
        self.line, self.on_event = line, on_event
        self.streams = workers.streams(line.device_type)
        self.started = False
        self._ahead = limits(line.device_type)[1]
        self._nbytes = self._finished_batches = 0
        self._stop = threading.Event()
        self._todo: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Batch, list[Done] | BaseException]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._preparers: ThreadPoolExecutor | None = None
        self._fetchers: ThreadPoolExecutor | None = None

    # ---- called by the consuming thread

    def room(self, under_way: int) -> bool:
        return under_way == 0 or (under_way < AHEAD_BATCHES and self._nbytes < self._ahead)

    def fetch(self, items: list[tuple[int, Any]], reader: Any) -> tuple[int, dict[int, ItemError]]:
        """Bring the bytes of items, many at a time, until they are more than a window may hold.

        (how many items were taken, row → error of those that failed).
        """
        failed: dict[int, ItemError] = {}
        under_way: deque[tuple[int, Callable[[], int]]] = deque()
        held = taken = 0

        def land() -> int:
            row, result = under_way.popleft()
            try:
                return result()
            except ItemError as error:
                failed.setdefault(row, copied(error))
                return 0

        alone = len(items) == 1
        for row, item in items:
            for part in self.line.media(item):
                under_way.append((row, self._fetching(part, reader, alone)))
            taken += 1
            while len(under_way) > FETCHERS:
                held += land()
            if held > WINDOW_BYTES:
                break
        while under_way:
            land()
        return taken, failed

    def _fetching(self, part: Any, reader: Any, here: bool) -> Callable[[], int]:
        if here:
            return lambda: self.line.fetch(part, reader)
        if self._fetchers is None:
            self._fetchers = ThreadPoolExecutor(FETCHERS, "manysense-fetch")
        return self._fetchers.submit(self.line.fetch, part, reader).result

    def submit(self, batch: Batch) -> None:
        self._nbytes += batch.nbytes
        if not self.started:
            self._start()
        if any(unit.measured.opens for unit in batch.units):
            if self._preparers is None:
                self._preparers = ThreadPoolExecutor(max(2, min(16, os.cpu_count() or 2)), "manysense-prepare")
            batch.prepared = [self._preparers.submit(self._prepare, unit) for unit in batch.units]
        self._todo.put(batch)

    def next_done(self, *, wait: bool) -> list[Done] | None:
        """What became of one batch; None when none is finished and `wait` is False. An interrupt ends the wait."""
        while True:
            with contextlib.suppress(queue.Empty):
                batch, made = self._done.get(timeout=0.5) if wait else self._done.get_nowait()
                break
            if not wait:
                return None
        self._nbytes -= batch.nbytes
        self._finished_batches += 1
        if self._finished_batches % TRIM_EVERY == 0:
            self._give_back_memory()
        if isinstance(made, BaseException):
            raise made
        return made

    def run_here(self, batch: Batch) -> list[Done]:
        return self._run(batch)

    def close(self) -> None:
        """Stop and join every thread; work that has not begun is dropped."""
        self._stop.set()
        for pool in (self._fetchers, self._preparers):
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join()
        for pool in (self._fetchers, self._preparers):
            if pool is not None:
                pool.shutdown(wait=True)
        if self.started:
            self._give_back_memory()

    def _give_back_memory(self) -> None:
        if self.line.device_type == "cpu":
            workers.give_back_memory()

    # ---- called by the crews

    def _start(self) -> None:
        self.started = True
        for i in range(self.streams):
            thread = threading.Thread(target=self._work, name=f"manysense-forward-{i}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        if self.streams > 1:
            workers.single_threaded()
        while (batch := self._todo.get()) is not None and not self._stop.is_set():
            try:
                made: list[Done] | BaseException = self._run(batch)
            except BaseException as error:
                made = error
            batch.units, batch.prepared = [], []
            self._done.put((batch, made))

    def _prepare(self, unit: Unit) -> Any:
        if self._stop.is_set():
            raise InterruptedError("the call was stopped")
        features = self.line.prepare(unit.measured, unit.reader)
        self.on_event("prepared", unit.rows)
        return features

    def _run(self, batch: Batch) -> list[Done]:
        """Prepare what is not prepared, forward, and say what became of every unit."""
        done: list[Done] = []
        ready: list[Unit] = []
        for i, unit in enumerate(batch.units):
            try:
                unit.features = batch.prepared[i].result() if batch.prepared else self._prepare(unit)
                ready.append(unit)
            except ItemError as error:
                done += _failed(self.line, unit.rows, unit.item, error)
            except (ManysenseError, InterruptedError, CancelledError):
                raise  # not of this item
            except Exception as error:
                done += _failed(self.line, unit.rows, unit.item, preparing_error(error))
        self.on_event("forward", [unit.rows for unit in ready])
        if ready:
            done += self._forward(ready, batch.cost)
        self.on_event("forwarded", [unit.rows for unit in ready])
        return done

    def _forward(self, units: list[Unit], cost: int) -> list[Done]:
        """Halve and try again when memory runs out; find the one item that the network fails on."""
        measured = [unit.measured for unit in units]
        try:
            with SERIAL.shared():
                values = self.line.forward([unit.features for unit in units], measured)
        except Exception as error:
            if isinstance(error, ManysenseError) and not isinstance(error, ItemError):
                raise  # of the model or the call, not of an item
            short = out_of_memory(error)
            if short:
                release_memory()
            if len(units) == 1:
                return _failed(self.line, units[0].rows, units[0].item, forward_error(error, short))
            if not short and self._stop.is_set():
                raise
            error.__traceback__ = None  # it holds the tensors of the failed batch
        else:
            return self._finished(units, values, cost)
        middle = len(units) // 2
        return self._forward(units[:middle], cost // 2) + self._forward(units[middle:], cost - cost // 2)

    def _finished(self, units: list[Unit], values: Sequence[Any], cost: int) -> list[Done]:
        """The rows, apart from those that are no numbers: these are errors of their items."""
        bad = set(self.line.not_numbers(values))
        done = [d for i in bad for d in _failed(self.line, units[i].rows, units[i].item, not_numbers())]
        if bad:
            good = [i for i in range(len(units)) if i not in bad]
            units, values = [units[i] for i in good], [values[i] for i in good]
            if not units:
                return done
            values = self.line.joined(values)
        return [*done, Done([u.rows for u in units], values, cost=cost, measured=tuple(u.measured for u in units))]
