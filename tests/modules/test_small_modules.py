"""Dense, Normalize, StaticEmbedding: what they compute, and what their folders may ask for."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch
from torch import nn

from manysense import ModelError, SentenceTransformer
from manysense.errors import UnsupportedModality, UntrustedCode
from manysense.modules.dense import ACTIVATIONS, Dense, activation_from
from manysense.modules.normalize import Normalize
from manysense.modules.static_embedding import StaticEmbedding


def features(*rows):
    return {"sentence_embedding": torch.tensor(rows)}


# ---- Dense


def test_dense_is_an_activation_of_a_linear_map():
    module = Dense(3, 2, init_weight=torch.tensor([[1.0, 0, 0], [0, 2, 0]]), init_bias=torch.tensor([0.5, 0]))
    made = module(features([1.0, 2, 3]))["sentence_embedding"]
    torch.testing.assert_close(made, torch.tanh(torch.tensor([[1.5, 4.0]])))


def test_without_an_activation_dense_is_linear():
    module = Dense(2, 2, bias=False, activation_function=None, init_weight=torch.eye(2) * 3)
    assert module(features([1.0, -2]))["sentence_embedding"].tolist() == [[3, -6]]


def test_dense_writes_to_the_feature_it_is_told_to():
    module = Dense(2, 1, module_output_name="scores")
    made = module(features([1.0, 2]))
    assert made["scores"].shape == (1, 1)
    assert made["sentence_embedding"].tolist() == [[1, 2]]


def test_a_residual_adds_the_input():
    module = Dense(2, 2, bias=False, activation_function=None, init_weight=torch.eye(2), use_residual=True)
    assert module(features([1.0, 2]))["sentence_embedding"].tolist() == [[2, 4]]


@pytest.mark.parametrize("activation", [nn.Tanh(), nn.ReLU(), nn.GELU(), None])
def test_a_saved_dense_is_the_same_when_read(tmp_path, activation):
    module = Dense(4, 3, activation_function=activation)
    module.save(str(tmp_path))
    again = Dense.load_from(tmp_path)
    given = torch.randn(5, 4)
    torch.testing.assert_close(
        again({"sentence_embedding": given})["sentence_embedding"],
        module({"sentence_embedding": given})["sentence_embedding"],
    )


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_an_activation_of_torch_is_allowed(name):
    assert type(activation_from(f"torch.nn.modules.activation.{name}")) is getattr(nn, name)


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "subprocess.Popen",
        "torch.hub.load",
        "torch.load",
        "torch.nn.Module",
        "torch.nn.modules.container.Sequential",
        "torch.nn.modules.activation.os",
        "torch.nn.functional.relu",
        "torch.nn.modules.activation.Tanh.__init__",
        "evil.Tanh",
        "evil.torch.nn.Tanh",
        "torch.nn.evil.Tanh",
        "Tanh",
        "",
        ".Tanh",
        "torch.nn.",
        "wanted_by_a_config.Activation",
    ],
)
def test_an_activation_from_elsewhere_is_refused_and_not_imported(tmp_path, monkeypatch, name):
    """The whole way: a folder that names it. A module of that name lies ready and would leave a mark."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for module in ("wanted_by_a_config", "evil"):
        (tmp_path / f"{module}.py").write_text(
            f"open({str(tmp_path / 'mark')!r}, 'w')\nclass Activation: pass\nTanh = 1\n"
        )
    folder = tmp_path / "2_Dense"
    folder.mkdir()
    Dense(4, 3).save(str(folder))
    config = json.loads((folder / "config.json").read_text()) | {"activation_function": name}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(UntrustedCode, match="allow-list"):
        Dense.load_from(folder)
    assert not (tmp_path / "mark").exists()
    assert not {"wanted_by_a_config", "evil"} & set(sys.modules)


# ---- Normalize


def test_normalize_gives_length_one_and_leaves_zeros():
    made = Normalize()(features([3.0, 4.0], [0.0, 0.0]))["sentence_embedding"]
    np.testing.assert_allclose(made, [[0.6, 0.8], [0, 0]], atol=1e-7)


def test_normalize_leaves_features_without_the_one_it_wants_alone():
    assert set(Normalize()({"token_embeddings": torch.ones(1)})) == {"token_embeddings"}


def test_an_old_folder_of_normalize_has_no_file(tmp_path):
    assert Normalize.load_from(tmp_path).module_input_name == "sentence_embedding"


# ---- StaticEmbedding


def test_static_embedding_is_the_mean_of_its_rows(model, twin):
    import twins.static

    texts = ["a dog", "the red house on the hill by the water", "x", ""]
    expected = [twins.static.reference(twin("static"), text) for text in texts]
    np.testing.assert_allclose(model("static").encode(texts), expected, atol=1e-6)


def test_a_text_without_tokens_gives_zeros_also_beside_others(model):
    made = model("static").encode(["", "a dog", "   "])
    assert not made[0].any()
    assert not made[2].any()
    assert made[1].any()


def test_a_limit_set_on_a_static_embedding_is_kept_to(twin):
    model = SentenceTransformer(str(twin("static")), device="cpu")
    model.max_seq_length = 2
    np.testing.assert_allclose(
        model.encode("dog cat house", on_truncate="ignore"), model.encode("dog cat", on_truncate="ignore"), atol=1e-6
    )


def test_a_table_of_model2vec_is_read(twin, tmp_path):
    from safetensors.torch import load_file, save_file

    source = twin("static", layout="root")
    table = load_file(source / "model.safetensors")["embedding.weight"]
    save_file({"embeddings": table}, tmp_path / "model.safetensors")
    (tmp_path / "tokenizer.json").write_bytes((source / "tokenizer.json").read_bytes())
    torch.testing.assert_close(StaticEmbedding.load_from(tmp_path).embedding.weight.detach(), table)


def test_a_static_folder_without_its_table_says_so(twin, tmp_path):
    from safetensors.torch import save_file

    save_file({"other": torch.zeros(2, 2)}, tmp_path / "model.safetensors")
    (tmp_path / "tokenizer.json").write_bytes((twin("static", layout="root") / "tokenizer.json").read_bytes())
    with pytest.raises(ModelError, match=r"embedding\.weight"):
        StaticEmbedding.load_from(tmp_path)


def test_two_texts_in_one_item_are_not_read_as_the_first(model):
    with pytest.raises(UnsupportedModality, match="2 parts of text"):
        model("static").encode({"text": ["a red circle", "two dogs"]})
