"""How pools end: by `stop`, by a worker that dies, by Ctrl-C, with their process. None hangs, and nothing is left."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pool_work
import pytest

from manysense import SentenceTransformer, UsageError
from manysense.errors import WorkerError
from reference.closeness import assert_close

pytestmark = pytest.mark.slow

MANY = [f"the dog number {number} of the old house" for number in range(400)]


def slow(twin, seconds=0.1):
    encoder = SentenceTransformer(str(twin("static")), device="cpu")
    return SentenceTransformer(modules=[*encoder, pool_work.Slow(seconds)], device="cpu")


@contextlib.contextmanager
def meanwhile(seconds, act):
    timer = threading.Timer(seconds, act)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def gone(process_ids, within=5.0):
    """The processes that still run after a while."""
    until = time.monotonic() + within
    while (left := [pid for pid in process_ids if _runs(pid)]) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def _runs(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


# ---- in this process


def test_a_worker_that_is_killed_is_an_error_at_once_that_keeps_what_was_finished(twin):
    encoder, killed = slow(twin), []
    pool = encoder.start_multi_process_pool(["cpu", "cpu"])
    out = np.full((len(MANY), 24), np.nan, np.float32)

    def kill():
        while np.isnan(out).all():
            time.sleep(0.01)
        killed.append(time.monotonic())
        os.kill(pool.processes[1].pid, signal.SIGKILL)

    wanted = rf"(?s)worker 1 of 2 \(cpu, process {pool.processes[1].pid}\) was ended by SIGKILL \(exit code -9\) while "
    with meanwhile(0, kill), pytest.raises(WorkerError, match=wanted + "it worked on inputs .*memory") as caught:
        encoder.encode(MANY, pool=pool, chunk_size=8, out=out)
    assert time.monotonic() - killed[0] < 2
    rows, indices = caught.value.partial
    assert 0 < len(indices) < len(MANY)
    assert_close(rows, SentenceTransformer(modules=list(encoder)[:1], device="cpu").encode(MANY)[indices])
    assert pool.stopped
    assert not any(process.is_alive() for process in pool.processes)
    with pytest.raises(UsageError, match=r"this pool has ended: worker 1 of 2 .* died; start another"):
        encoder.encode(MANY, pool=pool)


def test_a_pool_is_ended_by_its_process_alone_also_in_the_middle_of_a_call(twin):
    encoder = slow(twin)
    pool = encoder.start_multi_process_pool(["cpu"])
    (process,) = pool.processes

    # a fork of this process neither uses it nor ends it
    child = multiprocessing.get_context("fork").Process(target=_use_a_parents_pool, args=(encoder, pool))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 has a word on forks
        child.start()
    child.join()
    assert child.exitcode == 0
    assert process.is_alive()

    # another thread stops it in the middle of a call
    stopping = meanwhile(0.5, lambda: encoder.stop_multi_process_pool(pool))
    with stopping, pytest.raises(WorkerError, match="the pool was stopped while this call ran"):
        encoder.encode(MANY, pool=pool, chunk_size=8)
    assert gone([process.pid]) == []
    pool.stop()
    with pytest.raises(UsageError, match="this pool has ended: it was stopped"):
        encoder.encode([], pool=pool)


def _use_a_parents_pool(encoder, pool):
    with pytest.raises(UsageError, match="belongs to the process that started it"):
        encoder.encode(MANY[:2], pool=pool)
    pool.stop()


def test_a_pool_of_one_call_ends_with_it(twin):
    encoder = SentenceTransformer(str(twin("static")), device="cpu")
    before = set(multiprocessing.active_children())
    assert_close(encoder.encode(MANY, device=["cpu"]), encoder.encode(MANY))
    assert set(multiprocessing.active_children()) == before


@pytest.mark.slow
def test_a_worker_that_leaves_is_an_error(twin):
    with slow(twin).start_multi_process_pool(["cpu"]) as pool:
        for wanted in ("failed: SystemExit: 3", "ended with exit code 1"):  # as it leaves, and when it is gone
            refused = pytest.raises(WorkerError, match=rf"worker 0 of 1 .* {wanted}")
            with refused, pool.results(pool_work.leave, [1]) as found:
                list(found)


@pytest.mark.slow
def test_a_pool_that_nobody_holds_ends(twin):
    pool = slow(twin).start_multi_process_pool(["cpu"])
    (process,) = pool.processes
    del pool
    assert gone([process.pid]) == []


@pytest.mark.slow
def test_a_model_that_workers_cannot_take_is_refused_with_the_reason():
    before = set(multiprocessing.active_children())
    encoder = SentenceTransformer(modules=[pool_work.Shy()], device="cpu")
    wanted = r"worker 0 of 1 \(cpu\) cannot take the model: ValueError: this module stays at home"
    with pytest.raises(WorkerError, match=wanted) as caught:
        encoder.start_multi_process_pool(["cpu"])
    assert "in __setstate__" in caught.value.__notes__[0]
    encoder[0].hook = lambda features: features
    with pytest.raises(UsageError, match=r"(?s)the model cannot be sent to another process: .*lambda.*imported"):
        encoder.start_multi_process_pool(["cpu"])
    assert set(multiprocessing.active_children()) == before


# ---- with the process

START = """
import json, os, sys, time
sys.path[:0] = {path!r}
import pool_work
from manysense import SentenceTransformer

def start():
    encoder = SentenceTransformer({folder!r}, device="cpu")
    encoder = SentenceTransformer(modules=[*encoder, pool_work.Slow(0.3)], device="cpu")
    print("starting", flush=True)
    pool = encoder.start_multi_process_pool(["cpu", "cpu"])
    print(json.dumps([process.pid for process in pool.processes]), flush=True)
    return encoder, pool

TEXTS = [f"the text {{i}} of many" for i in range(20_000)]
"""
RAISES = """
if __name__ == "__main__":
    encoder, pool = start()
    raise RuntimeError("a mistake of the caller")
"""
WORKS = """
if __name__ == "__main__":
    encoder, pool = start()
    try:
        encoder.encode(TEXTS, pool=pool, chunk_size=8)
    except KeyboardInterrupt:
        print(json.dumps([time.monotonic(), pool.stopped]), flush=True)
"""
IDLE = """
if __name__ == "__main__":
    encoder, pool = start()
    time.sleep(600)
"""
UNGUARDED = """
start()
"""


@pytest.fixture
def script(twin, tmp_path):
    """script(code) → a running interpreter, in a process group of its own."""
    started = []

    def run(code):
        file = tmp_path / "script.py"
        file.write_text(START.format(path=[str(Path(__file__).parent)], folder=str(twin("static"))) + code)
        process = subprocess.Popen(
            [sys.executable, str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # also what should be gone
        process.communicate()


def told(process):
    """The processes of the pool, once it has started."""
    assert process.stdout.readline() == "starting\n"
    return json.loads(process.stdout.readline())


@pytest.mark.slow
def test_nothing_survives_an_interpreter_that_ends_with_an_exception(script):
    process = script(RAISES)
    workers = told(process)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 1
    assert "a mistake of the caller" in errors
    assert gone(workers) == []


@pytest.mark.slow
@pytest.mark.parametrize("code", [IDLE, WORKS], ids=["idle", "in the middle of a call"])
def test_nothing_survives_an_interpreter_that_is_killed(script, code):
    process = script(code)
    workers = told(process)
    time.sleep(1)
    process.kill()
    process.wait()
    assert gone(workers) == []


@pytest.mark.slow
def test_an_interrupt_ends_the_call_and_its_workers_and_they_say_nothing(script):
    """Ctrl-C in a terminal goes to the whole group, the workers too."""
    process = script(WORKS)
    workers = told(process)
    time.sleep(1)
    sent = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    ended, stopped = json.loads(out)
    assert stopped
    assert ended - sent < 3
    assert gone(workers) == []
    assert errors == ""


@pytest.mark.slow
def test_an_interrupt_while_a_pool_starts_is_the_callers_alone(script):
    process = script(WORKS)
    assert process.stdout.readline() == "starting\n"
    time.sleep(0.7)  # workers are importing
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert out == ""
    assert errors.count("Traceback") == 1
    assert errors.strip().endswith("KeyboardInterrupt")


@pytest.mark.slow
def test_a_script_without_its_guard_ends_with_the_way_out(script):
    process = script(UNGUARDED)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 1
    last = errors[errors.rindex("WorkerError") :]
    assert "ended with exit code 1 while it took the model" in last
    assert 'if __name__ == "__main__":' in last
