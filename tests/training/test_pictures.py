"""What is promised of drawn shapes, charts, documents, scenes, textures and words."""

from __future__ import annotations

import numpy as np
import pytest
from training.starter import vocabulary
from training.starter.pictures import canvas, charts, documents, held, scenes, shapes, textures, wording, words
from training.starter.split import held_out

pytestmark = pytest.mark.slow

FAMILIES = [
    family
    for module in (shapes, textures, scenes, charts, documents, words)
    for family in module.FAMILIES
    if family.name != "plotted chart"
]


def family_names(family):
    return family.name


@pytest.mark.parametrize("family", FAMILIES, ids=family_names)
def test_training_uses_nothing_that_is_held_out(family):
    rng = np.random.default_rng(5)
    for _ in range(20):
        example = family.make(rng, "train")
        assert not [item for item in example.uses if held_out(item)]
        assert example.contents
        assert all(content.strip() and "{" not in content for content in example.contents)


@pytest.mark.parametrize("family", FAMILIES, ids=family_names)
def test_the_same_seed_gives_the_same_pixels(family):
    once, again = (family.make(np.random.default_rng(11), "train") for _ in range(2))
    assert once.key == again.key
    assert once.media.tobytes() == again.media.tobytes()


@pytest.mark.parametrize("family", FAMILIES, ids=family_names)
def test_a_picture_is_rgb_and_of_a_size_that_keeps_detail(family):
    rng = np.random.default_rng(7)
    for _ in range(5):
        picture = family.make(rng, "train").media
        assert picture.mode == "RGB"
        assert 96 <= max(picture.size) <= 160


def test_matplotlib_charts_keep_to_the_split():
    pytest.importorskip("matplotlib")
    (family,) = [family for family in charts.FAMILIES if family.name == "plotted chart"]
    rng = np.random.default_rng(3)
    for _ in range(3):
        example = family.make(rng, "train")
        assert not [item for item in example.uses if held_out(item)]
        assert max(example.media.size) <= 160


def test_every_entry_of_the_vocabulary_can_be_drawn():
    assert set(vocabulary.section("documents")) == set(documents.KINDS)
    assert set(vocabulary.section("scenes")) == set(scenes.SCENES)
    assert set(vocabulary.section("textures")) == set(textures.PATTERNS)
    assert set(vocabulary.section("charts")) == set(charts.KINDS)
    assert set(vocabulary.section("colours")) == set(vocabulary.section("palette"))


@pytest.mark.parametrize("kind", sorted(documents.KINDS))
def test_every_kind_of_document_is_drawn_and_named(kind):
    rng = np.random.default_rng(2)
    example = documents.draw_document(kind, canvas.pick_font(rng, "train"), rng, "train")
    assert example.key == f"document:{kind}"
    assert np.asarray(example.media).std() > 3


def test_every_trained_combination_and_no_other_is_offered():
    trained = {" ".join(pair) for pair in wording.combinations("train")}
    every = {" ".join(pair) for pair in wording.combinations("dev")}
    assert trained == {combination for combination in every if not held_out(combination)}
    assert trained < every


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("red circle", "a red circle"),
        ("orange oval", "an orange oval"),
        ("x shape", "an x shape"),
        ("sheet music",) * 2,
    ],
)
def test_phrases_take_the_right_article(said, expected):
    assert wording.article(said) == expected


@pytest.mark.parametrize(("noun", "expected"), [("circle", "circles"), ("cross", "crosses"), ("daisy", "daisies")])
def test_several_things_are_in_the_plural(noun, expected):
    assert wording.plural(noun) == expected


def test_as_many_places_are_found_as_are_asked_for():
    rng = np.random.default_rng(0)
    for number in (2, 3, 4, 5, 6):
        assert len(shapes.strewn((300, 300), number, rng)) == number


@pytest.mark.parametrize("relation", sorted(shapes.OPPOSITE))
def test_shapes_lie_as_the_caption_says(relation):
    rng = np.random.default_rng(0)
    for size in ((300, 300), (400, 300), (240, 300)):
        (x, y, _), (other_x, other_y, _) = shapes.places(size, relation, rng)
        seen = {"left": x < other_x, "right": x > other_x, "above": y < other_y, "below": y > other_y}
        assert seen[relation]


def test_a_paraphrase_says_only_what_training_never_read():
    for example in held.unseen_paraphrases(0, 30):
        assert any(held_out(item) for item in example.uses)
        assert not held_out(example.key.removeprefix("shape:"))


def test_unseen_combinations_are_held_out_and_known_ones_are_not():
    pytest.importorskip("cairosvg")
    assert all(held_out(example.key.removeprefix("shape:")) for example in held.unseen_combinations(0, 20))
    assert not any(held_out(example.key.removeprefix("shape:")) for example in held.other_renderer(0, 20))


def test_words_to_read_are_in_fonts_that_training_never_used():
    some = held.unseen_font_words(0, 130)
    assert len({example.key for example in some}) == held.WORDS
    if canvas.held_fonts():
        assert all(held_out(item) for example in some for item in example.uses)


def test_foreign_charts_show_each_of_eight_kinds():
    pytest.importorskip("pygal")
    pytest.importorskip("cairosvg")
    assert {example.key.split(":")[1] for example in held.foreign_charts(0, 8)} == set(held.CHART_LABELS)


def test_without_debian_fonts_there_is_still_one(monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(canvas, "FONT_FOLDERS", ())
    assert canvas.fonts.__wrapped__("train")
