"""Opening videos: one promise a test, on files as programs write them."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from manysense.errors import AmbiguousInput, ItemError, MediaError, MediaTooLarge, MissingExtra, UnsupportedInput
from manysense.media.policy import DEFAULT, Policy
from manysense.media.types import Blob
from manysense.media.video import clip_key, clip_size, even_indices, open_clip, sound_of

WIDTH, HEIGHT, COUNT, FPS = 64, 48, 40, 10


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Frame `number`, grey at 10 + 5 x number, with a white corner at the top left."""
    pixels = np.full((height, width, 3), 10 + 5 * number, np.uint8)
    pixels[: height // 3, : width // 3] = 255
    return pixels


def numbers(frames: np.ndarray) -> list[int]:
    """Which pictures these are, by their grey in the middle."""
    middle = frames[:, frames.shape[1] // 2, frames.shape[2] // 2].astype(float).mean(axis=1)
    return [round((grey - 10) / 5) for grey in middle]


def film(
    container: str = "mp4",
    codec: str = "mpeg4",
    ticks: Sequence[int] = range(COUNT),
    sound: str | None = None,
    options: dict[str, str] | None = None,
    b_frames: int = 0,
) -> bytes:
    """A video of `picture`s, shown at these tenths of a second, by PyAV."""
    file = io.BytesIO()
    with av.open(file, "w", format=container, options=options or {}) as output:
        stream = output.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.bit_rate = WIDTH, HEIGHT, 2_000_000
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, FPS)
        stream.codec_context.gop_size = 12
        stream.codec_context.max_b_frames = b_frames
        track = output.add_stream(sound, rate=48_000, layout="mono") if sound else None
        if track is not None:
            tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(4 * 48_000) / 48_000)
            frame = av.AudioFrame.from_ndarray(tone.astype(np.float32)[None], format="fltp", layout="mono")
            frame.sample_rate = 48_000
            output.mux([*track.encode(frame), *track.encode(None)])
        for number, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts, frame.time_base = tick, Fraction(1, FPS)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def blob(data: bytes) -> Blob:
    return Blob("a film", data=data)


@pytest.fixture(scope="session")
def plain() -> bytes:
    return film(sound="aac", b_frames=2)


@pytest.fixture(scope="session")
def faststart(plain, tmp_path_factory) -> bytes:
    """The same film, with its header before its frames."""
    path = tmp_path_factory.mktemp("films") / "faststart.mp4"
    with av.open(io.BytesIO(plain)) as source, av.open(str(path), "w", options={"movflags": "+faststart"}) as output:
        video = source.streams.video[0]
        copy = output.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.size:
                packet.stream = copy
                output.mux(packet)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    return data


@pytest.fixture(scope="session")
def webm() -> bytes:
    return film("webm", "libvpx", sound="libopus")


KINDS = [
    ("mp4", "mpeg4", 0),
    ("mp4", "mpeg4", 2),
    ("mov", "mjpeg", 0),
    ("matroska", "mpeg4", 2),
    ("webm", "libvpx", 0),
    ("webm", "libvpx-vp9", 0),
    ("avi", "mpeg4", 0),
    ("avi", "mpeg4", 2),
    ("mpegts", "mpeg2video", 2),
    ("flv", "flv", 0),
]


@pytest.mark.parametrize(("container", "codec", "b_frames"), KINDS)
def test_the_chosen_frames_of_a_file_are_those_with_these_numbers(container, codec, b_frames):
    film_ = blob(film(container, codec, b_frames=b_frames))
    size = clip_size(film_, DEFAULT)
    assert (size.width, size.height, size.frames, size.has_sound) == (WIDTH, HEIGHT, COUNT, False)
    assert size.fps == pytest.approx(FPS, rel=0.03)
    np.testing.assert_allclose(size.times, np.arange(COUNT) / FPS, atol=0.002)
    clip = open_clip(film_, DEFAULT, [0, 1, 2, 13, 25, COUNT - 1])
    assert clip.frames.shape == (6, HEIGHT, WIDTH, 3)
    assert clip.frames.dtype == np.uint8
    assert numbers(clip.frames) == clip.indices.tolist() == [0, 1, 2, 13, 25, COUNT - 1]
    np.testing.assert_array_equal(clip.times, size.times[clip.indices])
    assert (clip.fps, clip.total) == (size.fps, COUNT)


def test_the_pixels_equal_those_of_a_plain_decode_in_rgb(plain):
    with av.open(io.BytesIO(plain)) as container:
        expected = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    np.testing.assert_array_equal(open_clip(blob(plain), DEFAULT, range(COUNT)).frames, np.stack(expected))


def test_a_frame_may_be_chosen_twice(plain):
    assert numbers(open_clip(blob(plain), DEFAULT, [3, 3, 9, 9, 9]).frames) == [3, 3, 9, 9, 9]


def test_decoding_stops_after_the_last_chosen_frame(plain, monkeypatch):
    seen = []
    from manysense.media import container

    def count(packets):
        for packet in packets:
            seen.append(packet)
            yield packet

    original = container.packets
    monkeypatch.setattr(container, "packets", lambda *given: count(original(*given)))
    open_clip(blob(plain), DEFAULT, [2])
    assert 0 < len(seen) < COUNT / 2


def test_variable_frame_times_are_those_of_the_file():
    ticks = [0, 1, 2, 3, 13, 14, 29, 31, 32, 33]
    for container, codec in (("mp4", "mpeg4"), ("matroska", "mpeg4"), ("webm", "libvpx")):
        size = clip_size(blob(film(container, codec, ticks)), DEFAULT)
        np.testing.assert_allclose(size.times, np.array(ticks) / FPS, atol=0.002)
    clip = open_clip(blob(film(ticks=ticks)), DEFAULT, even_indices(size.times, 4))
    assert numbers(clip.frames) == [0, 4, 6, 9]


def test_times_start_at_zero_whatever_the_file_says():
    size = clip_size(blob(film("matroska", "mpeg4", range(50, 60))), DEFAULT)
    assert size.times[0] == 0
    assert size.times[-1] == pytest.approx(0.9)


def test_a_webm_does_not_count_its_frames_and_is_read_all_the_same(webm):
    with av.open(io.BytesIO(webm)) as container:
        assert container.streams.video[0].frames == 0
    assert clip_size(blob(webm), DEFAULT).frames == COUNT


def test_a_hidden_frame_is_the_one_on_the_screen_at_its_time():
    skipped = b"\x00\x00\x01\xb6\x50\x9f"  # MPEG-4: a picture that says it is not coded
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(film("matroska", ticks=range(0, 20, 2)))) as source,
        av.open(file, "w", format="matroska") as output,
    ):
        stream = source.streams.video[0]
        copy = output.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.size:
                hidden = av.Packet(skipped)
                hidden.pts = hidden.dts = packet.pts + 100
                hidden.time_base = packet.time_base
                hidden.stream = packet.stream = copy
                output.mux([packet, hidden])
    clip_ = blob(file.getvalue())
    assert clip_size(clip_, DEFAULT).frames == 20
    assert numbers(open_clip(clip_, DEFAULT, [0, 1, 2, 3, 11, 18]).frames) == [0, 0, 1, 1, 5, 9]


def test_an_avi_keeps_no_times_of_presentation_and_its_frames_are_counted():
    if "libx264" not in av.codecs_available:
        pytest.skip("this build of PyAV writes no H.264")
    film_ = blob(film("avi", "libx264", b_frames=2))
    size = clip_size(film_, DEFAULT)
    assert size.frames == COUNT
    assert size.fps == pytest.approx(FPS, rel=0.1)
    assert numbers(open_clip(film_, DEFAULT, [0, 1, 2, 3, 21, 30]).frames) == [0, 1, 2, 3, 21, 30]


def test_a_track_that_begins_late_and_unannounced_disturbs_nothing():
    data = bytearray(film("mpegts", "mpeg2video"))
    starts = [at for at in range(0, len(data), 188) if data[at + 1 : at + 3] == b"\x41\x00"]  # of frames: track 0x100
    assert len(starts) == COUNT
    data[starts[-1] + 2] = 0x50  # the last one belongs to track 0x150
    assert clip_size(blob(bytes(data)), DEFAULT).frames == COUNT - 1


def test_frames_outside_the_edit_list_are_not_counted():
    data = bytearray(film(b_frames=2, options={"use_editlist": "1"}))
    at = data.index(b"elst")
    duration, start = struct.unpack(">II", data[at + 12 : at + 20])
    timescale = _timescale(bytes(data))
    data[at + 12 : at + 20] = struct.pack(">II", duration - 500, start + timescale // 2)  # half a second in
    clip_ = blob(bytes(data))
    size = clip_size(clip_, DEFAULT)
    assert size.frames == COUNT - 5
    assert size.times[0] == 0
    assert numbers(open_clip(clip_, DEFAULT, [0, 1, size.frames - 1]).frames) == [5, 6, COUNT - 1]


def _timescale(data: bytes) -> int:
    at = data.index(b"mdhd")
    return struct.unpack(">I", data[at + 16 : at + 20])[0]


TURNS = {  # a, b, c, d of the display matrix, and where the white corner must be
    "a quarter turn": ((0, 1, -1, 0), "top right"),
    "half a turn": ((-1, 0, 0, -1), "bottom right"),
    "three quarters": ((0, -1, 1, 0), "bottom left"),
    "a mirror": ((-1, 0, 0, 1), "top right"),
    "no turn": ((1, 0, 0, 1), "top left"),
}


@pytest.mark.parametrize("turn", TURNS)
def test_a_rotated_video_is_upright(turn):
    (a, b, c, d), corner = TURNS[turn]
    data = bytearray(film())
    at = data.index(b"tkhd") + 4 + 40  # the matrix: nine numbers of 16.16 bits
    data[at : at + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    size = clip_size(blob(bytes(data)), DEFAULT)
    assert (size.width, size.height) == ((HEIGHT, WIDTH) if b else (WIDTH, HEIGHT))
    (frame,) = open_clip(blob(bytes(data)), DEFAULT, [0]).frames
    assert frame.shape == (size.height, size.width, 3)
    corners = {"top left": (5, 5), "top right": (5, -6), "bottom left": (-6, 5), "bottom right": (-6, -6)}
    assert [name for name, place in corners.items() if frame[place].min() > 200] == [corner]


def test_the_sound_track_is_mono_at_the_rate_asked_for(plain, webm):
    for data in (plain, webm):
        assert clip_size(blob(data), DEFAULT).has_sound
        sound = sound_of(blob(data), DEFAULT, 16_000)
        assert sound.rate == 16_000
        assert len(sound.samples) / 16_000 == pytest.approx(4, abs=0.1)
        assert np.sqrt(2 * np.mean(sound.samples[16_000:32_000] ** 2)) == pytest.approx(0.5, abs=0.05)


def test_a_video_without_sound_has_none():
    silent = blob(film())
    assert not clip_size(silent, DEFAULT).has_sound
    assert sound_of(silent, DEFAULT, 16_000) is None


def test_a_sound_file_is_no_video():
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        output.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(MediaError, match="no picture track, only audio") as caught:
        clip_size(blob(file.getvalue()), DEFAULT)
    assert "Audio(" in str(caught.value)


def test_an_mp4_that_was_cut_is_an_error_that_says_how_much_there_is(plain, faststart):
    for data in (plain, faststart):
        for part in (0.3, 0.6, 0.9):
            with pytest.raises(MediaError) as caught:
                clip_size(blob(data[: int(part * len(data))]), DEFAULT)
            assert caught.value.source == "a film"
    with pytest.raises(MediaError, match=r"file ends after .* of .*"):
        clip_size(blob(faststart[: len(faststart) // 2]), DEFAULT)


def test_a_webm_that_was_cut_is_an_error(webm):
    with pytest.raises(MediaError, match="file ends after"):
        clip_size(blob(webm[: len(webm) // 2]), DEFAULT)


def test_a_frame_that_breaks_is_an_error_that_says_where():
    data = bytearray(film("matroska", "mjpeg"))
    size = clip_size(blob(bytes(data)), DEFAULT)
    with av.open(io.BytesIO(bytes(data))) as container:
        last = [bytes(packet) for packet in container.demux(video=0) if packet.size][-1]
    at = data.index(last)
    data[at : at + len(last)] = bytes(len(last))
    assert numbers(open_clip(blob(bytes(data)), DEFAULT, [3]).frames) == [3]
    with pytest.raises(MediaError, match=r"breaks after 3\.8 s"):
        open_clip(blob(bytes(data)), DEFAULT, [size.frames - 1])


def test_a_frame_that_is_not_there_is_an_error(plain):
    with pytest.raises(MediaError, match="it has 40 frames"):
        open_clip(blob(plain), DEFAULT, [0, COUNT])


def test_a_stream_that_ends_before_its_packets_do_says_how_far_it_came(plain, monkeypatch):
    from manysense.media import video

    monkeypatch.setattr(video, "decoded", lambda *_: iter(()))
    with pytest.raises(MediaError, match="before frame 20 of 40"):
        open_clip(blob(plain), DEFAULT, [0, 20])


def test_a_stream_whose_frames_change_size_is_an_error():
    joined = blob(film("mpegts", "mpeg2video") + _film_of_size(2 * WIDTH, 2 * HEIGHT))
    total = clip_size(joined, DEFAULT).frames
    with pytest.raises(MediaError, match="change size"):
        open_clip(joined, DEFAULT, range(total))


def _film_of_size(width: int, height: int) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as output:
        stream = output.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(25):
            frame = av.VideoFrame.from_ndarray(picture(number, width, height), format="rgb24")
            frame.pts, frame.time_base = 250 + number, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def playlist(tmp_path, plain: bytes) -> dict[str, bytes]:
    (tmp_path / "secret.mp4").write_bytes(plain)
    (tmp_path / "secret.ts").write_bytes(film("mpegts", "mpeg2video"))
    place = tmp_path.as_posix()
    return {
        "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{place}/secret.ts\n#EXT-X-ENDLIST\n".encode(),
        "concat": f"ffconcat version 1.0\nfile {place}/secret.mp4\n".encode(),
        "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
        "subtitles": b"1\n00:00:00,000 --> 00:00:01,000\nwords\n",
        "text": b"just words " * 1000,
        "nothing": b"",
        "noise": np.random.default_rng(0).bytes(50_000),
        "zeros": bytes(50_000),
    }


@pytest.mark.parametrize("suffix", ["mp4", "m3u8"])
@pytest.mark.parametrize("name", ["m3u8", "concat", "sdp", "subtitles", "text", "nothing", "noise", "zeros"])
def test_what_is_no_video_is_refused_at_once_whatever_its_name(name, suffix, tmp_path, plain):
    path = tmp_path / f"{name}.{suffix}"
    path.write_bytes(playlist(tmp_path, plain)[name])
    started = time.perf_counter()
    for read in (clip_size, lambda value, policy: open_clip(value, policy, [0])):
        with pytest.raises(MediaError) as caught:
            read(Blob(path.name, path=path), DEFAULT)
        assert caught.value.source == path.name
    assert time.perf_counter() - started < 5


def test_a_missing_file_is_a_media_error(tmp_path):
    with pytest.raises(MediaError, match="No such file"):
        clip_size(Blob("gone.mp4", path=tmp_path / "gone.mp4"), DEFAULT)


def test_a_file_on_disk_is_read_like_bytes(tmp_path, plain):
    path = tmp_path / "clip.mp4"
    path.write_bytes(plain)
    frames = open_clip(Blob("clip.mp4", path=path), DEFAULT, [0, 7]).frames
    np.testing.assert_array_equal(frames, open_clip(blob(plain), DEFAULT, [0, 7]).frames)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (Policy(max_pixels=WIDTH * HEIGHT - 1), "64 x 48 pixels"),
        (Policy(max_seconds=2), "over the limit of 2 s"),
        (Policy(max_frames=COUNT - 1), "frames"),
    ],
)
def test_a_video_over_a_limit_is_refused_before_it_is_decoded(policy, words, plain):
    frames = np.stack([picture(number) for number in range(COUNT)])
    for value in (blob(plain), frames, list(frames)):
        with pytest.raises(MediaTooLarge, match=words):
            clip_size(value, policy, fps=None if isinstance(value, Blob) else FPS)
        with pytest.raises(MediaTooLarge):
            open_clip(value, policy, [0], fps=None if isinstance(value, Blob) else FPS)


def test_threads_get_the_same_frames(plain):
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.append(open_clip(blob(plain), DEFAULT, range(0, COUNT, 3)).frames))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all((frames == found[0]).all() for frames in found)


FRAMES = np.stack([picture(number) for number in range(5)])


@pytest.mark.parametrize(
    "value",
    [
        FRAMES,
        list(FRAMES),
        [Image.fromarray(frame) for frame in FRAMES],
        torch.from_numpy(FRAMES),
        torch.from_numpy(FRAMES).permute(0, 3, 1, 2),
        np.ascontiguousarray(FRAMES.transpose(0, 3, 1, 2)),
        list(torch.from_numpy(FRAMES)),
    ],
)
def test_frames_in_memory_are_a_video(value):
    size = clip_size(value, DEFAULT, fps=2)
    assert (size.width, size.height, size.fps, size.has_sound) == (WIDTH, HEIGHT, 2, False)
    np.testing.assert_array_equal(size.times, [0, 0.5, 1, 1.5, 2])
    clip = open_clip(value, DEFAULT, [1, 4], fps=2)
    np.testing.assert_array_equal(clip.frames, FRAMES[[1, 4]])
    np.testing.assert_array_equal(clip.times, [0.5, 2])


def test_frames_without_a_rate_come_one_a_second():
    np.testing.assert_array_equal(clip_size(FRAMES, DEFAULT).times, range(5))


def test_frames_of_two_sizes_are_an_error():
    with pytest.raises(MediaError, match="differ in size"):
        open_clip([picture(0), picture(1, 32, 32)], DEFAULT, [0, 1])


@pytest.mark.parametrize("value", [[], np.zeros((0, 4, 4, 3), np.uint8)])
def test_no_frames_are_an_error(value):
    with pytest.raises(MediaError, match="no frame"):
        clip_size(value, DEFAULT)


@pytest.mark.parametrize(
    "value",
    [FRAMES.astype(np.float32), FRAMES[..., 0], FRAMES[0], [FRAMES[0, ..., 0]], FRAMES[..., :2], np.zeros(3), ["a"]],
)
def test_what_cannot_be_frames_is_unsupported(value):
    with pytest.raises(UnsupportedInput):
        clip_size(value, DEFAULT)


def test_frames_whose_colours_could_be_rows_are_ambiguous():
    with pytest.raises(AmbiguousInput):
        clip_size(np.zeros((5, 3, 8, 3), np.uint8), DEFAULT)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_a_frame_rate_is_positive_and_finite(fps):
    with pytest.raises(MediaError):
        clip_size(FRAMES, DEFAULT, fps=fps)


def decoder(frames: np.ndarray, fps: float):
    def get_frames_at(indices):
        chosen = torch.from_numpy(frames[indices]).permute(0, 3, 1, 2)
        return SimpleNamespace(data=chosen, pts_seconds=torch.tensor(indices, dtype=torch.float64) / fps)

    metadata = SimpleNamespace(num_frames=len(frames), average_fps=fps, width=frames.shape[2], height=frames.shape[1])
    return SimpleNamespace(metadata=metadata, get_frames_at=get_frames_at)


def test_a_torchcodec_decoder_is_a_video():
    size = clip_size(decoder(FRAMES, 4.0), DEFAULT)
    assert (size.width, size.height, size.fps, size.frames) == (WIDTH, HEIGHT, 4, 5)
    clip = open_clip(decoder(FRAMES, 4.0), DEFAULT, [0, 3])
    np.testing.assert_array_equal(clip.frames, FRAMES[[0, 3]])
    np.testing.assert_array_equal(clip.times, [0, 0.75])


@given(n=st.integers(1, 400), count=st.integers(1, 64), fps=st.sampled_from([1, 23.976, 25, 29.97, 60]))
def test_even_indices_at_a_constant_rate_are_those_of_transformers(n, count, fps):
    expected = np.linspace(0, n - 1, count).round()
    times = np.arange(n) / fps
    np.testing.assert_array_equal(even_indices(times, count), expected)
    np.testing.assert_array_equal(even_indices(times.round(3), count), expected)  # as a webm keeps them


@given(st.lists(st.floats(0.01, 5), min_size=1, max_size=40), st.integers(1, 20))
def test_even_indices_at_a_variable_rate_are_the_nearest_frames(steps, count):
    times = np.concatenate([[0.0], np.cumsum(steps)])
    chosen = even_indices(times, count)
    assert (np.diff(chosen) >= 0).all()
    moments = np.linspace(0, times[-1], count)
    nearest = np.abs(times - moments[:, None]).min(axis=1)
    step = times[-1] / len(steps)
    assert np.abs(times[chosen] - moments).max() <= (nearest + step).max()
    if np.abs(times - np.linspace(0, times[-1], len(times))).max() > step / 4:
        np.testing.assert_allclose(np.abs(times[chosen] - moments), nearest, atol=1e-9)


def test_a_key_is_equal_for_equal_content_only(plain):
    assert clip_key(blob(plain)) == blob(plain).key()
    key = clip_key(FRAMES)
    assert key == clip_key(list(FRAMES)) == clip_key([Image.fromarray(frame) for frame in FRAMES])
    assert key == clip_key(torch.from_numpy(FRAMES).permute(0, 3, 1, 2))
    assert len({key, clip_key(FRAMES[:4]), clip_key(FRAMES[::-1]), clip_key(FRAMES + np.uint8(1))}) == 4
    assert clip_key(decoder(FRAMES, 4.0)) == clip_key(decoder(FRAMES.copy(), 4.0)) != clip_key(decoder(FRAMES, 2.0))


@pytest.mark.slow
@settings(max_examples=100, deadline=5000)
@given(data=st.data(), container=st.sampled_from(["mp4", "matroska", "avi", "mpegts"]))
def test_broken_bytes_give_frames_or_an_item_error_and_nothing_else(data, container):
    broken = bytearray(_short_films()[container])
    for _ in range(data.draw(st.integers(1, 10))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    broken = broken[: data.draw(st.integers(0, len(broken)))] if data.draw(st.booleans()) else broken
    try:
        size = clip_size(blob(bytes(broken)), DEFAULT)
        clip = open_clip(blob(bytes(broken)), DEFAULT, even_indices(size.times, 3))
    except ItemError:
        return
    assert clip.frames.shape == (3, size.height, size.width, 3)


_FILMS: dict[str, bytes] = {}


def _short_films() -> dict[str, bytes]:
    for container in ("mp4", "matroska", "avi", "mpegts"):
        codec = "mpeg2video" if container == "mpegts" else "mpeg4"
        _FILMS.setdefault(container, film(container, codec, range(6)))
    return _FILMS


def test_without_the_extra_the_install_line_is_given(monkeypatch, plain):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtra, match=r'pip install "manysense\[video\]"'):
        clip_size(blob(plain), DEFAULT)
    assert clip_size(FRAMES, DEFAULT).frames == 5


def test_broken_files_print_nothing(tmp_path, plain):
    path = tmp_path / "broken.mp4"
    path.write_bytes(plain[: len(plain) // 2])
    code = (
        "import sys\nfrom pathlib import Path\nfrom manysense.media.policy import DEFAULT\n"
        "from manysense.media.types import Blob\nfrom manysense.media.video import clip_size\n"
        "assert not {'torch', 'av'} & set(sys.modules)\n"
        "try: clip_size(Blob('x', path=Path(sys.argv[1])), DEFAULT)\nexcept OSError: pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
