"""MaxSim against two plain loops, in every form that token vectors come in."""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from manysense import util
from manysense.errors import ManysenseWarning, UsageError

DIMS = 5
EMPTY = -1e9


def items(lengths: list[int], seed: int = 0, dims: int = DIMS) -> list[np.ndarray]:
    """One (tokens, dims) float32 matrix for each length."""
    dice = np.random.default_rng(seed)
    return [dice.normal(size=(length, dims)).astype(np.float32) for length in lengths]


def padded(matrices: list[np.ndarray], fill: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """(items, widest, dims) and its mask."""
    widest = max(map(len, matrices))
    array = np.full((len(matrices), widest, matrices[0].shape[1]), fill, np.float32)
    mask = np.zeros(array.shape[:2], bool)
    for i, matrix in enumerate(matrices):
        array[i, : len(matrix)] = matrix
        mask[i, : len(matrix)] = True
    return array, mask


def plain(queries: list[np.ndarray], documents: list[np.ndarray]) -> np.ndarray:
    """What must come out, in two loops and float64."""
    return np.array([[one(query, document) for document in documents] for query in queries])


def one(query: np.ndarray, document: np.ndarray) -> float:
    if not len(document):
        return EMPTY
    return float(sum(max(float(q @ d) for d in document.astype(np.float64)) for q in query.astype(np.float64)))


QUERIES, DOCUMENTS = items([3, 1, 4, 3], seed=1), items([6, 2, 9, 2, 7, 1], seed=2)
EXPECTED = plain(QUERIES, DOCUMENTS)


def close(found: torch.Tensor, expected: Any, tolerance: float = 1e-5) -> None:
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=tolerance, atol=tolerance)


# ---- forms


@pytest.mark.parametrize("form", ["arrays", "tensors", "a tuple", "nested lists", "read-only", "backwards"])
def test_lists_of_matrices_score_as_two_loops_do(form):
    def made(matrices):
        if form == "read-only":
            for matrix in matrices:
                matrix.flags.writeable = False
        made = {
            "tensors": lambda m: torch.tensor(m),
            "nested lists": lambda m: m.tolist(),
            "backwards": lambda m: m[::-1],
        }.get(form, lambda m: m)
        found = [made(matrix.copy() if form != "read-only" else matrix) for matrix in matrices]
        return tuple(found) if form == "a tuple" else found

    copies = [[matrix.copy() for matrix in matrices] for matrices in (QUERIES, DOCUMENTS)]
    close(util.maxsim(made(copies[0]), made(copies[1])), EXPECTED)


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_rows_of_zeros_in_a_padded_array_are_padding(kind):
    close(util.maxsim(kind(padded(QUERIES)[0]), kind(padded(DOCUMENTS)[0])), EXPECTED)


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor, list])
def test_what_a_mask_leaves_out_is_never_compared(kind):
    (a, a_mask), (b, b_mask) = padded(QUERIES, np.nan), padded(DOCUMENTS, np.nan)
    close(util.maxsim(a, b, kind(a_mask), kind(b_mask)), EXPECTED)


def test_a_mask_may_leave_out_tokens_anywhere():
    masks = [np.arange(len(matrix)) % 2 == 0 for matrix in DOCUMENTS]
    kept = [matrix[mask] for matrix, mask in zip(DOCUMENTS, masks)]
    expected = plain(QUERIES, kept)
    close(util.maxsim(QUERIES, DOCUMENTS, b_mask=masks), expected)
    close(util.maxsim(QUERIES, padded(DOCUMENTS)[0], b_mask=padded([m[:, None] for m in masks])[0][..., 0]), expected)


def test_one_mask_may_stand_for_all_items():
    array = np.stack(items([4, 4, 4]))
    expected = plain(QUERIES, list(array[:, :3]))
    for mask in ([1, 1, 1, 0], np.array([[1, 1, 1, 0]]), torch.tensor([True, True, True, False])):
        close(util.maxsim(QUERIES, array, b_mask=mask), expected)


def test_a_mask_gives_no_tokens_beyond_those_of_an_item():
    close(util.maxsim(QUERIES, DOCUMENTS, np.ones((4, 4)), np.ones((6, 9))), EXPECTED)


def test_numbers_in_a_query_mask_weigh_its_tokens():
    weights = np.array([[0.5, 2.0, 0.0]], np.float32)
    query = QUERIES[0]
    expected = [[0.5 * one(query[:1], d) + 2 * one(query[1:2], d) for d in DOCUMENTS]]
    close(util.maxsim(query, DOCUMENTS, weights), expected)
    repeated = np.repeat(query[None], len(DOCUMENTS), 0)
    close(util.maxsim_pairwise(repeated, DOCUMENTS, weights), expected[0])
    close(util.mean_maxsim(query, DOCUMENTS, weights), np.array(expected) / 2)


def test_a_matrix_is_one_item():
    close(util.maxsim(QUERIES[0], torch.tensor(DOCUMENTS[0])), EXPECTED[:1, :1])
    close(
        util.maxsim(QUERIES[0], DOCUMENTS[0], b_mask=np.array([1, 0, 0, 0, 0, 0])),
        plain(QUERIES[:1], [DOCUMENTS[0][:1]]),
    )


# ---- the four functions


def test_pairs_score_as_the_diagonal_does():
    documents = DOCUMENTS[: len(QUERIES)]
    close(util.maxsim_pairwise(QUERIES, documents), EXPECTED.diagonal())
    (a, a_mask), (b, b_mask) = padded(QUERIES, np.nan), padded(documents, np.nan)
    close(util.maxsim_pairwise(a, b, a_mask, b_mask), EXPECTED.diagonal())
    close(util.maxsim_pairwise(padded(QUERIES)[0], padded(documents)[0]), EXPECTED.diagonal())


def test_the_mean_is_over_the_tokens_of_the_query():
    lengths = np.array([len(query) for query in QUERIES])
    close(util.mean_maxsim(QUERIES, DOCUMENTS), EXPECTED / lengths[:, None])
    close(util.mean_maxsim(padded(QUERIES)[0], DOCUMENTS), EXPECTED / lengths[:, None])
    close(util.mean_maxsim_pairwise(QUERIES, DOCUMENTS[:4]), EXPECTED.diagonal() / lengths)
    close(util.maxsim(QUERIES, DOCUMENTS, length_normalize=True), EXPECTED / lengths[:, None])
    close(util.mean_maxsim(QUERIES, DOCUMENTS, length_normalize=False), EXPECTED)


def test_similarity_functions_are_found_by_name():
    named = util.SimilarityFunction
    assert named.possible_values() == ["cosine", "dot", "euclidean", "manhattan", "maxsim", "meanmaxsim"]
    assert named.to_similarity_fn("maxsim") is util.maxsim
    assert named.to_similarity_fn(named.MEAN_MAXSIM) is util.mean_maxsim
    assert named.to_similarity_pairwise_fn("maxsim") is util.maxsim_pairwise
    assert named.to_similarity_pairwise_fn("meanmaxsim") is util.mean_maxsim_pairwise


# ---- chunks and memory


@settings(max_examples=60, deadline=None)
@given(
    query_lengths=st.lists(st.integers(0, 5), min_size=1, max_size=6),
    document_lengths=st.lists(st.integers(1, 9), min_size=1, max_size=8),
    chunk=st.integers(1, 400),
)
def test_the_size_of_a_chunk_never_changes_a_score(query_lengths, document_lengths, chunk):
    def whole(lengths, seed):  # whole numbers, whose products and sums are exact
        return [np.round(3 * matrix) for matrix in items(lengths, seed)]

    a, b = whole(query_lengths, 3), whole(document_lengths, 4)
    found = util.maxsim(a, b, chunk_elements=chunk)
    np.testing.assert_array_equal(found, plain(a, b))
    count = min(len(a), len(b))
    pairs = util.maxsim_pairwise(a[:count], b[:count], chunk_elements=chunk)
    np.testing.assert_array_equal(pairs, plain(a, b).diagonal())


@pytest.mark.parametrize("function", ["maxsim", "maxsim_pairwise"])
def test_no_chunk_holds_more_numbers_than_were_asked_for(function):
    made = []

    class Counted(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, called, types, args=(), kwargs=None):
            found = called(*args, **(kwargs or {}))
            made.extend([found.numel()] if isinstance(found, torch.Tensor) else [])
            return found

    lengths = [int(n) for n in np.random.default_rng(0).integers(1, 30, 60)]
    a, b = items([4] * 60, 5), items(lengths, 6)
    with Counted():
        getattr(util, function)(a, b, chunk_elements=4000)
    assert 1000 < max(made) <= 4000


def test_scores_come_back_in_the_order_of_the_caller_whatever_their_lengths():
    order = [4, 1, 5, 0, 3, 2]
    found = util.maxsim(QUERIES[::-1], [DOCUMENTS[i] for i in order], chunk_elements=60)
    close(found, EXPECTED[::-1][:, order])


# ---- numbers


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_multiplied_and_summed_in_float32(dtype):
    a, b = ([torch.tensor(m).to(dtype) for m in side] for side in (items([64, 64], 7, 64), items([50, 40], 8, 64)))
    exact = plain(*([m.float().numpy() for m in side] for side in (a, b)))
    close(util.maxsim(a, b), exact, 1e-5)
    close(util.maxsim_pairwise(a, b), exact.diagonal(), 1e-5)


def test_integers_and_mixed_number_types_are_scored():
    a = [np.array([[1, 2], [3, -4]], np.int8), np.array([[0.5, 1.0]], np.float64)]
    b = [torch.tensor([[1, 1], [-1, 2]], dtype=torch.float16)]
    close(util.maxsim(a, b), [[3 + -1], [1.5]])


def test_gradients_reach_the_token_that_won():
    query = torch.tensor([[1.0, 0.0]], requires_grad=True)
    documents = [torch.tensor([[2.0, 1.0], [3.0, 5.0]], requires_grad=True), torch.tensor([[1.0, 1.0]])]
    for found in (util.maxsim([query], documents)[0, 0], util.maxsim_pairwise([query, query], documents)[0]):
        a, b = torch.autograd.grad(found, [query, documents[0]])
        assert (a.tolist(), b.tolist()) == ([[3.0, 5.0]], [[0.0, 0.0], [1.0, 0.0]])


# ---- edges


@pytest.mark.parametrize("form", ["lists", "arrays"])
def test_a_document_without_tokens_ranks_below_all_and_is_told(form):
    documents = [DOCUMENTS[0], np.empty((0, DIMS), np.float32), DOCUMENTS[1]]
    given_ = documents if form == "lists" else padded(documents)[0]
    with pytest.warns(ManysenseWarning, match=r"1 of 3 documents have no token .* First of them: 1"):
        found = util.maxsim(QUERIES, given_)
    close(found, plain(QUERIES, documents))
    with pytest.warns(ManysenseWarning, match="no token"):
        close(util.maxsim_pairwise(QUERIES[:3], given_), plain(QUERIES[:3], documents).diagonal())
    with pytest.warns(ManysenseWarning, match="no token"):
        assert util.mean_maxsim(QUERIES[:1], given_)[0, 1] == pytest.approx(EMPTY / 3)


def test_documents_of_which_none_has_a_token_are_scored():
    for nothing in ([np.empty((0, DIMS))] * 2, [[], []], np.zeros((2, 3, DIMS)), np.zeros((2, 0, DIMS))):
        with pytest.warns(ManysenseWarning, match="2 of 2 documents"):
            assert util.maxsim(QUERIES[0], nothing).tolist() == [[EMPTY, EMPTY]]
        with pytest.warns(ManysenseWarning, match="2 of 2 documents"):
            assert util.maxsim_pairwise(QUERIES[:2], nothing).tolist() == [EMPTY, EMPTY]


def test_a_query_without_tokens_scores_zero():
    for queries in ([QUERIES[0], np.empty((0, DIMS))], [[], []]):
        assert util.maxsim(queries, DOCUMENTS)[1].tolist() == [0.0] * 6
        assert util.mean_maxsim_pairwise(queries, DOCUMENTS[:2])[1] == 0


def test_without_queries_or_documents_there_are_no_scores():
    assert util.maxsim([], DOCUMENTS).shape == (0, 6)
    assert util.maxsim(QUERIES, []).shape == (4, 0)
    assert util.maxsim(np.empty((0, 3, DIMS)), DOCUMENTS).shape == (0, 6)
    assert util.maxsim_pairwise([], []).shape == (0,)


def test_a_vector_that_is_no_number_spoils_its_own_item_alone_and_is_told():
    broken = [matrix.copy() for matrix in DOCUMENTS]
    broken[2][3, 1] = np.nan
    with pytest.warns(
        ManysenseWarning, match="4 of 24 MaxSim scores are NaN, the first is that of query 0 with document 2"
    ):
        found = util.maxsim(QUERIES, broken).numpy()
    assert np.isnan(found[:, 2]).all()
    close(torch.tensor(np.delete(found, 2, 1)), np.delete(EXPECTED, 2, 1))
    with pytest.warns(
        ManysenseWarning, match="1 of 4 MaxSim scores are NaN, the first is that of query 2 with document 2"
    ):
        assert np.isnan(util.maxsim_pairwise(QUERIES, broken[:4]).numpy()).tolist() == [False, False, True, False]


def test_an_infinite_number_meets_no_padding():
    documents = [np.array([[np.inf, 1.0]]), np.array([[1.0, 1.0]])]
    queries = [np.array([[1.0, 1.0]]), np.array([[1.0, 1.0], [1.0, 2.0]])]
    assert util.maxsim_pairwise(queries, documents).tolist() == [np.inf, 5.0]
    assert util.maxsim(queries, documents).tolist() == [[np.inf, 2.0], [np.inf, 5.0]]


@pytest.mark.parametrize(
    ("a", "b", "masks", "says"),
    [
        (QUERIES, items([3], dims=4), {}, r"5 dimensions \(a\) and of 4 \(b\)"),
        (QUERIES, [*DOCUMENTS, np.zeros((2, 4))], {}, r"b\[6\] has token vectors of 4 dimensions, those before it 5"),
        ([QUERIES[0][0]], DOCUMENTS, {}, r"a\[0\] must be a matrix \(tokens, dims\), got the shape \(5,\)"),
        (QUERIES[0][0], DOCUMENTS, {}, r"a must be a list of matrices"),
        (np.zeros((1, 2, 3, 4)), DOCUMENTS, {}, r"a must be a list of matrices .* \(1, 2, 3, 4\)"),
        ("a text", DOCUMENTS, {}, r"a must be a matrix of numbers, got str"),
        ([["a"]], DOCUMENTS, {}, r"a\[0\] must be a matrix of numbers, got list"),
        (QUERIES, DOCUMENTS, {"b_mask": np.ones((6, 8))}, r"b_mask has the shape \(6, 8\).*it must be \(6, 9\)"),
        (QUERIES, DOCUMENTS, {"a_mask": [np.ones(3)] * 4}, r"a_mask .* mask 1 has the shape \(3,\) for 1 tokens"),
        (QUERIES, DOCUMENTS, {"a_mask": [np.ones(3)] * 3}, r"a_mask .* 3 masks for 4 items"),
        (QUERIES, DOCUMENTS, {"a_mask": "1110"}, r"a_mask must be numbers"),
        (QUERIES, DOCUMENTS, {"chunk_elements": 0}, r"chunk_elements must be a positive whole number, got 0"),
    ],
)
def test_what_does_not_fit_is_refused_and_named(a, b, masks, says):
    with pytest.raises(UsageError, match=says):
        util.maxsim(a, b, **masks)


def test_pairs_of_unequal_numbers_are_refused():
    with pytest.raises(UsageError, match="as many queries as documents, got 4 and 6"):
        util.maxsim_pairwise(QUERIES, DOCUMENTS)


# ---- the known library

CASES: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {}
for _name in ("maxsim", "mean_maxsim", "maxsim_pairwise", "mean_maxsim_pairwise"):
    _documents = DOCUMENTS[:4] if "pairwise" in _name else DOCUMENTS
    (_a, _a_mask), (_b, _b_mask) = padded(QUERIES), padded(_documents)
    _tensors = [[torch.tensor(matrix) for matrix in side] for side in (QUERIES, _documents)]
    CASES |= {
        f"{_name} of lists": (_name, (QUERIES, _documents), {}),
        f"{_name} of tensors": (_name, (*_tensors,), {}),
        f"{_name} of lists in chunks": (_name, (QUERIES, _documents), {"chunk_elements": 50}),
        f"{_name} of padded": (_name, (_a, _b), {}),
        f"{_name} of padded with masks": (
            _name,
            (torch.tensor(_a), torch.tensor(_b), torch.tensor(_a_mask), torch.tensor(_b_mask)),
            {},
        ),
        f"{_name} with weights": (_name, (_a, _b, torch.tensor(_a_mask * 0.5).float(), None), {}),
        f"{_name} of one": (_name, (QUERIES[0], _documents[0]), {}),
        f"{_name} with an empty document": (_name, (QUERIES[:2], [_documents[0], np.empty((0, DIMS), np.float32)]), {}),
        f"{_name} with an empty query": (_name, ([np.empty((0, DIMS), np.float32)], _documents[:1]), {}),
        f"{_name} of nothing": (_name, ([], []), {}),
    }

RUN = """
import pickle, sys
import sentence_transformers.util as util
cases = pickle.load(sys.stdin.buffer)
found = {name: getattr(util, function)(*args, **kwargs) for name, (function, args, kwargs) in cases.items()}
sys.stdout.buffer.write(pickle.dumps(found))
"""


@pytest.fixture(scope="module")
def known() -> dict[str, torch.Tensor]:
    """Its answers, from a process of its own: importing it here would load it for every other test."""
    if importlib.util.find_spec("sentence_transformers") is None:
        pytest.skip("sentence-transformers is not installed")
    done = subprocess.run([sys.executable, "-c", RUN], input=pickle.dumps(CASES), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return pickle.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*no token that counts")
@pytest.mark.parametrize("case", CASES)
def test_a_call_gives_what_the_known_library_gives(case, known):
    function, args, kwargs = CASES[case]
    found = getattr(util, function)(*args, **kwargs)
    assert found.shape == known[case].shape
    close(found, known[case].numpy())
