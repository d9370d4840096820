"""One model may be used from many threads and processes at once: every call gets what it would get alone."""

from __future__ import annotations

import itertools
import multiprocessing
import pickle
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from manysense import SentenceTransformer
from properties import spawned
from reference.closeness import assert_close, distance
from twins.samples import TEXTS, pictures, sounds

pytestmark = pytest.mark.slow

THREADS = 16
LONG = "find the small dog and the two cats in front of the old house again " * 2
PROMPTS = {"query": "query : ", "passage": "document : "}


@pytest.fixture(scope="module")
def calls(twin, model):
    """(call, expected) pairs that differ in model, prompt, length, dims, modality, precision and form."""
    bert, clip = model("bert", prompts=PROMPTS), model("clip")
    texts, quiet = [TEXTS[0], LONG], {"on_truncate": "ignore"}
    small = [picture.resize((60, 50)) for picture in pictures()[:2]]
    made = []

    def add(encoder, inputs, verb="encode", **options):
        made.append(lambda: getattr(encoder, verb)(inputs, **quiet, **options))

    for length in (None, 7, 11, 20):
        text = {"processing_kwargs": {"text": {"max_length": length}}} if length else {}
        for prompt, dims in itertools.product((None, "search : ", PROMPTS["query"]), (None, 7)):
            add(bert, texts, prompt=prompt, truncate_dim=dims, **text)
        add(bert, LONG, **text)
    add(bert, texts, prompt_name="passage")
    add(bert, texts, verb="encode_query")
    add(bert, texts, verb="encode_document")
    for precision in ("binary", "ubinary"):
        add(bert, texts, precision=precision)
    for precision in ("int8", "uint8"):
        add(bert, texts, precision=precision, ranges=[[-0.5] * 32, [0.5] * 32])
    add(bert, texts, convert_to_tensor=True)
    add(bert, texts, normalize_embeddings=True, truncate_dim=5)
    add(bert, texts, batch_size=1)
    add(clip, small)
    add(clip, [TEXTS[0], small[1], TEXTS[3]])
    add(clip, small[0], truncate_dim=10)
    add(clip, TEXTS[1], processing_kwargs={"text": {"max_length": 6}})
    add(model("static"), texts)
    add(model("static"), TEXTS[1], truncate_dim=3)
    add(model("qwen3_vl"), ["x", {"text": TEXTS[0]}], prompt="Find it")
    add(model("qwen3_vl"), "x")
    return [(call, np.asarray(call())) for call in made]


def test_the_calls_differ_from_each_other(calls):
    """Otherwise a call that got another's settings would not be seen."""
    vectors = [wanted for _, wanted in calls if wanted.dtype.kind == "f" and wanted.shape == (2, 32)]
    assert len(vectors) >= 12
    near = [pair for pair in itertools.combinations(vectors, 2) if distance(pair[0].ravel(), pair[1].ravel()) < 1e-3]
    names = 4  # the prompt by its text and by its name, a tensor, single batches, int8's own rows
    assert len(near) <= names * names


def wrong(made, wanted):
    """Whether a result is another one than alone. Whole-number levels may lie on the edge between two."""
    made = np.asarray(made)
    if made.shape != wanted.shape or made.dtype != wanted.dtype:
        return True
    if wanted.dtype.kind == "f":
        return distance(made.ravel(), wanted.ravel()) > 1e-5
    return np.count_nonzero(made != wanted) > 0.01 * wanted.size


def storm(calls, each):
    """The calls that went wrong, of `each` random ones in every thread."""
    start = threading.Barrier(THREADS)

    def work(seed):
        order = random.Random(seed)
        start.wait()
        failed = []
        for _ in range(each):
            place = order.randrange(len(calls))
            call, wanted = calls[place]
            try:
                if wrong(call(), wanted):
                    failed.append((place, "wrong"))
            except Exception as error:
                failed.append((place, repr(error)))
        return failed

    with ThreadPoolExecutor(THREADS) as crowd:
        return [failure for failed in crowd.map(work, range(THREADS)) for failure in failed]


class _Loading:
    """Loads models one after the other until left."""

    def __init__(self, *loads):
        self._loads, self._stop, self.loaded, self.failed = loads, threading.Event(), 0, []
        self._thread = threading.Thread(target=self._work)

    def _work(self):
        for load in itertools.cycle(self._loads):
            if self._stop.wait(0.05):
                return
            try:
                load()
                self.loaded += 1
            except Exception as error:
                self.failed.append(error)
                return

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def loading(twin):
    folders = [str(twin("bert-bare")), str(twin("clip"))]
    half = {"dtype": "bfloat16"}
    return _Loading(
        lambda: SentenceTransformer(folders[0], device="cpu", model_kwargs=half),
        lambda: SentenceTransformer(folders[1], device="cpu"),
        lambda: SentenceTransformer(folders[1], device="cpu", model_kwargs=half),
    )


def test_sixteen_threads_get_what_each_call_gets_alone_while_models_load(calls, twin):
    with loading(twin) as other:
        assert storm(calls, 60) == []
    assert other.failed == []
    assert other.loaded >= 2
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.slow
def test_sixteen_times_a_thousand_calls_are_all_right_while_models_load(calls, twin):
    with loading(twin) as other:
        assert storm(calls, 1000) == []
    assert other.failed == []
    assert other.loaded >= 2


def test_a_model_loaded_beside_running_calls_is_whole(calls, twin):
    """Weights, dtype and vectors of a half-precision model that loads while others compute."""
    wanted = SentenceTransformer(str(twin("bert")), device="cpu", model_kwargs={"dtype": "bfloat16"})
    stop = threading.Event()
    failed = []

    def compute():
        while not stop.is_set():
            for call, result in calls[:6]:
                failed.extend(["wrong"] if wrong(call(), result) else [])

    crowd = [threading.Thread(target=compute) for _ in range(4)]
    for thread in crowd:
        thread.start()
    try:
        made = [
            SentenceTransformer(str(twin("bert")), device="cpu", model_kwargs={"dtype": "bfloat16"}) for _ in range(5)
        ]
    finally:
        stop.set()
        for thread in crowd:
            thread.join()
    assert failed == []
    for one in made:
        assert {value.dtype for value in one.parameters()} == {torch.bfloat16}
        assert_close(one.encode(list(TEXTS)), wanted.encode(list(TEXTS)), limit=1e-2)


def test_changing_a_prompt_in_one_thread_does_not_touch_a_call_under_way(twin):
    encoder = SentenceTransformer(str(twin("bert")), device="cpu", prompts={"query": "query : "})
    inputs = [f"the dog number {number}" for number in range(300)]
    wanted = encoder.encode_query(inputs)
    reached = threading.Event()

    def slowly():
        for number, text in enumerate(inputs):
            if number == 100:
                encoder.prompts["query"], encoder.max_seq_length, encoder.truncate_dim = "document : ", 8, 3
                reached.set()
            yield text

    made = encoder.encode(slowly(), prompt_name="query")
    assert reached.is_set()
    assert_close(made, wanted)
    assert encoder.encode_query("the dog number 1", on_truncate="ignore").shape == (3,)


def test_calls_of_every_modality_may_run_side_by_side(model):
    work = {
        "bert": list(TEXTS),
        "clip": [*TEXTS, *pictures()],
        "clap": [TEXTS[0], *sounds()[:2]],
        "qwen3_vl": [TEXTS[0], {"text": TEXTS[1], "image": pictures()[0]}],
    }
    wanted = {name: model(name).encode(inputs) for name, inputs in work.items()}
    with ThreadPoolExecutor(8) as crowd:
        made = [(name, crowd.submit(model(name).encode, work[name])) for name in list(work) * 4]
        for name, result in made:
            assert_close(result.result(), wanted[name])


def test_a_spawned_process_gives_the_same_vectors_with_its_own_and_with_a_pickled_model(twin, model):
    inputs = [*TEXTS, *pictures()[:1]]
    encoder = model("clip")
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(
        target=spawned.encode, args=(str(twin("clip")), pickle.dumps(encoder), inputs, sender), name="spawned"
    )
    child.start()
    sender.close()
    try:
        made = [receiver.recv() for _ in range(2)]
    finally:
        child.join()
    assert child.exitcode == 0
    for rows in made:
        assert_close(rows, encoder.encode(inputs))
