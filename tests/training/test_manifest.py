"""Nothing that the rule holds out went into the committed weights; and the rule is what it says it is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from training.starter import split

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MANIFEST = json.loads((ROOT / "training" / "starter" / "manifest.json").read_text(encoding="utf-8"))


def held_out(item: str) -> bool:
    """The rule once more, on its own."""
    return int(hashlib.sha256(f"starter-v1{item}".encode()).hexdigest(), 16) % 8 == 0


@pytest.mark.parametrize("pool", ["pictures", "sounds"])
def test_no_item_of_a_pool_is_held_out(pool):
    assert len(MANIFEST[pool]["uses"]) > 500
    assert [item for item in MANIFEST[pool]["uses"] if held_out(item)] == []


def test_no_prompt_is_held_out():
    assert sum(map(len, MANIFEST["prompts"].values())) > 150
    assert [p for some in MANIFEST["prompts"].values() for p in some if held_out(f"prompt {p}")] == []


@pytest.mark.parametrize("start", ["synonym ", "font ", "drawing "])
def test_the_manifest_records_every_kind_of_item(start):
    assert sum(item.startswith(start) for item in MANIFEST["pictures"]["uses"]) > 20


def test_the_rule_of_the_recipe_is_this_rule():
    items = [f"item {i}" for i in range(400)]
    assert [split.held_out(item) for item in items] == [held_out(item) for item in items]
    assert 25 < sum(map(held_out, items)) < 80
    assert not set(split.allowed(items, "train")) & set(split.only_held_out(items))
    assert split.allowed(items, "dev") == items
