"""Models by name, offline, from caches as the Hub lays them out."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from manysense import SentenceTransformer
from manysense.errors import ModelNotFound

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(twin, tmp_path):
    """cache(repository, revision) → a cache folder that holds the static twin under that name."""

    def make(repository: str, revision: str = "main") -> Path:
        root = tmp_path / "cache" / f"models--{repository.replace('/', '--')}"
        (root / "refs" / revision).parent.mkdir(parents=True)
        (root / "refs" / revision).write_text(COMMIT)
        shutil.copytree(twin("static"), root / "snapshots" / COMMIT)
        return tmp_path / "cache"

    return make


def equals_the_twin(made: SentenceTransformer, twin) -> bool:
    return np.array_equal(made.encode("a red house"), SentenceTransformer(twin("static")).encode("a red house"))


def test_a_name_is_found_in_the_cache_that_the_environment_names(cache, twin, monkeypatch):
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(cache("acme/static")))
    assert equals_the_twin(SentenceTransformer("acme/static"), twin)


def test_a_name_is_found_in_the_cache_that_the_caller_names(cache, twin):
    assert equals_the_twin(SentenceTransformer("acme/static", cache_folder=str(cache("acme/static"))), twin)


def test_a_name_without_owner_is_one_of_the_known_organisation(cache, twin):
    folder = cache("sentence-transformers/tiny-model")
    assert equals_the_twin(SentenceTransformer("tiny-model", cache_folder=str(folder)), twin)


def test_a_revision_is_found_in_the_cache(cache, twin):
    folder = cache("acme/static", "refs/pr/23")
    assert equals_the_twin(SentenceTransformer("acme/static", cache_folder=str(folder), revision="refs/pr/23"), twin)


def test_a_revision_that_is_not_cached_is_not_replaced_by_another(cache):
    folder = cache("acme/static")
    with pytest.raises(ModelNotFound, match="acme/static"):
        SentenceTransformer("acme/static", cache_folder=str(folder), revision="v2", local_files_only=True)
