"""What is built for others: the wheel brings the models and the samples and stays small; the sdist brings no data."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WHEEL, SDIST = 20_000_000, 25_000_000  # the models alone have 20 MB at most
"""Bytes at most."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel and the sdist of this tree."""
    from hatchling.builders.sdist import SdistBuilder
    from hatchling.builders.wheel import WheelBuilder

    out = str(tmp_path_factory.mktemp("dist"))
    return [
        Path(next(builder(str(ROOT)).build(directory=out, versions=["standard"])))
        for builder in (WheelBuilder, SdistBuilder)
    ]


def test_the_wheel_holds_models_and_samples_and_stays_small(built):
    wheel, _ = built
    names = zipfile.ZipFile(wheel).namelist()
    models = "manysense/starter/models"
    assert f"{models}/starter/image/model.safetensors" in names
    assert f"{models}/starter-minilm/towers.json" in names
    assert f"{models}/starter/README.md" in names
    assert "manysense/samples/dog.png" in names
    assert "manysense/py.typed" in names
    assert not [name for name in names if name.startswith(("training/", "tests/", "build/"))]
    assert wheel.stat().st_size <= WHEEL


def test_the_sdist_holds_no_training_data(built):
    _, sdist = built
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    assert any(name.endswith("training/starter/split.py") for name in names)
    assert not [name for name in names if "/build/" in name or name.endswith((".npy", ".pt", ".f16", ".done"))]
    assert sdist.stat().st_size <= SDIST
