"""What the environment decides about models by name, seen from a program of its own; and what that program shows."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_stub import Hub, serving

PROGRAM = "import sys; from manysense.checkpoints.source import Source; print(Source(sys.argv[1]).folder())"
OWN = ("HF_", "HUGGING", "SENTENCE_TRANSFORMERS", "TRANSFORMERS_", "XDG_", "TQDM")


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving() as made:
        made.add("acme/a", {"config.json": b"{}", "model.safetensors": b"x" * 1_000})
        yield made


@pytest.fixture
def ask(hub, tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """ask(name, **environment) → what a program that asks for this model's folder printed."""

    def run(name: str = "acme/a", stderr: Any = subprocess.PIPE, **environment: str) -> Any:
        own = {key: value for key, value in os.environ.items() if not key.startswith(OWN)}
        own |= {"HF_ENDPOINT": hub.url, "HOME": str(tmp_path / "home"), "COLUMNS": "100", **environment}
        command = [sys.executable, "-c", PROGRAM, name]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=own, timeout=120)

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "below"),
    [
        ("HF_HOME", "hub"),
        ("HF_HUB_CACHE", "."),
        ("SENTENCE_TRANSFORMERS_HOME", "."),
        ("HOME", ".cache/huggingface/hub"),
    ],
)
def test_the_cache_is_where_the_environment_says_and_is_found_again_offline(hub, ask, tmp_path, variable, below):
    place = {variable: str(tmp_path / "there")}
    fetched = ask(**place)
    assert Path(fetched.stdout.strip()).is_relative_to(tmp_path / "there" / below), fetched.stderr
    asked = len(hub.asked)
    assert ask(HF_HUB_OFFLINE="1", **place).stdout == fetched.stdout
    assert len(hub.asked) == asked


@pytest.mark.slow
def test_the_token_of_the_environment_is_sent(hub, ask):
    hub.users["hf_mine"] = "me"
    hub.repositories["acme/a"].readers = {"hf_mine"}
    assert ask(HF_TOKEN="hf_mine").returncode == 0


@pytest.mark.slow
def test_a_download_shows_its_progress_on_a_terminal_and_nothing_in_a_log(ask, tmp_path):
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    reader, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    assert ask(stderr=terminal, SENTENCE_TRANSFORMERS_HOME=str(tmp_path / "one")).returncode == 0
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that nobody writes there any more
        while part := os.read(reader, 65_536):
            shown += part
    os.close(reader)
    assert b"Fetching 2 files: 100%" in shown
    assert ask(SENTENCE_TRANSFORMERS_HOME=str(tmp_path / "two")).stderr == ""


@pytest.mark.slow
def test_an_uncaught_refusal_is_short(ask):
    done = ask("acme/b")
    assert done.returncode == 1
    assert "ModelNotFound: model 'acme/b' is neither a folder nor a repository of the Hub" in done.stderr
    assert "httpx" not in done.stderr
    assert len(done.stderr.splitlines()) < 20
