"""Search in indexes of faiss and usearch: equal to the exact search, rescoring, ties, short indexes, wrong input."""

from __future__ import annotations

import sys

import numpy as np
import plain
import pytest
import torch

from manysense import ManysenseWarning, UsageError, util
from manysense.errors import MissingExtra

CORPUS, QUERIES = plain.rows(300, dims=24, seed=1), plain.rows(5, dims=24, seed=2)
RANGES = np.stack([CORPUS.min(0), CORPUS.max(0)])
SEARCHES = {"faiss": util.semantic_search_faiss, "usearch": util.semantic_search_usearch}
PRECISIONS = [
    ("faiss", "uint8"),
    ("faiss", "ubinary"),
    ("usearch", "int8"),
    ("usearch", "ubinary"),
    ("usearch", "binary"),
]


@pytest.fixture(params=SEARCHES)
def search(request):
    pytest.importorskip(request.param)
    return SEARCHES[request.param]


def ids(hits):
    return [[hit["corpus_id"] for hit in row] for row in hits]


def stored(precision, corpus=CORPUS):
    return util.quantize_embeddings(corpus, precision, RANGES if "int8" in precision else None)


# ---- float32


def test_full_vectors_give_what_the_exact_search_gives(search):
    corpus, queries = plain.unit(CORPUS).astype(np.float32), plain.unit(QUERIES).astype(np.float32)
    hits, seconds = search(queries, corpus)
    wanted = util.semantic_search(queries, corpus)
    assert ids(hits) == ids(wanted)
    scores = np.array([[hit["score"] for hit in row] for row in hits])
    cosines = np.array([[hit["score"] for hit in row] for row in wanted])
    np.testing.assert_allclose(scores if search is SEARCHES["faiss"] else 1 - scores, cosines, atol=1e-5)
    assert seconds > 0


def test_an_index_is_given_back_and_used_again(search):
    hits, _, index = search(QUERIES, CORPUS, output_index=True)
    again, _ = search(QUERIES, corpus_index=index)
    assert again == hits


def test_a_graph_finds_nearly_the_same(search):
    hits, _ = search(QUERIES, CORPUS, exact=False)
    wanted, _ = search(QUERIES, CORPUS)
    assert sum(len(set(a) & set(b)) for a, b in zip(ids(hits), ids(wanted))) >= 45


@pytest.mark.parametrize(
    "form", [torch.tensor, list, lambda v: v.astype(np.float16), lambda v: torch.tensor(v).bfloat16()]
)
def test_vectors_come_in_any_form(search, form):
    rounded = util.quantize_embeddings(form(CORPUS), "float32")
    assert ids(search(form(QUERIES), form(CORPUS))[0]) == ids(search(form(QUERIES), rounded)[0])


# ---- quantised


@pytest.mark.parametrize(("library", "precision"), PRECISIONS)
def test_rescoring_orders_the_found_by_the_float_query(library, precision):
    pytest.importorskip(library)
    hits, _ = SEARCHES[library](QUERIES, stored(precision), None, precision, 6, RANGES, rescore_multiplier=50)
    if "int8" in precision:
        levels = stored(precision).astype(float) + (128 if precision == "int8" else 0)
        kept = levels * (RANGES[1] - RANGES[0]) / 255 + RANGES[0]
    else:
        kept = (CORPUS > 0).astype(float)
    wanted = plain.dot(QUERIES, kept)
    assert ids(hits) == plain.best(wanted, 6)
    scores = [[hit["score"] for hit in row] for row in hits]
    np.testing.assert_allclose(scores, -np.sort(-wanted, axis=1)[:, :6], rtol=1e-5)


@pytest.mark.parametrize(("library", "precision"), [one for one in PRECISIONS if "binary" in one[1]])
def test_without_rescoring_bits_are_compared_by_the_number_that_differ(library, precision):
    pytest.importorskip(library)
    hits, _ = SEARCHES[library](QUERIES, stored(precision), None, precision, 4, rescore=False)
    differing = ((QUERIES > 0)[:, None] != (CORPUS > 0)[None]).sum(-1)
    for row, distances in zip(hits, differing):
        assert [hit["score"] for hit in row] == sorted(distances)[:4]
        assert [distances[hit["corpus_id"]] for hit in row] == [hit["score"] for hit in row]
        assert [hit["corpus_id"] for hit in row] == plain.best(-distances[None], 4)[0]


@pytest.mark.parametrize(("library", "precision"), PRECISIONS)
def test_an_index_of_quantised_vectors_gives_what_its_vectors_give(library, precision):
    pytest.importorskip(library)
    search = SEARCHES[library]
    hits, _, index = search(QUERIES, stored(precision), None, precision, 6, RANGES, output_index=True)
    again, _ = search(QUERIES, None, index, precision, 6, RANGES)
    assert ids(again) == ids(hits)


@pytest.mark.parametrize(("library", "precision"), PRECISIONS)
def test_quantised_queries_are_searched_as_they_are(library, precision):
    pytest.importorskip(library)
    search = SEARCHES[library]
    hits, _ = search(stored(precision, QUERIES), stored(precision), None, precision)
    assert hits == search(QUERIES, stored(precision), None, precision, ranges=RANGES, rescore=False)[0]


def test_ranges_of_the_queries_are_said_to_be_a_guess(search):
    precision = "uint8" if search is SEARCHES["faiss"] else "int8"
    with pytest.warns(ManysenseWarning, match=f"the {precision} ranges are taken from the queries"):
        search(QUERIES, stored(precision), None, precision)
    with pytest.raises(UsageError, match="which one vector cannot show"):
        search(QUERIES[0], stored(precision), None, precision)


def test_dimensions_that_fill_no_whole_byte_are_rescored_too(search):
    corpus, queries = CORPUS[:, :21], QUERIES[:, :21]
    bits = util.quantize_embeddings(corpus, "ubinary")
    hits, _ = search(queries, bits, None, "ubinary", 6, rescore_multiplier=50)
    assert ids(hits) == plain.best(plain.dot(queries, corpus > 0), 6)


def test_of_equals_at_the_edge_the_first_are_found(search):
    corpus = np.repeat(plain.unit(plain.rows(3, dims=24)).astype(np.float32), 40, axis=0)
    wanted = plain.best(np.round(plain.dot(corpus[:1], corpus), 5), 50)
    assert ids(search(corpus[:1], corpus, top_k=50)[0]) == wanted
    bits = util.quantize_embeddings(corpus, "ubinary")
    alike = ((corpus > 0) == (corpus[0] > 0)).sum(1)
    assert ids(search(corpus[:1], bits, None, "ubinary", 50, rescore=False)[0]) == plain.best(alike[None], 50)


# ---- little


@pytest.mark.parametrize("precision", ["float32", "ubinary"])
def test_a_short_index_gives_what_it_has_and_an_empty_one_nothing(search, precision):
    hits, _ = search(QUERIES, stored(precision)[:3], None, precision)
    assert [sorted(row) for row in ids(hits)] == [[0, 1, 2]] * 5
    assert search(QUERIES, stored(precision)[:0], None, precision)[0] == [[]] * 5
    assert search(QUERIES[:0], stored(precision), None, precision)[0] == []


def test_one_vector_is_one_query(search):
    assert search(QUERIES[2], CORPUS)[0] == search(QUERIES[2:3], CORPUS)[0]


# ---- wrong


def test_a_corpus_or_an_index_is_given_and_not_both(search):
    for both in ({}, {"corpus_embeddings": CORPUS, "corpus_index": object()}):
        with pytest.raises(UsageError, match="either corpus_embeddings or corpus_index"):
            search(QUERIES, **both)


def test_a_precision_of_another_library_is_refused(search):
    with pytest.raises(UsageError, match="corpus_precision='int4' is not known"):
        search(QUERIES, CORPUS, corpus_precision="int4")


def test_a_corpus_of_another_precision_is_refused(search):
    with pytest.raises(
        UsageError, match=r"needs vectors as quantize_embeddings\(…, 'ubinary'\) gives them, got float32"
    ):
        search(QUERIES, CORPUS, corpus_precision="ubinary")


def test_an_index_of_another_precision_is_refused(search):
    *_, index = search(QUERIES, CORPUS, output_index=True)
    with pytest.raises(UsageError, match="the index stores numbers, which does not go with corpus_precision='ubinary'"):
        search(QUERIES, corpus_index=index, corpus_precision="ubinary")


def test_queries_of_another_width_are_refused(search):
    with pytest.raises(UsageError, match="queries of 7 numbers do not go with an index of 24 dimensions"):
        search(QUERIES[:, :7], CORPUS)


@pytest.mark.parametrize("what", ["query", "corpus"])
def test_a_nan_is_refused_by_its_row(search, what):
    broken = {"query": QUERIES.copy(), "corpus": CORPUS.copy()}
    broken[what][3, 2] = np.nan
    with pytest.raises(UsageError, match=r"vector 3 has a NaN, which .* cannot hold"):
        search(broken["query"], broken["corpus"])


def test_counts_below_one_are_refused(search):
    for name in ("top_k", "rescore_multiplier"):
        with pytest.raises(UsageError, match=f"{name} must be a positive whole number"):
            search(QUERIES, CORPUS, **{name: 0})


def test_an_index_that_cannot_give_its_vectors_back_is_refused_with_the_way_out():
    faiss = pytest.importorskip("faiss")
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(24), 24, 4, faiss.METRIC_INNER_PRODUCT)
    index.train(CORPUS)
    index.add(stored("uint8"))
    with pytest.raises(UsageError, match=r"cannot give its vectors back.*pass rescore=False"):
        util.semantic_search_faiss(QUERIES, None, index, "uint8", ranges=RANGES)
    assert util.semantic_search_faiss(QUERIES, None, index, "uint8", ranges=RANGES, rescore=False)[0]


@pytest.mark.parametrize("library", SEARCHES)
def test_a_missing_library_is_named_with_its_extra(library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtra, match=rf'to search with {library}, .*pip install "manysense\[{library}\]"'):
        SEARCHES[library](QUERIES, CORPUS)
