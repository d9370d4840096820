"""Adapters on a model: what each method changes, what is written, what Sentence Transformers makes of it.

Knows: vectors by peft itself, which wraps the network in a class of its own. Does not know: how adapters compute.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import sys

import pytest
import torch
from safetensors.torch import load_file

from manysense import SentenceTransformer
from manysense.batching.model_file import state_of
from manysense.errors import MissingExtra, ModelError, ModelNotFound, UsageError
from manysense.modules import Pooling, Router, Transformer
from reference.closeness import MOVED, assert_close, distance
from twins import bert
from twins.samples import TEXTS

peft = pytest.importorskip("peft")


def config(**more):
    return peft.LoraConfig(r=4, target_modules=["query", "value"], init_lora_weights=False, **more)


@pytest.fixture
def plain(twin):
    return SentenceTransformer(str(twin("bert")), device="cpu")


@pytest.fixture
def adapted(plain):
    """A model with an adapter that is not zero."""
    torch.manual_seed(0)
    plain.add_adapter(config())
    return plain


def vectors(model):
    return model.encode(list(TEXTS))


def by_peft(folder, seed, **more):
    """Vectors of a BERT folder (mean pooling, length 1) with a fresh adapter, one text at a time."""
    tokenizer, network = bert._load(folder)
    torch.manual_seed(seed)
    wrapped = peft.get_peft_model(type(network).from_pretrained(folder), config(**more)).eval()
    with torch.no_grad():
        means = [wrapped(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0) for text in TEXTS]
    return [(mean / mean.norm()).numpy() for mean in means]


# ---- here alone


def test_a_fresh_adapter_is_used_at_once(adapted, twin):
    assert_close(vectors(adapted), by_peft(twin("bert"), 0))
    assert distance(vectors(adapted)[0], bert.reference(twin("bert"), TEXTS[0])) > MOVED
    assert adapted.active_adapters() == ["default"]


def test_a_fresh_adapter_alone_is_trained(adapted):
    trained = {name for name, tensor in adapted.named_parameters() if tensor.requires_grad}
    assert trained == {name for name, _ in adapted.named_parameters() if "lora_" in name}
    assert trained


def test_its_dropout_is_off_while_the_model_is_not_trained(plain, twin):
    torch.manual_seed(0)
    plain.add_adapter(config(lora_dropout=0.5))
    assert not any(module.training for module in plain.modules())
    assert_close(vectors(plain), by_peft(twin("bert"), 0, lora_dropout=0.5))


def test_adapters_can_be_switched_off_and_on(adapted, twin):
    expected = vectors(adapted)
    adapted.disable_adapters()
    assert_close(vectors(adapted), [bert.reference(twin("bert"), text) for text in TEXTS])
    adapted.enable_adapters()
    assert_close(vectors(adapted), expected)


def test_layers_that_an_adapter_brings_a_copy_of_are_switched_too(twin):
    model = SentenceTransformer(str(twin("bert")), device="cpu")
    model.add_adapter(config(modules_to_save=["dense"]))
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if "modules_to_save" in name:
                tensor.mul_(1.5)
    expected = vectors(model)
    model.disable_adapters()
    assert_close(vectors(model), [bert.reference(twin("bert"), text) for text in TEXTS])
    model.enable_adapters()
    assert_close(vectors(model), expected)


def test_the_adapter_that_is_set_is_used_and_no_other(adapted, twin):
    torch.manual_seed(1)
    adapted.add_adapter(config(), "other")
    assert_close(vectors(adapted), by_peft(twin("bert"), 1))
    adapted.set_adapter("default")
    assert_close(vectors(adapted), by_peft(twin("bert"), 0))
    adapted.set_adapter(["default", "other"])
    assert adapted.active_adapters() == ["default", "other"]
    assert min(distance(vectors(adapted)[0], by_peft(twin("bert"), seed)[0]) for seed in (0, 1)) > MOVED


def test_without_its_last_adapter_a_model_is_what_it_was(adapted, twin, tmp_path):
    adapted.delete_adapter("default")
    assert_close(vectors(adapted), [bert.reference(twin("bert"), text) for text in TEXTS])
    with pytest.raises(UsageError, match="no adapter on this model"):
        adapted.active_adapters()
    torch.manual_seed(1)
    adapted.add_adapter(config())
    assert_close(vectors(adapted), by_peft(twin("bert"), 1))


def test_of_two_adapters_one_can_go(adapted, twin):
    torch.manual_seed(1)
    adapted.add_adapter(config(), "other")
    adapted.set_adapter("default")
    adapted.delete_adapter(["other"])
    assert_close(vectors(adapted), by_peft(twin("bert"), 0))


def test_the_tensors_of_one_adapter_are_handed_out(adapted):
    adapted.add_adapter(config(), "other")
    made = adapted.get_adapter_state_dict("default")
    assert len(made) == 8  # two layers, query and value, A and B
    layer = adapted.transformers_model.encoder.layer[0].attention.self.query
    assert torch.equal(made["encoder.layer.0.attention.self.query.lora_A.weight"], layer.lora_A["default"].weight)
    active = adapted.get_adapter_state_dict()
    assert torch.equal(active["encoder.layer.0.attention.self.query.lora_A.weight"], layer.lora_A["other"].weight)


def test_a_network_in_a_route_takes_an_adapter(twin):
    folder = str(twin("bert-bare"))
    routes = {name: [Transformer(folder), Pooling(bert.WIDTH)] for name in ("query", "document")}
    model = SentenceTransformer(modules=[Router(routes)], device="cpu")
    before = model.encode_query("a dog"), model.encode_document("a dog")
    model.add_adapter(config())
    assert distance(model.encode_query("a dog"), before[0]) > MOVED
    assert_close([model.encode_document("a dog")], [before[1]])


# ---- copies


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.add_adapter(config(), "third"),
        lambda model: model.set_adapter("default"),
        lambda model: model.disable_adapters(),
        lambda model: model.delete_adapter("other"),
    ],
    ids=["add", "set", "disable", "delete"],
)
def test_copies_of_the_model_follow_every_change(change, adapted):
    """On other devices, and in the processes of a pool, which get the model again when its state has changed."""
    adapted.add_adapter(config(), "other")
    place = torch.device("cpu")
    copy, sent = adapted._guard.replica(adapted, place), state_of(adapted)
    assert adapted._guard.replica(adapted, place) is copy
    assert state_of(adapted) == sent
    change(adapted)
    assert adapted._guard.replica(adapted, place) is not copy
    assert_close(vectors(adapted._guard.replica(adapted, place)), vectors(adapted))
    assert state_of(adapted) != sent


# ---- folders


@pytest.mark.parametrize(("safe", "file"), [(True, "adapter_model.safetensors"), (False, "adapter_model.bin")])
def test_a_saved_model_with_an_adapter_is_the_adapter_and_the_name_of_its_base(safe, file, adapted, twin, tmp_path):
    adapted.save_pretrained(tmp_path, safe_serialization=safe)
    assert [path.name for path in tmp_path.iterdir() if path.suffix in (".bin", ".safetensors")] == [file]
    assert json.loads((tmp_path / "adapter_config.json").read_text())["base_model_name_or_path"] == str(twin("bert"))
    assert_close(vectors(SentenceTransformer(str(tmp_path), device="cpu")), vectors(adapted))


def test_a_base_from_the_hubs_cache_is_named_as_on_the_hub(twin, tmp_path):
    cached = tmp_path / "models--someone--a-model" / "snapshots" / "0123abc"
    shutil.copytree(twin("bert"), cached)
    model = SentenceTransformer(str(cached), device="cpu")
    model.add_adapter(config())
    model.save_pretrained(tmp_path / "saved")
    stored = json.loads((tmp_path / "saved" / "adapter_config.json").read_text())
    assert stored["base_model_name_or_path"] == "someone/a-model"


def test_the_adapter_that_is_active_is_saved(adapted, twin, tmp_path):
    torch.manual_seed(1)
    adapted.add_adapter(config(), "other")
    for name, seed in {"other": 1, "default": 0}.items():
        adapted.set_adapter(name)
        adapted.save_pretrained(tmp_path / name)
        assert_close(vectors(SentenceTransformer(str(tmp_path / name), device="cpu")), by_peft(twin("bert"), seed))
    adapted.set_adapter(["default", "other"])
    with pytest.raises(ModelError, match=r"one adapter, and 2 are active: default, other\n.*set_adapter"):
        adapted.save_pretrained(tmp_path / "both")


@pytest.mark.parametrize("safe", [True, False])
def test_an_adapter_is_loaded_from_a_folder(adapted, twin, tmp_path, safe):
    adapted.save_pretrained(tmp_path, safe_serialization=safe)
    model = SentenceTransformer(str(twin("bert")), device="cpu")
    model.load_adapter(tmp_path)
    assert_close(vectors(model), vectors(adapted))
    assert not any(tensor.requires_grad for name, tensor in model.named_parameters() if "lora_" in name)


def test_of_several_adapters_the_one_that_was_loaded_last_is_used(adapted, twin, tmp_path):
    adapted.save_pretrained(tmp_path / "one")
    torch.manual_seed(1)
    adapted.add_adapter(config(), "other")
    model = SentenceTransformer(str(twin("bert")), device="cpu")
    adapted.save_pretrained(tmp_path / "other")
    model.load_adapter(str(tmp_path / "one"), "one")
    model.load_adapter(str(tmp_path), adapter_name="other", subfolder="other")
    assert model.active_adapters() == ["other"]
    assert_close(vectors(model), by_peft(twin("bert"), 1))
    model.set_adapter("one")
    assert_close(vectors(model), by_peft(twin("bert"), 0))


def test_an_adapter_can_take_the_place_of_another(adapted, twin, tmp_path):
    adapted.save_pretrained(tmp_path)
    model = SentenceTransformer(str(twin("bert")), device="cpu")
    torch.manual_seed(1)
    model.add_adapter(config())
    model.load_adapter(tmp_path, hotswap=True)
    assert_close(vectors(model), vectors(adapted))


def test_an_adapter_can_be_handed_over_as_tensors(adapted, twin):
    model = SentenceTransformer(str(twin("bert")), device="cpu")
    model.load_adapter(peft_config=config(), adapter_state_dict=adapted.get_adapter_state_dict())
    assert_close(vectors(model), vectors(adapted))


# ---- refused


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda model: model.set_adapter("x"), "there is no adapter 'x' on this model; there are: default"),
        (lambda model: model.delete_adapter(["default", "x"]), "there is no adapter 'x'"),
        (lambda model: model.get_adapter_state_dict("x"), "there is no adapter 'x'"),
        (lambda model: model.add_adapter(config()), r"there is an adapter 'default' already\n.*adapter_name"),
        (lambda model: model.load_adapter("anywhere"), "there is an adapter 'default' already"),
        (lambda model: model.add_adapter({"r": 4}, "x"), r"must be a peft\.PeftConfig, such as LoraConfig.*got dict"),
        (lambda model: model.add_adapter(peft.LoraConfig(target_modules=["no"]), "x"), "does not fit BertModel: .*no"),
    ],
    ids=["set", "delete", "tensors", "add", "load", "no config", "no place"],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(call, said, adapted):
    expected = vectors(adapted)
    with pytest.raises(UsageError, match=said):
        call(adapted)
    assert adapted.active_adapters() == ["default"]
    assert list(adapted.transformers_model.peft_config) == ["default"]
    assert_close(vectors(adapted), expected)


@pytest.mark.parametrize("name", ["active_adapters", "enable_adapters", "disable_adapters", "get_adapter_state_dict"])
def test_a_model_without_adapters_says_how_to_get_one(name, plain):
    with pytest.raises(UsageError, match=r"no adapter on this model\n.*load_adapter"):
        getattr(plain, name)()


def test_a_model_without_a_transformers_network_takes_none(model):
    with pytest.raises(UsageError, match="no Transformer module"):
        model("static").add_adapter(config())


def test_a_first_adapter_that_does_not_fit_leaves_the_model_as_it_was(plain, twin, tmp_path):
    with pytest.raises(UsageError, match="does not fit"):
        plain.add_adapter(peft.LoraConfig(target_modules=["no"]))
    plain.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").is_file()
    assert_close(vectors(plain), [bert.reference(twin("bert"), text) for text in TEXTS])


def test_an_adapter_that_is_not_there_is_named(plain, tmp_path, twin):
    with pytest.raises(ModelNotFound, match="no/such"):
        plain.load_adapter("no/such", local_files_only=True)
    with pytest.raises(ModelError, match=r"no adapter_config\.json"):
        plain.load_adapter(twin("bert"))


def test_an_adapter_of_another_network_does_not_fit(adapted, tmp_path, edit_adapter):
    adapted.save_pretrained(tmp_path)
    adapted.delete_adapter("default")
    edit_adapter(tmp_path, target_modules=["no"])
    with pytest.raises(ModelError, match=f"the adapter in {tmp_path} does not fit BertModel"):
        adapted.load_adapter(tmp_path)
    with pytest.raises(UsageError, match="no adapter on this model"):
        adapted.active_adapters()


@pytest.mark.parametrize("first", [True, False], ids=["alone", "beside another"])
def test_of_an_adapter_whose_weights_cannot_be_read_nothing_stays(first, adapted, twin, tmp_path):
    adapted.save_pretrained(tmp_path)
    whole = (tmp_path / "adapter_model.safetensors").read_bytes()
    (tmp_path / "adapter_model.safetensors").write_bytes(whole[: len(whole) // 2])
    model = SentenceTransformer(str(twin("bert")), device="cpu")
    if not first:
        for name in ("a", "b", "c"):
            model.add_adapter(config(), name)
        model.set_adapter("b")
    expected = vectors(model)
    with pytest.raises(ModelError, match=f"the adapter in {tmp_path} does not fit"):
        model.load_adapter(tmp_path)
    assert_close(vectors(model), expected)
    assert first or model.active_adapters() == ["b"]
    (tmp_path / "adapter_model.safetensors").write_bytes(whole)
    model.load_adapter(tmp_path)
    assert_close(vectors(model), vectors(adapted))


@pytest.fixture
def edit_adapter():
    def change(folder, **changes):
        path = folder / "adapter_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def test_without_peft_the_error_says_what_to_install(plain, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtra, match="to use adapters, manysense needs peft:  pip install"):
        plain.load_adapter("anywhere")


# ---- with the known library


@pytest.fixture
def known(twin, monkeypatch):
    """known(folder) → its model in the known library, where transformers takes the peft that is there."""
    library = pytest.importorskip("sentence_transformers")
    there = importlib.metadata.version("peft")
    monkeypatch.setattr("transformers.integrations.peft.MIN_PEFT_VERSION", there)
    return lambda folder: library.SentenceTransformer(str(folder), device="cpu")


@pytest.mark.slow
def test_adapters_go_both_ways(adapted, known, twin, tmp_path):
    adapted.save_pretrained(tmp_path / "mine")
    assert_close(vectors(known(tmp_path / "mine")), vectors(adapted))
    other = known(twin("bert"))
    torch.manual_seed(1)
    other.add_adapter(config())
    other.save_pretrained(str(tmp_path / "other"))
    other.eval()
    assert_close(vectors(SentenceTransformer(str(tmp_path / "other"), device="cpu")), vectors(other))
    mine, theirs = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("mine", "other"))
    assert {name: tensor.shape for name, tensor in mine.items()} == {n: tensor.shape for n, tensor in theirs.items()}
    ours, its = (json.loads((tmp_path / name / "adapter_config.json").read_text()) for name in ("mine", "other"))
    assert ours == its | {"target_modules": ours["target_modules"]}  # a set, in the order of the process


@pytest.mark.slow
def test_one_call_after_the_other_has_the_effect_that_it_has_there(adapted, known, twin, tmp_path):
    adapted.save_pretrained(tmp_path)
    mine, other = SentenceTransformer(str(twin("bert")), device="cpu"), known(twin("bert"))
    steps = [
        lambda model: model.load_adapter(str(tmp_path)),
        lambda model: (torch.manual_seed(1), model.add_adapter(config(), adapter_name="second"), model.eval()),
        lambda model: model.load_adapter(str(tmp_path), adapter_name="third"),
        lambda model: model.set_adapter("default"),
        lambda model: model.disable_adapters(),
        lambda model: model.enable_adapters(),
        lambda model: model.delete_adapter("second"),
        lambda model: model.set_adapter(["default", "third"]),
    ]
    for i, step in enumerate(steps):
        step(mine)
        step(other)
        assert mine.active_adapters() == other.active_adapters(), i
        assert_close(vectors(mine), vectors(other))
