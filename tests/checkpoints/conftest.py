"""Model folders that a test may break."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def broken(twin, tmp_path) -> Callable[..., Path]:
    """broken(name, **variant) → a copy of the twin's folder, for this test alone."""

    def copy(name: str = "bert", **variant: Any) -> Path:
        return Path(shutil.copytree(twin(name, **variant), tmp_path / "model"))

    return copy


@pytest.fixture
def edit() -> Callable[..., None]:
    """edit(path, **changes) → the JSON file with these keys set; None takes a key away."""

    def change(path: Path, **changes: Any) -> None:
        value = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({key: v for key, v in value.items() if v is not None}))

    return change
