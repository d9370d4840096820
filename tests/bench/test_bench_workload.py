"""Requests: generated, from a folder, from judgements."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from PIL import Image

from manysense.bench.arrivals import arrivals
from manysense.bench.folder import from_folder
from manysense.bench.generated import generated
from manysense.bench.judged import from_judgements
from manysense.errors import MediaError, UsageError

pytestmark = pytest.mark.slow


def test_poisson_arrivals_have_the_rate_and_exponential_gaps():
    moments = arrivals("poisson", 5.0, 20_000, Random(0))
    gaps = [b - a for a, b in pairwise(moments)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert mean == pytest.approx(0.2, rel=0.03)
    assert variance**0.5 == pytest.approx(mean, rel=0.05)  # exponential: deviation = mean


def test_constant_arrivals_have_equal_gaps():
    assert arrivals("constant", 4.0, 3, Random(0)) == pytest.approx((0.25, 0.5, 0.75))
    with pytest.raises(UsageError, match="poisson"):
        arrivals("bursts", 4.0, 3, Random(0))


def test_generated_requests_have_the_sizes_that_were_asked_for(tmp_path):
    workload = generated([2, 5], [0, 3000, 12_000], tmp_path, words=20, pool=6)
    drawn = workload.draw(60, Random(0))
    sizes = Counter((request.kind, len(request.documents), request.pixels) for request in drawn)
    expected = [("text", n, 0) for n in (2, 5)] + [("multimodal", n, p) for n in (2, 5) for p in (3000, 12_000)]
    assert sizes == Counter(dict.fromkeys(expected, 10))
    for request in drawn:
        assert len(set(request.documents)) == len(request.documents)
        for document in request.documents:
            if request.kind == "text":
                assert 10 <= len(document.split()) <= 30
            else:
                with Image.open(document) as picture:
                    assert picture.width * picture.height == pytest.approx(request.pixels, rel=0.03)
                    assert len(picture.getcolors(2**20)) > 10


def test_equal_seeds_draw_equal_requests(tmp_path):
    one, other = (generated([3], [0], tmp_path, seed=seed) for seed in (1, 1))
    assert one.draw(20, Random(5)) == other.draw(20, Random(5))
    assert one.draw(20, Random(5)) != one.draw(20, Random(6))


@pytest.mark.parametrize("wrong", [{"candidates": [0]}, {"pixels": [5]}, {"words": 0}, {"pool": 0}])
def test_sizes_that_make_no_request_are_refused(wrong, tmp_path):
    with pytest.raises(UsageError):
        generated(**{"candidates": [2], "pixels": [0], "folder": tmp_path, **wrong})


# ---- a folder


def test_a_folder_gives_its_texts_and_its_media_apart(tmp_path, samples):
    for i in range(3):
        (tmp_path / f"note {i}.txt").write_text(f"text {i}")
    for name in ("red_circle.png", "blue_square.png", "chime.wav"):
        (tmp_path / name).write_bytes((samples / name).read_bytes())
    (tmp_path / "code.py").write_text("no document")
    drawn = from_folder(tmp_path, [2]).draw(40, Random(0))
    assert Counter(request.kind for request in drawn) == {"text": 20, "multimodal": 20}
    texts = {document for request in drawn if request.kind == "text" for document in request.documents}
    assert texts == {"text 0", "text 1", "text 2"}
    with Image.open(samples / "red_circle.png") as picture:
        size = picture.width * picture.height
    sounds_with_a_picture = [r for r in drawn if sorted(d[-4:] for d in r.documents) == [".png", ".wav"]]
    assert {request.pixels for request in sounds_with_a_picture} <= {size}  # both pictures have that size
    assert "red circle" in {request.query for request in drawn}


def test_a_kind_of_which_there_are_too_few_is_left_out_and_said(samples, tmp_path):
    workload = from_folder(samples, [10])
    assert [shape.label for shape in workload.shapes] == ["10 files"]
    assert workload.facts["left out"] == "texts (too few)"
    with pytest.raises(UsageError, match="too few of either"):
        from_folder(tmp_path, [1])


def test_a_broken_picture_is_said_before_the_clock_runs(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(MediaError, match=r"a\.png"):
        from_folder(tmp_path, [1])


# ---- judgements


@pytest.fixture
def judged(tmp_path):
    def write(*lines):
        file = tmp_path / "judged.jsonl"
        file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
        return file

    return write


def test_judgements_give_the_first_candidates_of_each_query(judged, samples):
    row = {"query": "q", "documents": ["a", str(samples / "red_circle.png"), "c"], "relevance": [0, 1, 2]}
    workload = from_judgements(judged(row), [1, 3])
    assert workload.judgements == ((0.0, 1.0, 2.0),)
    drawn = workload.draw(10, Random(0))
    assert Counter((len(request.documents), request.kind) for request in drawn) == {
        (1, "text"): 5,
        (3, "multimodal"): 5,
    }
    assert all(request.judged == 0 and request.query == "q" for request in drawn)


def test_paths_of_judgements_lie_beside_them(judged, samples):
    file = judged({"query": {"image": "a.png"}, "documents": [{"text": "a.png", "image": "a.png"}], "relevance": [1]})
    (file.parent / "a.png").write_bytes((samples / "red_circle.png").read_bytes())
    (request,) = from_judgements(file).draw(1, Random(0))
    place = str(file.parent / "a.png")
    assert request.query == {"image": place}
    assert request.documents == ({"text": "a.png", "image": place},)
    assert request.pixels > 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "no {"),
        ('{"query": "q", "documents": ["a"]}', "relevance"),
        ('{"query": "q", "documents": [], "relevance": []}', "one entry or more"),
        ('{"query": "q", "documents": ["a", "b"], "relevance": [1]}', "2 documents, and relevance for 1"),
        ('{"query": "q", "documents": ["a"], "relevance": [-1]}', "at least 0, got -1"),
        ('{"query": "q", "documents": ["a"], "relevance": [NaN]}', "at least 0, got nan"),
        ('{"query": "q", "documents": ["a"], "relevance": [true]}', "at least 0, got True"),
        ('{"query": "q", "documents": [5], "relevance": [1]}', "string or a dict"),
    ],
)
def test_a_line_that_is_no_judgement_is_named(judged, line, said):
    with pytest.raises(UsageError) as caught:
        from_judgements(judged({"query": "q", "documents": ["a"], "relevance": [1]}, "", line))
    assert "judged.jsonl:3" in str(caught.value)
    assert said in str(caught.value)


def test_a_file_without_judgements_is_refused(judged, tmp_path):
    with pytest.raises(UsageError, match="has no line"):
        from_judgements(judged(""))
    with pytest.raises(UsageError, match="cannot be read"):
        from_judgements(tmp_path / "nowhere.jsonl")
