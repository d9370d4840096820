"""The starter model's text tower as it ships."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import manysense.starter.text
from manysense.starter.text import StaticText

FOLDER = Path(manysense.starter.text.__file__).parent / "models" / "starter" / "text"
TEXTS = [
    "The old farmer sold three goats at the market yesterday.",
    "a red circle to the left of a blue square",
    "how do I recover a deleted file?",
    "Straße, naïve café — 東京",
    "snake_case and CamelCase, 3.14% of it\nover two lines",
    "the token [CLS] is no token here",
]


@pytest.fixture(scope="module")
def tower() -> StaticText:
    return StaticText.load(FOLDER)


def test_vectors_are_of_length_one_in_384_dimensions(tower: StaticText) -> None:
    vectors = tower.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    assert tower.dimension == 384
    assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_vector_does_not_know_its_neighbours(tower: StaticText) -> None:
    alone = np.concatenate([tower.encode([text]) for text in TEXTS])
    assert_allclose(tower.encode(TEXTS[::-1] * 700)[: len(TEXTS)][::-1], alone, atol=1e-6)
    assert_allclose(tower.encode(TEXTS, batch_size=2), alone, atol=1e-6)


@pytest.mark.parametrize("empty", ["", "  \n"])
def test_a_text_without_words_gives_zeros(tower: StaticText, empty: str) -> None:
    vectors = tower.encode([TEXTS[0], empty, TEXTS[1]])
    assert not vectors[1].any()
    assert_allclose(vectors[[0, 2]], tower.encode(TEXTS[:2]), atol=1e-6)


def test_no_texts_give_no_vectors(tower: StaticText) -> None:
    assert tower.encode([]).shape == (0, 384)


def test_the_quick_way_to_ids_is_the_tokenizers_own(tower: StaticText) -> None:
    expected = [tower.tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
    assert tower.ids(TEXTS) == expected == tower.ids(TEXTS)
    assert max(map(max, expected)) < tower.vocab_size


def test_meaning_is_nearer_than_words(tower: StaticText) -> None:
    query, right, wrong = tower.encode(["a feline on the couch", "the cat sleeps on the sofa", "the budget report"])
    assert query @ right > query @ wrong + 0.2


def test_it_needs_no_torch() -> None:
    program = (
        "import sys; from pathlib import Path; from manysense.starter.text import StaticText;"
        f"StaticText.load(Path({str(FOLDER)!r})).encode(['a dog']);"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
