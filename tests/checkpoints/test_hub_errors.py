"""What is said when a model cannot be had from the Hub: one sentence, the way out, no traceback of an HTTP client."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_stub import Hub, Trouble, connected

from manysense.checkpoints.source import Source
from manysense.errors import ManysenseError, ModelNotFound, UsageError

A = {"config.json": b"{}", "model.safetensors": b"x"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with connected(tmp_path) as made:
        made.users["hf_mine"] = "me"
        yield made


def said(name: str, kind: type[ManysenseError] = ModelNotFound, **kwargs: Any) -> str:
    """What is said when the model is asked for; checked to be free of the client's traceback."""
    with pytest.raises(kind) as error:
        Source(name, **kwargs).folder()
    shown = "".join(traceback.format_exception(error.value))
    assert "httpx" not in shown
    assert "huggingface_hub" not in shown
    assert "hf_mine" not in shown
    return str(error.value)


# ---- names


def test_a_mistyped_name_is_answered_with_the_near_ones_of_its_owner(hub):
    hub.add("sentence-transformers/all-MiniLM-L6-v2", A)
    hub.add("sentence-transformers/LaBSE", A)
    for name in ("all-MinLM-L6-v2", "sentence-transformers/all-MinLM-L6-v2"):
        text = said(name)
        assert text.startswith(f"model {name!r} is neither a folder nor a repository of the Hub")
        assert "Did you mean 'sentence-transformers/all-MiniLM-L6-v2'? " in text


def test_a_wrong_owner_is_answered_with_models_of_that_name(hub):
    hub.add("intfloat/e5-base-v2", A)
    assert "Did you mean 'intfloat/e5-base-v2'? " in said("infloat-labs/e5-base-v2")


def test_a_name_that_is_like_no_other_is_answered_without_a_guess(hub):
    hub.add("acme/a", A)
    text = said("nobody/zzzzzzzzzzzz")
    assert "mean" not in text
    assert "Check the spelling" in text


def test_a_mistyped_name_of_a_model_that_ships_with_the_package_is_seen(hub):
    assert "Did you mean 'manysense/starter' or " in said("manysense/startr")


def test_a_guess_that_cannot_be_made_costs_nothing(hub):
    hub.troubles.append(Trouble("/api/models", status=403, times=9))
    assert "Check the spelling" in said("acme/a")


def test_offline_a_mistyped_name_is_answered_from_the_cache(hub):
    hub.add("acme/some-model", A)
    Source("acme/some-model").folder()
    assert "Did you mean 'acme/some-model'? " in said("acme/some-modle", local_files_only=True)


@pytest.mark.parametrize("name", ["acme/a/1_Pooling", "acme/a/sub/folder"])
def test_a_folder_inside_a_repository_is_no_name(hub, name):
    hub.add("acme/a", A)
    text = said(name)
    assert "owner/repository" in text
    assert "hf download acme/a" in text
    assert hub.asked == []


@pytest.mark.parametrize(
    "address", ["https://huggingface.co/acme/a", "huggingface.co/acme/a/tree/main", "hf.co/acme/a"]
)
def test_the_address_of_a_page_is_answered_with_the_name(hub, address):
    assert "For that page it is 'acme/a'." in said(address)
    assert hub.asked == []


@pytest.mark.parametrize("name", ["a model/with blanks", "acme/a--b", "acme/.."])
def test_what_can_be_no_name_is_said_to_be_none(hub, name):
    assert "can be no folder and no name of the Hub" in said(name)


# ---- revisions


def test_a_revision_that_is_not_there_is_answered_with_those_that_are(hub):
    hub.add("acme/a", A)
    hub.add("acme/a", A, "dev")
    hub.add("acme/a", A, "v1.0")
    text = said("acme/a", revision="v2.0")
    assert text.startswith("model 'acme/a' has no revision 'v2.0'\n")
    assert "It has main, dev, v1.0. " in text
    assert "refs/pr/" in text


def test_a_commit_that_is_not_there_is_said(hub):
    hub.add("acme/a", A)
    assert "has no revision" in said("acme/a", revision="0123456789abcdef0123456789abcdef01234567")


def test_offline_the_revision_is_named(hub):
    hub.add("acme/a", A)
    Source("acme/a").folder()
    assert said("acme/a", revision="v2", local_files_only=True).startswith(
        "model 'acme/a' at revision 'v2' is neither a folder nor in the local cache"
    )


# ---- access


@pytest.mark.parametrize(("token", "who"), [(None, "a caller without token"), ("hf_mine", "this token")])
def test_a_gated_model_says_where_to_ask(hub, token, who):
    hub.add("acme/a", A, gated=True, readers={"hf_other"})
    text = said("acme/a", token=token)
    assert text == (
        f"model 'acme/a' is gated, and {who} has no access\n"
        f"  Ask for it at {hub.url}/acme/a; then log in with `hf auth login`, set HF_TOKEN, or pass token=."
    )


@pytest.mark.parametrize("token", [None, "hf_mine"])
def test_a_private_model_is_like_one_that_is_not_there(hub, token):
    hub.add("acme/a", A, readers={"hf_other"})
    text = said("acme/a", token=token)
    assert "for a private model log in" in text
    assert "HF_TOKEN" in text


def test_a_token_that_the_hub_does_not_know_is_said(hub):
    hub.add("acme/a", A)
    text = said("acme/a", token="hf_old")
    assert "401: Invalid credentials" in text
    assert f"{hub.url}/settings/tokens" in text
    assert "hf_old" not in text


def test_the_stored_token_is_missed_where_it_is_insisted_on(hub):
    assert "there is none" in said("acme/a", UsageError, token=True)


# ---- the Hub and the network


def test_a_hub_that_cannot_be_reached_is_named(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    text = said("acme/a")
    assert "the Hub at http://127.0.0.1:9 was not reached" in text
    assert "pass the path of a folder" in text


@pytest.mark.parametrize("asked", ["HF_HUB_OFFLINE", "local_files_only"])
def test_offline_without_a_cache_says_what_keeps_it_offline(hub, monkeypatch, asked):
    from huggingface_hub import constants

    hub.add("acme/a", A)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", asked == "HF_HUB_OFFLINE")
    text = said("acme/a", local_files_only=asked == "local_files_only")
    assert text == (
        "model 'acme/a' is neither a folder nor in the local cache, and the Hub was not reached\n"
        "  Go online once, or pass the path of a folder; HF_HUB_OFFLINE and local_files_only keep it offline."
    )
    assert hub.asked == []


@pytest.mark.parametrize(
    ("status", "way_out"),
    [(403, "not allowed"), (429, "too often"), (500, "Try again later"), (503, "Try again later")],
)
def test_an_answer_that_is_no_model_is_said_with_its_status(hub, status, way_out):
    hub.add("acme/a", A)
    hub.troubles.append(Trouble("/api/models/acme/a", status=status, message="not today"))
    text = said("acme/a")
    assert f"the Hub answered {status}: not today" in text
    assert way_out in text


def test_a_download_that_breaks_again_and_again_is_said_in_one_sentence(hub, monkeypatch):
    from huggingface_hub import file_download

    monkeypatch.setattr(file_download.time, "sleep", lambda seconds: None)
    hub.add("acme/a", {"config.json": b"{}", "model.safetensors": b"x" * 1_000})
    hub.troubles.append(Trouble("model.safetensors", after=0, times=99))
    text = said("acme/a")
    assert text.startswith("model 'acme/a' could not be fetched: ")
    assert "what was fetched is kept" in text


# ---- the disk


def test_a_cache_that_cannot_be_written_is_named(hub, tmp_path):
    hub.add("acme/a", A)
    (tmp_path / "file").write_text("")
    text = said("acme/a", cache_folder=str(tmp_path / "file" / "cache"))
    assert str(tmp_path / "file") in text
    assert "cache_folder" in text


def test_a_full_disk_is_named(hub, monkeypatch):
    from huggingface_hub import file_download

    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    hub.add("acme/a", A)
    monkeypatch.setattr(file_download, "_chmod_and_move", full)
    text = said("acme/a")
    assert "could not be written to the cache" in text
    assert "No space left" in text
