"""Out of memory: the batch is halved and tried again. The errors are what torch, MPS, CUDA, numpy and Python raise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from manysense.batching.failures import out_of_memory
from manysense.errors import ForwardError

TEXTS = [f"text number {i} of a few" for i in range(24)]
HUGE = 2**50


def cuda():
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79 GiB")


def cublas():
    raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")


def mps():
    raise RuntimeError("MPS backend out of memory (MPS allocated: 17.9 GB, max allowed: 18.1 GB).")


REAL = {
    "torch on a CPU": lambda: torch.empty(HUGE),
    "numpy": lambda: np.empty(HUGE),
    "Python": lambda: bytearray(2**62),
    "CUDA": cuda,
    "cuBLAS": cublas,
    "MPS": mps,
}


def over(limit, run_out):
    """Runs out of memory for batches of more than `limit` rows."""

    def watch(features):
        if len(features["sentence_embedding"]) > limit:
            run_out()

    return watch


@pytest.mark.parametrize("kind", REAL)
def test_the_error_is_known_for_what_it_is(kind):
    with pytest.raises((RuntimeError, MemoryError)) as error:
        REAL[kind]()
    assert out_of_memory(error.value)


@pytest.mark.parametrize("error", [RuntimeError("shapes (3, 4) and (5, 6) do not match"), ValueError("x"), KeyError()])
def test_another_error_is_not_taken_for_it(error):
    assert not out_of_memory(error)


@pytest.mark.parametrize("kind", REAL)
def test_a_batch_that_does_not_fit_is_halved_until_it_does(kind, behind, model):
    expected = model("bert").encode(TEXTS)
    vectors = behind(over(3, REAL[kind])).encode(TEXTS)
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


@pytest.mark.parametrize("kind", REAL)
def test_one_item_that_never_fits_is_an_error_with_its_index_and_advice(kind, behind):
    def watch(features):
        if features["attention_mask"].sum(1).max() > 20:
            REAL[kind]()

    texts = [*TEXTS, "word " * 30]
    with pytest.raises(ForwardError, match="more memory than is free") as error:
        behind(watch).encode(texts)
    assert (error.value.index, error.value.total) == (24, 25)
    assert "max_seq_length" in error.value.hint


def test_one_item_that_never_fits_takes_no_other_with_it(behind, model):
    def watch(features):
        if features["attention_mask"].sum(1).max() > 20:
            torch.empty(HUGE)

    texts = [TEXTS[0], "word " * 30, *TEXTS[1:]]
    found = behind(watch).encode(texts, on_error="skip")
    assert found.indices.tolist() == [0, *range(2, 25)]
    np.testing.assert_allclose(found.embeddings, model("bert").encode(TEXTS), atol=1e-6)


def test_a_picture_whose_preparation_runs_out_of_memory_takes_no_other_with_it(model, monkeypatch, samples):
    from manysense.media import image

    original = image.open_picture

    def short(value, *args, **kwargs):
        if "cmyk" in value.source:
            raise MemoryError
        return original(value, *args, **kwargs)

    monkeypatch.setattr(image, "open_picture", short)
    names = ["red_circle.png", "cmyk.jpg", "blue_square.png"]
    found = model("clip").encode([str(samples / name) for name in names], on_error="skip")
    assert found.indices.tolist() == [0, 2]
