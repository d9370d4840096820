"""Run two sides in turn, A B A B …, and compare their time, their memory and their results.

Knows: processes, clocks, peaks of memory, ratios. Does not know: what is measured, where results are kept (report.py).

Each side lives in a process of its own, so that neither sees the other's threads or memory; it loads its model once,
then waits while the other side works. A side that is the text of a program is a whole process on every turn.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .material import cache

Rows = npt.NDArray[Any]
Side = str | Callable[[Any], Callable[[], Rows]]
"""A program that may print rows as JSON; or a function that takes the material, loads a model, embeds one item to have
everything in memory, and returns the call that is measured."""


@dataclass(frozen=True)
class Benchmark:
    """title: what is done, for the table.  prepare: quick → the material, made once and handed to both sides.

    targets: least ratio peer / ours of "wall", "cpu" or "memory".  tolerance: largest difference of rows of length 1.
    fresh: load again for every turn, for memory that an earlier turn left behind would count in a later one.
    """

    name: str
    title: str
    ours: Side
    peer: Side
    prepare: Callable[[bool], Any] = lambda quick: None
    targets: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = 1e-5
    fresh: bool = False


class Turn(NamedTuple):
    """What one side took once. cpu: seconds of all its threads.  memory: peak in bytes above the loaded model, or of
    the whole process for a program."""

    wall: float
    cpu: float
    memory: int


def measure(benchmark: Benchmark, pairs: int, quick: bool) -> dict[str, Any]:
    """The result as JSON holds it. A peer that cannot run leaves `peer_error` and our own times."""
    case = benchmark.prepare(quick)
    result: dict[str, Any] = {"name": benchmark.name, "title": benchmark.title, "targets": dict(benchmark.targets)}
    sides: dict[str, Program | Resident] = {}
    try:
        try:
            sides["peer"] = _open(benchmark.peer, case)
        except CannotRun as error:
            result["peer_error"] = str(error)
        sides["ours"] = _open(benchmark.ours, case)
        load, busy, start = os.getloadavg(), _busy(), time.monotonic()
        turns: dict[str, list[Turn]] = {name: [] for name in sides}
        differences: list[float] = []
        for _ in range(pairs):
            rows = {}
            for name in sides:
                if benchmark.fresh and turns[name]:
                    sides[name].close()
                    sides[name] = _open(getattr(benchmark, name), case)
                turn, rows[name] = sides[name].turn()
                turns[name].append(turn)
            if len(rows) == 2 and len(rows["ours"]):
                differences.append(difference(rows["ours"], rows["peer"]))
    finally:
        for side in sides.values():
            side.close()
    used = sum(turn.cpu for side in turns.values() for turn in side)
    return result | {
        "turns": {name: [turn._asdict() for turn in side] for name, side in turns.items()},
        "ratios": ratios(turns["peer"], turns["ours"]) if "peer" in turns else {},
        "difference": max(differences, default=None),
        "tolerance": benchmark.tolerance,
        "equal": all(found <= benchmark.tolerance for found in differences),
        "load_average": {"before": load[0], "after": os.getloadavg()[0]},
        "other_cores": max(0.0, _busy() - busy - used) / (time.monotonic() - start),
    }


def ratios(peer: list[Turn], ours: list[Turn]) -> dict[str, dict[str, float]]:
    """peer / ours of medians, with the least and the greatest of the pairs."""
    made = {}
    for name in Turn._fields:
        a, b = ([getattr(turn, name) for turn in side] for side in (peer, ours))
        if not all(a) or not all(b):
            continue
        of_pairs = [x / y for x, y in zip(a, b)]
        median = statistics.median(a) / statistics.median(b)
        made[name] = {"median": median, "min": min(of_pairs), "max": max(of_pairs)}
    return made


def difference(ours: Rows, peer: Rows) -> float:
    """Largest absolute difference of rows scaled to length 1; infinity for other shapes and for what is no number."""
    if ours.shape != peer.shape:
        return float("inf")
    a, b = (rows / np.linalg.norm(rows, axis=-1, keepdims=True) for rows in (ours, peer))
    return float(np.nan_to_num(np.abs(a - b), nan=np.inf, posinf=np.inf).max())


class CannotRun(Exception):
    """A side does not load here; the reason."""


def _open(side: Side, case: Any) -> Program | Resident:
    return Program(side) if isinstance(side, str) else Resident(side, case)


_SAY_PEAK = """
try:
    print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024)
except OSError:
    print(0)
"""


class Program:
    """A side that is a whole process each time. Its first run, untimed, compiles bytecode into a folder of our own."""

    def __init__(self, source: str) -> None:
        self._command = [sys.executable, "-c", source + _SAY_PEAK]
        self._environment = dict(os.environ, PYTHONPYCACHEPREFIX=str(cache() / "bytecode"))
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.turn()

    def turn(self) -> tuple[Turn, Rows]:
        wall, cpu = time.perf_counter(), _cpu()
        done = subprocess.run(self._command, env=self._environment, capture_output=True, text=True)
        wall, cpu = time.perf_counter() - wall, _cpu() - cpu
        if done.returncode:
            raise CannotRun(f"{self._command[-1]!r}: {done.stderr.strip()[-200:]}")
        *rows, peak = done.stdout.splitlines()
        return Turn(wall, cpu, int(peak)), np.array(json.loads("".join(rows) or "[]"))

    def close(self) -> None:
        pass


class Resident:
    """A side that stays: it loads once and is asked for one turn after the other."""

    def __init__(self, load: Callable[[Any], Callable[[], Rows]], case: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, load, case), daemon=True)
        self._process.start()
        theirs.close()
        self._answer()

    def turn(self) -> tuple[Turn, Rows]:
        self._pipe.send(True)
        turn, rows = self._answer()
        return turn, rows

    def _answer(self) -> Any:
        answer = self._pipe.recv()
        if isinstance(answer, str):
            self.close()
            raise CannotRun(answer)
        return answer

    def close(self) -> None:
        self._pipe.close()
        self._process.join(timeout=10)
        if self._process.is_alive():
            self._process.terminate()


def _serve(pipe: Any, load: Callable[[Any], Callable[[], Rows]], case: Any) -> None:
    """The life of a resident side."""
    try:
        call = load(case)
        pipe.send(None)
        loaded = _status("VmRSS")
        while pipe.recv():
            _forget_peak()
            cpu, wall = _cpu(), time.perf_counter()
            rows = call()
            wall, cpu = time.perf_counter() - wall, _cpu() - cpu
            pipe.send((Turn(wall, cpu, max(0, _status("VmHWM") - loaded)), rows))
            del rows  # the next turn must not find it in memory
    except (EOFError, BrokenPipeError):  # the other end is gone
        pass
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {str(error).strip().split('. ')[0]}")


# ---- clocks and memory


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _status(name: str) -> int:
    """VmRSS or VmHWM of this process in bytes; where there is no /proc, its peak so far."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _forget_peak() -> None:
    """Let VmHWM start again from what is held now. Where that cannot be, it is the peak of all turns so far."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def _busy() -> float:
    """Seconds that all cores together have worked since the machine started; 0 where there is no /proc."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, softirq, *_ = map(int, file.readline().split()[1:])
    except OSError:
        return 0.0
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
