"""The sounds that training hears: each kind sounds, is the same again from its seed, and uses nothing held out."""

from __future__ import annotations

import ctypes
import importlib.util
import shutil

import numpy as np
import pytest

pytest.importorskip("scipy")

from training.starter import vocabulary
from training.starter.sounds import clips, events, held, instruments, pool, rooms, speech, throats, vocoder, voices
from training.starter.sounds.dice import Dice
from training.starter.sounds.kinds import SOUNDS
from training.starter.sounds.synth import RATE, buzz
from training.starter.split import held_out

pytestmark = pytest.mark.slow


def _there(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


needs_espeak = pytest.mark.skipif(
    not (_there("libespeak-ng.so.1") and _there("libespeak.so.1")), reason="espeak-ng and espeak are not installed"
)
needs_festival = pytest.mark.skipif(shutil.which("festival") is None, reason="festival is not installed")
needs_pico = pytest.mark.skipif(importlib.util.find_spec("py_nanotts") is None, reason="py-nanotts is not installed")


def dice(seed: int = 0, side: str = "train") -> Dice:
    return Dice(np.random.default_rng(seed), side)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", sorted(SOUNDS))
def test_every_kind_sounds(kind: str) -> None:
    for make in SOUNDS[kind]:
        for side in ("train", "dev"):
            samples = make(dice(1, side))
            assert np.isfinite(samples).all()
            assert 0.15 * RATE < len(samples) < 9 * RATE, make.__name__
            assert np.abs(samples).max() > 1e-6


@needs_espeak
def test_nobody_speaks_with_a_throat_that_breaks_espeak(monkeypatch) -> None:
    monkeypatch.setattr(voices, "variants", lambda name, side: (*voices.BREAKS, "f2"))
    heard = {speech.by_espeak(dice(seed), "picnic")[1] for seed in range(12)}
    assert heard == {"voice f2", "voice plain"}


def test_every_kind_has_a_name_and_every_name_a_kind() -> None:
    assert set(SOUNDS) == set(vocabulary.section("sounds"))
    assert len(SOUNDS) >= 64


@pytest.mark.parametrize("kind", sorted(SOUNDS)[::9])
def test_one_seed_gives_one_sound(kind: str) -> None:
    first, again = (events.event(dice(3), kind).media for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = events.event(dice(4), kind).media
    assert len(first) != len(other) or not np.array_equal(first, other)


def test_training_says_nothing_that_is_held_out() -> None:
    for kind in sorted(SOUNDS)[::6]:
        assert not [use for use in events.event(dice(0), kind).uses if held_out(use)]
    family = events.Events()
    assert not [
        use for seed in range(20) for use in family.make(np.random.default_rng(seed), "train").uses if held_out(use)
    ]


def test_ranges_of_development_go_outside_of_those_of_training() -> None:
    inside, outside = dice(0), dice(0, "dev")
    assert all(2 <= inside.between(2, 5) <= 5 for _ in range(200))
    drawn = [outside.between(2, 5) for _ in range(200)]
    assert 40 < sum(not 2 <= value <= 5 for value in drawn) < 120


def test_draws_from_the_ends_stay_in_their_range() -> None:
    d = Dice(np.random.default_rng(0), ends=0.5)
    for low, high, tenth in ((1.0, 10.0, 10**0.1), (1.0, 2.0, 1.1)):
        drawn = np.array([d.between(low, high) for _ in range(2000)])
        assert drawn.min() >= low
        assert drawn.max() <= high
        at_the_ends = (drawn < tenth).mean() + (drawn > high / tenth if high > 2 else drawn > 1.9).mean()
        assert 0.55 < at_the_ends < 0.65


def test_words_are_many_and_said_once() -> None:
    fields = vocabulary.section("words").values()
    words = [word for field in fields for word in field]
    assert len(words) >= 1000
    assert len(words) == len(set(words))


def test_a_window_of_a_long_sound_holds_something() -> None:
    samples = np.pad(np.ones(RATE), (3 * RATE, 3 * RATE))
    hits = [np.abs(rooms.placed(dice(seed), samples)).max() > 0 for seed in range(50)]
    assert sum(hits) > 40


def test_another_mouth_keeps_the_course_of_loudness() -> None:
    said = np.concatenate([buzz(RATE // 3, 120.0), np.zeros(RATE // 3), buzz(RATE // 3, 120.0)])
    other = vocoder.revoiced(dice(5), said)
    third = len(other) // 3
    middle = np.square(other[third + third // 4 : 2 * third - third // 4]).mean()
    assert middle < 0.02 * np.square(other[:third]).mean()


@needs_espeak
def test_no_two_words_sound_alike() -> None:
    from training.starter.sounds.mouth import phonemes

    said: dict[str, str] = {}
    for word in speech.words():
        sound = phonemes(word).strip().replace("ˈ", "").replace("ˌ", "")
        assert sound not in said, f"{word} sounds like {said[sound]}"
        said[sound] = word


@needs_espeak
def test_training_voices_are_never_held_out_and_those_of_development_always() -> None:
    for name in ("espeak-ng", "espeak"):
        assert voices.variants(name, "train")
        assert not any(held_out(f"voice {voice}") for voice in voices.variants(name, "train"))
        assert all(held_out(f"voice {voice}") for voice in voices.variants(name, "dev"))
    for one in (*held.words(5), *held.phrases()[:5]):
        assert held_out(one.uses[0])


@needs_espeak
def test_one_seed_gives_one_utterance() -> None:
    first, again = (speech.spoken(dice(2), "elephant", speech.by_mouth) for _ in range(2))
    np.testing.assert_array_equal(first.media, again.media)
    assert first.key == "say:elephant"
    assert 0.2 * RATE < len(first.media) < 4 * RATE


@needs_espeak
@pytest.mark.parametrize("name", ["espeak-ng", "espeak"])
def test_a_drawn_throat_says_it_otherwise_than_another_and_leaves_the_named_ones_alone(name: str) -> None:
    espeak = voices.espeak(name)
    named = espeak.say("elephant", "en-us+f2")

    def said_from(seed: int) -> np.ndarray:
        espeak.lend("lent", throats.throat(dice(seed)))
        return espeak.say("elephant", "en-us+lent")

    first, other = said_from(1), said_from(2)
    assert min(len(first), len(other)) > 0.2 * RATE
    spectra = [np.abs(np.fft.rfft(said, 2 * RATE)) for said in (first, other)]
    assert np.corrcoef(*spectra)[0, 1] < 0.9
    assert len(espeak.say("elephant", "en-us+f2")) == pytest.approx(len(named), rel=0.02)


def test_throats_are_drawn_for_training_alone_and_the_rule_lets_them() -> None:
    assert throats.throat(dice(3)) == throats.throat(dice(3)) != throats.throat(dice(4))
    assert not held_out("voice drawn")
    assert "drawn" not in (*voices.variants("espeak-ng", "dev"), *voices.variants("espeak-ng", "train"))
    shards = [shard for shard in range(pool.SHARDS) if "throats" in pool.part(shard)[0]]
    assert len(shards) == 24
    assert {family for family, _ in pool.plan(shards[0])} == {"throats", "phrases"}


@needs_espeak
def test_espeak_says_nearly_the_same_again() -> None:
    """Nearly: its voices waver, and the wavering goes on from one utterance to the next."""
    (first, voice), (again, same) = (speech.by_espeak(dice(2), "elephant") for _ in range(2))
    assert voice == same
    assert len(first) == pytest.approx(len(again), rel=0.02)


@needs_pico
def test_pico_speaks() -> None:
    assert len(voices.pico("elephant", "en-GB")) > 0.3 * RATE


@needs_festival
def test_festival_speaks_each_text() -> None:
    short, long = voices.festival(["cat", "a big elephant"], "ked_diphone")
    assert 0.2 * RATE < len(short) < len(long)


def test_phrases_are_held_out_by_their_own_text() -> None:
    planned = [item for family, item in pool.plan(0) if family == "phrases"]
    assert planned
    assert not any(held_out(item) for item in planned)


def test_a_plan_holds_every_kind_equally_often() -> None:
    counts = np.zeros(len(SOUNDS), int)
    order = {kind: k for k, kind in enumerate(sorted(SOUNDS))}
    for shard in range(6):
        for family, item in pool.plan(shard):
            if family == "sounds":
                counts[order[item]] += 1
    assert counts.max() - counts.min() <= 1


def test_shards_of_each_part_hold_what_it_says() -> None:
    first = 0
    for count, shares, ends in pool.PARTS:
        for shard in (first, first + count - 1):
            assert pool.part(shard) == (shares, ends)
            views = {family: pool.VIEWS if family == "sounds" else 1 for family in shares}
            held = [family for family, _ in pool.plan(shard) for _ in range(views[family])]
            assert {family: held.count(family) / len(held) for family in shares} == pytest.approx(shares, abs=0.01)
        first += count
    assert first == pool.SHARDS


def test_clips_share_scenes_and_sounds_but_no_two_share_both() -> None:
    from PIL import Image
    from training.starter.examples import Example

    def draw(scene: str, rng: np.random.Generator) -> Example:
        colour = tuple(rng.integers(0, 255, 3).tolist())
        return Example(Image.new("RGB", (64, 64), colour), f"scene:{scene}", (f"a {scene}",))

    found = clips.clips(draw, ("beach", "city", "forest"), ("dog", "bell", "wind"), 8)
    assert len({clip.key for clip in found}) == 8
    assert all(len(clip.frames) == clips.FRAMES and len(clip.samples) > 1000 for clip in found)
    assert all(clip.key.split(" + ")[0] in clip.query for clip in found)


@pytest.mark.parametrize("make", SOUNDS["guitar"], ids=lambda make: make.__name__)
def test_a_string_that_is_plucked_loses_energy_on_both_sides(make, monkeypatch):
    kept: list[float] = []
    monkeypatch.setattr(instruments, "plucked", lambda d, n, pitch, bright, keep: kept.append(keep) or np.zeros(n))
    for seed in range(100):
        make(dice(seed, "dev"))
    assert 0.9 < min(kept) < max(kept) < 1
