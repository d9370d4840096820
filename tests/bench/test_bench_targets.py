"""What can be measured, by its name; and the memory of its process."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from manysense.bench.load import scores_of
from manysense.bench.memory import EVERY, Peak, resident
from manysense.bench.targets import CONNECTIONS, Wanted, open_target
from manysense.errors import ModelError, UsageError
from manysense.search.protocols import Reranker


def test_an_embedder_ranks_by_its_own_similarity(twin, model):
    target = open_target(f"embeddings:{twin('bert')}", Wanted(device="cpu"))
    documents = ["a red circle", "rain", "the sea at night"]
    found = target.reranker.rank("a circle", documents)
    network = model("bert")
    expected = network.similarity(network.encode_query(["a circle"]), network.encode_document(documents))[0]
    np.testing.assert_allclose(scores_of(found, 3), expected, atol=1e-5)
    assert [hit["score"] for hit in found] == sorted((hit["score"] for hit in found), reverse=True)
    assert len(target.reranker.rank("a circle", documents, top_k=2)) == 2
    assert target.workers == 1
    assert target.pid == os.getpid()
    assert target.made_by.startswith("manysense ")


@pytest.fixture(scope="module")
def classifier(twin, tmp_path_factory):
    """A tiny reranker of one label, with random weights."""
    from transformers import AutoTokenizer, BertForSequenceClassification

    folder = tmp_path_factory.mktemp("classifier")
    network = BertForSequenceClassification.from_pretrained(twin("bert-bare"), num_labels=1)
    network.save_pretrained(folder)
    AutoTokenizer.from_pretrained(twin("bert-bare")).save_pretrained(folder)
    return folder


def test_our_cross_encoder_is_measured_by_its_folder(classifier):
    target = open_target(f"manysense:{classifier}", Wanted(device="cpu"))
    assert isinstance(target.reranker, Reranker)
    assert len(scores_of(target.reranker.rank("a circle", ["rain", "the sea"]), 2)) == 2


def test_the_known_librarys_cross_encoder_is_measured_too_and_answers_the_same(classifier):
    pytest.importorskip("sentence_transformers")
    documents = ["rain", "a red circle", "the sea at night"]
    targets = [
        open_target(f"{kind}:{classifier}", Wanted(device="cpu")) for kind in ("manysense", "sentence-transformers")
    ]
    ours, theirs = (scores_of(target.reranker.rank("a circle", documents), 3) for target in targets)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert [target.made_by.split()[0] for target in targets] == ["manysense", "sentence-transformers"]


def test_an_endpoint_is_called_many_times_at_once_and_has_the_memory_of_the_pid_that_was_given():
    target = open_target("http://127.0.0.1:8080/rerank", Wanted(pid=123))
    assert (target.workers, target.pid, target.made_by) == (CONNECTIONS, 123, None)
    assert open_target("http://127.0.0.1:8080/rerank", Wanted(workers=4)).workers == 4


@pytest.mark.parametrize("name", ["stub:20ms", "stub:0.5s", "stub:exponential:1.5ms"])
def test_a_stub_ranks_without_a_model(name):
    target = open_target(name, Wanted())
    assert isinstance(target.reranker, Reranker)
    if name != "stub:0.5s":
        assert scores_of(target.reranker.rank("q", ["a", "b"]), 2) == (0.0, -1.0)


@pytest.mark.parametrize("name", ["stub:", "stub:20", "stub:0ms", "stub:often:20ms", "nothing", "manysense:", "a:b"])
def test_a_name_of_no_kind_says_which_there_are(name):
    with pytest.raises(UsageError, match=r"stub:20ms"):
        open_target(name, Wanted())


def test_a_model_that_cannot_be_loaded_is_a_model_error(tmp_path):
    pytest.importorskip("sentence_transformers")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be loaded"):
        open_target(f"sentence-transformers:{tmp_path}", Wanted(device="cpu"))


# ---- memory

GROWS = """
import sys
held = bytearray(b"x" * 200_000_000)
print("grown", flush=True)
sys.stdin.readline()
del held
print("let go", flush=True)
sys.stdin.readline()
"""


def test_a_peak_is_kept_after_the_memory_is_let_go():
    with subprocess.Popen([sys.executable, "-c", GROWS], stdin=-1, stdout=-1, text=True) as process:
        with Peak(process.pid) as peak:
            assert process.stdout.readline() == "grown\n"
            _until(lambda: peak.bytes >= 200_000_000)
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "let go\n"
            _until(lambda: resident(process.pid) < 100_000_000)
            time.sleep(5 * EVERY)  # so that it was looked at once more
        assert peak.bytes >= 200_000_000
        process.communicate("\n")


def _until(there):
    deadline = time.monotonic() + 20
    while not there():
        assert time.monotonic() < deadline
        time.sleep(EVERY)


def test_a_process_that_is_not_there_has_no_memory():
    with Peak(2**22 + 1) as peak:
        pass
    assert peak.bytes is None
