"""Models of one folder, and of folders beside each other, in one process: none disturbs another."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hub_stub import files_of

from manysense import SentenceTransformer

TEXTS = ["a red circle", "two dogs in the snow", "a red circle beside a blue square in the snow, and two dogs"]


def load(folder, **kwargs) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu", **kwargs)


@pytest.fixture
def tree(twin, tmp_path):
    """A folder with three models in it: equal ones in "one" and in "one/below", and another in "two"."""
    shutil.copytree(twin("bert"), tmp_path / "tree" / "one")
    shutil.copytree(twin("bert"), tmp_path / "tree" / "one" / "below")
    shutil.copytree(twin("bert", seed=1), tmp_path / "tree" / "two")
    return tmp_path / "tree"


def trained(model, tmp_path):
    features = model.preprocess(TEXTS)
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    model(features)["sentence_embedding"][:, 0].sum().backward()
    optimizer.step()
    model.eval()


def overwritten(model, tmp_path):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()


def shortened(model, tmp_path):
    model.max_seq_length = 4


def padded_and_cut(model, tmp_path):
    """What a call of the tokenizer itself leaves in it."""
    model.tokenizer(TEXTS, padding="max_length", truncation=True, max_length=5)
    model.tokenizer._tokenizer.enable_padding(length=30)
    model.tokenizer._tokenizer.enable_truncation(max_length=3)


def with_new_tokens(model, tmp_path):
    model.tokenizer.add_tokens(["circle", "snow"])
    model.tokenizer.model_max_length = 6


def prompted(model, tmp_path):
    model.prompts["query"] = "find: "
    model.default_prompt_name = "query"


def halved(model, tmp_path):
    model.to(torch.bfloat16)


def saved_elsewhere(model, tmp_path):
    shortened(model, tmp_path)
    model.save_pretrained(tmp_path / "elsewhere")


CHANGES = [trained, overwritten, shortened, padded_and_cut, with_new_tokens, prompted, halved, saved_elsewhere]


def state(model) -> tuple:
    """What a user sees of a model, its vectors aside."""
    tokenizer = model.tokenizer
    return (
        *(model.max_seq_length, dict(model.prompts), model.default_prompt_name, model.dtype, model.training),
        *(tokenizer.model_max_length, len(tokenizer), tokenizer._tokenizer.padding, tokenizer._tokenizer.truncation),
        model.config.to_json_string(),
    )


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("others", ["one", "one/below", "two"], ids=["same folder", "below", "beside"])
def test_what_is_done_to_one_model_changes_no_other(tree, tmp_path, change, others):
    before, one, after = load(tree / others), load(tree / "one"), load(tree / others)
    expected, told, files = before.encode(TEXTS), state(before), files_of(tree)
    change(one, tmp_path)
    for other in (before, after, load(tree / others)):
        np.testing.assert_array_equal(other.encode(TEXTS), expected)
        assert state(other) == told
    assert files_of(tree) == files


def test_the_changes_of_these_tests_change_something(tree, tmp_path):
    """Else the test above would prove nothing."""
    for change in CHANGES:
        model = load(tree / "one")
        vectors, told = model.encode(TEXTS), state(model)
        change(model, tmp_path)
        assert state(model) != told or np.abs(model.encode(TEXTS) - vectors).max() > 1e-4, change.__name__


def test_a_model_that_is_saved_over_its_folder_changes_none_that_was_loaded_from_it(tree, tmp_path):
    one, other = load(tree / "one"), load(tree / "one")
    below, expected = load(tree / "one" / "below"), other.encode(TEXTS)
    trained(one, tmp_path)
    one.max_seq_length = 20
    one.save_pretrained(tree / "one")
    np.testing.assert_array_equal(other.encode(TEXTS), expected)
    np.testing.assert_array_equal(below.encode(TEXTS), expected)
    np.testing.assert_array_equal(load(tree / "one" / "below").encode(TEXTS), expected)
    again = load(tree / "one")
    assert again.max_seq_length == 20
    assert other.max_seq_length != 20
    assert np.abs(again.encode(TEXTS[:1]) - expected[:1]).max() > 1e-4


def test_the_arguments_of_one_load_are_not_those_of_the_next(tree):
    plain = load(tree / "one")
    expected, told = plain.encode(TEXTS), state(plain)
    kwargs = {"dtype": "bfloat16", "attn_implementation": "eager"}
    load(tree / "one", model_kwargs=kwargs, processor_kwargs={"model_max_length": 8}, config_kwargs={"pad_token_id": 3})
    assert kwargs == {"dtype": "bfloat16", "attn_implementation": "eager"}
    again = load(tree / "one")
    np.testing.assert_array_equal(again.encode(TEXTS), expected)
    assert state(again) == told


def test_models_that_are_loaded_at_the_same_time_are_what_they_are_alone(tree):
    asked = [(name, dtype) for name in ("one", "two", "one/below") for dtype in ("float32", "bfloat16")] * 2
    alone = {one: load(tree / one[0], model_kwargs={"dtype": one[1]}).encode(TEXTS) for one in asked}
    with ThreadPoolExecutor(6) as threads:
        models = list(threads.map(lambda one: load(tree / one[0], model_kwargs={"dtype": one[1]}), asked))
    for one, model in zip(asked, models):
        assert str(model.dtype) == f"torch.{one[1]}"
        np.testing.assert_array_equal(model.encode(TEXTS), alone[one])
    assert torch.get_default_dtype() == torch.float32


OWN = """import torch


class Times(torch.nn.Module):
    by = {by}

    def forward(self, features):
        features["sentence_embedding"] = self.by * features["sentence_embedding"]
        return features

    @classmethod
    def load_from(cls, folder, **kwargs):
        return cls()
"""


def test_trusted_code_of_equal_names_in_folders_beside_each_other_is_kept_apart(tree):
    shutil.rmtree(tree / "two")
    shutil.copytree(tree / "one", tree / "two")
    plain = load(tree / "one").encode(TEXTS)
    for name, by in (("one", 2), ("two", 5)):
        listed = json.loads((tree / name / "modules.json").read_text())
        listed.append({"idx": len(listed), "name": "times", "path": "", "type": "own.Times"})
        (tree / name / "modules.json").write_text(json.dumps(listed))
        (tree / name / "own.py").write_text(OWN.format(by=by))
    one, two = (load(tree / name, trust_remote_code=True) for name in ("one", "two"))
    np.testing.assert_allclose(one.encode(TEXTS), 2 * plain, rtol=1e-6)
    np.testing.assert_allclose(two.encode(TEXTS), 5 * plain, rtol=1e-6)
    type(one[-1]).by = 7
    np.testing.assert_allclose(two.encode(TEXTS), 5 * plain, rtol=1e-6)
