"""The functions of util give what the known library gives, wherever it is installed.

The known library runs in one process of its own: importing it would load it for every other test.
"""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import plain
import pytest
import torch

from manysense import util

pytestmark = pytest.mark.slow

QUERIES, CORPUS = plain.rows(6, dims=20, seed=1), plain.rows(150, dims=20, seed=2)
UNIT = plain.unit(CORPUS).astype(np.float32)
RANGES = np.stack([CORPUS.min(0), CORPUS.max(0)])
CLOUDS = np.repeat(plain.rows(6, dims=12), [30, 20, 9, 5, 2, 1], axis=0) + 0.25 * plain.rows(67, dims=12, seed=5)
BITS = {"binary": np.int8, "ubinary": np.uint8}


def call(name: str, *args: Any, **kwargs: Any) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    return name, args, kwargs


def searches() -> dict[str, Any]:
    half = [torch.tensor(rows).half() for rows in (QUERIES, CORPUS)]
    return {
        "search": call("semantic_search", torch.tensor(QUERIES), torch.tensor(CORPUS)),
        "search in pieces": call("semantic_search", torch.tensor(QUERIES), torch.tensor(CORPUS), 2, 31, 7),
        "search arrays": call("semantic_search", QUERIES, CORPUS),
        "search halves": call("semantic_search", *half),
        "search one": call("semantic_search", torch.tensor(QUERIES[0]), torch.tensor(CORPUS)),
        "search few": call("semantic_search", QUERIES, CORPUS[:3]),
        "search none": call("semantic_search", QUERIES, CORPUS[:0]),
        **{
            f"search by {name}": call(
                "semantic_search", torch.tensor(QUERIES), torch.tensor(CORPUS), score_function=name
            )
            for name in ("dot_score", "euclidean_sim", "manhattan_sim")
        },
        "pairs": call("paraphrase_mining_embeddings", torch.tensor(CORPUS)),
        "pairs of few": call("paraphrase_mining_embeddings", torch.tensor(CORPUS), 17, 23, 40, 3),
        "pairs by dot": call("paraphrase_mining_embeddings", torch.tensor(CORPUS), score_function="dot_score", top_k=5),
        **{
            f"groups {threshold} {least}": call("community_detection", CLOUDS, threshold, least, 16)
            for threshold in (0.5, 0.8, 0.95)
            for least in (1, 3, 10)
        },
    }


def numbers() -> dict[str, Any]:
    made = {
        f"{precision} of {form}": call("quantize_embeddings", vectors, precision)
        for precision in ("float32", "int8", "uint8", "binary", "ubinary")
        for form, vectors in {
            "arrays": CORPUS,
            "tensors": torch.tensor(CORPUS),
            "halves": CORPUS.astype(np.float16),
            "doubles": CORPUS / np.float64(3),
            "numbers": (CORPUS / np.float64(3)).tolist(),
            "a list": list(CORPUS),
            "matrices": [CORPUS[:50], CORPUS[50:]],
            "nothing": CORPUS[:0],
        }.items()
    }
    return made | {
        "by ranges": call("quantize_embeddings", CORPUS[0], "int8", RANGES),
        "by calibration": call("quantize_embeddings", QUERIES, "uint8", calibration_embeddings=CORPUS),
        "shorter": call("truncate_embeddings", CORPUS, 7),
        "of length one": call("normalize_embeddings", torch.tensor(CORPUS)),
        "half of length one": call("normalize_embeddings", torch.tensor(CORPUS).half()),
        "sparser": call("select_max_active_dims", torch.tensor(CORPUS), 4),
        **{
            name: call(name, QUERIES, CORPUS[:6])
            for name in ("pairwise_cos_sim", "pairwise_dot_score", "pairwise_euclidean_sim", "pairwise_angle_sim")
        },
    }


def indexes() -> dict[str, Any]:
    """Without the last equal to one that has no place, where the libraries' own choice would be compared."""
    made = {}
    for library, precisions in (("faiss", ("uint8", "ubinary")), ("usearch", ("int8", "binary", "ubinary"))):
        if importlib.util.find_spec(library) is None:
            continue
        name = f"quantization.semantic_search_{library}"
        made[f"{library} float32"] = call(name, QUERIES, UNIT, rescore=False)
        for precision in precisions:
            stored = util.quantize_embeddings(CORPUS, precision, None if precision in BITS else RANGES)
            options = {"corpus_precision": precision, "ranges": RANGES, "top_k": 5, "rescore_multiplier": 30}
            made[f"{library} {precision}"] = call(name, QUERIES, stored, **options)
    return made


CASES = searches() | numbers() | indexes()

RUN = """
import pickle, sys
import sentence_transformers.util as util
import sentence_transformers.util.quantization
def one(name, args, kwargs):
    if "score_function" in kwargs:
        kwargs["score_function"] = getattr(util, kwargs["score_function"])
    function = util
    for part in name.split("."):
        function = getattr(function, part)
    return function(*args, **kwargs)
cases = pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(pickle.dumps({name: one(*case) for name, case in cases.items()}))
"""


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    if importlib.util.find_spec("sentence_transformers") is None:
        pytest.skip("sentence-transformers is not installed")
    done = subprocess.run([sys.executable, "-c", RUN], input=pickle.dumps(CASES), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return pickle.loads(done.stdout)


def ours(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if "score_function" in kwargs:
        kwargs = {**kwargs, "score_function": getattr(util, kwargs["score_function"])}
    return getattr(util, name.rpartition(".")[2])(*args, **kwargs)


def same(mine: Any, theirs: Any) -> None:
    assert type(mine) is type(theirs)
    if isinstance(mine, dict):
        assert list(mine) == list(theirs)
        same(list(mine.values()), list(theirs.values()))
    elif isinstance(mine, (list, tuple)):
        assert len(mine) == len(theirs)
        for a, b in zip(mine, theirs):
            same(a, b)
    elif isinstance(mine, (np.ndarray, torch.Tensor)):
        assert (mine.dtype, mine.shape) == (theirs.dtype, theirs.shape)
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-3 if "float16" in str(mine.dtype) else 1e-6)
    elif isinstance(mine, float):
        assert mine == pytest.approx(theirs, rel=1e-5, abs=1e-6)
    else:
        assert mine == theirs


@pytest.mark.parametrize("case", CASES)
def test_a_call_gives_what_the_known_library_gives(case, known):
    mine, theirs = ours(*CASES[case]), known[case]
    if case.startswith(("faiss", "usearch")):
        mine, theirs = mine[0], theirs[0]  # beside it stand the seconds
    same(mine, theirs)
