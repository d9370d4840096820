"""Opening pictures: one promise a test, on files as programs write them."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageCms, ImageFile

from manysense.errors import AmbiguousInput, MediaError, MediaNotFound, MediaTooLarge, UnsupportedInput
from manysense.inputs.arrays import pixels_layout
from manysense.media.image import open_picture, picture_key, picture_size
from manysense.media.policy import DEFAULT, Policy
from manysense.media.types import Blob, PictureSize

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # what Pillow says of broken files
RNG = np.random.default_rng(7)
NOISE = RNG.integers(0, 256, (12, 18, 3), dtype=np.uint8)  # 18 wide, 12 high


def noise(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(NOISE).convert(mode)


def encoded(image: Image.Image, format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def blob(data: bytes) -> Blob:
    return Blob("scan.bin", data=data)


def opened(value, **options) -> np.ndarray:
    picture = open_picture(value, DEFAULT, **options)
    assert type(picture) is Image.Image
    assert picture.mode == "RGB"
    return np.asarray(picture)


def png(width, height, depth, colour, rows: bytes, *, before=(), after=()) -> bytes:
    """A PNG file written by hand. rows: filter bytes included. before, after: chunks around the pixels."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)),
        *before,
        (b"IDAT", zlib.compress(rows)),
        *after,
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


@pytest.fixture
def lenient(monkeypatch):
    """What another library in the process may have done."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)


# Orientation.

UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a[::-1].transpose(1, 0, 2),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: a.transpose(1, 0, 2)[::-1],
}


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_file_is_turned_as_its_exif_says(orientation, format):
    options = {"lossless": True} if format == "WEBP" else {}
    data = encoded(noise(), format, exif=exif(orientation), **options)
    expected = UPRIGHT[orientation](NOISE)
    np.testing.assert_array_equal(opened(blob(data)), expected)
    assert picture_size(blob(data), DEFAULT) == PictureSize(expected.shape[1], expected.shape[0])


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_jpeg_is_turned_as_its_exif_says(orientation):
    stored = np.asarray(Image.open(io.BytesIO(encoded(noise(), "JPEG"))))
    data = encoded(noise(), "JPEG", exif=exif(orientation))
    np.testing.assert_array_equal(opened(blob(data)), UPRIGHT[orientation](stored))


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_a_pil_image_is_turned_as_its_exif_says(orientation, format):
    expected = UPRIGHT[orientation](NOISE)
    image = Image.open(io.BytesIO(encoded(noise(), format, exif=exif(orientation))))
    assert picture_size(image, DEFAULT) == PictureSize(expected.shape[1], expected.shape[0])
    np.testing.assert_array_equal(opened(image), expected)
    assert picture_size(image, DEFAULT) == PictureSize(expected.shape[1], expected.shape[0])


def test_an_orientation_set_in_memory_counts():
    image = noise()
    image.getexif()[0x0112] = 6
    np.testing.assert_array_equal(opened(image), UPRIGHT[6](NOISE))


def test_an_orientation_after_the_pixels_of_a_png_counts():
    rows = b"".join(b"\0" + row.tobytes() for row in NOISE)
    data = png(18, 12, 8, 2, rows, after=[(b"eXIf", exif(6).removeprefix(b"Exif\0\0"))])
    assert picture_size(blob(data), DEFAULT) == PictureSize(12, 18)
    assert picture_size(Image.open(io.BytesIO(data)), DEFAULT) == PictureSize(12, 18)
    np.testing.assert_array_equal(opened(blob(data)), UPRIGHT[6](NOISE))


def test_garbage_where_exif_should_be_leaves_the_picture_as_stored():
    data = encoded(noise(), "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xffgarbage")
    np.testing.assert_array_equal(opened(blob(data)), NOISE)


def test_a_turned_picture_is_not_turned_again():
    picture = open_picture(blob(encoded(noise(), "PNG", exif=exif(6))), DEFAULT)
    np.testing.assert_array_equal(opened(picture), UPRIGHT[6](NOISE))


# Transparency.


def see_through() -> Image.Image:
    image = noise("RGBA")
    image.putalpha(Image.fromarray(RNG.integers(0, 256, (12, 18), dtype=np.uint8)))
    return image


def over_white(image: Image.Image) -> np.ndarray:
    """As Qwen's reference does it."""
    image = image.convert("RGBA")
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(image, mask=image.split()[3])
    return np.asarray(white)


def with_palette_alpha() -> Image.Image:
    image = noise().quantize(16)
    image.info["transparency"] = bytes(range(0, 256, 16))
    return image


def with_transparent_index() -> Image.Image:
    image = noise().quantize(16)
    image.info["transparency"] = 3
    return image


SEE_THROUGH = {
    "RGBA": see_through,
    "LA": lambda: see_through().convert("LA"),
    "PA": lambda: see_through().convert("PA"),
    "RGBa": lambda: see_through().convert("RGBa"),
    "La": lambda: see_through().convert("LA").convert("La"),
    "palette alpha": with_palette_alpha,
    "palette index": with_transparent_index,
}


@pytest.mark.parametrize("kind", SEE_THROUGH)
def test_alpha_is_composited_over_white_as_the_reference_does(kind):
    image = SEE_THROUGH[kind]()
    expected = over_white(image.convert("LA") if image.mode == "La" else image.copy())
    np.testing.assert_array_equal(opened(image), expected)


@pytest.mark.parametrize("kind", ["RGBA", "LA", "palette alpha", "palette index"])
def test_a_png_file_with_alpha_is_composited_over_white(kind):
    data = encoded(SEE_THROUGH[kind](), "PNG")
    np.testing.assert_array_equal(opened(blob(data)), over_white(Image.open(io.BytesIO(data))))


def test_a_transparent_colour_of_an_rgb_png_becomes_white():
    data = encoded(Image.new("RGB", (2, 2), (1, 2, 3)), "PNG", transparency=(1, 2, 3))
    assert (opened(blob(data)) == 255).all()


# Colour spaces and depths.


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "HSV", "RGBX"])
def test_a_mode_becomes_what_pillow_converts_it_to(mode):
    np.testing.assert_array_equal(opened(noise(mode)), np.asarray(noise(mode).convert("RGB")))


def test_lab_becomes_srgb():
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.applyTransform(noise(), ImageCms.buildTransform(*profiles, "RGB", "LAB"))
    assert lab.mode == "LAB"
    assert np.abs(opened(lab).astype(int) - NOISE).mean() < 6


def test_a_cmyk_jpeg_of_adobe_is_not_a_negative():
    white = Image.new("CMYK", (8, 8), (0, 0, 0, 0))  # no ink; Pillow writes it inverted, as Adobe does
    data = encoded(white, "JPEG")
    assert b"Adobe" in data
    assert (opened(blob(data)) > 250).all()


def test_a_ycck_jpeg_has_its_colours():
    stored = (76, 84, 255, 0)  # 255 minus Y, Cb, Cr of the complement of red
    ink = Image.merge("CMYK", [Image.new("L", (16, 16), value) for value in stored])
    data = bytearray(encoded(ink, "JPEG", quality=95, subsampling=0))
    data[data.index(b"Adobe") + 11] = 2  # the same numbers, now to be read as YCCK
    assert np.abs(opened(blob(bytes(data))).astype(int) - (255, 0, 0)).max() < 6


@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM"])
def test_sixteen_bit_gray_keeps_its_high_byte(format):
    values = np.array([[0, 255, 256, 0x1234], [0x8000, 0xFF00, 0xFFFF, 0x7FFF]], dtype=np.uint16)
    if format == "PPM":
        data = b"P5 4 2 65535\n" + values.astype(">u2").tobytes()
    else:
        data = encoded(Image.fromarray(values), format)
    np.testing.assert_array_equal(opened(blob(data))[:, :, 0], values >> 8)
    np.testing.assert_array_equal(opened(Image.open(io.BytesIO(data)))[:, :, 0], values >> 8)


def test_big_endian_sixteen_bit_gray_keeps_its_high_byte():
    values = np.array([[0, 0x1234], [0x8001, 0xFFFF]], dtype=">u2")
    image = Image.frombytes("I;16B", (2, 2), values.tobytes())
    np.testing.assert_array_equal(opened(image)[:, :, 0], values >> 8)


def test_a_transparent_sixteen_bit_gray_becomes_white():
    rows = b"\0" + struct.pack(">HH", 0x1234, 0x1235)
    data = png(2, 1, 16, 0, rows, before=[(b"tRNS", struct.pack(">H", 0x1234))])
    assert opened(blob(data))[0, :, 0].tolist() == [255, 0x12]


def test_thirty_two_bit_integers_within_a_byte_are_taken_as_they_are():
    image = Image.fromarray(np.array([[0, 7, 255]], dtype=np.int32))
    assert opened(image)[0, :, 0].tolist() == [0, 7, 255]


def test_thirty_two_bit_integers_beyond_a_byte_are_refused():
    with pytest.raises(MediaError, match=r"from 0 to 256.*0\.\.255"):
        open_picture(Image.fromarray(np.array([[0, 256]], dtype=np.int32)), DEFAULT)


@pytest.mark.parametrize(
    ("values", "expected"), [([0.0, 0.5, 1.0], [0, 128, 255]), ([0.0, 128.0, 255.0], [0, 128, 255])]
)
def test_a_float_tiff_is_scaled_by_what_it_holds(values, expected):
    data = encoded(Image.fromarray(np.array([values], dtype=np.float32)), "TIFF")
    assert opened(blob(data))[0, :, 0].tolist() == expected


@pytest.mark.parametrize(
    ("values", "reason"),
    [([0.0, 1.5], r"0\.\.1"), ([-1.0, 1.0], r"0\.\.1"), ([0.0, 300.0], r"0\.\.1"), ([0.0, np.nan], "NaN")],
)
def test_a_float_tiff_that_is_neither_is_refused(values, reason):
    data = encoded(Image.fromarray(np.array([values], dtype=np.float32)), "TIFF")
    with pytest.raises(MediaError, match=reason):
        open_picture(blob(data), DEFAULT)


# Frames.


@pytest.mark.parametrize(
    ("format", "options"), [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("MPO", {})]
)
def test_of_many_frames_the_first_is_opened(format, options):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:], **options)
    assert Image.open(io.BytesIO(data)).n_frames == 3
    assert np.abs(opened(blob(data)).astype(int) - (255, 0, 0)).max() < 4


def test_of_a_pil_image_the_current_frame_is_opened():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime")]
    image = Image.open(io.BytesIO(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])))
    image.seek(1)
    assert (opened(image) == (0, 255, 0)).all()
    assert image.tell() == 1


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_caller_can_go_on_to_the_next_frame(format):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime")]
    image = Image.open(io.BytesIO(encoded(frames[0], format, save_all=True, append_images=frames[1:])))
    open_picture(image, DEFAULT)
    image.seek(1)
    np.testing.assert_allclose(np.asarray(image.convert("RGB"))[0, 0], (0, 255, 0), atol=3)


def test_a_small_first_frame_of_a_gif_is_composited_on_its_screen():
    data = bytearray(encoded(Image.new("P", (4, 4), 1), "GIF"))
    data[6:10] = struct.pack("<HH", 8, 8)  # the screen is larger than the frame
    np.testing.assert_array_equal(opened(blob(bytes(data))), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    assert picture_size(blob(bytes(data)), DEFAULT) == PictureSize(8, 8)


# Files that are broken.

WHOLE = {
    "JPEG": ("JPEG", {}),
    "progressive JPEG": ("JPEG", {"progressive": True}),
    "JPEG with a thumbnail": ("JPEG", {"exif": b"Exif\0\0" + encoded(Image.new("L", (8, 8)), "JPEG")}),
    "PNG": ("PNG", {}),
    "WebP": ("WEBP", {}),
    "lossless WebP": ("WEBP", {"lossless": True}),
    "TIFF": ("TIFF", {}),
    "TIFF with LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "TIFF with deflate": ("TIFF", {"compression": "tiff_deflate"}),
    "JPEG 2000": ("JPEG2000", {}),
    "AVIF": ("AVIF", {}),
}


def refusals(data: bytes, lengths) -> list[int]:
    """Lengths at which the file was opened although it is cut short."""
    accepted = []
    for length in lengths:
        try:
            open_picture(blob(data[:length]), DEFAULT)
            accepted.append(length)
        except MediaError:
            pass
    return accepted


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_cut_short_anywhere_is_refused(kind):
    format, options = WHOLE[kind]
    data = encoded(noise(), format, **options)
    assert refusals(data, range(0, len(data), 7)) == []
    assert refusals(data, range(len(data) - 16, len(data))) == []


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_cut_short_is_refused_even_where_pillow_was_told_to_accept_it(kind):
    format, options = WHOLE[kind]
    data = encoded(noise(), format, **options)
    assert refusals(data, range(0, len(data), 7)) == []
    assert refusals(data, range(len(data) - 16, len(data))) == []
    opened(blob(data))


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("format", ["GIF", "BMP", "PPM", "TGA", "ICO"])
def test_a_file_cut_within_its_pixels_is_refused(format):
    data = encoded(noise(), format)
    assert refusals(data, range(0, len(data) - 32, 5)) == []


def test_a_file_cut_short_says_how_much_there_is():
    data = encoded(noise(), "PNG")
    with pytest.raises(MediaError) as caught:
        open_picture(blob(data[:200]), DEFAULT)
    assert caught.value.reason.startswith("cannot open image 'scan.bin': file ends after 200 bytes of ")
    assert caught.value.source == "scan.bin"
    assert caught.value.index is None
    assert caught.value.hint


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("chunk", [b"IHDR", b"tEXt", b"IDAT"])
def test_a_png_with_a_wrong_checksum_is_refused(chunk):
    rows = b"".join(b"\0" + row.tobytes() for row in NOISE)
    data = bytearray(png(18, 12, 8, 2, rows, before=[(b"tEXt", b"Author\0somebody")]))
    length = int.from_bytes(data[data.index(chunk) - 4 : data.index(chunk)], "big")
    data[data.index(chunk) + 4 + length] ^= 0xFF
    with pytest.raises(MediaError, match="checksum"):
        open_picture(blob(bytes(data)), DEFAULT)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "empty"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(64), "HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1" + bytes(64), "video"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"8BPS\0\x01" + bytes(40), "PSD"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "EPS"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (b"just a note to myself", "text"),
        (bytes(range(128, 256)), "no picture format"),
    ],
)
def test_what_is_not_a_picture_is_named_with_a_way_out(data, name):
    for call in (open_picture, picture_size):
        with pytest.raises(MediaError, match=name) as caught:
            call(blob(data), DEFAULT)
        assert caught.value.hint


def test_postscript_never_reaches_ghostscript(monkeypatch):
    monkeypatch.setattr(subprocess, "check_call", lambda *_, **__: pytest.fail("a program was started"))
    data = encoded(noise(), "EPS")
    with pytest.raises(MediaError, match="EPS"):
        open_picture(blob(data), DEFAULT)


def test_a_missing_file_is_not_found(tmp_path):
    with pytest.raises(MediaNotFound, match="no such file"):
        open_picture(Blob("gone.png", path=tmp_path / "gone.png"), DEFAULT)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(MediaError, match="directory"):
        open_picture(Blob("folder", path=tmp_path), DEFAULT)


@pytest.mark.parametrize("format", ["PNG", "GIF", "TIFF", "MPO"])
def test_a_file_is_closed_after_opening(tmp_path, format):
    path = tmp_path / "picture"
    noise().save(path, format)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        opened(Blob("picture", path=path))
        picture_size(Blob("picture", path=path), DEFAULT)
    assert str(path) not in [str(link.resolve()) for link in Path("/proc/self/fd").glob("*")]


@settings(max_examples=150, deadline=2000)
@given(
    st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "ICO", "AVIF", "TGA"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_a_damaged_file_gives_a_picture_or_a_media_error(format, damage):
    data = bytearray(encoded(noise(), format))
    for place, value in damage:
        data[int(place * len(data))] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            opened(blob(bytes(data)))
        except MediaError:
            pass


def test_garbage_in_the_colour_profile_changes_nothing():
    np.testing.assert_array_equal(opened(blob(encoded(noise(), "PNG", icc_profile=b"garbage"))), NOISE)


# Limits.


def bomb(format: str) -> bytes:
    if format == "PNG":
        return png(60_000, 60_000, 8, 2, bytes(1000))
    if format == "BMP":
        return b"BM" + struct.pack("<IIIIiiHHIIiiII", 100, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0)
    if format == "GIF":
        return b"GIF89a" + struct.pack("<HHBBB", 60_000, 60_000, 0, 0, 0) + b",\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
    if format == "ICO":
        inside = png(60_000, 60_000, 8, 2, bytes(1000))
        return struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, len(inside), 22) + inside
    tags = [(256, 4, 60_000), (257, 4, 60_000), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (279, 4, 9)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


@pytest.mark.parametrize("format", ["PNG", "BMP", "GIF", "ICO", "TIFF"])
def test_a_header_of_too_many_pixels_is_refused_before_decoding(format):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for call in (open_picture, picture_size):
            with pytest.raises(MediaTooLarge, match=r"60000 x 60000|3,600,000,000"):
                call(blob(bomb(format)), DEFAULT)


def test_the_limit_is_of_the_policy_not_of_pillow(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for format in ("JPEG", "PNG", "BMP"):
            assert opened(blob(encoded(noise(), format))).shape == (12, 18, 3)
    assert Image.MAX_IMAGE_PIXELS == 10


@pytest.mark.parametrize("value", [noise(), NOISE, blob(encoded(noise(), "PNG"))], ids=["pil", "array", "file"])
def test_the_limit_holds_for_every_kind_of_value(value):
    assert open_picture(value, Policy(max_pixels=216))
    for call in (open_picture, picture_size):
        with pytest.raises(MediaTooLarge, match=r"216.*215"):
            call(value, Policy(max_pixels=215))


def test_pillows_own_alarm_becomes_an_error_of_ours(monkeypatch):
    def alarm(self):  # where a plugin checks a tile or frame of its own; which ones do differs by version
        Image._decompression_bomb_check((10**6, 10**6))

    monkeypatch.setattr(ImageFile.ImageFile, "load_prepare", alarm)
    with pytest.raises(MediaTooLarge, match="exceeds limit"):
        open_picture(blob(encoded(noise(), "BMP")), DEFAULT)


@pytest.mark.parametrize("value", [Image.new("RGB", (0, 4)), np.zeros((0, 5, 3)), np.zeros((5, 0))])
def test_a_picture_without_pixels_is_refused(value):
    for call in (open_picture, picture_size):
        with pytest.raises(MediaError, match="it has none"):
            call(value, DEFAULT)


def test_a_text_bomb_in_a_png_is_refused():
    rows = b"".join(b"\0" + row.tobytes() for row in NOISE)
    text = b"Comment\0\0" + zlib.compress(bytes(80_000_000))
    with pytest.raises(MediaError):
        open_picture(blob(png(18, 12, 8, 2, rows, before=[(b"zTXt", text)])), DEFAULT)


def test_only_the_header_of_a_file_is_read_for_its_size(monkeypatch):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("pixels were decoded"))
    for format in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"):
        assert picture_size(blob(encoded(noise(), format)), DEFAULT) == PictureSize(18, 12)


# The caller's own objects.


@pytest.mark.parametrize("kind", [*SEE_THROUGH, "RGB", "L", "1", "I;16"])
def test_a_pil_image_stays_as_it_was(kind):
    image = SEE_THROUGH[kind]() if kind in SEE_THROUGH else noise(kind)
    before = image.copy()
    opened(image)
    opened(image)
    assert image == before
    assert image.mode == before.mode


def test_the_opened_picture_is_private():
    image = noise()
    open_picture(image, DEFAULT).paste((0, 0, 0), (0, 0, 18, 12))
    np.testing.assert_array_equal(np.asarray(image), NOISE)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "TIFF"])
def test_the_file_of_a_lazy_pil_image_stays_where_it_was(format):
    file = io.BytesIO(encoded(noise(), format))
    image = Image.open(file)
    at = file.seek(5)
    picture_size(image, DEFAULT)
    opened(image)
    picture_key(image)
    assert file.tell() == at


def test_a_pil_image_whose_file_was_closed_is_refused():
    file = io.BytesIO(encoded(noise(), "PNG"))
    image = Image.open(file)
    file.close()
    with pytest.raises(MediaError, match="PIL image 18x12 RGB") as caught:
        open_picture(image, DEFAULT)
    assert caught.value.source == "PIL image 18x12 RGB"


def test_threads_can_open_one_lazy_pil_image_at_once():
    big = Image.fromarray(RNG.integers(0, 256, (300, 400, 3), dtype=np.uint8))
    data, expected = encoded(big, "PNG"), np.asarray(big)
    for _ in range(10):
        image, found, start = Image.open(io.BytesIO(data)), [], threading.Barrier(4)

        def work(image=image, found=found, start=start):
            start.wait()
            found.append(np.array_equal(opened(image), expected))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [True] * 4


# Arrays.

FLOATS = [np.float16, np.float32, np.float64, ">f4"]


@given(arrays.arrays(np.uint8, st.tuples(st.integers(5, 9), st.integers(5, 9), st.just(3))))
def test_bytes_come_back_as_they_are(values):
    np.testing.assert_array_equal(opened(values), values)
    np.testing.assert_array_equal(opened(values.transpose(2, 0, 1)), values)
    np.testing.assert_array_equal(opened(torch.from_numpy(values).permute(2, 0, 1)), values)


@pytest.mark.parametrize("dtype", FLOATS)
def test_bytes_divided_by_255_come_back_as_bytes(dtype):
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(opened((values / 255).astype(dtype))[:, :, 0], values)


@given(arrays.arrays(np.float32, (5, 7), elements=st.floats(0, 1, width=32)))
def test_floats_are_rounded_to_the_nearest_byte(values):
    assert np.abs(opened(values)[:, :, 0] / 255 - values).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_torch_floats_are_read(dtype):
    values = torch.tensor([[0.0, 0.5, 1.0]], dtype=dtype, requires_grad=True)
    assert opened(values)[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint32, np.uint64, ">i4"])
def test_integers_within_a_byte_are_taken_as_they_are(dtype):
    assert opened(np.array([[0, 1, 127]], dtype=dtype))[0, :, 0].tolist() == [0, 1, 127]


@pytest.mark.parametrize("dtype", [np.uint16, ">u2"])
def test_sixteen_bits_keep_their_high_byte(dtype):
    assert opened(np.array([[0, 255, 0x1234, 0xFFFF]], dtype=dtype))[0, :, 0].tolist() == [0, 0, 0x12, 0xFF]


def test_truth_is_white():
    assert opened(np.array([[True, False]]))[0, :, 0].tolist() == [255, 0]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([[0, 256]], r"0\.\.255"),
        ([[-1, 5]], r"0\.\.255"),
        ([[0.0, 255.0]], r"0\.\.1"),
        ([[-0.5, 0.5]], r"0\.\.1"),
        ([[0.0, np.nan]], "NaN"),
        ([[0.0, np.inf]], "infinite"),
    ],
)
def test_values_out_of_range_are_refused_with_what_is_allowed(values, reason):
    for array in (np.array(values), torch.tensor(values)):
        with pytest.raises(MediaError, match=reason) as caught:
            open_picture(array, DEFAULT)
        assert caught.value.hint
        assert "(1, 2)" in caught.value.source


def rearranged(values):
    padded = np.zeros((24, 36, 3), dtype=values.dtype)
    padded[::2, ::2] = values
    frozen = values.copy()
    frozen.flags.writeable = False
    return {
        "strided": padded[::2, ::2],
        "reversed": values[::-1, ::-1].copy()[::-1, ::-1],
        "fortran": np.asfortranarray(values),
        "read-only": frozen,
        "channels reversed": values[:, :, ::-1].copy()[:, :, ::-1],
    }


@pytest.mark.parametrize("layout", rearranged(NOISE))
def test_the_layout_in_memory_does_not_matter(layout):
    np.testing.assert_array_equal(opened(rearranged(NOISE)[layout]), NOISE)
    np.testing.assert_array_equal(opened(rearranged(NOISE / 255)[layout]), NOISE)


@pytest.mark.parametrize("shape", [(12, 18), (12, 18, 1), (1, 12, 18)])
def test_one_channel_is_gray(shape):
    gray = NOISE[:, :, 0]
    np.testing.assert_array_equal(opened(gray.reshape(shape)), np.stack([gray] * 3, -1))
    assert picture_size(gray.reshape(shape), DEFAULT) == PictureSize(18, 12)


def test_four_channels_have_alpha():
    values = np.asarray(see_through())
    np.testing.assert_array_equal(opened(values), over_white(Image.fromarray(values)))
    np.testing.assert_array_equal(opened(values.transpose(2, 0, 1)), over_white(Image.fromarray(values)))


@given(arrays.arrays(np.uint8, (6, 7, 4)))
def test_the_callers_array_is_never_written(values):
    before = values.copy()
    open_picture(values, DEFAULT).paste((1, 2, 3), (0, 0, 7, 6))
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((5, 6), "gray"),
        ((5, 6, 3), "last"),
        ((4, 5, 6), "first"),
        ((3, 224, 3), "both"),
        ((5, 6, 2), "neither"),
        ((2, 5, 6, 3), "neither"),
        ((5,), "neither"),
    ],
)
def test_the_shape_says_where_the_channels_are(shape, layout):
    assert pixels_layout(shape) == layout


def test_a_shape_that_reads_two_ways_is_ambiguous():
    with pytest.raises(AmbiguousInput, match=r"\(3, 224, 3\)") as caught:
        open_picture(np.zeros((3, 224, 3), np.uint8), DEFAULT)
    assert "fromarray" in caught.value.hint


def test_a_shape_that_is_no_picture_is_refused_by_name():
    with pytest.raises(MediaError, match=r"\(5, 6, 2\).*\(H, W\)"):
        open_picture(np.zeros((5, 6, 2), np.uint8), DEFAULT)


def test_a_batch_is_to_be_passed_as_a_list():
    with pytest.raises(UnsupportedInput) as caught:
        open_picture(torch.zeros(2, 3, 8, 8), DEFAULT)
    assert "list" in caught.value.hint


@pytest.mark.parametrize("value", ["text", 3, None, np.array([["a"]]), torch.zeros(4, 4, dtype=torch.complex64)])
def test_what_holds_no_pixels_is_unsupported(value):
    for call in (picture_key, lambda value: open_picture(value, DEFAULT), lambda value: picture_size(value, DEFAULT)):
        with pytest.raises(UnsupportedInput):
            call(value)


# Keys.


def test_equal_content_has_one_key():
    assert picture_key(noise()) == picture_key(noise().copy())
    assert picture_key(NOISE) == picture_key(np.asfortranarray(NOISE)) == picture_key(torch.from_numpy(NOISE))
    assert picture_key(blob(b"abc")) == picture_key(Blob("other name", data=b"abc"))


@pytest.mark.parametrize("dtype", [*FLOATS, bool, ">u2"])
def test_every_array_that_opens_has_a_key(dtype):
    values = np.eye(4, dtype=dtype)
    assert picture_key(values) == picture_key(values.T.copy(order="F"))


def test_different_content_has_different_keys():
    turned, palette, other = noise(), with_palette_alpha(), with_palette_alpha()
    turned.getexif()[0x0112] = 6
    other.putpalette(bytes(768))
    values = [noise(), noise("L"), turned, palette, other, with_transparent_index(), NOISE, NOISE[:-1], NOISE / 255]
    assert len({picture_key(value) for value in values}) == len(values)


def test_importing_needs_no_torch():
    code = "import sys, manysense.media.image; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
