"""Folders that cannot be used, and what is said of them."""

from __future__ import annotations

import errno
import json
import os

import pytest
from safetensors.torch import load_file, save_file

from manysense import ModelError, SentenceTransformer
from manysense.checkpoints import memory
from manysense.errors import ModelNotFound, NotEnoughMemory, UntrustedCode, UsageError

load = SentenceTransformer
GARBAGE = {"not JSON": "{", "binary": "\x00\x01", "a number": "3", "null": "null", "empty": ""}
FILES = (
    "modules.json config.json config_sentence_transformers.json sentence_bert_config.json tokenizer.json "
    "tokenizer_config.json 1_Pooling/config.json 2_Dense/config.json model.safetensors 2_Dense/model.safetensors"
).split()


# ---- not there


def test_a_folder_without_anything_is_no_model(tmp_path):
    with pytest.raises(ModelNotFound, match=r"neither modules\.json nor config\.json"):
        load(str(tmp_path))


def test_a_folder_with_other_files_names_some_of_them(tmp_path):
    (tmp_path / "notes.txt").write_text("a")
    with pytest.raises(ModelNotFound, match=r"notes\.txt"):
        load(str(tmp_path))


def test_a_file_is_no_model(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"a")
    with pytest.raises(ModelNotFound, match="is a file"):
        load(str(tmp_path / "model.safetensors"))


@pytest.mark.parametrize("name", ["/no/such/folder", "./no-such", "~/no-such-folder", "a/b/c", r"C:\models\a", "../no"])
def test_a_path_that_does_not_exist_is_not_looked_for_on_the_hub(name):
    with pytest.raises(ModelNotFound, match="owner/repository") as error:
        load(name)
    assert repr(name) in str(error.value)
    assert isinstance(error.value, OSError)


@pytest.mark.parametrize("name", ["all-MinLM-L6-v2", "sentence-transformers/all-MinLM-L6-v2", "no-such-owner/x"])
def test_a_mistyped_name_offline_says_what_was_tried_and_what_to_do(name, tmp_path):
    with pytest.raises(ModelNotFound, match=r"neither a folder nor in the local cache") as error:
        load(name, cache_folder=str(tmp_path))
    assert name.rpartition("/")[2] in str(error.value)
    assert "HF_HUB_OFFLINE" in str(error.value)


def test_an_impossible_name_is_not_found(tmp_path):
    with pytest.raises(ModelNotFound):
        load("a model/with blanks", cache_folder=str(tmp_path))


@pytest.mark.parametrize("name", ["", None])
def test_no_name_is_an_error_that_says_so(name):
    with pytest.raises((ModelNotFound, UsageError)):
        load(name)


def test_a_path_object_is_a_folder(twin):
    assert load(twin("static"), device="cpu").modalities == ["text"]


def test_a_home_folder_is_expanded(twin, monkeypatch):
    folder = twin("static")
    monkeypatch.setenv("HOME", str(folder.parent))
    assert load(f"~/{folder.name}", device="cpu").modalities == ["text"]


# ---- broken


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("name", FILES)
def test_a_corrupt_file_is_a_model_error(broken, name, content):
    folder = broken(dense=8)
    (folder / name).write_text(content)
    with pytest.raises(ModelError) as error:
        load(str(folder))
    assert str(error.value)


@pytest.mark.parametrize("name", FILES)
def test_the_error_names_the_corrupt_file(broken, name):
    folder = broken(dense=8)
    (folder / name).write_text("{")
    with pytest.raises(ModelError) as error:
        load(str(folder))
    assert name.rpartition("/")[2] in str(error.value) or str(folder) in str(error.value)


@pytest.mark.parametrize("name", ["1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors"])
def test_a_missing_file_of_a_module_is_a_model_error(broken, name):
    folder = broken(dense=8)
    (folder / name).unlink()
    with pytest.raises(ModelError):
        load(str(folder))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_of_the_transformer_is_a_model_error(broken, name):
    folder = broken()
    (folder / name).unlink()
    with pytest.raises(ModelError):
        load(str(folder))


def test_without_a_tokenizer_the_error_says_so(broken):
    folder = broken()
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        (folder / name).unlink()
    with pytest.raises(ModelError, match="tokenizer"):
        load(str(folder))


def test_missing_weights_are_counted_and_one_is_named(broken):
    folder = broken()
    weights = load_file(folder / "model.safetensors")
    gone = sorted(name for name in weights if "layer.1" in name)
    save_file({k: v for k, v in weights.items() if k not in gone}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=rf"lacks {len(gone)} weights.*layer\.1"):
        load(str(folder))


def test_weights_of_another_shape_are_a_model_error(broken):
    folder = broken()
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("query.weight"))
    save_file(weights | {name: weights[name][:5].clone()}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError):
        load(str(folder))


def test_a_dense_of_another_shape_is_a_model_error(broken, edit):
    folder = broken(dense=8)
    edit(folder / "2_Dense" / "config.json", out_features=9)
    with pytest.raises(ModelError):
        load(str(folder))


def test_an_unknown_pooling_key_is_a_model_error(broken, edit):
    folder = broken()
    edit(folder / "1_Pooling" / "config.json", pooling_mode_of_the_future=True)
    with pytest.raises(ModelError):
        load(str(folder))


def test_an_unknown_model_type_is_named(broken, edit):
    folder = broken()
    edit(folder / "config.json", model_type="mystery")
    with pytest.raises(ModelError, match="mystery"):
        load(str(folder))


def test_a_module_of_a_later_version_is_named(broken):
    folder = broken()
    modules = json.loads((folder / "modules.json").read_text())
    modules[1]["type"] = "sentence_transformers.sentence_transformer.modules.future.Future"
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ModelError, match="Future"):
        load(str(folder))


@pytest.mark.parametrize(
    "listed",
    [[], {}, [1], [{"idx": 0}], [{"type": 3}], ["a"]],
    ids=json.dumps,
)
def test_a_list_of_modules_that_is_none_is_a_model_error(broken, listed):
    folder = broken()
    (folder / "modules.json").write_text(json.dumps(listed))
    with pytest.raises(ModelError):
        load(str(folder))


@pytest.mark.parametrize("bad", [{"prompts": 3}, {"prompts": {"query": 3}}, {"default_prompt_name": "no such"}])
def test_wrong_values_of_the_configuration_are_an_error_of_the_package(broken, edit, bad):
    folder = broken()
    edit(folder / "config_sentence_transformers.json", **bad)
    with pytest.raises((ModelError, UsageError)):
        load(str(folder))


# ---- memory


@pytest.fixture
def unread(monkeypatch):
    """Reading weights is an error of the test."""

    def refuse(*args, **kwargs):
        raise AssertionError("weights were read")

    import safetensors
    import safetensors.torch
    import torch

    monkeypatch.setattr(safetensors.torch, "load_file", refuse)
    monkeypatch.setattr(safetensors, "safe_open", refuse)
    monkeypatch.setattr(torch, "load", refuse)
    import transformers.modeling_utils

    monkeypatch.setattr(transformers.modeling_utils.PreTrainedModel, "from_pretrained", refuse)


def test_weights_that_do_not_fit_are_refused_before_they_are_read(twin, unread, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda device_type="cpu": 50_000)
    with pytest.raises(NotEnoughMemory) as error:
        load(str(twin("bert")), device="cpu")
    assert all(words in str(error.value) for words in ("dtype", "device_map", "smaller model", "free on cpu"))
    assert isinstance(error.value, MemoryError)


def test_a_smaller_dtype_is_counted(twin, monkeypatch):
    needed = memory.needed_bytes(twin("bert"))
    monkeypatch.setattr(memory, "free_bytes", lambda device_type="cpu": int(0.7 * needed))
    with pytest.raises(NotEnoughMemory):
        load(str(twin("bert")), device="cpu")
    assert load(str(twin("bert")), device="cpu", model_kwargs={"dtype": "bfloat16"}).dtype.itemsize == 2


def test_half_precision_is_not_advised_to_whom_it_has(twin, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda device_type="cpu": 10_000)
    with pytest.raises(NotEnoughMemory) as error:
        load(str(twin("bert")), device="cpu", model_kwargs={"dtype": "bfloat16"})
    assert "halves" not in str(error.value)


def test_a_machine_that_does_not_tell_its_memory_is_not_asked_twice(twin, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda device_type="cpu": None)
    load(str(twin("static")), device="cpu")


def test_needed_bytes_are_those_of_the_tensors(twin):
    weights = load_file(twin("bert") / "model.safetensors")
    assert memory.needed_bytes(twin("bert")) == sum(t.numel() * t.element_size() for t in weights.values())
    floats = sum(t.numel() for t in weights.values() if t.is_floating_point())
    rest = sum(t.numel() * t.element_size() for t in weights.values() if not t.is_floating_point())
    assert memory.needed_bytes(twin("bert"), 2) == 2 * floats + rest


def test_needed_bytes_of_a_folder_with_pickles_are_their_sizes(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"a" * 1_000)
    assert memory.needed_bytes(tmp_path) == 1_000


def test_free_bytes_of_this_machine_are_plausible():
    free = memory.free_bytes("cpu")
    assert free is None or 10**6 < free < 10**14


# ---- kwargs


def test_an_unknown_dtype_is_a_model_error(twin):
    with pytest.raises(ModelError, match="float33"):
        load(str(twin("bert")), model_kwargs={"dtype": "float33"})


@pytest.mark.parametrize("wrong", [{"backend": "onnx"}, {"truncate_dim": 0}, {"similarity_fn_name": "cosin"}])
def test_a_wrong_argument_of_the_constructor_is_a_usage_error(twin, wrong):
    with pytest.raises((UsageError, ValueError)):
        load(str(twin("static")), device="cpu", **wrong).encode("a")


def test_an_unknown_argument_of_the_constructor_is_a_type_error(twin):
    with pytest.raises(TypeError, match="no_such"):
        load(str(twin("static")), no_such=1)


def test_a_folder_that_may_not_be_read_is_a_model_error(broken):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    folder = broken()
    (folder / "config.json").chmod(0)
    with pytest.raises((ModelError, OSError)) as error:
        load(str(folder))
    assert getattr(error.value, "errno", None) in (None, errno.EACCES)


def test_untrusted_code_is_a_model_error():
    assert issubclass(UntrustedCode, ModelError)
