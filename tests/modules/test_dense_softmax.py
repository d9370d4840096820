"""Softmax and its kin behind Dense: a folder names the class and not the dimension."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from manysense import ManysenseWarning
from manysense.modules import Dense
from reference.closeness import assert_close

KINDS = {"Softmax": torch.softmax, "LogSoftmax": torch.log_softmax, "Softmin": lambda x, dim: torch.softmax(-x, dim)}


@pytest.fixture(params=KINDS)
def naming(request, tmp_path):
    """(folder of a Dense with that activation, what it computes of the linear layer's numbers)."""
    Dense(4, 3, activation_function=nn.Tanh()).save(str(tmp_path))
    config = json.loads((tmp_path / "config.json").read_text())
    config["activation_function"] = f"torch.nn.modules.activation.{request.param}"
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path, KINDS[request.param]


@pytest.mark.parametrize("shape", [(5, 4), (2, 5, 4)], ids=["vectors", "tokens"])
def test_it_goes_over_the_numbers_of_each_vector(shape, naming):
    folder, computes = naming
    module = Dense.load_from(folder)
    given = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        made = module({"sentence_embedding": given})["sentence_embedding"]
        torch.testing.assert_close(made, computes(module.linear(given), -1))


def test_a_copy_computes_the_same_without_a_warning(naming, tmp_path):
    module = Dense.load_from(naming[0])
    (tmp_path / "copy").mkdir()
    module.save(str(tmp_path / "copy"))
    given = torch.ones(2, 4)
    again = Dense.load_from(tmp_path / "copy")({"sentence_embedding": given})["sentence_embedding"]
    assert torch.equal(again, module({"sentence_embedding": given})["sentence_embedding"])


def test_another_dimension_is_said_to_be_lost(tmp_path):
    with pytest.warns(ManysenseWarning, match=r"Softmax\(dim=0\) will be read as Softmax\(dim=-1\)"):
        Dense(4, 3, activation_function=nn.Softmax(dim=0)).save(str(tmp_path))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Implicit dimension choice")
def test_the_known_library_gives_the_same_vectors(naming):
    modules = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    given = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        theirs = modules.Dense.load(str(naming[0]))({"sentence_embedding": given})["sentence_embedding"]
        assert_close(Dense.load_from(naming[0])({"sentence_embedding": given})["sentence_embedding"], theirs)
