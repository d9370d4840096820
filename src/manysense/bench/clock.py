"""The time that a load runs in: that of the wall, or one that only the load moves.

Knows: now, and how to wait for a moment. Does not know: requests. Seconds from an arbitrary zero, as floats.
"""

from __future__ import annotations

import contextlib
import heapq
import threading
import time
from collections.abc import Iterator
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float: ...

    def sleep_until(self, moment: float) -> None:
        """Come back at `moment`, at once where it is past, early after wake()."""
        ...

    def wake(self) -> None:
        """End every wait, also those to come."""
        ...

    def taking_part(self) -> contextlib.AbstractContextManager[None]:
        """Around everything that a worker does: a virtual clock waits for those who take part."""
        ...


class WallClock:
    """Real time. A wait ends within about a tenth of a millisecond of its moment on an idle machine."""

    def __init__(self) -> None:
        self._woken = threading.Event()

    def now(self) -> float:
        return time.perf_counter()

    def sleep_until(self, moment: float) -> None:
        left = moment - self.now()
        if left > 0:
            self._woken.wait(left)

    def wake(self) -> None:
        self._woken.set()

    def taking_part(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


class VirtualClock:
    """Time that jumps to the next moment that somebody waits for, once all `parties` threads wait.

    A simulation of hours takes as long as its Python code, and comes out the same every time. One thread runs at any
    time. After they have left, as many parties may join again.
    """

    def __init__(self, parties: int = 1) -> None:
        self.parties = parties
        self._now = 0.0
        self._gone = 0
        self._order = 0
        self._woken = False
        self._waiting: list[tuple[float, int, threading.Event]] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._now

    def sleep_until(self, moment: float) -> None:
        mine = threading.Event()
        with self._lock:
            if self._woken:
                return
            self._order += 1
            heapq.heappush(self._waiting, (max(moment, self._now), self._order, mine))
            self._go_on()
        mine.wait()

    def wake(self) -> None:
        with self._lock:
            self._woken = True
            for _, _, event in self._waiting:
                event.set()
            self._waiting.clear()

    @contextlib.contextmanager
    def taking_part(self) -> Iterator[None]:
        self.sleep_until(self._now)  # nobody runs before all have come
        try:
            yield
        finally:
            with self._lock:
                self._gone = (self._gone + 1) % self.parties
                self._go_on()

    def _go_on(self) -> None:
        """Wake the first of those who wait, once nobody else can run. Under the lock."""
        if len(self._waiting) == self.parties - self._gone:
            self._now, _, event = heapq.heappop(self._waiting)
            event.set()
