"""What a model needs from other repositories: the base of an adapter, code. It is asked for as the model itself was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hub_stub import Hub, connected, files_of

from manysense import ModelError, SentenceTransformer
from manysense.checkpoints.source import Source
from manysense.errors import ModelNotFound, UntrustedCode
from twins import bert

TEXT = "two dogs in the snow"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with connected(tmp_path) as made:
        made.users |= {"hf_mine": "me"}
        yield made


def tokens(hub: Hub, name: str) -> set[str | None]:
    """What was sent with the questions about this repository."""
    return {headers.get("authorization") for line, headers in zip(hub.asked, hub.headers) if f"/{name}" in line}


# ---- a source beside another


def test_a_source_beside_another_differs_in_name_and_revision_alone():
    source = Source("acme/a", "v1", "hf_mine", "cache", True, True, True)
    assert source.beside("acme/b") == Source("acme/b", None, "hf_mine", "cache", True, True, True)
    assert source.beside("acme/b", "v2").revision == "v2"


# ---- the base of an adapter


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """(files of an adapter for acme/base, files of that base, the folder of another base)."""
    peft = pytest.importorskip("peft")
    from transformers import AutoModel

    place = tmp_path_factory.mktemp("adapter")
    bert.bare(place / "base")
    bert.bare(place / "other", seed=1)
    torch.manual_seed(0)
    config = peft.LoraConfig(r=4, target_modules=["query", "value"], init_lora_weights=False)
    peft.get_peft_model(AutoModel.from_pretrained(place / "base"), config).save_pretrained(place / "adapter")
    adapter = files_of(place / "adapter")
    named = json.loads(adapter["adapter_config.json"]) | {"base_model_name_or_path": "acme/base"}
    return adapter | {"adapter_config.json": json.dumps(named).encode()}, files_of(place / "base"), place / "other"


def with_config(adapter, **changes):
    changed = json.loads(adapter["adapter_config.json"]) | changes
    return adapter | {"adapter_config.json": json.dumps(changed).encode()}


def test_the_base_is_fetched_with_the_callers_token_into_the_callers_cache(hub, parts, tmp_path):
    adapter, base, _ = parts
    hub.add("acme/adapter", adapter, readers={"hf_mine"})
    hub.add("acme/base", base, readers={"hf_mine"})
    SentenceTransformer("acme/adapter", device="cpu", token="hf_mine", cache_folder=str(tmp_path / "mine"))
    assert tokens(hub, "acme/base") == {"Bearer hf_mine"}
    assert (tmp_path / "mine" / "models--acme--base").is_dir()
    assert not (tmp_path / "cache" / "models--acme--base").exists()


def test_no_token_is_sent_for_the_base_where_none_is_wanted(hub, parts, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    adapter, base, _ = parts
    hub.add("acme/adapter", adapter)
    hub.add("acme/base", base)
    SentenceTransformer("acme/adapter", device="cpu", token=False)
    assert tokens(hub, "acme/base") == {None}


def test_offline_the_base_is_asked_of_the_cache_alone(hub, parts):
    adapter, base, _ = parts
    hub.add("acme/adapter", adapter)
    hub.add("acme/base", base)
    Source("acme/adapter").folder()
    hub.asked.clear()
    with pytest.raises(ModelNotFound, match="'acme/base' is neither a folder nor in the local cache"):
        SentenceTransformer("acme/adapter", device="cpu", local_files_only=True)
    Source("acme/base").folder()
    hub.asked.clear()
    assert SentenceTransformer("acme/adapter", device="cpu", local_files_only=True).encode(TEXT).shape == (32,)
    assert hub.asked == []


def test_the_adapters_revision_is_not_the_bases(hub, parts):
    adapter, base, _ = parts
    hub.add("acme/adapter", {"README.md": b"not yet"})
    hub.add("acme/adapter", adapter, "v2")
    hub.add("acme/base", base)
    assert SentenceTransformer("acme/adapter", device="cpu", revision="v2").encode(TEXT).shape == (32,)


def test_the_revision_that_the_adapter_names_is_the_bases(hub, parts):
    adapter, base, other = parts
    hub.add("acme/base", other)
    hub.add("acme/base", base, "pinned")
    hub.add("acme/adapter", adapter)
    hub.add("acme/adapter", with_config(adapter, revision="pinned"), "v2")
    hub.add("acme/plain", base)
    hub.add("acme/expected", with_config(adapter, base_model_name_or_path="acme/plain"))
    pinned = SentenceTransformer("acme/adapter", revision="v2", device="cpu").encode(TEXT)
    np.testing.assert_array_equal(pinned, SentenceTransformer("acme/expected", device="cpu").encode(TEXT))
    assert np.abs(pinned - SentenceTransformer("acme/adapter", device="cpu").encode(TEXT)).max() > 1e-3


def test_a_local_adapter_too_asks_for_its_base_with_the_callers_token(hub, parts, tmp_path):
    adapter, base, _ = parts
    hub.add("acme/base", base, readers={"hf_mine"})
    (tmp_path / "adapter").mkdir()
    for name, content in adapter.items():
        (tmp_path / "adapter" / name).write_bytes(content)
    with pytest.raises(ModelNotFound, match="acme/base"):
        SentenceTransformer(str(tmp_path / "adapter"), device="cpu")
    assert SentenceTransformer(str(tmp_path / "adapter"), device="cpu", token="hf_mine").encode(TEXT).shape == (32,)


# ---- classes of modules


TWICE = b"""import torch


class Twice(torch.nn.Module):
    def forward(self, features):
        features["sentence_embedding"] = 2 * features["sentence_embedding"]
        return features

    @classmethod
    def load_from(cls, folder):
        return cls()
"""


@pytest.fixture
def doubling(hub, twin):
    """doubling(kind) → acme/model on the Hub, a plain model and a module of this class after it; its plain vector."""

    def add(kind: str = "acme/code--own.Twice", **kwargs) -> np.ndarray:
        files = files_of(twin("bert"))
        listed = json.loads(files["modules.json"])
        listed.append({"idx": len(listed), "name": "twice", "path": "", "type": kind})
        hub.add("acme/model", files | {"modules.json": json.dumps(listed).encode()}, **kwargs)
        return SentenceTransformer(str(twin("bert")), device="cpu").encode(TEXT)

    return add


def test_code_of_another_repository_is_fetched_with_the_callers_token_into_the_callers_cache(hub, doubling, tmp_path):
    plain = doubling(readers={"hf_mine"})
    hub.add("acme/code", {"own.py": TWICE, "config.json": b"{}", "model.safetensors": b"x"}, readers={"hf_mine"})
    model = SentenceTransformer(
        "acme/model", device="cpu", trust_remote_code=True, token="hf_mine", cache_folder=str(tmp_path / "mine")
    )
    np.testing.assert_allclose(model.encode(TEXT), 2 * plain, rtol=1e-6)
    assert tokens(hub, "acme/code") == {"Bearer hf_mine"}
    assert [p.name for p in (tmp_path / "mine" / "models--acme--code" / "snapshots").rglob("*.*")] == ["own.py"]


def test_code_of_another_repository_is_not_asked_for_where_it_is_not_trusted(hub, doubling):
    doubling()
    hub.add("acme/code", {"own.py": TWICE})
    with pytest.raises(UntrustedCode, match="acme/code--own"):
        SentenceTransformer("acme/model", device="cpu")
    assert hub.count("acme/code") == 0


def test_the_models_revision_is_not_the_codes_and_code_revision_is(hub, doubling):
    doubling(ref="v2")
    hub.add("acme/code", {"own.py": TWICE})
    hub.add("acme/code", {"own.py": TWICE.replace(b"2 *", b"3 *")}, "later")
    load = {"device": "cpu", "trust_remote_code": True, "revision": "v2"}
    twice = SentenceTransformer("acme/model", **load).encode(TEXT)
    thrice = SentenceTransformer("acme/model", **load, model_kwargs={"code_revision": "later"}).encode(TEXT)
    np.testing.assert_allclose(thrice, 1.5 * twice, rtol=1e-6)


def test_offline_code_of_another_repository_comes_from_the_cache(hub, doubling, tmp_path):
    doubling()
    hub.add("acme/code", {"own.py": TWICE})
    load = {"device": "cpu", "trust_remote_code": True, "cache_folder": str(tmp_path / "mine")}
    first = SentenceTransformer("acme/model", **load).encode(TEXT)
    hub.asked.clear()
    again = SentenceTransformer("acme/model", local_files_only=True, **load)
    np.testing.assert_array_equal(again.encode(TEXT), first)
    assert hub.asked == []


ASKING = b"""import torch


class Twice(torch.nn.Module):
    def __init__(self, told):
        super().__init__()
        self.told = told

    def forward(self, features):
        return features

    @classmethod
    def load(cls, model_name_or_path, subfolder="", token=None, cache_folder=None, local_files_only=False, **kwargs):
        return cls((token, cache_folder, local_files_only))
"""


def test_code_that_fetches_by_itself_is_told_how_the_caller_does(hub, doubling, tmp_path):
    doubling()
    hub.add("acme/code", {"own.py": ASKING})
    load = {"device": "cpu", "trust_remote_code": True, "token": "hf_mine", "cache_folder": str(tmp_path / "mine")}
    assert SentenceTransformer("acme/model", **load)[-1].told == ("hf_mine", str(tmp_path / "mine"), False)
    assert SentenceTransformer("acme/model", local_files_only=True, **load)[-1].told[2] is True


@pytest.mark.parametrize(
    ("kind", "says"),
    [("acme/none--own.Twice", "'acme/none' is neither a folder nor a repository"), ("acme/code--no.Twice", "no file")],
)
def test_code_that_is_not_there_is_a_sentence(hub, doubling, kind, says):
    doubling(kind)
    hub.add("acme/code", {"own.py": TWICE})
    with pytest.raises(ModelError, match=says):
        SentenceTransformer("acme/model", device="cpu", trust_remote_code=True)


# ---- classes of transformers

OWN = b"""from transformers import BertConfig, BertModel


class OwnConfig(BertConfig):
    model_type = "own_kind_elsewhere"


class OwnModel(BertModel):
    config_class = OwnConfig
"""


@pytest.fixture
def own_class(twin):
    """Files of a model whose classes are in acme/code."""
    files = files_of(twin("bert-bare"))
    auto = {"AutoConfig": "acme/code--own.OwnConfig", "AutoModel": "acme/code--own.OwnModel"}
    config = json.loads(files["config.json"]) | {"model_type": "own_kind_elsewhere", "auto_map": auto}
    return files | {"config.json": json.dumps(config).encode()}


def test_transformers_too_takes_code_at_its_own_revision(hub, own_class):
    hub.add("acme/own", own_class, "v2")
    hub.add("acme/code", {"README.md": b"no code here yet"})
    hub.add("acme/code", {"own.py": OWN}, "later")
    load = {"device": "cpu", "trust_remote_code": True, "revision": "v2"}
    with pytest.raises(ModelError, match=r"own\.py"):
        SentenceTransformer("acme/own", **load)
    model = SentenceTransformer("acme/own", **load, model_kwargs={"code_revision": "later"})
    assert type(model[0].model).__name__ == "OwnModel"


def test_transformers_too_fetches_code_with_the_callers_token_and_keeps_no_token(hub, own_class, tmp_path):
    hub.add("acme/own", own_class, readers={"hf_mine"})
    hub.add("acme/code", {"own.py": OWN}, readers={"hf_mine"})
    model = SentenceTransformer(
        "acme/own", device="cpu", trust_remote_code=True, token="hf_mine", cache_folder=str(tmp_path / "mine")
    )
    assert type(model[0].model).__name__ == "OwnModel"
    assert tokens(hub, "acme/code") == {"Bearer hf_mine"}
    assert not (tmp_path / "cache" / "models--acme--code").exists()
    model.save_pretrained(tmp_path / "saved")
    assert not any(b"hf_mine" in content for content in files_of(tmp_path / "saved").values())
