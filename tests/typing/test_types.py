"""Names resolve and overloads answer in editors: mypy over code that only uses the public face."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_mypy_strict_accepts_code_that_uses_the_public_face(tmp_path):
    files = ["tests/typing/usage.py"]
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--follow-imports=silent",
        "--cache-dir",
        str(tmp_path),
        *files,
    ]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={"MYPYPATH": "src:tests", "PATH": ""})
    assert made.returncode == 0, made.stdout + made.stderr
