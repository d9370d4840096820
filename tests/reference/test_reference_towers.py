"""A Towers model gives the vectors that plain torch, numpy, Pillow and soxr give from its files."""

from __future__ import annotations

import av
import numpy as np
import pytest
from PIL import Image

from manysense import Audio, UsageError, Video
from manysense.errors import UnsupportedModality
from reference.closeness import MOVED, assert_close, moved
from twins import towers
from twins.samples import RATE, TEXTS, clip, pictures, sounds


@pytest.fixture(scope="module")
def folder(twin):
    return twin("towers")


@pytest.fixture(scope="module")
def encoder(model):
    return model("towers")


def test_texts_equal_the_reference(encoder, folder):
    assert_close(encoder.encode([*TEXTS, ""]), [towers.reference_text(folder, text) for text in [*TEXTS, ""]])


@pytest.mark.parametrize("size", [(96, 96), (3, 400), (1000, 1), (17, 16)])
def test_pictures_of_any_size_equal_the_reference(size, encoder, folder):
    shown = [picture.resize(size) for picture in pictures()] + pictures()
    assert_close(encoder.encode(shown), [towers.reference_image(folder, picture) for picture in shown])


def test_sounds_of_any_rate_and_length_equal_the_reference(encoder, folder):
    heard = [(sound, RATE) for sound in sounds()] + [(sounds()[0][::6], RATE // 6), (sounds()[1][:800], 16_000)]
    made = encoder.encode([Audio(samples, rate) for samples, rate in heard])
    assert_close(made, [towers.reference_audio(folder, samples, rate) for samples, rate in heard])


def test_silence_around_a_sound_is_not_heard(encoder):
    tone = sounds()[0][::3]
    quiet = np.concatenate([np.zeros(40_000, np.float32), tone, np.zeros(70_000, np.float32)])
    near, far = encoder.encode([Audio(tone, 16_000), Audio(quiet, 16_000)])
    assert near @ far > 0.99


@pytest.mark.parametrize("count", [1, 3, 4, 9])
def test_frames_equal_the_reference(count, encoder, folder):
    frames = clip(count)
    assert_close([encoder.encode(Video(frames))], [towers.reference_video(folder, frames)])


def test_a_clip_is_its_frames_and_its_sound(encoder, folder, tmp_path):
    frames, tone = clip(8, 64, 48), sounds()[0]
    path = tmp_path / "clip.mkv"
    _write(path, frames, tone)
    wanted = towers.reference_video(folder, frames, (tone, RATE))
    (made,) = encoder.encode([str(path)])
    assert_close([made], [wanted], limit=1e-4)  # the container's sound is 16 bits a sample
    assert moved(made, towers.reference_video(folder, frames)) > MOVED


def _write(path, frames, samples):
    """Lossless pictures and sound, so that what is read is what was written."""
    with av.open(str(path), "w") as container:
        pictures, sound = (
            container.add_stream("ffv1", rate=4),
            container.add_stream("pcm_s16le", rate=RATE, layout="mono"),
        )
        pictures.width, pictures.height, pictures.pix_fmt = *frames[0].size, "bgr0"
        for frame in frames:
            container.mux(pictures.encode(av.VideoFrame.from_image(frame)))
        container.mux(pictures.encode())
        block = av.AudioFrame.from_ndarray((samples * 32767).round().astype(np.int16)[None], "s16", "mono")
        block.sample_rate = RATE
        container.mux(sound.encode(block))
        container.mux(sound.encode())


@pytest.mark.parametrize("wrong", ["padding", "turned"])
def test_a_wrong_preparation_would_be_seen(wrong, encoder, folder):
    wide = pictures()[0]
    other = Image.new("RGB", (max(wide.size),) * 2)
    other.paste(wide, (0, (other.height - wide.height) // 2))
    made = towers.reference_image(folder, other if wrong == "padding" else wide.transpose(Image.Transpose.ROTATE_90))
    assert moved(encoder.encode(wide), made) > MOVED


def test_two_parts_are_not_fused_by_a_guess(encoder):
    with pytest.raises(UnsupportedModality, match="one at a time"):
        encoder.encode({"text": "a dog", "image": pictures()[0]})


def test_options_that_no_tower_knows_are_refused(encoder):
    with pytest.raises(UsageError, match="max_pixels"):
        encoder.encode(pictures()[0], processing_kwargs={"image": {"max_pixels": 4}})


def test_a_saved_model_is_the_same_when_read(encoder, tmp_path):
    from manysense import SentenceTransformer

    inputs = [TEXTS[0], pictures()[0], Audio(sounds()[0], RATE), Video(clip())]
    encoder.save_pretrained(tmp_path / "once")
    again = SentenceTransformer(str(tmp_path / "once"), device="cpu")
    np.testing.assert_array_equal(again.encode(inputs), encoder.encode(inputs))
    again.save_pretrained(tmp_path / "twice")
    assert _files(tmp_path / "once") == _files(tmp_path / "twice")


def _files(folder):
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "README.md")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
