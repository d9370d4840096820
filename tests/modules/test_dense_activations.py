"""The activation of Dense in a folder: which class may be named, and what such a name cannot say."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from manysense import ManysenseWarning, ModelError
from manysense.errors import UntrustedCode
from manysense.modules import Dense

GIVEN = torch.linspace(-2, 2, 12).view(3, 4)


@pytest.fixture
def naming(tmp_path):
    """naming(class path) → the folder of a Dense whose configuration names that activation."""

    def write(name):
        Dense(4, 3, activation_function=None).save(str(tmp_path))
        config = json.loads((tmp_path / "config.json").read_text())
        (tmp_path / "config.json").write_text(json.dumps(config | {"activation_function": name}))
        return tmp_path

    return write


def test_an_activation_of_another_package_needs_trust(naming):
    folder = naming("transformers.activations.QuickGELUActivation")
    with pytest.raises(UntrustedCode, match="trust_remote_code=True"):
        Dense.load_from(folder)
    module = Dense.load_from(folder, trust_remote_code=True)
    linear = module.linear(GIVEN)
    made = module({"sentence_embedding": GIVEN})["sentence_embedding"]
    torch.testing.assert_close(made, linear * torch.sigmoid(1.702 * linear))


@pytest.mark.parametrize("name", ["os.system", "torch.nn.functional.relu", "transformers.activations.NoSuchThing"])
def test_what_is_no_class_of_a_module_is_no_activation_with_trust_either(naming, name):
    with pytest.raises(ModelError):
        Dense.load_from(naming(name), trust_remote_code=True)


def test_a_function_cannot_be_saved(tmp_path):
    with pytest.raises(ModelError, match=r"torch\.nn\.Tanh\(\)"):
        Dense(4, 3, activation_function=torch.tanh).save(str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_arguments_that_a_folder_cannot_hold_are_told(tmp_path):
    with pytest.warns(ManysenseWarning, match=r"LeakyReLU\(negative_slope=0.2\) will be read as .*0.01"):
        Dense(4, 3, activation_function=nn.LeakyReLU(0.2)).save(str(tmp_path))


def test_weights_of_an_activation_are_saved_with_it(tmp_path):
    module = Dense(4, 3, activation_function=nn.PReLU())
    with torch.no_grad():
        module.activation_function.weight.fill_(0.7)
    module.save(str(tmp_path))
    again = Dense.load_from(tmp_path)
    assert torch.equal(again.activation_function.weight, torch.tensor([0.7]))
