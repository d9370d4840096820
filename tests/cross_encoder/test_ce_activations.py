"""Which activation scores go through: the caller's, the folder's in the keys of every version, else the usual one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cross_encoder.pairs import DOCUMENTS, QUERY, assert_scores
from manysense import CrossEncoder
from manysense.errors import UntrustedCode
from twins import labellers

PAIRS = [(QUERY, document) for document in DOCUMENTS[:4]]
NEW, MIDDLE, OLD = "config_sentence_transformers.json", "sentence_transformers", "sbert_ce_default_activation_function"


def logits(folder):
    return torch.tensor([labellers.logits(folder, *pair)[0] for pair in PAIRS])


@pytest.mark.parametrize(("labels", "usual"), [(1, nn.Sigmoid), (2, nn.Identity), (3, nn.Identity)])
def test_without_a_word_one_label_is_a_probability_and_several_are_raw(labels, usual, reranker):
    assert type(reranker("labeller", labels=labels).activation_fn) is usual


@pytest.mark.parametrize("name", ["torch.nn.modules.linear.Identity", "torch.nn.modules.activation.Tanh"])
@pytest.mark.parametrize("place", [NEW, MIDDLE, OLD])
def test_the_folders_activation_is_read_from_the_keys_of_every_version(place, name, own, edit):
    folder = own("labeller", form="modules")
    if place == NEW:
        edit(folder / NEW, activation_fn=name)
    else:
        edit(folder / "config.json", **{place: name if place == OLD else {"activation_fn": name, "version": "4.1.0"}})
    model = CrossEncoder(folder, device="cpu")
    expected = logits(folder).tanh() if name.endswith("Tanh") else logits(folder)
    assert_scores(model.predict(PAIRS), expected)


def test_the_newest_key_wins(own, edit):
    folder = own("labeller", form="modules")
    linear, bent = "torch.nn.modules.linear.Identity", "torch.nn.modules.activation.Tanh"
    edit(folder / "config.json", **{OLD: bent, MIDDLE: {"activation_fn": linear}})
    assert type(CrossEncoder(folder, device="cpu").activation_fn) is nn.Identity
    edit(folder / NEW, activation_fn=bent)
    assert type(CrossEncoder(folder, device="cpu").activation_fn) is nn.Tanh


@pytest.mark.parametrize("name", ["os.getcwd", "torch.hub.get_dir", "acme_activations.Loud", "builtins.print"])
@pytest.mark.parametrize("place", [NEW, OLD])
def test_an_activation_from_elsewhere_is_not_run_untrusted(place, name, own, edit):
    folder = own("labeller", form="modules")
    edit(folder / (NEW if place == NEW else "config.json"), **{"activation_fn" if place == NEW else OLD: name})
    with pytest.raises(UntrustedCode, match=name.split(".")[-1]):
        CrossEncoder(folder, device="cpu")


def test_the_constructor_and_a_call_may_choose_another(twin):
    folder = twin("labeller")
    model = CrossEncoder(folder, activation_fn=nn.Identity(), device="cpu")
    assert_scores(model.predict(PAIRS), logits(folder))
    assert_scores(model.predict(PAIRS, activation_fn=torch.tanh), logits(folder).tanh())
    assert_scores(model.predict(PAIRS), logits(folder))
    hits = model.rank(QUERY, DOCUMENTS[:4], activation_fn=lambda scores: -scores)
    assert [hit["corpus_id"] for hit in hits] == np.argsort(logits(folder).numpy()).tolist()
    model.activation_fn = nn.Sigmoid()
    assert_scores(model.predict(PAIRS), logits(folder).sigmoid())


def test_an_activation_sees_float32_of_a_model_in_half_precision(twin):
    seen = []

    def watch(scores):
        seen.append(scores.dtype)
        return scores

    CrossEncoder(twin("labeller"), device="cpu", model_kwargs={"dtype": "bfloat16"}).predict(PAIRS, activation_fn=watch)
    assert seen == [torch.float32] * len(seen)
    assert seen


def test_an_activation_is_no_module_of_the_network(twin):
    model = CrossEncoder(twin("labeller"), device="cpu")
    assert len(model) == 1
    assert all(name.startswith("0.") for name in model.state_dict())


@pytest.mark.parametrize("kind", [nn.Identity, nn.Sigmoid, nn.Tanh])
def test_a_saved_folder_keeps_the_activation(kind, twin, tmp_path):
    model = CrossEncoder(twin("labeller"), activation_fn=kind(), device="cpu")
    model.save(str(tmp_path / "saved"))
    again = CrossEncoder(tmp_path / "saved", device="cpu")
    assert type(again.activation_fn) is kind
    assert np.array_equal(again.predict(PAIRS), model.predict(PAIRS))


OWN = "import torch\n\n\nclass Half(torch.nn.Module):\n    def forward(self, scores):\n        return scores / 2\n"


def test_an_activation_of_the_folders_own_code_is_used_where_it_is_trusted(own, edit, tmp_path):
    folder = own("labeller", form="modules")
    (folder / "halves.py").write_text(OWN)
    edit(folder / NEW, activation_fn="halves.Half")
    with pytest.raises(UntrustedCode, match="Half"):
        CrossEncoder(folder, device="cpu")
    model = CrossEncoder(folder, device="cpu", trust_remote_code=True)
    assert_scores(model.predict(PAIRS), logits(folder) / 2)
    model.save_pretrained(tmp_path / "saved")
    again = CrossEncoder(tmp_path / "saved", device="cpu", trust_remote_code=True)
    assert_scores(again.predict(PAIRS), logits(folder) / 2)
