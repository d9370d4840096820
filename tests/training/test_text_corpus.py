"""What the text tower learns from: nothing that is held out, nothing that it is measured on."""

from __future__ import annotations

import re

import numpy as np
import pytest
from training.starter import captions as prompting
from training.starter import vocabulary
from training.starter.split import only_held_out
from training.starter.text import contents, grammar, sentences
from training.starter.text.bags import Bags

pytestmark = pytest.mark.slow

SECTIONS = (
    "colours",
    "shapes",
    "relations",
    "numbers",
    "charts",
    "trends",
    "textures",
    "documents",
    "scenes",
    "objects",
    "sounds",
    "words",
)


def bare(name: str) -> str:
    """Without its article: "a heart" may be said where "heart" may."""
    return re.sub(r"^(an?|the) ", "", name)


@pytest.mark.slow
def test_training_captions_hold_no_unseen_prompt_or_synonym() -> None:
    entries = [entry for section in SECTIONS for entry in vocabulary.section(section).values()]
    said = " | ".join(name for entry in entries for name in vocabulary.names(entry, "train"))
    names = said
    said += " | ".join([contents.ABOUT, contents.STYLE, *contents.FAMILIES.values(), prompting.PROMPTS.read_text()])
    unseen = {name for entry in entries for name in vocabulary.unseen_names(entry)}
    forbidden = [name for name in unseen if not re.search(rf"\b{re.escape(bare(name))}(s|es)?\b", said)]
    prompts = [prompt for kind in contents.PROMPTED for prompt in only_held_out(prompting.prompts(kind), "prompt")]
    starts = tuple(prompt.removesuffix("{}") for prompt in prompts if prompt.endswith("{}") and prompt != "{}")
    starts = tuple(start for start in starts if bare(start) not in names)
    assert len(forbidden) > 50
    assert len(starts) > 5
    words = re.compile(rf"\b({'|'.join(map(re.escape, forbidden))})\b")
    trained = list(contents.captions(3000, seed=3, side="train"))
    allowed = tuple(
        prompt.removesuffix("{}")
        for kind in contents.PROMPTED
        for prompt in prompting.prompts(kind)
        if prompt.endswith("{}") and prompt not in prompts and prompt != "{}"
    )
    assert not [text for text in trained if words.search(text)]
    assert not [text for text in trained if text.startswith(starts) and not text.startswith(allowed)]
    assert sum(bool(words.search(text)) for text in contents.captions(3000, seed=3, side="dev")) > 300


def test_everyday_sentences_are_filled_in_and_seeded() -> None:
    texts = list(grammar.everyday(2000, seed=1))
    assert texts == list(grammar.everyday(2000, seed=1))
    assert not [text for text in texts if "{" in text or "}" in text]
    assert len(set(texts)) > 1800


def test_text_is_cut_into_sentences_of_prose() -> None:
    text = "Return the ``mean`` of Mr. Brown's *values*.  It is a float.\n\n>>> mean([1])\n\nNo."
    assert list(sentences.sentences(text)) == ["Return the mean of Mr. Brown's values.", "It is a float."]


def test_bags_keep_the_texts_apart() -> None:
    bags = Bags.of([[3, 4], [5], [6, 7, 8]])
    ids, starts = bags.take(np.array([2, 0]))
    assert ids.tolist() == [6, 7, 8, 3, 4]
    assert starts.tolist() == [0, 3]
    fewer, starts = bags.take(np.array([0, 1, 2]), keep=0.01, rng=np.random.default_rng(0))
    assert len(fewer) >= 3
    assert len(starts) == 3
