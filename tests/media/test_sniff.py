import io
import wave

import pytest
from PIL import Image

from manysense.media.sniff import HEAD, sniff


def ftyp(major: bytes, *others: bytes) -> bytes:
    body = b"ftyp" + major + b"\0\0\0\0" + b"".join(others)
    return (len(body) + 4).to_bytes(4, "big") + body + b"\0\0\0\x08free" + b"heic"


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000", "ICO", "PPM"])
def test_a_picture_that_pillow_writes_is_an_image(name):
    out = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(out, name)
    assert sniff(out.getvalue()) == "image"


def test_a_wave_file_is_audio():
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\0\0" * 10)
    assert sniff(out.getvalue()) == "audio"


@pytest.mark.parametrize("name", ["FLAC", "OGG", "AIFF", "AU", "MP3", "CAF", "RF64"])
def test_a_sound_that_soundfile_writes_is_audio(name):
    soundfile = pytest.importorskip("soundfile")
    out = io.BytesIO()
    soundfile.write(out, [0.0] * 4096, 16000, format=name)
    assert sniff(out.getvalue()) == "audio"


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("mp4", "mpeg4"),
        ("mov", "mpeg4"),
        ("matroska", "mpeg4"),
        ("avi", "mpeg4"),
        ("mpegts", "mpeg2video"),
        ("mpeg", "mpeg2video"),
        ("flv", "flv"),
        ("asf", "msmpeg4v3"),
    ],
)
def test_a_film_that_ffmpeg_writes_is_video(container, codec):
    av = pytest.importorskip("av")
    out = io.BytesIO()
    with av.open(out, "w", format=container) as film:
        stream = film.add_stream(codec, rate=25)
        stream.width = stream.height = 32
        for _ in range(3):
            film.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (32, 32)))))
        film.mux(stream.encode(None))
    assert sniff(out.getvalue()) == "video"


@pytest.mark.parametrize(
    ("head", "modality"),
    [
        (ftyp(b"heic", b"mif1"), "image"),
        (ftyp(b"mif1", b"avif"), "image"),
        (ftyp(b"MiHE", b"mif1"), "image"),
        (ftyp(b"M4A ", b"isom"), "audio"),
        (ftyp(b"isom", b"mp41"), "video"),
        (ftyp(b"qt  "), "video"),
        (ftyp(b"xxxx", b"mp42"), "video"),
        (ftyp(b"crx "), None),
        (b"\xff\xf1\x50\x80\x00\x1f", "audio"),
        (b"\xff\xfb\x90\x64", "audio"),
        (b"OggS" + b"\0" * 24 + b"\x80theora", "video"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "video"),
        (b"G" + b"\0" * 187 + b"G" + b"\0" * 20, "video"),
        (b"\0\0\0\0G" + b"\0" * 191 + b"G" + b"\0" * 20, "video"),
    ],
)
def test_the_first_bytes_name_the_modality(head, modality):
    assert sniff(head) == modality


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"B",
        b"BM is the sign of a bitmap, and this is text",
        b"P3 is a name",
        b"Gone with the wind" * 11,
        b"<html><body>",
        b"%PDF-1.7",
        b"PK\x03\x04",
        "hello".encode("utf-16"),
        "\ufeffhello".encode(),
        b"I am free, said the bird",
        b"RIFF\0\0\0\0sfbk",
        b"\xff\xff\xff\xff",
        b"\0" * 4096,
    ],
)
def test_what_is_not_a_medium_is_nothing(head):
    assert sniff(head) is None


def test_only_the_head_is_looked_at():
    padded = b"P6\n" + b"#" * HEAD + b"\n1 1\n255\n"
    assert sniff(padded) is None


def test_a_view_of_bytes_will_do():
    assert sniff(memoryview(bytearray(b"GIF89a....."))) == "image"
