"""Opening sounds: one promise a test, on files as programs write them."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from types import SimpleNamespace

import av
import numpy as np
import pytest
import soundfile
import soxr
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from manysense import extras
from manysense.errors import (
    AmbiguousInput,
    ItemError,
    MediaError,
    MediaTooLarge,
    MissingExtra,
    UnsupportedInput,
    UsageError,
)
from manysense.media.audio import open_sound, resample, sound_key, sound_size
from manysense.media.policy import DEFAULT, Policy
from manysense.media.types import Blob

RATE = 16_000
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)
STEREO = np.stack([TONE, 0.25 * TONE])  # (2, n)


def written(samples: np.ndarray = TONE, rate: int = RATE, **format: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples.T, rate, **({"format": "WAV"} | format))
    return file.getvalue()


def encoded(container: str, codec: str, rate: int = 48_000, seconds: float = 2.0) -> bytes:
    """A tone, by PyAV: what soundfile cannot write."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
        frame = av.AudioFrame.from_ndarray(tone.astype(np.float32)[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return file.getvalue()


def opened(data: bytes, policy: Policy = DEFAULT, **options):
    return open_sound(Blob("a sound", data=data), policy, rate=RATE, **options)


def size(data: bytes, policy: Policy = DEFAULT):
    return sound_size(Blob("a sound", data=data), policy, rate=RATE)


EXACT = [
    ("WAV", "PCM_U8", 2**-7),
    ("WAV", "PCM_16", 2**-15),
    ("WAV", "PCM_24", 2**-23),
    ("WAV", "PCM_32", 2**-24),
    ("WAV", "FLOAT", 0),
    ("WAV", "DOUBLE", 0),
    ("FLAC", "PCM_16", 2**-15),
    ("FLAC", "PCM_24", 2**-23),
    ("AIFF", "PCM_16", 2**-15),
    ("AU", "PCM_16", 2**-15),
    ("RF64", "PCM_16", 2**-15),
]


@pytest.mark.parametrize(("format", "subtype", "step"), EXACT)
def test_an_uncompressed_or_lossless_file_gives_the_samples_that_were_written(format, subtype, step):
    sound = opened(written(format=format, subtype=subtype))
    assert (sound.rate, sound.samples.dtype, sound.samples.shape) == (RATE, np.float32, TONE.shape)
    assert np.abs(sound.samples - TONE).max() <= step


@pytest.mark.parametrize(("format", "subtype"), [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")])
def test_a_compressed_file_gives_nearly_the_samples_that_were_written(format, subtype):
    sound = opened(written(format=format, subtype=subtype))
    assert len(sound.samples) == len(TONE)
    middle = slice(RATE // 2, RATE)
    assert np.corrcoef(sound.samples[middle], TONE[middle])[0, 1] > 0.95


@pytest.mark.parametrize(
    ("container", "codec"), [("mp4", "aac"), ("webm", "libopus"), ("adts", "aac"), ("mpegts", "aac")]
)
def test_a_container_that_soundfile_does_not_know_is_read_by_pyav(container, codec):
    data = encoded(container, codec)
    sound = opened(data)
    assert sound.rate == 48_000
    assert len(sound.samples) / sound.rate == pytest.approx(2, abs=0.06)
    assert np.abs(sound.samples[24_000:48_000]).max() == pytest.approx(0.5, abs=0.1)
    assert size(data).seconds == pytest.approx(2, abs=0.2)


def test_a_flac_stream_that_never_knew_its_length_is_read_to_its_end():
    data = bytearray(written(format="FLAC"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)  # STREAMINFO: number of samples unknown
    assert np.abs(opened(bytes(data)).samples - TONE).max() <= 2**-15
    assert size(bytes(data)).seconds > 0


def test_a_wav_that_was_written_to_a_pipe_is_read_to_its_end():
    data = bytearray(written())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    assert len(opened(bytes(data)).samples) == len(TONE)


def test_the_size_comes_from_the_header_alone(monkeypatch):
    def decode(*_args, **_options):
        raise AssertionError("decoded")

    monkeypatch.setattr(soundfile.SoundFile, "read", decode)
    assert (size(written()).seconds, size(written()).rate) == (2.0, RATE)


def test_mono_is_the_mean_over_channels_as_transformers_takes_it():
    data = written(STEREO)
    decoded, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    np.testing.assert_array_equal(opened(data).samples, decoded.T.mean(axis=0))


def test_only_the_first_seconds_are_decoded_on_request():
    long = np.tile(TONE, 60)
    whole, part = opened(written(long)), opened(written(long), first_seconds=0.5)
    np.testing.assert_array_equal(part.samples, whole.samples[: RATE // 2])


def test_silence_is_a_sound():
    assert not opened(written(np.zeros(RATE, np.float32))).samples.any()


@pytest.mark.parametrize("format", ["WAV", "FLAC", "MP3", "AIFF", "AU", "OGG"])
@pytest.mark.parametrize("part", [0.3, 0.5, 0.9])
def test_a_file_that_was_cut_is_an_error_and_not_a_shorter_sound(format, part):
    data = written(np.tile(TONE, 4), format=format)
    with pytest.raises(MediaError) as caught:
        opened(data[: int(part * len(data))])
    assert caught.value.source == "a sound"


def test_the_error_for_a_cut_file_says_how_much_there_is():
    with pytest.raises(MediaError, match="ends after 32 kB of 64 kB"):
        opened(written()[:32_000])
    with pytest.raises(MediaError, match=r"ends, or breaks, after .* s of 8 s"):
        opened((data := written(np.tile(TONE, 4), format="MP3"))[: len(data) // 2])


def test_an_m4a_that_was_cut_is_an_error():
    data = encoded("mp4", "aac")
    with pytest.raises(MediaError, match="file ends after"):
        opened(data[: len(data) // 2])


RUBBISH = {
    "nothing": b"",
    "text": b"just some words " * 50,
    "a web page": b"<!DOCTYPE html><html><body>404</body></html>" * 20,
    "noise": np.random.default_rng(0).bytes(20_000),
    "zeros": bytes(20_000),
    "a header and no more": written()[:20],
    "a container of nothing": b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom",
}


@pytest.mark.parametrize("name", RUBBISH)
def test_what_is_no_sound_is_a_media_error(name):
    for read in (opened, size):
        with pytest.raises(MediaError) as caught:
            read(RUBBISH[name])
        assert caught.value.source == "a sound"
        assert " at 0x" not in str(caught.value)


def test_the_error_for_a_web_page_shows_its_first_words():
    with pytest.raises(MediaError, match="text that begins '<!DOCTYPE html>"):
        opened(RUBBISH["a web page"])


def test_a_missing_file_is_a_media_error(tmp_path):
    with pytest.raises(MediaError, match="No such file"):
        open_sound(Blob("gone.wav", path=tmp_path / "gone.wav"), DEFAULT, rate=RATE)


def test_a_file_on_disk_is_read_like_bytes(tmp_path):
    path = tmp_path / "tone.wav"
    path.write_bytes(written())
    np.testing.assert_array_equal(
        open_sound(Blob("tone.wav", path=path), DEFAULT, rate=RATE).samples, opened(written()).samples
    )


def test_a_sound_over_the_limit_is_refused_from_its_header(monkeypatch):
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_a, **_o: pytest.fail("decoded"))
    for read in (opened, size):
        with pytest.raises(MediaTooLarge, match="over the limit of 1 s"):
            read(written(), Policy(max_seconds=1))


def test_a_container_over_the_limit_is_refused():
    for read in (opened, size):
        with pytest.raises(MediaTooLarge):
            read(encoded("mp4", "aac"), Policy(max_seconds=1))


def test_a_header_that_promises_years_allocates_nothing():
    data = bytearray(written(format="FLAC"))
    data[21] |= 0x0F
    data[22:26] = b"\xff\xff\xff\xff"  # STREAMINFO: 2**36 - 1 samples, 256 GB
    with pytest.raises(MediaTooLarge):
        opened(bytes(data))
    with pytest.raises(MediaError):
        opened(bytes(data), Policy(max_seconds=1e12))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_an_error(bad):
    samples = TONE.copy()
    samples[100] = bad
    for value in (samples, Blob("a sound", data=written(samples, subtype="FLOAT"))):
        with pytest.raises(MediaError, match="NaN or infinite"):
            open_sound(value, DEFAULT, rate=RATE)


@pytest.mark.parametrize(
    "value", [np.zeros(0, np.float32), np.zeros((2, 0)), [], Blob("empty", data=written(TONE[:0]))]
)
def test_a_sound_without_a_sample_is_an_error(value):
    with pytest.raises(MediaError, match="sample"):
        open_sound(value, DEFAULT, rate=RATE)


@pytest.mark.parametrize(
    "value", [TONE, TONE.tolist(), torch.from_numpy(TONE), torch.from_numpy(TONE).requires_grad_(), TONE[None]]
)
def test_bare_samples_are_taken_as_they_are_at_the_rate_given(value):
    sound = open_sound(value, DEFAULT, rate=22_050)
    assert sound.rate == 22_050
    np.testing.assert_array_equal(sound.samples, TONE)
    assert sound_size(value, DEFAULT, rate=22_050).seconds == len(TONE) / 22_050


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.array([-(2**15), 2**14], np.int16), [-1, 0.5]),
        (np.array([-(2**31), 2**30], np.int32), [-1, 0.5]),
        (np.array([0, 128, 192], np.uint8), [-1, 0, 0.5]),
        (np.array([-128, 64], np.int8), [-1, 0.5]),
        (np.array([-1, 0.5], np.float16), [-1, 0.5]),
        (np.array([-1, 0.5], np.float64), [-1, 0.5]),
        (torch.tensor([-1, 0.5], dtype=torch.bfloat16), [-1, 0.5]),
    ],
)
def test_each_type_of_sample_has_its_full_scale(samples, expected):
    sound = open_sound(samples, DEFAULT, rate=RATE)
    assert sound.samples.dtype == np.float32
    np.testing.assert_array_equal(sound.samples, np.float32(expected))


def test_channels_by_samples_are_mixed_to_mono():
    np.testing.assert_allclose(open_sound(STEREO, DEFAULT, rate=RATE).samples, 0.625 * TONE, atol=1e-7)


@pytest.mark.parametrize("shape", [(1000, 2), (33, 1000), (4, 4)])
def test_channels_that_could_be_samples_are_ambiguous(shape):
    with pytest.raises(AmbiguousInput, match=r"\(channels, samples\)"):
        open_sound(np.zeros(shape, np.float32), DEFAULT, rate=RATE)


@pytest.mark.parametrize(
    "value",
    [
        np.zeros((1, 2, 100), np.float32),
        np.float32(0.5),
        np.zeros(100, np.int64),
        np.zeros(100, bool),
        np.zeros(100, complex),
        [1, 2, 3],
        [[0.0, 1.0], [0.0]],
        "words",
    ],
)
def test_what_cannot_be_samples_is_unsupported(value):
    with pytest.raises(UnsupportedInput):
        open_sound(value, DEFAULT, rate=RATE)


@pytest.mark.parametrize("rate", [0, -1, 768_001, 16_000.0, None, True])
def test_a_rate_is_a_positive_integer(rate):
    with pytest.raises(MediaError):
        open_sound(TONE, DEFAULT, rate=rate)
    with pytest.raises(MediaError):
        resample(TONE, rate, RATE)
    with pytest.raises(UsageError):
        resample(TONE, RATE, rate)


def decoder(samples: np.ndarray, rate: int):
    decoded = SimpleNamespace(data=torch.from_numpy(samples), sample_rate=rate)
    return SimpleNamespace(get_all_samples=lambda: decoded)


def test_a_torchcodec_decoder_brings_its_own_rate():
    sound = open_sound(decoder(STEREO, 44_100), DEFAULT, rate=RATE)
    assert sound.rate == 44_100
    np.testing.assert_array_equal(sound.samples, STEREO.mean(axis=0))
    assert sound_size(decoder(STEREO, 44_100), DEFAULT, rate=RATE).rate == 44_100


@pytest.mark.parametrize(("given_rate", "wanted"), [(44_100, 16_000), (8_000, 48_000), (22_050, 16_000)])
def test_resampling_equals_what_transformers_does(given_rate, wanted):
    count = -(-len(TONE) * wanted // given_rate)
    expected = soxr.resample(TONE, given_rate, wanted, quality="soxr_hq")
    expected = np.pad(expected, (0, max(0, count - len(expected))))[:count]
    found = resample(TONE, given_rate, wanted)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_the_line_from_file_to_model_equals_transformers():
    audio_utils = pytest.importorskip("transformers.audio_utils")
    if not hasattr(audio_utils, "_load_audio_soundfile"):
        pytest.skip("this release of transformers reads sound another way")
    data = written(STEREO, rate=44_100)
    sound = opened(data)
    np.testing.assert_array_equal(
        resample(sound.samples, sound.rate, RATE), audio_utils._load_audio_soundfile(data, RATE)
    )


def test_the_same_rate_changes_nothing():
    np.testing.assert_array_equal(resample(TONE, RATE, RATE), TONE)


def test_one_sample_can_be_resampled():
    assert resample(np.ones(1, np.float32), 48_000, 8_000).shape == (1,)


def test_resampling_is_the_same_in_every_thread():
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(resample(TONE, 44_100, RATE))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all((one == resample(TONE, 44_100, RATE)).all() for one in found)


def test_a_key_is_equal_for_equal_content_only():
    key = sound_key(TONE, RATE)
    assert key == sound_key(TONE.copy(), RATE) == sound_key(torch.from_numpy(TONE), RATE)
    others = [sound_key(TONE, 8_000), sound_key(TONE[:-1], RATE), sound_key(TONE[None], RATE), sound_key(-TONE, RATE)]
    assert len({key, *others}) == 5
    assert sound_key(decoder(STEREO, 8_000), RATE) == sound_key(STEREO, 8_000)
    blob = Blob("a sound", data=written())
    assert sound_key(blob, RATE) == blob.key()


@settings(max_examples=60, deadline=2000)
@given(data=st.data(), format=st.sampled_from(["WAV", "FLAC", "OGG", "AIFF", "AU"]))
def test_broken_bytes_give_a_sound_or_an_item_error_and_nothing_else(data, format):
    broken = bytearray(written(TONE[:4000], format=format))
    for _ in range(data.draw(st.integers(1, 8))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        sound = opened(bytes(broken))
    except ItemError:
        return
    assert np.isfinite(sound.samples).all()


def test_without_the_extra_the_install_line_is_given(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingExtra, match=r'pip install "manysense\[audio\]"'):
        opened(written())
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(MissingExtra, match=r'pip install "manysense\[audio\]"'):
        resample(TONE, 44_100, RATE)
    assert extras.EXTRA_OF["av"] == "video"


def test_nothing_optional_is_imported_before_it_is_needed():
    optional = "'torch', 'av', 'soundfile', 'soxr'"
    code = f"import sys, manysense.media.audio; print([m for m in ({optional}) if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
