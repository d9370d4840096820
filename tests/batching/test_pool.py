"""Encoding in worker processes gives what one process gives: rows, errors, warnings, in order.

One pool serves the whole file; what ends a pool is in test_pool_ends.py.
"""

from __future__ import annotations

import copy
import io
import itertools
import pickle
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pool_work
import pytest
import torch

from manysense import Image, ItemError, Kept, ManysenseWarning, SentenceTransformer, UsageError, collect
from manysense.batching.pool import Pool
from properties.pools import FAMILIES, twin_name
from properties.pools import pool as inputs_of
from reference.closeness import assert_close
from twins.samples import TEXTS, pictures

pytestmark = pytest.mark.slow

MANY = [f"the dog number {number} of the old house" for number in range(100)]
WORKERS, THREADS = 2, 4


@pytest.fixture(scope="module")
def encoder(twin):
    return SentenceTransformer(str(twin("towers")), device="cpu", prompts={"query": "find the : ", "passage": "old "})


@pytest.fixture(scope="module")
def pool(encoder):
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        made = encoder.start_multi_process_pool(["cpu"] * WORKERS)
    finally:
        torch.set_num_threads(before)
    with made:
        yield made
    assert all(not process.is_alive() for process in made.processes)


def broken(values):
    return [*values[:7], Image(b"no picture at all"), *values[7:]]


# ---- rows


@pytest.mark.parametrize("chunk_size", [None, 1, 5])
def test_rows_are_those_of_one_process_in_order(encoder, pool, chunk_size):
    """Texts, PIL pictures, sounds as arrays, frames, paths."""
    values = inputs_of("towers")
    made = encoder.encode(values, pool=pool, chunk_size=chunk_size)
    assert made.dtype == np.float32
    assert_close(made, encoder.encode(values))


def test_every_form_of_a_picture_goes_through(encoder, pool, samples):
    path = samples / "red_circle.png"
    tensor = torch.from_numpy(np.array(pictures()[0])).permute(2, 0, 1)
    forms = [
        path,
        Image(path.read_bytes()),
        io.BytesIO(path.read_bytes()),
        {"image": str(path)},
        tensor,
        tensor.numpy(),
    ]
    assert_close(encoder.encode(forms, pool=pool, chunk_size=2), encoder.encode(forms))


@pytest.mark.parametrize(
    "options",
    [
        {"normalize_embeddings": True, "truncate_dim": 5},
        {"prompt_name": "query"},
        {"prompt": "in front of the "},
        {"precision": "binary"},
        {"precision": "uint8", "ranges": np.stack([np.full(24, -1.0), np.full(24, 1.0)])},
        {"convert_to_tensor": True},
        {"convert_to_numpy": False},
        {"convert_to_numpy": False, "precision": "ubinary"},
        {"batch_size": 3},
    ],
    ids=repr,
)
def test_options_mean_what_they_mean_in_one_process(encoder, pool, options):
    made, wanted = encoder.encode(MANY, pool=pool, **options), encoder.encode(MANY, **options)
    assert type(made) is type(wanted)
    if isinstance(made, list):
        assert {row.dtype for row in made} == {row.dtype for row in wanted}
    else:
        assert made.dtype == wanted.dtype
    np.testing.assert_allclose(np.asarray(made, float), np.asarray(wanted, float), atol=1e-5)


def test_own_ranges_are_those_of_the_whole_call(encoder, pool):
    with pytest.warns(ManysenseWarning, match="this call's own 100 vectors"):
        made = encoder.encode(MANY, pool=pool, chunk_size=7, precision="int8")
    with pytest.warns(ManysenseWarning, match="this call's own 100 vectors"):
        wanted = encoder.encode(MANY, precision="int8")
    assert made.dtype == np.int8
    assert np.count_nonzero(made != wanted) < 0.01 * wanted.size  # a level may lie on the edge between two
    assert np.abs(made.astype(int) - wanted).max() <= 1


def test_queries_and_documents_get_their_prompts(encoder, pool):
    assert_close(encoder.encode_query(MANY, pool=pool), encoder.encode_query(MANY))
    assert_close(encoder.encode_document(MANY, pool=pool), encoder.encode_document(MANY))


def test_the_old_name_does_the_same(encoder, pool):
    made = encoder.encode_multi_process(MANY, pool, "query", chunk_size=9, truncate_dim=6)
    assert_close(made, encoder.encode(MANY, "query", truncate_dim=6))


def test_rows_go_into_the_callers_array(encoder, pool):
    out = np.full((len(MANY), 24), np.nan, np.float32)
    assert encoder.encode(MANY, pool=pool, out=out) is out
    assert_close(out, encoder.encode(MANY))


def test_a_generator_a_single_input_and_an_empty_list(encoder, pool):
    assert_close(encoder.encode(iter(MANY * 3), pool=pool, chunk_size=11), encoder.encode(MANY * 3))
    assert encoder.encode(TEXTS[0], pool=pool).shape == (24,)
    assert encoder.encode([], pool=pool).shape == (0,)
    assert encoder.encode([], pool=pool, convert_to_tensor=True).shape == (0,)


def test_a_generator_is_read_no_further_than_workers_have_room(encoder, pool):
    read = []

    def forever():
        while True:
            read.append(1)
            yield "the dog" if len(read) != 10 else lambda: None

    with pytest.raises(ItemError, match="item 9: a function that cannot be sent to another process"):
        encoder.encode(forever(), pool=pool, chunk_size=5)
    assert len(read) < 5000


def test_half_precision_keeps_its_type(encoder, pool):
    weights = copy.deepcopy(encoder.state_dict())
    encoder.to(torch.bfloat16)
    try:
        made = encoder.encode(MANY, pool=pool, convert_to_tensor=True)
        assert made.dtype == torch.bfloat16
        assert torch.equal(made, encoder.encode(MANY, convert_to_tensor=True))
        assert encoder.encode(MANY, pool=pool).dtype == np.float32
    finally:
        encoder.to(torch.float32).load_state_dict(weights)


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "towers"])
def test_every_family_gives_the_same_in_processes(family, model):
    encoder, values = model(twin_name(family), **FAMILIES[family]), inputs_of(family)
    with encoder.start_multi_process_pool(["cpu"]) as own:
        made = encoder.encode(values, pool=own, chunk_size=4, on_truncate="ignore")
        assert_close(made, encoder.encode(values, on_truncate="ignore"))
        if family == "bert":
            tokens = encoder.encode(TEXTS, pool=own, chunk_size=2, output_value="token_embeddings")
            for one, other in zip(tokens, encoder.encode(TEXTS, output_value="token_embeddings"), strict=True):
                assert_close(one, other)
            features = encoder.encode(TEXTS, pool=own, chunk_size=2, output_value=None)
            assert_close([one["sentence_embedding"] for one in features], encoder.encode(TEXTS))


# ---- errors and warnings


def test_an_error_names_the_place_among_all_inputs_and_keeps_what_was_finished(encoder, pool):
    values = broken(MANY)
    with pytest.raises(ItemError, match=r"item 7 of 101: cannot open image") as caught:
        encoder.encode(values, pool=pool, chunk_size=3)
    with pytest.raises(ItemError) as alone:
        encoder.encode(values)
    assert (type(caught.value), str(caught.value)) == (type(alone.value), str(alone.value))
    rows, indices = caught.value.partial
    assert 7 not in indices
    assert_close(rows, encoder.encode([values[i] for i in indices]))
    assert_close(encoder.encode(MANY, pool=pool), encoder.encode(MANY))  # nothing of the failed call is left


def test_broken_inputs_are_skipped_or_filled(encoder, pool):
    values = [*broken(MANY), Image(b"another one")]
    made = encoder.encode(values, pool=pool, chunk_size=4, on_error="skip")
    assert isinstance(made, Kept)
    assert [(error.index, error.total) for error in made.errors] == [(7, 102), (101, 102)]
    assert_close(made.embeddings, encoder.encode(MANY))
    assert list(made.indices) == [i for i in range(101) if i != 7]
    filled = encoder.encode(values, pool=pool, on_error="nan")
    assert np.flatnonzero(np.isnan(filled).all(1)).tolist() == [7, 101]


def test_a_single_broken_input_has_no_place(encoder, pool):
    with pytest.raises(ItemError) as caught:
        encoder.encode(Image(b"no picture"), pool=pool)
    assert caught.value.index is None


def test_an_open_file_is_named_with_what_to_do(encoder, pool, samples):
    with open(samples / "red_circle.png", "rb") as file:
        values = [*MANY[:20], file, *MANY[20:]]
        with pytest.raises(ItemError, match=r"(?s)item 20 of 101: a BufferedReader that cannot be sent.*Pass a path"):
            encoder.encode(values, pool=pool)
        made = encoder.encode(values, pool=pool, on_error="skip")
    assert [error.index for error in made.errors] == [20]


class _Lost(str):
    """Can be sent, and not be read."""

    def __reduce__(self):
        return int, ("no number",)


def test_an_input_that_a_worker_cannot_read_is_named(encoder, pool):
    values = [*MANY[:3], _Lost("the dog"), *MANY[3:]]
    with pytest.raises(ItemError, match="item 3 of 101: a value that a worker process cannot read"):
        encoder.encode(values, pool=pool)
    made = encoder.encode(values, pool=pool, on_error="skip")
    assert [error.index for error in made.errors] == [3]
    assert_close(made.embeddings, encoder.encode(MANY))


def test_cut_texts_are_reported_once_for_the_whole_call(encoder, pool):
    values = [*["the dog"] * 50, *MANY[:3]]
    encoder.max_seq_length = 4
    try:
        with pytest.warns(ManysenseWarning) as said:
            made = encoder.encode(values, pool=pool, chunk_size=10)
        with pytest.raises(ItemError, match="item 50 of 53: the input has"):
            encoder.encode(values, pool=pool, on_truncate="error")
        assert_close(made, encoder.encode(values, on_truncate="ignore"))
    finally:
        encoder.max_seq_length = None
    assert len(said) == 1
    assert str(said[0].message).startswith("3 of 53 inputs are longer than this model reads and were cut: 4 tokens")
    assert said[0].filename == __file__


def test_the_bar_counts_inputs(encoder, pool, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    encoder.encode(broken(MANY), pool=pool, on_error="skip", show_progress_bar=True)
    assert "101/101" in screen.getvalue()


def test_a_big_model_on_a_cpu_says_once_how_long_the_whole_call_will_take(encoder, pool, monkeypatch):
    clock = itertools.count(step=60)
    monkeypatch.setattr(collect, "BIG", 1)
    monkeypatch.setattr(collect, "time", type("Clock", (), {"monotonic": staticmethod(lambda: next(clock))}))
    with pytest.warns(ManysenseWarning, match="left for the other 90 inputs") as said:
        encoder.encode(MANY, pool=pool, chunk_size=10)
    assert len(said) == 1


# ---- the pool


def test_a_model_that_changed_is_sent_again(encoder, pool):
    before, weights = encoder.encode(MANY, pool=pool), copy.deepcopy(encoder.state_dict())
    try:
        with torch.no_grad():
            for parameter in encoder.parameters():
                parameter.add_(torch.linspace(-1, 1, parameter.shape[-1]))
        made = encoder.encode(MANY, pool=pool)
        assert not np.allclose(made, before, atol=1e-2)
        assert_close(made, encoder.encode(MANY))
    finally:
        encoder.load_state_dict(weights)
    assert_close(encoder.encode(MANY, pool=pool), before)


def test_a_prompt_is_that_of_the_call(encoder, pool):
    before, encoder.prompts["query"] = encoder.prompts["query"], "the old house : "
    try:
        assert_close(encoder.encode_query(MANY, pool=pool), encoder.encode_query(MANY))
    finally:
        encoder.prompts["query"] = before


def test_the_models_file_is_gone_when_workers_have_it(encoder, pool, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before, encoder.max_seq_length = tmp_path.stat().st_mtime_ns, 7
    try:
        encoder.encode("the dog", pool=pool)
        assert tmp_path.stat().st_mtime_ns > before  # it was there
        assert list(tmp_path.iterdir()) == []
    finally:
        encoder.max_seq_length = None


def test_the_callers_model_stays_as_it_is(encoder, pool):
    encoder.train()
    try:
        places = [parameter.data_ptr() for parameter in encoder.parameters()]
        encoder.encode(MANY, pool=pool)
        assert [parameter.data_ptr() for parameter in encoder.parameters()] == places
        assert not any(parameter.is_shared() for parameter in encoder.parameters())
        assert all(module.training for module in encoder.modules())
    finally:
        encoder.eval()


def test_relative_paths_are_the_callers(encoder, pool, samples, monkeypatch, tmp_path):
    (tmp_path / "picture.png").write_bytes((samples / "red_circle.png").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert_close(encoder.encode(["picture.png"], pool=pool), encoder.encode(["picture.png"]))


def test_calls_from_two_threads_wait_for_each_other(encoder, pool):
    wanted = encoder.encode(MANY)
    with ThreadPoolExecutor(4) as crowd:
        made = list(crowd.map(lambda size: encoder.encode(MANY, pool=pool, chunk_size=size), (3, 20, 50, 100)))
    for rows in made:
        assert_close(rows, wanted)


def test_what_a_call_leaves_undone_is_dropped(pool):
    with pool.results(pool_work.sleep, [0.0, 1.0, 0.0, 100.0]) as found:  # the last one waits for the second
        next(found)
    left = time.monotonic()
    with pool.results(pool_work.sleep, [0.2] * 20) as found:
        assert set(found) == {process.pid for process in pool.processes}
    assert time.monotonic() - left < 50


def test_inputs_that_need_the_same_pool_are_refused_and_not_waited_for(encoder, pool):
    with pytest.raises(UsageError, match="in the middle of a call"):
        encoder.encode((str(encoder.encode(text, pool=pool)) for text in TEXTS), pool=pool)
    assert encoder.encode(TEXTS[0], pool=pool).shape == (24,)


def test_workers_share_out_the_threads(pool):
    with pool.results(pool_work.threads, [1, 2]) as found:
        assert list(found) == [(THREADS // WORKERS, False)] * 2


@pytest.mark.parametrize(("kind", "raised"), [(KeyError, KeyError), (pool_work.Local, RuntimeError)])
def test_what_the_work_raises_comes_with_its_traceback(pool, kind, raised):
    with pytest.raises(raised, match="what went wrong") as caught, pool.results(pool_work.fail, [1], kind) as found:
        list(found)
    (note,) = caught.value.__notes__
    assert note.startswith("In worker")
    assert "in fail" in note


def test_what_the_known_library_asks_of_its_pools(encoder, pool):
    assert isinstance(pool, Pool)
    assert [process.is_alive() for process in pool["processes"]] == [True, True]
    for queue in ("input", "output"):
        with pytest.raises(UsageError, match=r"encode\(…, pool=pool\)"):
            pool[queue]
    with pytest.raises(UsageError, match="got dict"):
        encoder.encode(MANY, pool={"input": None, "output": None, "processes": []})
    with pytest.raises(UsageError, match="got dict"):
        SentenceTransformer.stop_multi_process_pool({"processes": []})


def test_a_pool_is_one_models_and_one_processs(pool, model):
    with pytest.raises(UsageError, match="started by another model"):
        model("static").encode(MANY, pool=pool)
    with pytest.raises(UsageError, match="start another there"):
        pickle.dumps(pool)


def test_arguments_that_cannot_be_sent_are_refused(encoder, pool):
    with pytest.raises(UsageError, match="cannot be sent to another process"):
        encoder.encode(MANY, pool=pool, processing_kwargs={"text": {"max_length": 5, "on": threading.Lock()}})


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True])
def test_a_chunk_size_is_a_positive_number(encoder, pool, wrong):
    with pytest.raises(UsageError, match="chunk_size must be a positive whole number"):
        encoder.encode(MANY, pool=pool, chunk_size=wrong)


@pytest.mark.parametrize(
    ("devices", "message"), [([], "list of devices"), ("cpu", "list of devices"), (["cpu", "cuda:99"], "cuda:99")]
)
def test_wrong_devices_are_refused_before_anything_starts(encoder, devices, message):
    with pytest.raises(UsageError, match=message):
        encoder.start_multi_process_pool(devices)
