"""Models by name, from a Hub on loopback: what is asked, what is fetched, what is kept."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hub_stub import Hub, Trouble, connected, files_of

from manysense import ManysenseWarning, SentenceTransformer
from manysense.checkpoints.source import Source
from manysense.errors import ModelError, ModelNotFound, UntrustedCode

READ = "resolve/"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with connected(tmp_path) as made:
        yield made


@pytest.fixture
def offline(monkeypatch):
    """offline() → from now on HF_HUB_OFFLINE is set."""
    from huggingface_hub import constants

    return lambda: monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def names(folder: Path) -> set[str]:
    return set(files_of(folder))


# ---- fetching


def test_a_model_is_fetched_by_name_and_gives_the_vectors_of_its_folder(hub, twin):
    hub.add("acme/static", twin("static"))
    made = SentenceTransformer("acme/static", device="cpu")
    np.testing.assert_array_equal(
        made.encode("a red house"), SentenceTransformer(twin("static"), device="cpu").encode("a red house")
    )


def test_loading_a_transformer_asks_the_hub_nothing_beside_its_files(hub, twin):
    hub.add("acme/bert", twin("bert"))
    SentenceTransformer("acme/bert", device="cpu")
    assert all("/acme/bert" in line for line in hub.asked)
    assert hub.count(READ) == 2 * len(files_of(twin("bert")))  # HEAD and GET of each


def test_a_model_that_was_fetched_costs_one_question(hub, twin):
    hub.add("acme/static", twin("static"))
    first = Source("acme/static").folder()
    hub.asked.clear()
    assert Source("acme/static").folder() == first
    assert hub.asked == ["GET /api/models/acme/static"]


def test_a_pinned_commit_that_was_fetched_costs_no_question(hub, twin):
    commit = hub.add("acme/static", twin("static"))
    first = Source("acme/static", revision=commit).folder()
    hub.asked.clear()
    assert Source("acme/static", revision=commit).folder() == first
    assert hub.asked == []


def test_a_change_on_the_hub_is_fetched(hub):
    hub.add("acme/a", {"config.json": b"{}"})
    Source("acme/a").folder()
    hub.add("acme/a", {"config.json": b"{ }"})
    assert (Source("acme/a").folder() / "config.json").read_bytes() == b"{ }"


def test_a_broken_connection_goes_on_where_it_broke(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 500)
    content = bytes(range(256)) * 64
    hub.add("acme/a", {"config.json": b"{}", "model.safetensors": content})
    hub.troubles.append(Trouble("model.safetensors", after=1_000))
    assert (Source("acme/a").folder() / "model.safetensors").read_bytes() == content
    assert any(headers.get("range") == "bytes=1000-" for headers in hub.headers)


def test_a_second_try_fetches_only_what_is_missing(hub):
    hub.add("acme/a", {"config.json": b"{}", "model.safetensors": b"weights"})
    hub.troubles.append(Trouble("model.safetensors", status=403, message="no", times=99))
    with pytest.raises(ModelNotFound):
        Source("acme/a").folder()
    hub.troubles.clear()
    hub.asked.clear()
    assert names(Source("acme/a").folder()) == {"config.json", "model.safetensors"}
    assert hub.count("config.json") == 0


# ---- which files

OTHERS = [
    *("onnx/model.onnx", "model.onnx_data", "openvino/openvino_model.bin", "openvino/openvino_model.xml"),
    *("tf_model.h5", "flax_model.msgpack", "rust_model.ot", "model.gguf", "coreml/model.mlmodel"),
    *("checkpoint-500/model.safetensors", "training_args.bin", "optimizer.pt", "runs/a/events.out", "modeling.py"),
]


def test_files_for_other_runtimes_and_leftovers_of_training_are_not_fetched(hub):
    needed = {"modules.json", "config.json", "model.safetensors", "1_Pooling/config.json", "vocab.txt", "README.md"}
    hub.add("acme/a", dict.fromkeys([*needed, *OTHERS], b"x"))
    assert names(Source("acme/a").folder()) == needed


def test_pickles_are_not_fetched_beside_the_same_weights_as_safetensors(hub):
    fetched = {"config.json", "model.safetensors", "2_Dense/pytorch_model.bin", "3_Dense/model.safetensors"}
    doubled = {"pytorch_model.bin", "3_Dense/pytorch_model.bin"}
    hub.add("acme/a", dict.fromkeys([*fetched, *doubled], b"x"))
    assert names(Source("acme/a").folder()) == fetched


@pytest.mark.parametrize("end", ["", "-00001-of-00002"])
def test_pickles_in_pieces_are_not_fetched_beside_safetensors_in_pieces(hub, end):
    fetched = {"config.json", "model.safetensors.index.json", "model-00001-of-00001.safetensors"}
    doubled = {f"pytorch_model{end}.bin", "pytorch_model.bin.index.json"}
    hub.add("acme/a", dict.fromkeys([*fetched, *doubled], b"x"))
    assert names(Source("acme/a").folder()) == fetched


def test_pickles_are_fetched_where_there_is_nothing_else(hub):
    files = {"config.json", "pytorch_model.bin", "adapter_model.bin"}
    hub.add("acme/a", dict.fromkeys(files, b"x"))
    assert names(Source("acme/a").folder()) == files


def test_code_is_fetched_when_it_is_trusted(hub):
    hub.add("acme/a", {"config.json": b"{}", "own.py": b"", "w.safetensors": b""})
    assert "own.py" not in names(Source("acme/a").folder())
    assert "own.py" in names(Source("acme/a", trust_remote_code=True).folder())


OWN_CODE = b"""from transformers import BertConfig, BertModel


class OwnConfig(BertConfig):
    model_type = "own_kind_of_the_hub"


class OwnModel(BertModel):
    config_class = OwnConfig
"""


def test_a_model_with_code_of_its_own_loads_when_it_is_trusted_and_not_else(hub, twin):
    files = files_of(twin("bert-bare"))
    auto = {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"}
    config = json.loads(files["config.json"]) | {"model_type": "own_kind_of_the_hub", "auto_map": auto}
    hub.add("acme/own", files | {"config.json": json.dumps(config).encode(), "own.py": OWN_CODE})
    with pytest.raises(UntrustedCode, match=r"own\.OwnConfig"):
        SentenceTransformer("acme/own", device="cpu")
    assert hub.count(r"own\.py") == 0
    assert SentenceTransformer("acme/own", device="cpu", trust_remote_code=True).encode("a dog").shape == (32,)


@pytest.mark.parametrize("export", ["onnx/model.onnx", "openvino_model.bin", "tf_model.h5", "model.gguf"])
def test_a_repository_of_exports_is_refused_before_anything_is_fetched(hub, export):
    hub.add("acme/a", {"config.json": b"{}", export: b"x"})
    with pytest.raises(ModelError, match=rf"{export.rpartition('/')[2]}.*do not run here"):
        Source("acme/a").folder()
    assert hub.count(READ) == 0


@pytest.fixture
def exported(hub, twin) -> Hub:
    """acme/onnx: a model whose transformer is there for ONNX alone."""
    files = {name: content for name, content in files_of(twin("bert")).items() if not name.endswith(".safetensors")}
    hub.add("acme/onnx", files | {"onnx/model.onnx": b"export"})
    return hub


WAY_OUT = r"do not run here\n.*it has model\.safetensors or pytorch_model\.bin"


def test_a_model_that_is_an_export_alone_is_refused_with_the_way_out(exported):
    for _ in range(2):  # the second time the cache knows something of it
        with pytest.raises(ModelError, match=WAY_OUT):
            SentenceTransformer("acme/onnx", device="cpu")
    assert exported.count(READ) == 0


@pytest.mark.parametrize("fetched", [None, ["*.json", "*.txt"]], ids=["whole", "without the export"])
def test_an_export_that_another_program_fetched_is_refused_offline_too(exported, offline, fetched):
    from huggingface_hub import snapshot_download

    snapshot_download("acme/onnx", allow_patterns=fetched)
    offline()
    with pytest.raises(ModelError, match=WAY_OUT):
        SentenceTransformer("acme/onnx", device="cpu")


# ---- weights that are there twice


@pytest.fixture
def twice(hub, twin) -> tuple[np.ndarray, np.ndarray]:
    """acme/twice holds other weights in its pickle than as safetensors; the vectors of (safetensors, pickle)."""
    import torch
    from safetensors.torch import load_file

    one, other = twin("bert"), twin("bert", seed=1)
    pickled = io.BytesIO()
    torch.save(load_file(other / "model.safetensors"), pickled)
    hub.add("acme/twice", files_of(one) | {"pytorch_model.bin": pickled.getvalue()})
    vectors = [SentenceTransformer(str(folder), device="cpu").encode("a dog") for folder in (one, other)]
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-2
    return vectors[0], vectors[1]


def test_of_weights_that_are_there_twice_safetensors_are_taken(hub, twice):
    np.testing.assert_array_equal(SentenceTransformer("acme/twice", device="cpu").encode("a dog"), twice[0])
    assert hub.count(r"pytorch_model\.bin") == 0


def test_use_safetensors_false_takes_the_pickle_alone(hub, twice):
    model = SentenceTransformer("acme/twice", device="cpu", model_kwargs={"use_safetensors": False})
    np.testing.assert_array_equal(model.encode("a dog"), twice[1])
    assert hub.count(r"resolve/.*safetensors") == 0


def test_use_safetensors_false_fetches_the_pickle_of_a_model_that_is_in_the_cache(twice):
    SentenceTransformer("acme/twice", device="cpu")
    for _ in range(2):
        model = SentenceTransformer("acme/twice", device="cpu", model_kwargs={"use_safetensors": False})
        np.testing.assert_array_equal(model.encode("a dog"), twice[1])


def test_of_a_pickle_that_was_asked_for_only_tensors_are_read(hub, twin, tmp_path):
    files = files_of(twin("bert-bare"))
    hub.add("acme/evil", files | {"pytorch_model.bin": pickle.dumps(Mark(tmp_path / "mark"))})
    with pytest.raises(ModelError):
        SentenceTransformer("acme/evil", device="cpu", model_kwargs={"use_safetensors": False})
    assert not (tmp_path / "mark").exists()


class Mark:
    """Unpickling it makes a folder."""

    def __init__(self, place: Path) -> None:
        self.place = str(place)

    def __reduce__(self):
        return (os.mkdir, (self.place,))


# ---- names without an owner


def test_a_name_without_owner_is_looked_for_at_the_known_organisation_first(hub):
    hub.add("sentence-transformers/tiny", {"config.json": b"theirs"})
    hub.add("tiny", {"config.json": b"nobody's"})
    assert (Source("tiny").folder() / "config.json").read_bytes() == b"theirs"


def test_a_repository_that_has_no_owner_is_found(hub):
    hub.add("bert-base-uncased", {"config.json": b"{}"})
    assert names(Source("bert-base-uncased").folder()) == {"config.json"}
    assert not any("api/models?" in line or line.endswith("/api/models") for line in hub.asked)


def test_a_repository_that_has_no_owner_is_found_again_without_the_hub(hub, offline):
    hub.add("bert-base-uncased", {"config.json": b"{}"})
    first = Source("bert-base-uncased").folder()
    offline()
    assert Source("bert-base-uncased").folder() == first


def test_a_repository_is_found_under_its_old_name(hub):
    hub.add("google-bert/bert-base-uncased", {"config.json": b"{}"})
    hub.renamed["bert-base-uncased"] = "google-bert/bert-base-uncased"
    assert names(Source("bert-base-uncased").folder()) == {"config.json"}


# ---- revisions


@pytest.mark.parametrize("revision", ["dev", "v1.0", "refs/pr/3"])
def test_a_branch_a_tag_and_a_pull_request_are_revisions(hub, revision):
    hub.add("acme/a", {"config.json": b"main"})
    hub.add("acme/a", {"config.json": b"other"}, revision)
    assert (Source("acme/a", revision=revision).folder() / "config.json").read_bytes() == b"other"
    assert (Source("acme/a").folder() / "config.json").read_bytes() == b"main"


def test_a_commit_is_a_revision(hub):
    old = hub.add("acme/a", {"config.json": b"old"})
    hub.add("acme/a", {"config.json": b"new"})
    assert (Source("acme/a", revision=old).folder() / "config.json").read_bytes() == b"old"


def test_all_files_come_from_one_commit_though_the_branch_moves_meanwhile(hub):
    hub.add("acme/a", {"config.json": b"old", "modules.json": b"old"})

    class Moving(list):
        """What is asked of the Hub; with the first file that is, the branch moves on."""

        def append(self, line):
            super().append(line)
            if READ in line and hub.repositories["acme/a"].files()["config.json"] == b"old":
                hub.add("acme/a", {"config.json": b"new", "modules.json": b"new"})

    hub.asked = Moving()
    folder = Source("acme/a").folder()
    assert {path.read_bytes() for path in folder.iterdir()} == {b"old"}


# ---- without the Hub


@pytest.mark.parametrize("asked", ["HF_HUB_OFFLINE", "local_files_only"])
def test_what_was_fetched_is_used_without_asking(hub, twin, offline, asked):
    hub.add("acme/static", twin("static"))
    first = Source("acme/static").folder()
    hub.asked.clear()
    if asked == "HF_HUB_OFFLINE":
        offline()
    assert Source("acme/static", local_files_only=asked == "local_files_only").folder() == first
    assert hub.asked == []


def test_what_was_fetched_is_used_when_the_hub_cannot_be_reached(hub, monkeypatch):
    from huggingface_hub import constants

    hub.add("acme/a", {"config.json": b"{}"})
    first = Source("acme/a").folder()
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert Source("acme/a").folder() == first


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_what_was_fetched_is_used_when_the_hub_refuses(hub, status):
    hub.add("acme/a", {"config.json": b"{}"})
    first = Source("acme/a").folder()
    hub.troubles.append(Trouble("acme/a", status=status))
    assert Source("acme/a").folder() == first


def test_a_copy_with_all_weights_that_another_program_fetched_is_used_offline(hub, offline):
    from huggingface_hub import snapshot_download

    needed = ["modules.json", "config.json", "model.safetensors"]
    hub.add("acme/a", dict.fromkeys([*needed, "pytorch_model.bin", "data_config.json", "train.csv"], b"x"))
    snapshot_download("acme/a", allow_patterns=needed)
    offline()
    assert names(Source("acme/a").folder()) == set(needed)


def test_a_copy_that_another_program_fetched_is_completed_online(hub):
    from huggingface_hub import snapshot_download

    hub.add("acme/a", dict.fromkeys(["modules.json", "config.json", "model.safetensors"], b"x"))
    snapshot_download("acme/a", allow_patterns=["config.json", "model.safetensors"])
    assert "modules.json" in names(Source("acme/a").folder())


def test_a_copy_without_its_modules_is_not_used_as_a_plain_transformer(hub, offline):
    from huggingface_hub import snapshot_download

    hub.add("acme/a", dict.fromkeys(["modules.json", "config.json", "model.safetensors"], b"x"))
    snapshot_download("acme/a", allow_patterns=["config.json", "model.safetensors"])
    offline()
    with pytest.raises(ModelNotFound, match="only partly in the local cache"):
        Source("acme/a").folder()


def test_where_nothing_says_whether_there_are_modules_it_is_said(hub, offline):
    hub.add("acme/a", {"config.json": b"{}"})
    folder = Source("acme/a").folder()
    for listing in (folder.parent.parent / "trees").iterdir():  # as older versions of huggingface_hub left it
        listing.unlink()
    from huggingface_hub import _tree_cache

    _tree_cache._IN_MEMORY_TREE_CACHE.clear()
    offline()
    with pytest.warns(ManysenseWarning, match=r"holds no modules\.json"):
        Source("acme/a").folder()


# ---- caches


def test_a_cache_folder_takes_the_model(hub, tmp_path):
    hub.add("acme/a", {"config.json": b"{}"})
    assert Source("acme/a", cache_folder=tmp_path / "mine").folder().is_relative_to(tmp_path / "mine")


def test_a_cache_can_be_moved(hub, tmp_path, offline):
    hub.add("acme/a", {"config.json": b"{}"})
    Source("acme/a", cache_folder=str(tmp_path / "mine")).folder()
    shutil.move(tmp_path / "mine", tmp_path / "moved")
    offline()
    assert names(Source("acme/a", cache_folder=str(tmp_path / "moved")).folder()) == {"config.json"}


# ---- tokens


def sent(hub: Hub) -> set[str | None]:
    return {headers.get("authorization") for headers in hub.headers}


def test_a_token_opens_a_private_model(hub):
    hub.users["hf_mine"] = "me"
    hub.add("acme/a", {"config.json": b"{}"}, readers={"hf_mine"})
    assert names(Source("acme/a", token="hf_mine").folder()) == {"config.json"}
    assert sent(hub) == {"Bearer hf_mine"}


@pytest.mark.parametrize("token", [None, True])
def test_the_stored_token_is_sent(hub, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", "hf_stored")
    hub.users["hf_stored"] = "me"
    hub.add("acme/a", {"config.json": b"{}"})
    Source("acme/a", token=token).folder()
    assert sent(hub) == {"Bearer hf_stored"}


def test_no_token_is_sent_where_none_is_wanted(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_stored")
    hub.add("acme/a", {"config.json": b"{}"})
    Source("acme/a", token=False).folder()
    assert sent(hub) == {None}


@pytest.mark.parametrize("name", ["token", "use_auth_token"])
def test_the_constructor_passes_the_token_on_under_its_old_name_too(hub, twin, name):
    hub.users["hf_mine"] = "me"
    hub.add("acme/static", twin("static"), readers={"hf_mine"})
    assert SentenceTransformer("acme/static", device="cpu", **{name: "hf_mine"}).modalities == ["text"]


def test_a_token_that_may_read_opens_a_gated_model(hub):
    hub.users["hf_mine"] = "me"
    hub.add("acme/a", {"config.json": b"{}"}, gated=True, readers={"hf_mine"})
    assert names(Source("acme/a", token="hf_mine").folder()) == {"config.json"}
