"""Pushing to a Hub on loopback: what arrives there, what is returned, and that a failure pushes nothing."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hub_stub import Hub, Trouble, connected

from manysense import ModelError, SentenceTransformer, UsageError
from manysense.errors import ModelNotFound

MINE = {"token": "hf_mine"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with connected(tmp_path) as made:
        made.users |= {"hf_mine": "me", "hf_other": "other"}
        yield made


@pytest.fixture
def static(twin) -> SentenceTransformer:
    return SentenceTransformer(twin("static"), device="cpu")


def refused(hub: Hub, call: Callable[[], Any], kind: type[Exception]) -> str:
    """What is said; checked to be free of the client's traceback, and to have changed nothing."""
    before = {name: dict(repository.refs) for name, repository in hub.repositories.items()}
    with pytest.raises(kind) as error:
        call()
    shown = "".join(traceback.format_exception(error.value))
    assert "httpx" not in shown
    assert "hf_mine" not in shown
    after = {name: dict(repository.refs) for name, repository in hub.repositories.items()}
    assert {name: after[name] for name in before} == before
    assert all(set(hub.repositories[name].files()) == {".gitattributes"} for name in set(after) - set(before))
    return str(error.value)


# ---- what arrives


def test_a_pushed_model_loads_by_its_name_and_gives_the_same_vectors(hub, twin):
    made = SentenceTransformer(twin("bert", dense=8), device="cpu")
    made.push_to_hub("me/mine", **MINE)
    again = SentenceTransformer("me/mine", device="cpu")
    np.testing.assert_array_equal(again.encode(["a dog", "a red house"]), made.encode(["a dog", "a red house"]))


def test_a_push_is_one_commit_and_its_url_is_returned(hub, static):
    url = static.push_to_hub("me/mine", **MINE)
    repository = hub.repositories["me/mine"]
    assert url == f"{hub.url}/me/mine/commit/{repository.refs['main']}"
    assert type(url) is str
    assert hub.count("/commit/") == 1
    assert repository.messages[repository.refs["main"]] == "Add new SentenceTransformer model"


def test_the_message_of_the_commit_can_be_given(hub, static):
    static.push_to_hub("me/mine", commit_message="First words", **MINE)
    repository = hub.repositories["me/mine"]
    assert repository.messages[repository.refs["main"]] == "First words"


def test_a_name_without_owner_is_below_the_one_who_pushes(hub, static):
    static.push_to_hub("mine", **MINE)
    assert 'SentenceTransformer("me/mine")' in hub.repositories["me/mine"].files()["README.md"].decode()


def test_a_private_repository_is_made_private(hub, static):
    static.push_to_hub("me/mine", private=True, **MINE)
    assert hub.repositories["me/mine"].readers == {"hf_mine"}


def test_the_stored_token_is_used(hub, static, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    static.push_to_hub("me/mine")
    assert "modules.json" in hub.repositories["me/mine"].files()


def test_weights_can_be_pushed_as_pickles(hub, static):
    static.push_to_hub("me/mine", safe_serialization=False, **MINE)
    files = hub.repositories["me/mine"].files()
    assert not any(name.endswith(".safetensors") for name in files)


def test_a_folder_can_be_pushed_in_the_place_of_the_model(hub, static, tmp_path):
    (tmp_path / "folder" / ".git").mkdir(parents=True)
    (tmp_path / "folder" / ".git" / "HEAD").write_text("x")
    (tmp_path / "folder" / "a.json").write_text("{}")
    static.push_to_hub("me/mine", local_model_path=str(tmp_path / "folder"), **MINE)
    assert set(hub.repositories["me/mine"].files()) == {".gitattributes", "a.json"}


def test_a_second_push_keeps_files_of_others(hub, static):
    hub.add("me/mine", {"notes.txt": b"mine"})
    static.push_to_hub("me/mine", exist_ok=True, **MINE)
    assert hub.repositories["me/mine"].files()["notes.txt"] == b"mine"


# ---- branches and pull requests


@pytest.mark.parametrize("there", [False, True])
def test_a_branch_is_pushed_to_and_made_where_it_is_missing(hub, static, there):
    main = hub.add("me/mine", {"a.txt": b""})
    if there:
        hub.add("me/mine", {"a.txt": b""}, "dev")
    static.push_to_hub("me/mine", revision="dev", exist_ok=True, **MINE)
    assert hub.repositories["me/mine"].refs["main"] == main
    assert "modules.json" in hub.repositories["me/mine"].files("dev")


def test_a_pull_request_proposes_the_commit_to_a_repository_of_others(hub, static):
    main = hub.add("other/theirs", {"a.txt": b""})
    url = static.push_to_hub("other/theirs", create_pr=True, **MINE)
    assert url == f"{hub.url}/other/theirs/discussions/1"
    assert hub.repositories["other/theirs"].refs["main"] == main
    assert SentenceTransformer("other/theirs", revision="refs/pr/1", device="cpu").modalities == ["text"]


def test_an_open_pull_request_is_added_to(hub, static):
    hub.add("me/mine", {"a.txt": b""})
    hub.add("me/mine", {"a.txt": b""}, "refs/pr/4")
    static.push_to_hub("me/mine", revision="refs/pr/4", exist_ok=True, **MINE)
    assert "modules.json" in hub.repositories["me/mine"].files("refs/pr/4")


# ---- the card


def test_a_card_on_the_hub_is_kept(hub, static):
    hub.add("me/mine", {"README.md": b"# Ours"})
    static.push_to_hub("me/mine", exist_ok=True, **MINE)
    assert hub.repositories["me/mine"].files()["README.md"] == b"# Ours"


def test_a_card_on_the_hub_is_replaced_where_that_is_asked_for(hub, static):
    hub.add("me/mine", {"README.md": b"# Ours"})
    static.push_to_hub("me/mine", exist_ok=True, replace_model_card=True, **MINE)
    assert b"library_name" in hub.repositories["me/mine"].files()["README.md"]


def test_a_card_of_another_branch_is_no_reason_to_leave_this_one_without(hub, static):
    hub.add("me/mine", {"a.txt": b""})
    hub.add("me/mine", {"README.md": b"# Ours"}, "dev")
    static.push_to_hub("me/mine", exist_ok=True, **MINE)
    assert b"library_name" in hub.repositories["me/mine"].files()["README.md"]


def test_datasets_are_written_into_the_card(hub, static):
    static.push_to_hub("me/mine", train_datasets=["nyu-mll/multi_nli"], **MINE)
    assert b"datasets:\n- nyu-mll/multi_nli\n" in hub.repositories["me/mine"].files()["README.md"]


# ---- the old name


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (("me/mine",), {}),
        (("mine", "me"), {}),
        ((), {"repo_name": "mine", "organization": "me"}),
        (("me/mine", "me"), {"commit_message": "Add new model."}),
    ],
)
def test_the_old_method_pushes_too(hub, static, args, kwargs):
    url = static.save_to_hub(*args, **kwargs, **MINE)
    assert url.startswith(f"{hub.url}/me/mine/commit/")


def test_two_owners_are_one_too_many(hub, static):
    text = refused(hub, lambda: static.save_to_hub("me/mine", organization="other", **MINE), UsageError)
    assert "two owners" in text


# ---- failures push nothing


def test_a_repository_that_is_there_is_not_written_to_unasked(hub, static):
    hub.add("me/mine", {"a.txt": b""})
    text = refused(hub, lambda: static.push_to_hub("me/mine", **MINE), UsageError)
    assert "there already" in text
    assert "exist_ok=True" in text


@pytest.mark.parametrize("token", ["hf_other", "hf_unknown"])
def test_a_token_that_may_not_write_is_told(hub, static, token):
    text = refused(hub, lambda: static.push_to_hub("me/mine", token=token), ModelError)
    assert "nothing was pushed to 'me/mine': this token may not write there" in text
    assert "create_pr=True" in text


@pytest.mark.parametrize("name", ["me/mine", "mine"])
def test_without_a_token_the_error_says_how_to_have_one(hub, static, name):
    with pytest.raises((ModelError, UsageError), match="hf auth login"):
        static.push_to_hub(name)
    assert not hub.repositories


def test_a_model_that_cannot_be_written_leaves_the_hub_alone(hub, static):
    static._spread = True
    refused(hub, lambda: static.push_to_hub("me/mine", **MINE), ModelError)
    assert hub.asked == []


def test_weights_that_do_not_arrive_make_no_commit(hub, static):
    hub.add("me/mine", {"a.txt": b""})
    hub.troubles.append(Trouble("/info/lfs/objects/batch", status=403, message="quota"))
    text = refused(hub, lambda: static.push_to_hub("me/mine", exist_ok=True, **MINE), ModelError)
    assert "quota" in text


def test_a_commit_that_the_hub_refuses_is_said(hub, static):
    hub.troubles.append(Trouble("/commit/main", status=500, message="not today"))
    text = refused(hub, lambda: static.push_to_hub("me/mine", **MINE), ModelError)
    assert "the Hub answered 500: not today" in text


def test_a_card_that_the_hub_does_not_understand_is_said(hub, static):
    static._card = "---\nlicense: [\n---\n# Ours"
    hub.troubles.append(Trouble("/api/validate-yaml", status=400, message="bad"))
    text = refused(hub, lambda: static.push_to_hub("me/mine", **MINE), ModelError)
    assert "README.md" in text


def test_a_hub_that_cannot_be_reached_is_named(hub, static, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    text = refused(hub, lambda: static.push_to_hub("me/mine", **MINE), ModelNotFound)
    assert "the Hub at http://127.0.0.1:9 was not reached" in text


def test_offline_is_said(hub, static, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in refused(hub, lambda: static.push_to_hub("me/mine", **MINE), ModelNotFound)


@pytest.mark.parametrize("name", ["", None, "a model/x", "me/mine/folder", "me/.."])
def test_what_can_be_no_name_is_a_usage_error(hub, static, name):
    refused(hub, lambda: static.push_to_hub(name, **MINE), UsageError)
    assert not hub.repositories


@pytest.mark.parametrize("folder", ["no such folder", "empty"])
def test_a_folder_without_files_is_a_usage_error(hub, static, tmp_path, folder):
    (tmp_path / "empty").mkdir()
    path = tmp_path / folder
    text = refused(hub, lambda: static.push_to_hub("me/mine", local_model_path=path, **MINE), UsageError)
    assert folder in text


def test_a_pull_request_to_a_branch_is_a_usage_error(hub, static):
    text = refused(hub, lambda: static.push_to_hub("me/a", revision="dev", create_pr=True, **MINE), UsageError)
    assert "refs/pr/23" in text
    assert hub.asked == []


def test_what_was_pushed_is_what_is_saved(hub, static, tmp_path):
    static.push_to_hub("me/mine", **MINE)
    static.save_pretrained(tmp_path / "saved", model_name="me/mine")
    pushed = hub.repositories["me/mine"].files()
    saved = {
        p.relative_to(tmp_path / "saved").as_posix(): p.read_bytes()
        for p in (tmp_path / "saved").rglob("*")
        if p.is_file()
    }
    assert {name: content for name, content in pushed.items() if name != ".gitattributes"} == saved
    assert json.loads(pushed["modules.json"])
