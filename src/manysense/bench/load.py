"""Send requests at their moments, from a few workers, and say what became of each: THE measuring loop.

Knows: moments, workers, answers and errors. Does not know: where requests come from, what is done with the samples.

An open loop. Every request has a moment of arrival that was fixed beforehand, and its latency counts from that moment,
however long it waited for a worker. A loop that sends the next request when the last one is answered leaves out just
the requests that would have had to wait ("coordinated omission": Tene 2013; open and closed loops: Schroeder, Wierman,
Harchol-Balter 2006).

The queue is the schedule itself: a worker that is free takes the next request and waits for its moment. So requests
start in the order of their arrival, each as soon as it has arrived and a worker is free, and there is no thread that
hands them over.
"""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import first_line
from ..search.protocols import Reranker
from .clock import Clock
from .workload import Kind, Request

Phase = Literal["warm-up", "load"]


@dataclass(frozen=True, slots=True)
class Step:
    """Requests at one rate.  rate: a second; 0 for the warm-up, whose requests follow each other at once.

    arrivals: seconds from the start of the step, ascending, one a request.  patience: seconds that a request waits for
    a worker; after them it is dropped, so that an overloaded step ends.
    """

    number: int
    phase: Phase
    rate: float
    requests: Sequence[Request]
    arrivals: Sequence[float]
    patience: float = math.inf


@dataclass(frozen=True, slots=True)
class Sample:
    """What became of one request. Moments are seconds from the start of its step.

    number: position in its step.  started, finished: None where it was dropped.  scores: of the documents, in their
    order; None where there is an error.  error: the reason; "dropped: …" where no worker took it in time.
    """

    step: int
    phase: Phase
    rate: float
    number: int
    kind: Kind
    candidates: int
    pixels: int
    judged: int | None
    scheduled: float
    started: float | None
    finished: float | None
    scores: tuple[float, ...] | None
    error: str | None

    @property
    def answered(self) -> bool:
        return self.error is None

    @property
    def latency(self) -> float:
        """Seconds from the scheduled arrival to the answer; infinite where none came."""
        return math.inf if self.error is not None or self.finished is None else self.finished - self.scheduled

    @property
    def service(self) -> float:
        """Seconds at the reranker: what a closed loop would have measured. 0 where it was dropped."""
        return 0.0 if self.started is None or self.finished is None else self.finished - self.started


def run(reranker: Reranker, step: Step, workers: int, clock: Clock) -> Iterator[Sample]:
    """The samples of a step, as they finish. An exception of the reranker is the error of its request.

    Closing the generator stops it: requests under way are finished, the others are never sent.
    """
    done: queue.SimpleQueue[Sample | None] = queue.SimpleQueue()
    crew = _Crew(reranker, step, clock, done)
    threads = [
        threading.Thread(target=crew.work, name=f"manysense-bench-{i}", daemon=True)  # a hung call must not hold us
        for i in range(workers)
    ]
    for thread in threads:
        thread.start()
    left = workers
    try:
        while left:
            sample = done.get()
            if sample is None:
                left -= 1
            else:
                yield sample
    finally:
        if left:
            crew.stop()
        for thread in threads:
            thread.join()


class _Crew:
    """What the workers of a step share: the requests that are left, and where samples go."""

    def __init__(self, reranker: Reranker, step: Step, clock: Clock, done: queue.SimpleQueue[Sample | None]) -> None:
        self._reranker, self._step, self._clock, self._done = reranker, step, clock, done
        self._left = iter(range(len(step.requests)))
        self._lock = threading.Lock()
        self._stopped = False
        self._start = clock.now()

    def stop(self) -> None:
        self._stopped = True
        self._clock.wake()

    def work(self) -> None:
        try:
            with self._clock.taking_part():
                while (number := self._next()) is not None:
                    self._clock.sleep_until(self._start + self._step.arrivals[number])
                    if self._stopped:
                        return
                    self._done.put(self._served(number))
        finally:
            self._done.put(None)

    def _next(self) -> int | None:
        with self._lock:
            return next(self._left, None)

    def _served(self, number: int) -> Sample:
        step, request = self._step, self._step.requests[number]
        started = self._clock.now() - self._start
        if started - step.arrivals[number] > step.patience:
            return self._sample(number, None, None, None, f"dropped: waited over {step.patience:g} s for a worker")
        scores, error = None, None
        try:
            scores = scores_of(self._reranker.rank(request.query, list(request.documents)), len(request.documents))
        except Exception as problem:
            error = f"{type(problem).__name__}: {first_line(problem)}"
        return self._sample(number, started, self._clock.now() - self._start, scores, error)

    def _sample(
        self, number: int, started: float | None, finished: float | None, scores: Any, error: str | None
    ) -> Sample:
        step, request = self._step, self._step.requests[number]
        return Sample(
            step=step.number,
            phase=step.phase,
            rate=step.rate,
            number=number,
            kind=request.kind,
            candidates=len(request.documents),
            pixels=request.pixels,
            judged=request.judged,
            scheduled=step.arrivals[number],
            started=started,
            finished=finished,
            scores=scores,
            error=error,
        )


def scores_of(answer: Any, count: int) -> tuple[float, ...]:
    """An answer of rank() as the scores of `count` documents, in their order.

    Raises ValueError where a document is missing, named twice, or has NaN as its score: such a request has failed.
    """
    hits: list[Mapping[str, Any]] = list(answer)
    scores = {int(hit["corpus_id"]): float(hit["score"]) for hit in hits}
    if len(hits) != count or scores.keys() != set(range(count)):
        named = len(scores.keys() & set(range(count)))
        raise ValueError(f"the answer has {len(hits)} hits that name {named} of the {count} documents")
    if any(math.isnan(score) for score in scores.values()):
        raise ValueError("a score is NaN")
    return tuple(scores[i] for i in range(count))
