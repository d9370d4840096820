"""Emoji, icons and objects: what is held out stays out, a seed gives one picture, every object has several hands."""

from __future__ import annotations

import numpy as np
import pytest
from training.starter.pictures import sources

if not sources.drawn():
    pytest.skip("the build-time fonts and icon sets are not drawn (build/starter/glyphs/)", allow_module_level=True)

from training.starter.pictures import emoji, emoji_held, emoji_names, icons, objects
from training.starter.split import held_out

pytestmark = pytest.mark.slow

FAMILIES = (*emoji.FAMILIES, *icons.FAMILIES, *objects.FAMILIES)


def some(family, count, seed=0, side="train"):
    return [family.make(np.random.default_rng([seed, i]), side) for i in range(count)]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_nothing_held_out_is_trained(family):
    used = {item for example in some(family, 150) for item in example.uses}
    assert used
    assert not [item for item in used if held_out(item)]


def test_no_held_out_code_point_can_be_drawn_for_training():
    assert not [code for code in emoji.codes("train") if held_out(code)]
    drawn = [one for key in objects.keys("train") for found in objects.allowed(key, "train").values() for one in found]
    assert not [one for one in drawn if held_out(objects.item(one))]


def test_handwritten_queries_are_nobodys_caption():
    said = {emoji.stripped(word) for code in emoji.codes("train") for word in emoji.allowed_synonyms(code, "train")}
    said |= {emoji.stripped(name) for key in objects.objects() for name in objects.said(key, "train")}
    assert not said & emoji.reserved()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_seed_gives_one_picture(family):
    for one, other in zip(some(family, 8, seed=5), some(family, 8, seed=5), strict=True):
        assert one.media.tobytes() == other.media.tobytes()
        assert (one.key, one.contents, one.uses) == (other.key, other.contents, other.uses)
        assert one.media.mode == "RGB"
        assert 96 <= max(one.media.size) <= 128


def test_every_object_has_three_hands():
    found = objects.objects()
    assert len(found) >= 150
    assert not [key for key, drawn in found.items() if len({hand for hand, _ in drawn}) < 3]


def test_a_picture_without_its_colours_is_not_called_by_one():
    for code in ("1F984", "1F308", "1F9E1", "1F36B", "1F31E"):
        if not emoji.emoji()[code].has_color_name:
            for seed in range(40):
                contents, _ = emoji.phrases(code, np.random.default_rng(seed), "train", true_color=False)
                assert not [phrase for phrase in contents if emoji_names.names_color(phrase)]


def test_an_emoji_that_names_a_colour_keeps_it():
    rng = np.random.default_rng(0)
    assert all(emoji.drawing("2764", rng, 255.0).true_color for _ in range(200))


def test_right_answers_are_pictures_of_the_set():
    keys = {f"emoji:{code}" for code in emoji.codes("train")}
    queries = [*emoji_held.handwritten(), *emoji_held.by_unseen_keyword()]
    assert len(emoji_held.handwritten()) >= 100
    assert len(emoji_held.sound_sources()) >= 35
    assert all(query.keys and query.keys <= keys for query in queries)


def test_articles_and_plurals():
    assert emoji_names.with_article("grinning face") == "a grinning face"
    assert emoji_names.with_article("octopus") == "an octopus"
    assert emoji_names.with_article("socks") == "socks"
    assert emoji_names.plural("slice of pizza") == "slices of pizza"
    assert emoji_names.plural("bus") == "buses"
    assert not emoji_names.countable("rice")
