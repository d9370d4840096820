"""Uses that are found by the way they take: the first module of a model, names that a module borrows."""

from __future__ import annotations

import importlib

import pytest
from torch.utils.data import BatchSampler

from manysense.compat.reading import uses
from manysense.compat.verdicts import verdicts

START = "from sentence_transformers import CrossEncoder, SentenceTransformer as S\nm = S('b')\nr = CrossEncoder('c')\n"


def check(source: str) -> list[tuple[str, str]]:
    return [(one.use, one.status) for use in uses(source) if use.line > 3 for one in verdicts(use)]


@pytest.mark.parametrize("first", ["m[0]", "r[0]", "m._first_module()", "m.to('cpu')[0]", "S('b')[0]"])
def test_a_call_on_the_first_module_is_judged(first):
    assert (f"{first}.preprocess()", "covered") in check(f"{START}{first}.preprocess(['a'])")
    assert (f"{first}.on_model_ready()", "not yet") in check(f"{START}{first}.on_model_ready(m)")


def test_the_tokenizer_of_the_first_module_is_covered():
    assert check(f"{START}m[0].tokenizer.padding_side = 'left'") == [("m[0].tokenizer.padding_side", "covered")]


@pytest.mark.parametrize("other", ["m[1]", "m.encode(x)[0]", "x[0]", "m[0][0]"])
def test_what_is_not_the_first_module_is_left_alone(other):
    assert not [use for use, _ in check(f"{START}{other}.on_model_ready(m)") if "ready" in use]


@pytest.mark.parametrize("path", ["manysense.sampler", "manysense.compat.sentence_transformers.base.sampler"])
def test_a_name_that_a_module_borrows_is_found_there(path):
    assert importlib.import_module(path).BatchSampler is BatchSampler


def test_a_borrowed_name_is_covered():
    use = "from sentence_transformers.sampler import BatchSampler"
    assert check(START + use) == [(use, "covered")]
