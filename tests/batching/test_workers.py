"""One intra-op thread for each worker, and nothing of it for anybody else. Each fact is seen in a fresh process, since
what is checked is the state of a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json, threading
import torch
from manysense.batching import workers

def seen_in_a_new_thread(before=lambda: None):
    found = []
    thread = threading.Thread(target=lambda: (before(), found.append(torch.get_num_threads())))
    thread.start(); thread.join()
    return found[0]

facts = {{"start": torch.get_num_threads(), "streams": workers.streams("cpu")}}
facts["streams of a GPU"] = workers.streams("cuda")
facts["inside a worker"] = seen_in_a_new_thread(workers.single_threaded)
facts["caller after a worker"] = torch.get_num_threads()
facts["thread after a worker"] = seen_in_a_new_thread()

from manysense import SentenceTransformer
inside = []
meet = threading.Barrier(workers.streams("cpu"))  # every worker's first batch waits for the others'
class Look(torch.nn.Module):
    def forward(self, features):
        name = threading.current_thread().name
        if name not in dict(inside):
            inside.append((name, torch.get_num_threads()))
            meet.wait(60)
        inside.append((name, torch.get_num_threads()))
        return features
model = SentenceTransformer({folder!r}, device="cpu")
model = SentenceTransformer(modules=[*model, Look()], device="cpu")
model.encode([f"the number {{i}} of a long list of words and words" for i in range(3000)])
facts["inside a call"] = sorted(set(n for _, n in inside))
facts["threads of a call"] = sorted(set(name for name, _ in inside))
facts["caller after a call"] = torch.get_num_threads()
facts["thread after a call"] = seen_in_a_new_thread()
facts["left over"] = [t.name for t in threading.enumerate() if t is not threading.main_thread()]
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def facts(twin):
    """What a process with as many intra-op threads as cores sees."""
    script = SCRIPT.format(folder=str(twin("static")))
    environment = {
        name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    }
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=120)
    assert made.returncode == 0, made.stderr
    found = json.loads(made.stdout.splitlines()[-1])
    if found["start"] == 1:
        pytest.skip("a machine with one core has nothing to limit")
    return found


def test_a_cpu_has_as_many_streams_as_threads_and_a_gpu_one(facts):
    assert facts["streams"] == (facts["start"] if sys.platform == "linux" else 1)
    assert facts["streams of a GPU"] == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only there is a thread limited alone")
def test_a_worker_limits_itself(facts):
    assert facts["inside a worker"] == 1


def test_a_worker_leaves_its_caller_alone(facts):
    assert facts["caller after a worker"] == facts["start"]


def test_a_worker_leaves_threads_that_start_later_alone(facts):
    assert facts["thread after a worker"] == facts["start"]


@pytest.mark.skipif(sys.platform != "linux", reason="only there is a thread limited alone")
def test_a_call_runs_whole_batches_in_threads_of_one_each(facts):
    assert facts["inside a call"] == [1]
    assert len(facts["threads of a call"]) > 1


def test_a_call_leaves_the_thread_count_of_its_caller_alone(facts):
    assert facts["caller after a call"] == facts["start"]


def test_a_call_leaves_threads_that_start_later_alone(facts):
    assert facts["thread after a call"] == facts["start"]


def test_a_call_leaves_no_thread(facts):
    assert facts["left over"] == []
