"""Nothing that a folder names is imported or run unless it is on a list, or the caller trusts it."""

from __future__ import annotations

import json
import os
import pickle
import sys
from pathlib import Path

import pytest
import torch

from manysense import ModelError, SentenceTransformer
from manysense.errors import UntrustedCode
from manysense.modules.transformer import stored
from manysense.modules.weights import load_weights, save_weights

MARK = "open({mark!r}, 'w').close()\n"


class Bomb:
    """Unpickling it leaves a mark."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return (os.mkdir, (self.mark,))


def names(folder, *types):
    """modules.json of `folder` with these types after the first module."""
    modules = json.loads((folder / "modules.json").read_text())[:1]
    modules += [{"idx": i, "name": str(i), "path": f"{i}_X", "type": kind} for i, kind in enumerate(types, 1)]
    (folder / "modules.json").write_text(json.dumps(modules))


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """A module on the path that leaves a mark when it is imported; the mark."""
    mark = tmp_path / "mark"
    (tmp_path / "path").mkdir()
    source = MARK.format(mark=str(mark)) + (
        "import torch\n"
        "class Foreign(torch.nn.Module):\n"
        "    def forward(self, features): return features\n"
        "    @classmethod\n"
        "    def load_from(cls, folder, **kwargs): return cls()\n"
    )
    (tmp_path / "path" / "foreign_module.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path / "path"))
    yield mark
    sys.modules.pop("foreign_module", None)


# ---- modules.json


@pytest.mark.parametrize(
    "kind",
    [
        "os.system",
        "builtins.eval",
        "subprocess.Popen",
        "torch.nn.Sequential",
        "Pooling",
        "",
        "foreign_module.Foreign",
        "evil.sentence_transformers.models.Pooling",
        "sentence_transformersevil.Pooling",
        "manysenseevil.Pooling",
    ],
)
def test_a_foreign_class_is_refused_without_being_imported(broken, foreign, kind):
    folder = broken()
    names(folder, kind)
    with pytest.raises(UntrustedCode, match="trust_remote_code"):
        SentenceTransformer(str(folder))
    assert not foreign.exists()
    assert "foreign_module" not in sys.modules


@pytest.mark.parametrize(
    "kind", ["sentence_transformers.os.system", "manysense.checkpoints.source.os.system", "manysense.model.Model"]
)
def test_a_class_that_only_looks_like_ours_is_refused(broken, kind):
    folder = broken()
    names(folder, kind)
    with pytest.raises(ModelError):
        SentenceTransformer(str(folder))


def test_a_foreign_class_is_used_when_the_caller_trusts_it(broken, foreign):
    folder = broken()
    names(folder, "foreign_module.Foreign")
    model = SentenceTransformer(str(folder), device="cpu", trust_remote_code=True)
    assert type(model[1]).__name__ == "Foreign"
    assert foreign.exists()


@pytest.mark.parametrize("kind", ["os.system", "no_such_package.Thing", "os.no_such", "nodots"])
def test_a_trusted_name_that_is_no_module_is_still_a_model_error(broken, kind):
    folder = broken()
    names(folder, kind)
    with pytest.raises(ModelError):
        SentenceTransformer(str(folder), trust_remote_code=True)


@pytest.mark.parametrize("path", ["..", "../other", "/", "/etc", "1_Pooling/../../other", "~", "../model2"])
def test_a_path_that_leaves_the_folder_is_refused(broken, path):
    folder = broken()
    outside = folder.parent / "other"
    outside.mkdir()
    (outside / "config.json").write_bytes((folder / "1_Pooling" / "config.json").read_bytes())
    (folder.parent / "model2").mkdir()
    modules = json.loads((folder / "modules.json").read_text())
    modules[1]["path"] = path
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ModelError) as error:
        SentenceTransformer(str(folder))
    if path != "~":
        assert isinstance(error.value, UntrustedCode)
        assert "outside" in str(error.value)


def test_a_symbolic_link_out_of_the_folder_is_refused(broken):
    folder = broken()
    outside = folder.parent / "other"
    (folder / "1_Pooling").rename(outside)
    (folder / "1_Pooling").symlink_to(outside, target_is_directory=True)
    with pytest.raises(UntrustedCode, match="outside"):
        SentenceTransformer(str(folder))


# ---- pickles


def test_a_pickle_of_tensors_is_read(tmp_path):
    save_weights({"a": torch.arange(3.0)}, tmp_path, safe_serialization=False)
    torch.testing.assert_close(load_weights(tmp_path)["a"], torch.arange(3.0))


def test_safetensors_are_taken_first(tmp_path):
    save_weights({"a": torch.zeros(1)}, tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "mark")))
    assert load_weights(tmp_path)["a"].tolist() == [0]
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("how", ["torch.save", "pickle"])
def test_a_malicious_pickle_of_a_module_does_not_run(broken, how):
    folder = broken(dense=8)
    dense = folder / "2_Dense"
    (dense / "model.safetensors").unlink()
    bomb = {"linear.weight": torch.zeros(8, 32), "x": Bomb(folder / "mark")}
    if how == "torch.save":
        torch.save(bomb, dense / "pytorch_model.bin")
    else:
        (dense / "pytorch_model.bin").write_bytes(pickle.dumps(bomb))
    with pytest.raises(ModelError, match="without running code"):
        SentenceTransformer(str(folder))
    assert not (folder / "mark").exists()


@pytest.mark.parametrize("how", ["torch.save", "pickle"])
def test_a_malicious_pickle_of_the_transformer_does_not_run(broken, how):
    folder = broken("bert-bare")
    (folder / "model.safetensors").unlink()
    bomb = {"x": Bomb(folder / "mark")}
    if how == "torch.save":
        torch.save(bomb, folder / "pytorch_model.bin")
    else:
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(bomb))
    with pytest.raises(ModelError):
        SentenceTransformer(str(folder))
    assert not (folder / "mark").exists()


def test_the_pickle_of_these_tests_is_malicious(tmp_path):
    """Else the tests above would prove nothing."""
    pickle.loads(pickle.dumps(Bomb(tmp_path / "mark")))
    assert (tmp_path / "mark").is_dir()


# ---- code of the folder


@pytest.fixture
def own_code(broken, edit):
    """A folder of an unknown model type with code of its own, which leaves a mark; folder and mark."""
    folder = broken("bert-bare")
    mark = Path(folder.parent / "mark")
    (folder / "own.py").write_text(
        MARK.format(mark=str(mark))
        + "from transformers import BertConfig, BertModel\n"
        + "class OwnConfig(BertConfig):\n    model_type = 'own_kind'\n"
        + "class OwnModel(BertModel):\n    config_class = OwnConfig\n"
    )
    auto = {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"}
    edit(folder / "config.json", model_type="own_kind", auto_map=auto)
    return folder, mark


def test_code_of_the_folder_is_refused_without_being_run(own_code):
    folder, mark = own_code
    with pytest.raises(UntrustedCode, match=r"own\.OwnConfig"):
        SentenceTransformer(str(folder))
    assert not mark.exists()


def test_code_of_the_folder_runs_when_the_caller_trusts_it(own_code, monkeypatch, tmp_path):
    folder, mark = own_code
    model = SentenceTransformer(str(folder), device="cpu", trust_remote_code=True)
    assert mark.exists()
    assert model.encode("a dog").shape == (32,)


def test_code_beside_a_known_model_type_is_left_alone(own_code, edit):
    folder, mark = own_code
    edit(folder / "config.json", model_type="bert")
    model = SentenceTransformer(str(folder), device="cpu")
    assert model.encode("a dog").shape == (32,)
    assert not mark.exists()


def test_a_folder_cannot_trust_itself(own_code):
    folder, mark = own_code
    trusting = {"trust_remote_code": True}
    stored = {"model_args": trusting, "config_args": trusting, "tokenizer_args": trusting}
    stored |= {"model_kwargs": trusting, "config_kwargs": trusting, "processor_kwargs": trusting}
    (folder / "sentence_bert_config.json").write_text(json.dumps(stored))
    listed = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    (folder / "modules.json").write_text(json.dumps(listed))
    with pytest.raises(UntrustedCode):
        SentenceTransformer(str(folder))
    assert not mark.exists()


@pytest.mark.parametrize(
    "own",
    [
        {"weights_only": False, "use_safetensors": False},
        {"subfolder": "../other"},
        {"attn_implementation": "somebody/kernels"},
        {"use_kernels": True},
        {"adapter_kwargs": {"_adapter_model_path": "../other"}},
        {"device_map": "auto", "offload_folder": "../other"},
    ],
    ids=lambda own: next(iter(own)),
)
def test_arguments_that_are_for_the_caller_alone_are_not_taken_from_the_folder(broken, edit, own):
    folder = broken()
    edit(folder / "sentence_bert_config.json", model_args={"dtype": "bfloat16", **own})
    opened, _ = stored.read(folder)
    assert not set(opened.model_kwargs) & (set(own) - {"use_safetensors"})
    assert opened.model_kwargs["dtype"] == "bfloat16"


def test_a_chat_template_cannot_reach_out(broken):
    """Jinja runs in a sandbox."""
    folder = broken("qwen3_vl")
    mark = folder.parent / "mark"
    reach = "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ cycler.__init__.__globals__.os.mkdir('MARK') }}"
    (folder / "chat_template.jinja").write_text(reach.replace("MARK", str(mark)))
    model = SentenceTransformer(str(folder), device="cpu")
    with pytest.raises(ValueError, match="template"):
        model.encode("a")
    assert not mark.exists()
