"""Worker processes that each hold a copy of one model, and work that is handed to them parcel by parcel.

Knows: processes, pipes, who has what to do, how a process ends. Does not know: inputs, rows, what the work is: a
function of (model, parcel, …) that a family brings.

Every worker has a pipe of its own in each direction. No lock is shared, so one that is killed holds nothing that
another waits for: its pipe closes, and that is seen at once. A worker whose caller is gone ends itself.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import TYPE_CHECKING, Any

from ..errors import UsageError, WorkerError, first_line
from .devices import as_device
from .model_file import file_of, state_of
from .parcels import dumps, loads
from .pool_worker import serve

if TYPE_CHECKING:
    from ..model import Model

AHEAD = 2
"""Parcels that a worker holds: the one it works on, and the next."""
GLANCE, GRACE = 1.0, 2.0
"""Seconds: between looks at whether every process lives, where its pipe does not say; until a process that was asked
to end is killed."""
CPU_WORKERS = 4
GUARD = 'A script that starts a pool does its work under: if __name__ == "__main__":'


@dataclass(slots=True, eq=False)
class Worker:
    """One process. given: the messages that it has not answered, oldest first: (call, what it does, in words)."""

    device: str
    process: Any
    tasks: Any
    answers: Any
    given: deque[tuple[int, str]] = field(default_factory=deque)

    def __str__(self) -> str:
        return f"{self.process.name} ({self.device}, process {self.process.pid})"


class Pool:
    """Processes with one model, until `stop`; `with model.start_multi_process_pool() as pool:` stops them at its end.

    devices: of its workers.  processes: their multiprocessing.Process objects.  stopped: whether it has ended.

    Calls on one pool from several threads run one after the other. Each runs with the model as it is then: weights,
    modules or tokenizers that were replaced since go to the workers first. Changes that torch does not count
    (`parameter.data.add_(…)`) are not seen.
    """

    def __init__(self, model: Model, workers: Sequence[Worker]) -> None:
        self.model = model
        self.devices = tuple(worker.device for worker in workers)
        self._workers = tuple(workers)
        self._state: Any = None
        self._call = 0
        self._lock, self._user, self._owner = threading.Lock(), 0, os.getpid()
        self._reason = "it was stopped"
        self._end = weakref.finalize(self, _end, self._workers, self._owner)

    # ---- for whoever started it

    @property
    def processes(self) -> list[Any]:
        return [worker.process for worker in self._workers]

    @property
    def stopped(self) -> bool:
        return not self._end.alive

    def stop(self) -> None:
        """End every process, also in the middle of its work. A second time does nothing."""
        self._end()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Pool of {', '.join(self.devices)}{', stopped' if self.stopped else ''}>"

    def __getitem__(self, key: str) -> Any:
        """The known library's pool is a dict. Its "processes" are here too; its queues are not."""
        if key == "processes":
            return self.processes
        raise UsageError(f"a pool has no {key!r}: inputs go in with encode(…, pool=pool), and rows come out of that")

    def __reduce__(self) -> Any:
        raise UsageError("a pool stays in the process that started it; start another there")

    # ---- for families

    @contextlib.contextmanager
    def results(self, work: Callable[..., Any], parcels: Iterable[Any], *arguments: Any) -> Iterator[Iterator[Any]]:
        """Results of work(model, parcel, *arguments), in whatever order they finish.

        work: a function of a module that workers can import.  parcels: read as workers have room.  str(parcel) names it
        in errors.  What is left to do is dropped when the context ends.

        Raises what `work` raises, with its traceback as a note; WorkerError for a process that died: the pool is then
        stopped.  After other errors it can be used again; an interrupt stops it.
        """
        with self._alone():
            head = _head(work, arguments)
            try:
                self._hand_over()
                self._call += 1
                yield self._run(head, iter(parcels))
            except BaseException as error:
                if isinstance(error, MemoryError) or not isinstance(error, Exception):
                    self.stop()  # half of a message may be in a pipe
                raise
            finally:
                self._drop()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if os.getpid() != self._owner:
            raise UsageError("this pool belongs to the process that started it; start another in this one")
        if self._user == threading.get_ident():
            raise UsageError("this pool is in the middle of a call: the inputs of a call must not need the same pool")
        with self._lock:
            if self.stopped:
                raise UsageError(f"this pool has ended: {self._reason}; start another: start_multi_process_pool()")
            self._user = threading.get_ident()
            try:
                yield
            finally:
                self._user = 0

    def _hand_over(self) -> None:
        """Send the model to every worker, unless they have it as it is now. It goes through a file that they map into
        memory, so that workers on the CPU share one copy of the weights. Any failure ends the pool."""
        state = state_of(self.model)
        if state == self._state:
            return
        self._state = None
        self._call += 1
        try:
            with file_of(self.model) as path:
                for worker in self._workers:
                    self._tell(worker, "took the model", "model", path)
                while self._busy():
                    self._arrived()
        except Exception as error:
            self._reason = first_line(error)
            self.stop()
            raise
        self._state = state

    def _run(self, head: bytes, parcels: Iterator[Any]) -> Iterator[Any]:
        more = True
        while True:
            while more and len((worker := min(self._workers, key=lambda w: len(w.given))).given) < AHEAD:
                parcel = next(parcels, None)
                more = parcel is not None
                if more:
                    self._tell(worker, f"worked on {parcel}", "work", head, dumps(parcel))
            if not self._busy():
                return
            yield from self._arrived()

    def _busy(self) -> bool:
        """Whether any worker has something of this call left to do."""
        return any(worker.given and worker.given[-1][0] == self._call for worker in self._workers)

    def _arrived(self) -> list[Any]:
        """Results of this call that are there, after waiting for the next answer of any worker."""
        found = []
        ready = connection.wait([worker.answers for worker in self._workers], timeout=GLANCE)
        for worker in self._workers:
            if worker.answers in ready:
                call, kind, payload = self._hear(worker)
                if call == self._call:
                    if kind == "failed":
                        raise _error_of(worker, payload)
                    found.append(loads(payload))
            elif not ready and not worker.process.is_alive():
                raise self._died(worker)
        return found

    def _hear(self, worker: Worker) -> tuple[int, str, bytes]:
        try:
            call, kind, payload = worker.answers.recv()
        except (EOFError, OSError):
            raise self._died(worker) from None
        worker.given.popleft()
        return call, kind, payload

    def _tell(self, worker: Worker, does: str, kind: str, *payload: Any) -> None:
        try:
            worker.tasks.send((kind, self._call, *payload))
        except OSError:
            raise self._died(worker) from None
        worker.given.append((self._call, does))

    def _drop(self) -> None:
        """Let the workers forget what this call gave them; what they work on they finish, and it is not looked at."""
        for worker in self._workers:
            if worker.given and not self.stopped:
                with contextlib.suppress(OSError):  # a dead one is found by the next call
                    worker.tasks.send(("drop", self._call))

    def _died(self, worker: Worker) -> WorkerError:
        if self.stopped:
            return WorkerError("the pool was stopped while this call ran")
        worker.process.join(GRACE)
        what = f" while it {worker.given[0][1]}" if worker.given else ""
        error = WorkerError(f"{worker} {_ending(worker.process.exitcode, what)}")
        self._reason = f"{worker} died"
        self.stop()
        return error


def start(model: Model, devices: Sequence[Any] | None = None) -> Pool:
    """One process for each device, with the model, ready to work. None: every CUDA device, else workers on the CPU, as
    many as there are cores and at most 4.

    The threads that torch has here are shared out among the workers. The caller's model is not moved or changed.
    Raises UsageError, WorkerError.
    """
    if model._spread:
        raise UsageError("a model that a device_map spread over devices cannot be copied to workers; load it without")
    if multiprocessing.current_process().daemon:
        raise UsageError("this process is a daemonic worker itself, which cannot start others; encode without a pool")
    import torch

    placed = _placed(devices)
    threads = max(1, torch.get_num_threads() // len(placed))
    workers: list[Worker] = []
    try:
        with _interrupts_held():
            for number, device in enumerate(placed):
                workers.append(_started(f"worker {number} of {len(placed)}", device, threads))
        pool = Pool(model, workers)
        pool._hand_over()
    except BaseException:
        _end(workers, os.getpid())
        raise
    return pool


@contextlib.contextmanager
def pool_for(model: Model, pool: Any, device: Any) -> Iterator[Pool | None]:
    """The pool of one call: the one that was given, one for this call alone where `device` is a list, else None.

    Raises UsageError for what is no pool, and for another model's.
    """
    if pool is not None:
        if checked(pool).model is not model:
            raise UsageError("this pool was started by another model; each has its own: start_multi_process_pool()")
        yield pool
    elif isinstance(device, (list, tuple)):
        with start(model, device) as own:
            yield own
    else:
        yield None


def checked(pool: Any) -> Pool:
    """Raises UsageError for what is no pool of this library."""
    if not isinstance(pool, Pool):
        raise UsageError(f"pool= takes what start_multi_process_pool() returned, got {type(pool).__name__}")
    return pool


# ---- starting and ending


def _placed(devices: Sequence[Any] | None) -> list[str]:
    import torch

    if devices is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        return gpus or ["cpu"] * min(CPU_WORKERS, cores)
    if not isinstance(devices, (list, tuple)) or not devices:
        raise UsageError(f'a pool needs a list of devices, such as ["cuda:0", "cuda:1"], got {devices!r}')
    return [str(as_device(device)) for device in devices]


def _started(name: str, device: str, threads: int) -> Worker:
    context = multiprocessing.get_context("spawn")
    tasks, inbox = context.Pipe(duplex=False)
    answers, outbox = context.Pipe(duplex=False)
    process = context.Process(target=serve, args=(tasks, outbox, device, threads), name=name, daemon=True)
    process.start()
    tasks.close()  # ours are the other ends: the worker's alone must be open, so that its death closes them
    outbox.close()
    return Worker(device, process, inbox, answers)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes that start inside never get Ctrl-C, not even while they import; this one gets it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # starting it would let interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(workers: Iterable[Worker], owner: int) -> None:
    if os.getpid() != owner:  # a fork of the process that started them
        return
    processes = [worker.process for worker in workers]
    for process in processes:
        process.terminate()
    until = time.monotonic() + GRACE
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


def _ending(code: int | None, what: str) -> str:
    """How a process ended, and what to try."""
    again = "The pool is stopped; start another."
    if code is None:
        return f"closed its pipe{what}.\n  {again}"
    if code >= 0:
        return f"ended with exit code {code}{what}.\n  Its own message is on stderr. {GUARD} {again}"
    name = signal.Signals(-code).name if -code in {s.value for s in signal.Signals} else f"signal {-code}"
    hint = "Its own message, if any, is on stderr."
    if name == "SIGKILL":
        hint = "The system does so when memory runs out: try fewer workers, a smaller chunk_size or batch_size."
    return f"was ended by {name} (exit code {code}){what}.\n  {hint} {again}"


# ---- what is sent


def _head(work: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    """What every parcel of a call needs. The folder: relative paths mean there what they mean here."""
    folder = None
    with contextlib.suppress(FileNotFoundError):  # it was removed: no relative path means anything
        folder = os.getcwd()
    try:
        return dumps((work, arguments, folder))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise UsageError(f"an argument of this call cannot be sent to another process: {reason}") from error


def _error_of(worker: Worker, payload: bytes) -> Exception:
    error, text = loads(payload)
    if error is None:
        error = WorkerError(f"{worker} failed: {text.strip().splitlines()[-1]}")
    error.add_note(f"In {worker}:\n{text}")
    made: Exception = error
    return made
