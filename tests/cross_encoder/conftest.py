"""Rerankers of the twins, and folders that a test may change."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cross_encoder.pairs import loader


@pytest.fixture(scope="session")
def reranker(twin: Callable[..., Path]) -> Callable[..., Any]:
    """reranker(name, **variant) → the twin's CrossEncoder, loaded once. Whoever changes one loads another."""
    return loader(twin)


@pytest.fixture
def own(twin: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """own(name, **variant) → a copy of the twin's folder, for this test alone."""
    return lambda name, **variant: Path(shutil.copytree(twin(name, **variant), tmp_path / "model"))


@pytest.fixture
def edit() -> Callable[..., None]:
    """edit(path, **changes) → the JSON file with these keys set; None takes a key away."""

    def change(path: Path, **changes: Any) -> None:
        value = (json.loads(path.read_text()) if path.exists() else {}) | changes
        path.write_text(json.dumps({key: v for key, v in value.items() if v is not None}))

    return change
