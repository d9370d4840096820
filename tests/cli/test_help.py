"""The command as a process: what it loads, how it ends."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "numpy", "rich", "PIL", "huggingface_hub", "tokenizers"}
LOADED = """
import sys
from manysense.cli.app import main
sys.argv = ["manysense", *{arguments!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("LOADED", *sorted({heavy!r} & set(sys.modules)))
"""


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "manysense", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


COMMANDS = ("embed", "compare", "rerank")


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS), ["--version"]])
def test_help_loads_nothing_heavy(arguments):
    code = LOADED.format(arguments=arguments, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_help_names_every_command_and_exit_code():
    text = run("--help").stdout
    assert all(f"  {name} " in text for name in ("embed", "compare", "rerank", "bench", "info", "env"))
    assert all(f"  {code} " in text for code in (0, 1, 2, 3, 4, 70, 130))


def test_wrong_usage_ends_with_2():
    done = run("embed")
    assert done.returncode == 2
    assert "Missing" in done.stderr
    assert run("nonsense").returncode == 2


def test_a_model_that_is_not_there_ends_with_3_and_without_a_trace(tmp_path):
    done = run("info", str(tmp_path / "nowhere"), NO_COLOR="")
    assert done.returncode == 3
    assert "ModelNotFound" in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr  # no colours without a terminal
    assert "Traceback" in run("info", str(tmp_path / "nowhere"), MANYSENSE_DEBUG="1").stderr
